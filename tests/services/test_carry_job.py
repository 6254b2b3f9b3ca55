"""Carrying as a job: the path it was asked along, the same objects at every try, and a sentence at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from radfuse.archive import queries
from radfuse.core.errors import InvalidRegion
from radfuse.jobs import Job, JobContext, JobState, run_next
from radfuse.services.carry import CarryAsk, Form, Images, Regions, path_of
from radfuse.services.carry_job import CARRY, ask_of, new_carrying, run_carrying
from radfuse.services.image_jobs import ImageSurroundings
from radfuse.services.one_object import stored_data_set
from radfuse.services.registrations import Wish
from radfuse.services.stored_objects import object_of
from radfuse.services.volumes import objects_of_series
from radfuse.volume import Unit
from tests.services.routing_scenes import Desk
from tests.support.carried import Kept, fill_archive
from tests.support.two_series import CT_SERIES, MR_SERIES


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Kept]]:
    folder = tmp_path_factory.mktemp("carry")
    with contextlib.closing(Desk(folder / "data")) as desk:
        yield desk, fill_archive(desk.archive, folder / "files")


def submit(desk: Desk, ask: CarryAsk) -> int:
    path = path_of(desk.archive, ask.fixed, ask.moving, ask.wish)
    return desk.jobs.submit(new_carrying(ask, path, by="Lucia Vega"))


def run(desk: Desk, number: int, stopping: Callable[[], bool] = lambda: False) -> Job:
    return run_next(desk.jobs, {CARRY: partial(attempt, desk=desk)}, number, stopping)


def attempt(context: JobContext, desk: Desk) -> None:
    run_carrying(context, ImageSurroundings(desk.open))


def carried(desk: Desk) -> dict[str, bytes]:
    """Digests of what was carried, by SOP Instance UID."""
    with desk.archive.reading() as connection:
        places = queries.study_places(connection, "2.25.7001")
    series = [place.series_instance_uid for place in places if place.description == "Carried over"]
    return {stored.sop_instance_uid: stored.digest for uid in series for stored in objects_of_series(desk.archive, uid)}


def test_a_job_that_crashed_before_it_was_recorded_gives_the_same_object(
    ready: tuple[Desk, Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, uids = ready
    number = submit(desk, CarryAsk(CT_SERIES, MR_SERIES, Regions(uids.structures, form=Form.SLICES)))

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("crashed")

    with monkeypatch.context() as broken:
        broken.setattr(JobContext, "record", crash)
        assert run(desk, number).state is not JobState.DONE
    first = carried(desk)
    assert len(first) == 1
    desk.jobs.retry(number)
    job = run(desk, number)
    assert job.state is JobState.DONE
    assert job.message.startswith(f"1 region carried over by registration {uids.registration}")
    assert desk.jobs.items(number)[0].comment == job.message
    assert carried(desk) == first
    assert str(stored_data_set(desk.archive, object_of(desk.archive, next(iter(first)))).OperatorsName) == "Lucia Vega"


def test_a_job_that_is_to_stop_keeps_nothing(ready: tuple[Desk, Kept]) -> None:
    desk, _ = ready
    before = carried(desk)
    asked = iter(range(100))
    job = run(desk, submit(desk, CarryAsk(CT_SERIES, MR_SERIES, Images())), lambda: next(asked) >= 2)
    assert job.state is JobState.QUEUED
    assert carried(desk) == before


def test_what_cannot_be_carried_fails_with_a_sentence(ready: tuple[Desk, Kept]) -> None:
    desk, uids = ready
    job = run(desk, submit(desk, CarryAsk(CT_SERIES, MR_SERIES, Regions(uids.structures, ("Heart",)))))
    assert job.state is JobState.FAILED
    assert "none of its 1 regions has that name" in job.message
    ask = CarryAsk(CT_SERIES, MR_SERIES, Regions(Path("a.dcm")))
    with pytest.raises(InvalidRegion, match="not of files"):
        submit(desk, ask)


def test_what_was_asked_for_comes_back_from_the_job_with_the_path_there_was(ready: tuple[Desk, Kept]) -> None:
    desk, uids = ready
    path = path_of(desk.archive, CT_SERIES, MR_SERIES, Wish())
    for what in (Regions(uids.structures, ("GTV",), Form.SEG), Regions("2.25.1"), Images(), Images(Unit.SUV_BW)):
        asked = ask_of(new_carrying(CarryAsk(CT_SERIES, MR_SERIES, what, Wish(True), 1, 2), path).parameters)
        assert asked == CarryAsk(CT_SERIES, MR_SERIES, what, Wish(True, False, frozenset({uids.registration})), 1, 2)
