"""Badges and history: what goes on with a study, from its jobs and the access log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from radfuse.archive import Archive
from radfuse.archive.queries import StudyListing, StudyRow, list_studies
from radfuse.jobs import ItemState, JobContext, Jobs, NewItem, NewJob, run_next
from radfuse.services.access_log import AccessEntry, AccessLog, Outcome
from radfuse.services.browse import badges_of, history_of
from tests.archive.objects import numbered, store

STUDY = numbered(1).study


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    with closing(Jobs(tmp_path)) as opened:
        yield opened


@pytest.fixture
def access_log(tmp_path: Path) -> Iterator[AccessLog]:
    with closing(AccessLog(tmp_path)) as opened:
        yield opened


@pytest.fixture
def row(archive: Archive) -> StudyRow:
    store(archive, numbered(1))
    with archive.reading() as connection:
        (found,) = list_studies(connection, StudyListing())
    return found


def send(peer: str, database: str = "default") -> NewJob:
    return NewJob("send", peer, f"1 object to {peer}", {"peer": peer, "database": database}, [NewItem("1.2")],
                  studies=[STUDY])  # fmt: skip


def done(context: JobContext) -> None:
    context.record(1, ItemState.SENT, 0)


def failing(context: JobContext) -> None:
    context.record(1, ItemState.FAILED, 0xA700)


def test_what_came_just_now_is_arriving(jobs: Jobs, row: StudyRow) -> None:
    assert badges_of(jobs, [row], "default")[STUDY].is_arriving
    assert badges_of(jobs, [], "default") == {}


def test_a_study_was_sent_where_jobs_have_sent_something_of_it(jobs: Jobs, row: StudyRow) -> None:
    for peer, kind in (("PACS2", done), ("PACS1", done), ("BROKEN", failing)):
        run_next(jobs, {"send": kind}, jobs.submit(send(peer)))
    jobs.submit(send("LATER"))
    run_next(jobs, {"send": done}, jobs.submit(send("OTHER", "research")))
    assert badges_of(jobs, [row], "default")[STUDY].sent_to == ["PACS1", "PACS2"]
    assert badges_of(jobs, [row], "research")[STUDY].sent_to == ["OTHER"]


def test_a_deletion_to_come_says_when(jobs: Jobs, row: StudyRow) -> None:
    deletion = NewJob("delete", "delete", "x", delay_s=300, studies=[STUDY])
    number = jobs.submit(deletion)
    leaving = badges_of(jobs, [row], "default")[STUDY].leaving
    assert leaving is not None
    assert (leaving.job, leaving.due_s) == (number, jobs.get(number).next_attempt_s)
    jobs.pause(number)
    assert badges_of(jobs, [row], "default")[STUDY].leaving is None


def access(action: str, user: str, **more: object) -> AccessEntry:
    entry = AccessEntry(user, "reader", "127.0.0.1", action, Outcome.DONE, STUDY, time_s=time.time())
    return AccessEntry(**({name: getattr(entry, name) for name in entry.__slots__} | more))


def test_the_history_is_told_by_jobs_arrivals_and_accesses(
    archive: Archive, jobs: Jobs, access_log: AccessLog, row: StudyRow
) -> None:
    number = jobs.submit(send("PACS"))
    run_next(jobs, {"send": done}, number)
    access_log.write([access("view", "anna"), access("send", "bert", subject="PACS")])
    told = [(entry.what, entry.user, entry.job) for entry in history_of(archive, jobs, access_log, STUDY, "default")]
    assert sorted(told) == [
        ("1 object of 1 series arrived", "", None),
        ("Looked at", "anna", None),
        ("Send 1 object to PACS: done", "", number),
        ("Send 1 object to PACS: queued", "bert", number),
    ]


def test_what_was_refused_is_told_too(archive: Archive, jobs: Jobs, access_log: AccessLog) -> None:
    access_log.write([access("delete", "carl", outcome=Outcome.REFUSED)])
    (entry,) = history_of(archive, jobs, access_log, STUDY, "default")
    assert (entry.what, entry.user) == ("Deleted (refused)", "carl")


def test_the_newest_is_told_first(archive: Archive, jobs: Jobs, access_log: AccessLog, row: StudyRow) -> None:
    jobs.submit(send("PACS"))
    times = [entry.time_s for entry in history_of(archive, jobs, access_log, STUDY, "default")]
    assert times == sorted(times, reverse=True)
