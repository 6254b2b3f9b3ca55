"""Registration as a job: once kept, always the same objects; it can be stopped, and fails with a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from radfuse.archive import queries
from radfuse.core.errors import CannotRegister
from radfuse.jobs import Job, JobContext, JobState, run_next
from radfuse.registration import MetricStep
from radfuse.services.image_jobs import ImageSurroundings, following
from radfuse.services.import_media import import_files
from radfuse.services.measure import Image
from radfuse.services.one_object import stored_data_set
from radfuse.services.register import Allowed, Region, RegisterAsk, RegisterKind, Structures, pair_of, read_landmarks
from radfuse.services.register_job import REGISTER, ask_of, new_registration, run_registration
from radfuse.services.stored_objects import objects_named
from tests.services.routing_scenes import Desk
from tests.support.two_series import CT_SERIES, MR_SERIES, TwoSeries, landmark_lines, write_two_series


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> TwoSeries:
    return write_two_series(tmp_path_factory.mktemp("two"))


@pytest.fixture
def desk(tmp_path: Path, two: TwoSeries) -> Iterator[Desk]:
    with contextlib.closing(Desk(tmp_path / "data")) as made:
        assert len(list(import_files(made.archive, two.files))) == len(two.files)
        yield made


@pytest.fixture
def ask(tmp_path: Path) -> RegisterAsk:
    (tmp_path / "landmarks.csv").write_text(landmark_lines(), encoding="utf-8")
    points = read_landmarks(tmp_path / "landmarks.csv")
    return RegisterAsk(Image(CT_SERIES), Image(MR_SERIES), RegisterKind.LANDMARKS, landmarks=points)


def run(desk: Desk, number: int, stopping: Callable[[], bool] = lambda: False) -> Job:
    return run_next(desk.jobs, {REGISTER: partial(attempt, desk=desk)}, number, stopping)


def attempt(context: JobContext, desk: Desk) -> None:
    run_registration(context, ImageSurroundings(desk.open))


def kept(desk: Desk) -> dict[str, bytes]:
    """Digests of what was made, by SOP Instance UID."""
    with desk.archive.reading() as connection:
        places = [queries.study_places(connection, "2.25.7001")]
    from radfuse.services.volumes import objects_of_series

    made = [place.series_instance_uid for place in places[0] if place.modality in ("REG", "OT", "SR", "DOC")]
    return {stored.sop_instance_uid: stored.digest for uid in made for stored in objects_of_series(desk.archive, uid)}


def test_a_job_that_crashed_before_it_was_recorded_gives_the_same_objects(
    desk: Desk, ask: RegisterAsk, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = desk.jobs.submit(new_registration(ask))

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("crashed")

    with monkeypatch.context() as broken:
        broken.setattr(JobContext, "record", crash)
        assert run(desk, number).state is not JobState.DONE
    first = kept(desk)
    assert len(first) == 4
    with monkeypatch.context() as elsewhere:
        # Also where the first look does not find them, making them again changes nothing.
        elsewhere.setattr("radfuse.services.register_job.pdf_kept", lambda *_, **__: "")
        desk.jobs.retry(number)
        job = run(desk, number)
    assert (job.state, job.counts.sent) == (JobState.DONE, 1)
    assert kept(desk) == first
    assert run_again(desk, number, ask) == first


def run_again(desk: Desk, number: int, ask: RegisterAsk) -> dict[str, bytes]:
    """What is kept after an attempt that finds everything done."""
    context = JobContext(desk.jobs.engine, desk.jobs.get(number))
    run_registration(context, ImageSurroundings(desk.open))
    return kept(desk)


def made_by(desk: Desk) -> list[Dataset]:
    """What was made and has an operator: of documents it stands among their observers."""
    made = objects_named(desk.archive, list(kept(desk))).values()
    found = [stored_data_set(desk.archive, each, pixels=False) for each in made]
    (report,) = (ds for ds in found if ds.Modality == "SR")
    assert "Lovelace^Ada" in [each.PersonName for each in report.ContentSequence if each.ValueType == "PNAME"]
    return [ds for ds in found if "OperatorsName" in ds]


def test_a_job_that_is_to_stop_keeps_nothing_and_later_keeps_all_and_says_the_grade(
    desk: Desk, ask: RegisterAsk
) -> None:
    number = desk.jobs.submit(new_registration(ask, by="Lovelace^Ada"))
    asked = iter(range(100))
    job = run(desk, number, lambda: next(asked) >= 2)
    assert job.state is JobState.QUEUED
    assert kept(desk) == {}
    job = run(desk, number)
    assert (job.state, job.counts.sent) == (JobState.DONE, 1)
    assert job.message.startswith("PASS: ")
    (item,) = desk.jobs.items(number)
    assert item.comment == job.message
    assert {str(ds.OperatorsName) for ds in made_by(desk)} == {"Lovelace^Ada"}
    assert len(kept(desk)) == 4


def test_people_watch_the_newest_numbers_of_the_metric_by_stage_as_long_as_the_job_runs(
    desk: Desk, ask: RegisterAsk
) -> None:
    number = desk.jobs.submit(new_registration(ask))
    seen: list[object] = []

    def work(context: JobContext) -> None:
        for stage, values in (("one", range(100, 0, -1)), ("two", (0.5, float("nan"), 1 / 3))):
            for value in values:
                # Shown at every step, which a real one is not: a new follower each time would forget.
                follow = followers.setdefault(number, following(context))
                follow(MetricStep(stage, "metric", value))
                context.flush()
                job = desk.jobs.get(number)
                seen.append(job.live and job.live["metric"])

    followers: dict[int, Callable[[MetricStep], None]] = {}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("radfuse.services.image_jobs._TELL_EVERY_S", -1.0)
        job = run_next(desk.jobs, {REGISTER: work}, number)
    assert seen[99] == {"stage": "one", "name": "metric", "values": [float(each) for each in range(60, 0, -1)]}
    assert seen[-1] == {"stage": "two", "name": "metric", "values": [0.5, 0.333333]}
    assert job.live is None


def test_what_cannot_be_registered_fails_with_a_sentence(desk: Desk, ask: RegisterAsk) -> None:
    same = RegisterAsk(ask.fixed, ask.fixed, ask.kind, landmarks=ask.landmarks)
    job = run(desk, desk.jobs.submit(new_registration(same)))
    assert job.state is JobState.FAILED
    assert "there is nothing to do" in job.message
    with pytest.raises(CannotRegister):
        new_registration(RegisterAsk(Image([Path("a")]), ask.moving))


def test_what_was_asked_for_comes_back_from_the_job(ask: RegisterAsk) -> None:
    asked = RegisterAsk(
        Image(CT_SERIES, stack=1),
        Image(MR_SERIES),
        RegisterKind.DEFORMABLE,
        (pair_of("1,2,3:4,5,6"),),
        ask.landmarks,
        Region((1.0, 2.0, 3.0), size_mm=(40.0, 50.0, 60.0)),
        Structures("2.25.1", "2.25.2"),
        check_back=False,
        allowed=Allowed(other_patient=True, same_frame=True),
    )
    assert ask_of(new_registration(asked).parameters) == asked
    assert ask_of(new_registration(ask).parameters) == ask
    ball = replace(asked, region=Region((1.0, 2.0, 3.0), 40.0))
    assert ask_of(new_registration(ball).parameters) == ball
    hand = RegisterAsk(ask.fixed, ask.moving, RegisterKind.MANUAL, manual=((1.0, 2.0, 3.0), (0.0, 4.5, 0.0)))
    assert ask_of(new_registration(hand).parameters) == hand
