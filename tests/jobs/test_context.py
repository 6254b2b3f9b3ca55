"""What a kind records is written soon, together, and never lost."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import event

from radfuse.core.errors import TransientFailure, UnknownJob
from radfuse.jobs import Counts, ItemState, JobContext, Jobs, JobState, run_next
from tests.jobs.working import do_all, new_job, until


def test_results_are_written_together(jobs: Jobs) -> None:
    commits: list[int] = []
    event.listen(jobs.engine, "commit", lambda _connection: commits.append(1))
    job_id = jobs.submit(new_job(items=640))
    commits.clear()

    def quick(context: JobContext) -> None:
        items = context.pending()
        commits.clear()
        for item in items:
            context.record(item.number, ItemState.SENT)
        assert len(commits) == 10

    assert run_next(jobs, {"work": quick}, job_id).counts == Counts(sent=640)


def test_an_item_says_what_became_of_it(jobs: Jobs) -> None:
    def mixed(context: JobContext) -> None:
        context.record(1, ItemState.WARNED, 0xB007, "x" * 1000)
        context.record(2, ItemState.FAILED, 0xC000)
        context.record(2, ItemState.SENT, 0x0000, "at last")
        context.flush()
        context.record(2, ItemState.FAILED, 0xC001, "after all")
        context.record(2, ItemState.FAILED, 0xC001, "after all")

    before_s = time.time()
    job = run_next(jobs, {"work": mixed}, jobs.submit(new_job()))
    assert job.counts == Counts(pending=1, warned=1, failed=1)
    first, second, third = jobs.items(job.id)
    assert (first.state, first.status, first.comment) == (ItemState.WARNED, 0xB007, "x" * 500)
    assert (second.state, second.status, second.comment) == (ItemState.FAILED, 0xC001, "after all")
    assert (third.state, third.status) == (ItemState.PENDING, None)
    assert before_s <= first.changed_s <= time.time()


def test_what_is_pending_knows_what_was_just_recorded(jobs: Jobs) -> None:
    pages: list[list[int]] = []

    def paged(context: JobContext) -> None:
        while page := context.pending(limit=4):
            pages.append([item.number for item in page])
            for item in page:
                context.record(item.number, ItemState.SENT)
        assert [item.number for item in context.pending(after=2)] == []

    assert run_next(jobs, {"work": paged}, jobs.submit(new_job(items=9))).state is JobState.DONE
    assert pages == [[1, 2, 3, 4], [5, 6, 7, 8], [9]]


def test_the_last_word_of_a_job_stays(jobs: Jobs) -> None:
    def talking(context: JobContext) -> None:
        context.say("asking the peer")
        context.flush()
        assert jobs.get(context.job.id).message == "asking the peer"
        do_all(context)
        context.say("all sent")

    job = run_next(jobs, {"work": talking}, jobs.submit(new_job()))
    assert (job.state, job.message) == (JobState.DONE, "all sent")


@pytest.mark.parametrize(("action", "after"), [(Jobs.cancel, JobState.CANCELLED), (Jobs.pause, JobState.PAUSED)])
def test_a_running_kind_soon_sees_that_it_must_stop(action: object, after: JobState, jobs: Jobs) -> None:
    started, seen = threading.Event(), threading.Event()

    def endless(context: JobContext) -> None:
        context.record(1, ItemState.SENT)
        started.set()
        while not context.should_stop():
            time.sleep(0.01)
        seen.set()

    job_id = jobs.submit(new_job())
    thread = threading.Thread(target=run_next, args=(jobs, {"work": endless}, job_id))
    thread.start()
    assert started.wait(30)
    action(jobs, job_id)  # type: ignore[operator]
    assert seen.wait(30)
    thread.join()
    job = jobs.get(job_id)
    assert (job.state, job.counts) == (after, Counts(pending=2, sent=1))


def test_an_older_attempt_stops_when_the_job_was_started_again(jobs: Jobs) -> None:
    started = threading.Event()

    def endless(context: JobContext) -> None:
        started.set()
        while not context.should_stop():
            time.sleep(0.01)
        raise TransientFailure("this must not be seen")

    job_id = jobs.submit(new_job())
    thread = threading.Thread(target=run_next, args=(jobs, {"work": endless}, job_id))
    thread.start()
    assert started.wait(30)
    jobs.pause(job_id)
    jobs.resume(job_id)
    thread.join(30)
    assert not thread.is_alive()
    job = jobs.get(job_id)
    assert (job.state, job.attempt, job.message) == (JobState.QUEUED, 2, "")


def test_what_an_older_attempt_says_does_not_replace_why_the_job_ended(jobs: Jobs) -> None:
    def talking(context: JobContext) -> None:
        jobs.cancel(context.job.id)
        context.record(1, ItemState.FAILED, 0xA900)
        context.say("1 of 3 objects")

    job = run_next(jobs, {"work": talking}, jobs.submit(new_job()))
    assert (job.state, job.message) == (JobState.CANCELLED, "cancelled by the user")
    assert job.counts == Counts(pending=2, failed=1), "what became of an item is true all the same"


def test_of_an_older_attempt_only_what_the_peer_has_counts(jobs: Jobs) -> None:
    def late(context: JobContext) -> None:
        context.record(1, ItemState.FAILED, 0xA900)
        context.flush()
        jobs.cancel(context.job.id)
        jobs.retry(context.job.id)
        for number, state in enumerate((ItemState.FAILED, ItemState.SENT, ItemState.WARNED), 1):
            context.record(number, state)

    job_id = jobs.submit(new_job(items=4))
    job = run_next(jobs, {"work": late}, job_id)
    assert (job.state, job.attempt, job.counts) == (JobState.QUEUED, 2, Counts(pending=2, sent=1, warned=1))
    assert run_next(jobs, {"work": do_all}, job_id).state is JobState.DONE


def test_results_of_a_job_that_was_forgotten_go_nowhere(jobs: Jobs) -> None:
    def slow(context: JobContext) -> None:
        jobs.cancel(context.job.id)
        jobs.forget(-1.0)
        context.say("still here")
        context.record(1, ItemState.SENT)
        context.flush()
        assert context.pending() == []

    job_id = jobs.submit(new_job())
    with pytest.raises(UnknownJob):
        run_next(jobs, {"work": slow}, job_id)
    assert jobs.list() == []


class FullDisk:
    """While it is full no transaction of this queue can write."""

    def __init__(self, jobs: Jobs) -> None:
        self.full = False
        event.listen(jobs.engine, "checkout", self._limit)
        with jobs.engine.connect():
            pass

    def _limit(self, connection: object, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={1 if self.full else 1 << 30}")  # type: ignore[attr-defined]


def test_a_full_disk_fails_the_job_for_now_and_what_was_recorded_is_kept(jobs: Jobs) -> None:
    disk = FullDisk(jobs)
    job_id = jobs.submit(new_job(items=400))
    refusals: list[str] = []

    def sending(context: JobContext) -> None:
        items = context.pending()
        disk.full = True
        try:
            for item in items:
                context.record(item.number, ItemState.SENT, 0, "long comment " * 30)
        except TransientFailure as error:
            refusals.append(str(error))
            assert context.should_stop()
            threading.Timer(1.5, lambda: setattr(disk, "full", False)).start()
            raise

    job = run_next(jobs, {"work": sending}, job_id)
    assert refusals == ["no space left for the queue: make room on the volume of the data folder, the job then goes on"]
    assert job.state is JobState.WAITING
    assert job.message == "the queue could not be written for a while; the job goes on"
    assert 0 < job.counts.sent < 400
    assert run_next(jobs, {"work": do_all}, job_id).state is JobState.DONE


def test_a_kind_that_returns_because_nothing_could_be_written_is_tried_again(jobs: Jobs) -> None:
    disk = FullDisk(jobs)

    def silent(context: JobContext) -> None:
        items = context.pending()
        disk.full = True
        for item in items[:60]:
            context.record(item.number, ItemState.SENT, 0, "long comment " * 30)
        time.sleep(0.15)
        context.flush_if_due()  # the worker's thread does this
        until(context.should_stop)
        disk.full = False

    job = run_next(jobs, {"work": silent}, jobs.submit(new_job(items=400)))
    assert (job.state, job.counts.sent) == (JobState.WAITING, 60)
