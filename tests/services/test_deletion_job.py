"""Deleting as a job: the very objects that were chosen, nothing that was promised, and a crash does no harm."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from radfuse.archive import Archive, DuplicatePolicy, check_archive
from radfuse.core.errors import OutOfSpace, UnknownEntity
from radfuse.jobs import Item, ItemState, Job, JobState, run_next
from radfuse.services.commitment import Commitments
from radfuse.services.commitment.coding import Request
from radfuse.services.commitment.model import Partner, Reference
from radfuse.services.deletion_job import DELETE, DeletionSurroundings, run_deletion, submit_deletion
from radfuse.services.forget import forget_objects
from radfuse.services.selection import Selection
from radfuse.services.workspaces import Change, Workspaces
from tests.archive.objects import numbered, store, stored_objects
from tests.services.routing_scenes import Desk, uids

STUDY = numbered(1).study


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "data", DuplicatePolicy.REPLACE)
    with contextlib.closing(made):
        yield made


def submit(desk: Desk, undo_s: float = 0.0) -> int:
    return submit_deletion(desk.jobs, desk.archive, Selection([STUDY]), undo_s, "anna")


def run(desk: Desk, job: int) -> Job:
    around = DeletionSurroundings(desk.open, Commitments(desk.jobs))
    return run_next(desk.jobs, {DELETE: partial(run_deletion, surroundings=around)}, job)


def items(desk: Desk, job: int) -> dict[str, Item]:
    return {item.name: item for item in desk.jobs.items(job)}


def test_a_deletion_is_a_job_that_names_its_study_and_who_wants_it(desk: Desk) -> None:
    desk.store(numbered(1), numbered(2))
    job = desk.jobs.get(submit(desk, 300))
    assert (job.kind, job.title, job.state) == (DELETE, "2 objects of 1 study", JobState.WAITING)
    assert job.parameters == {"database": "default", "user": "anna"}
    assert [each.id for _, each in desk.jobs.about([STUDY])] == [job.id]


def test_drafts_of_a_study_that_is_gone_go_with_it(desk: Desk, tmp_path: Path) -> None:
    desk.store(numbered(1))
    with contextlib.closing(Workspaces(tmp_path)) as drafts:
        gone = drafts.create("default", STUDY, "", Change(1, b"{}", "anna")).facts.id
        other = drafts.create("research", STUDY, "", Change(1, b"{}", "anna")).facts.id
    around = DeletionSurroundings(desk.open, Commitments(desk.jobs), lambda: Workspaces(tmp_path))
    run_next(desk.jobs, {DELETE: partial(run_deletion, surroundings=around)}, submit(desk))
    with contextlib.closing(Workspaces(tmp_path)) as drafts:
        assert drafts.find("research", other)
        with pytest.raises(UnknownEntity):
            drafts.find("default", gone)


def test_what_is_not_kept_cannot_be_deleted(desk: Desk) -> None:
    with pytest.raises(UnknownEntity):
        submit(desk)
    assert desk.jobs.list() == []


def test_what_was_chosen_is_gone_and_nothing_else(desk: Desk) -> None:
    desk.store(numbered(1), numbered(2), numbered(101))
    number = submit(desk)
    desk.store(numbered(3))
    job = run(desk, number)
    assert (job.state, job.counts.sent, job.counts.warned) == (JobState.DONE, 2, 0)
    assert desk.kept() == uids(3, 101)
    report = check_archive(desk.archive)
    assert (report.missing, report.orphaned, report.damaged) == ((), (), ())


def test_what_came_again_as_another_object_stays(desk: Desk) -> None:
    desk.store(numbered(1), numbered(2))
    number = submit(desk)
    desk.store(numbered(1, pixels=b"other bytes!"))
    job = run(desk, number)
    assert (job.state, job.counts.sent, job.counts.warned) == (JobState.DONE, 1, 1)
    assert items(desk, number)["2.25.7.1"].comment == "another object has come under its UID, and stays"
    assert desk.kept() == uids(1)


def test_what_we_have_promised_to_keep_stays_and_its_item_says_to_whom(desk: Desk) -> None:
    desk.store(numbered(1), numbered(2))
    stored = stored_objects(desk.archive)["2.25.7.1"]
    records = Commitments(desk.jobs)
    request = Request("2.25.99", (Reference(stored.sop_class_uid, stored.sop_instance_uid),))
    taken = records.take(Partner("SENDER", "SENDER", "NODE"), request, "default", 0.0, lambda _: None)
    records.note_results(taken.id, [replace(each, reason=0) for each in records.outcomes(taken.id)])
    number = submit(desk)
    job = run(desk, number)
    assert (job.state, job.counts.sent, job.counts.warned) == (JobState.DONE, 1, 1)
    kept = items(desk, number)["2.25.7.1"]
    assert (kept.state, kept.comment) == (ItemState.WARNED, "it stays: this node has promised SENDER to keep it")
    assert desk.kept() == uids(1)


def test_what_is_gone_meanwhile_is_done(desk: Desk) -> None:
    desk.store(numbered(1), numbered(2))
    number = submit(desk)
    forget_objects(desk.archive, [stored_objects(desk.archive)["2.25.7.1"]])
    assert run(desk, number).state is JobState.DONE
    assert items(desk, number)["2.25.7.1"].comment == "it was gone already"


class Crash(BaseException):
    """The process dies."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_while_deleting_is_gone_on_from(desk: Desk, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    desk.store(numbered(1), numbered(2))
    number = submit(desk)
    delete = Archive.delete

    def crash(archive: Archive, *words: object, **options: object) -> None:
        if when == "after":
            delete(archive, *words, **options)  # type: ignore[arg-type]
        raise Crash

    with monkeypatch.context() as patched, pytest.raises(Crash):
        patched.setattr(Archive, "delete", crash)
        run(desk, number)
    assert desk.jobs.get(number).state is JobState.RUNNING
    desk.jobs.pause(number)
    desk.jobs.resume(number)
    assert run(desk, number).state is JobState.DONE
    assert desk.kept() == set()


def test_a_full_volume_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.store(numbered(1))
    number = submit(desk)

    def full(*_words: object, **_options: object) -> None:
        raise OutOfSpace("the index")

    with monkeypatch.context() as patched:
        patched.setattr(Archive, "delete", full)
        job = run(desk, number)
    assert (job.state, job.message) == (JobState.WAITING, "no space left for the index")
    assert run(desk, number).state is JobState.DONE


def test_many_objects_are_deleted_in_pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radfuse.services.deletion_job._AT_ONCE", 2)
    for number in range(1, 6):
        store(desk.archive, numbered(number))
    job = submit(desk)
    assert run(desk, job).counts.sent == 5
    assert desk.kept() == set()
