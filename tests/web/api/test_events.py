"""Live events: what one page is told of what others do."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from radfuse.archive import Archive
from radfuse.jobs import Jobs, NewItem, NewJob
from radfuse.services.forget import forget_objects
from radfuse.services.live import ArchiveChanged, Change, JobsChanged, Live, ReadAgain
from tests.archive.objects import AnObject, numbered, settings, store, stored_objects
from tests.db.conftest import new_database, postgresql_server  # noqa: F401  the same servers
from tests.jobs.working import until
from tests.web.api.conftest import RunningApi, api_in
from tests.web.api.listening import listening

A_JOB = NewJob("send", "PACS1", "1 object", {"peer": "PACS1"}, [NewItem("1.2.3")])


def lookouts() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "live"]


def test_hello_comes_first_and_then_each_change_of_a_job(api: RunningApi) -> None:
    with listening(api.url) as heard:
        heard.wait_for_name("hello")
        number = api.desk.jobs.submit(A_JOB)
        told = heard.wait_for_name("jobs")
        assert told["jobs"] == [api.get(f"/jobs/{number}")]
        assert told["totals"]["queued"] == 1
        api.send("POST", f"/jobs/{number}/cancel")
        heard.wait_for(lambda name, data: name == "jobs" and data["jobs"][0]["state"] == "cancelled")


def test_what_another_process_does_is_told(api: RunningApi) -> None:
    with listening(api.url) as heard, contextlib.closing(Jobs(api.folder)) as theirs:
        heard.wait_for_name("hello")
        theirs.submit(A_JOB)
        heard.wait_for_name("jobs")
        with Archive(settings(api.folder)) as archive:
            store(archive, AnObject("2.25.1", study="2.25.99"))
        assert heard.wait_for_name("archive") == {"studies": ["2.25.99"], "database": "default"}


def test_a_deletion_says_to_read_again(api: RunningApi) -> None:
    store(api.archive, AnObject("2.25.1"))
    with listening(api.url) as heard:
        heard.wait_for_name("hello")
        forget_objects(api.archive, stored_objects(api.archive).values())
        assert heard.wait_for_name("archive") == {"studies": [], "database": "default"}


def test_very_many_studies_at_once_are_not_named(api: RunningApi) -> None:
    with listening(api.url) as heard:
        heard.wait_for_name("hello")
        for number in range(200):
            store(api.archive, numbered(number, study=f"2.25.99.{number}"))
        heard.wait_for_name("archive")
    assert all(len(data["studies"]) <= 50 for name, data in heard.events if name == "archive")


def test_nobody_looks_while_nobody_listens(api: RunningApi) -> None:
    until(lambda: not lookouts())  # those of the tests before
    with listening(api.url) as first, listening(api.url) as second:
        first.wait_for_name("hello")
        second.wait_for_name("hello")
        assert len(lookouts()) == 1
    until(lambda: not lookouts())
    with listening(api.url) as heard:
        heard.wait_for_name("hello")


def test_pages_that_are_open_are_let_go_in_order_when_the_server_stops(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        with api_in(tmp_path / "data") as api:
            pages = [stack.enter_context(listening(api.url)) for _ in range(5)]
            for heard in pages:
                heard.wait_for_name("hello")
        until(lambda: all(heard.is_whole for heard in pages))


# --- the lookout by itself -------------------------------------------------------------------


@contextlib.contextmanager
def told_of(jobs: Jobs, archive: Archive) -> Iterator[list[Change]]:
    changes: list[Change] = []
    live = Live(jobs, {"default": archive}, every_s=0.02)
    live.start(changes.append)
    try:
        yield changes
    finally:
        live.stop()
        until(lambda: not lookouts())


def test_it_tells_from_postgresql_too(new_database: Callable[[], str], tmp_path: Path) -> None:  # noqa: F811
    with (
        contextlib.closing(Jobs(new_database())) as jobs,
        Archive(settings(tmp_path, index_url=new_database())) as archive,
        told_of(jobs, archive) as changes,
    ):
        until(lambda: changes == [ReadAgain()])
        number = jobs.submit(A_JOB)
        until(lambda: any(isinstance(each, JobsChanged) and each.jobs[0].id == number for each in changes))
        store(archive, AnObject("2.25.1"))
        until(lambda: ArchiveChanged("default", ["2.25.10"]) in changes)
        forget_objects(archive, stored_objects(archive).values())
        until(lambda: ArchiveChanged("default", ()) in changes)
        del changes[:]
        time.sleep(0.2)
        assert not changes


def test_it_goes_on_when_a_database_was_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.closing(Jobs(tmp_path)) as jobs, Archive(settings(tmp_path)) as archive:
        monkeypatch.setattr("radfuse.services.live._AFTER_TROUBLE_S", 0.01)
        monkeypatch.setattr(jobs, "totals", _failing_once(jobs.totals))
        with told_of(jobs, archive) as changes:
            until(lambda: changes == [ReadAgain()])
            jobs.submit(A_JOB)
            until(lambda: changes == [ReadAgain(), ReadAgain()])
            number = jobs.submit(A_JOB)
            until(lambda: any(isinstance(each, JobsChanged) and each.jobs[0].id == number for each in changes))


def _failing_once(call: Callable[[], object]) -> Callable[[], object]:
    calls = iter([True])

    def totals() -> object:
        if next(calls, False):
            raise OSError("the database is away")
        return call()

    return totals
