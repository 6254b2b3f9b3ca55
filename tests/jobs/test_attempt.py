"""How a kind ends its job, and what an attempt that is over may no longer do."""

from __future__ import annotations

import logging
import time

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from radfuse.core.errors import JobFailed, OutOfSpace, TransientFailure, UnknownPeer
from radfuse.db import write_transaction
from radfuse.jobs import Counts, ItemState, Job, JobContext, Jobs, JobState, Retry, run_next
from radfuse.jobs.attempt import Runner
from radfuse.jobs.tables import job_table
from tests.jobs.working import do_all, new_job


def run(jobs: Jobs, kind: object, retry: Retry | None = None, items: int = 3) -> Job:
    return run_next(jobs, {"work": kind}, jobs.submit(new_job(retry=retry, items=items)))  # type: ignore[dict-item]


def raising(error: Exception) -> object:
    def kind(_context: JobContext) -> None:
        raise error

    return kind


def test_a_job_is_done_when_every_item_is_sent_or_warned(jobs: Jobs) -> None:
    def kind(context: JobContext) -> None:
        do_all(context)
        context.record(2, ItemState.WARNED, 0xB000)

    before_s = time.time()
    job = run(jobs, kind)
    assert (job.state, job.message, job.attempt) == (JobState.DONE, "", 1)
    assert job.started_s is not None
    assert job.finished_s is not None
    assert before_s <= job.started_s <= job.finished_s <= time.time()


def test_a_job_without_items_is_done_when_its_kind_returns(jobs: Jobs) -> None:
    assert run(jobs, lambda _context: None, items=0).state is JobState.DONE


def test_a_job_that_leaves_something_undone_has_failed_and_says_what(jobs: Jobs) -> None:
    def kind(context: JobContext) -> None:
        context.record(1, ItemState.SENT)
        context.record(2, ItemState.FAILED, 0xA900)

    job = run(jobs, kind)
    assert (job.state, job.message) == (JobState.FAILED, "1 of 3 failed, 1 of 3 not done")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UnknownPeer("X"), str(UnknownPeer("X"))),
        (OutOfSpace("the store"), "no space left for the store"),
        (ZeroDivisionError("secret"), "internal error; the log says more"),
    ],
)
def test_an_error_fails_the_job_with_its_sentence(
    error: Exception, message: str, jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    job = run(jobs, raising(error), Retry(3))
    assert (job.state, job.message) == (JobState.FAILED, message)
    assert ("Traceback" in caplog.text) == isinstance(error, ZeroDivisionError)


def test_a_job_of_a_kind_that_nobody_knows_has_failed(jobs: Jobs) -> None:
    job = run_next(jobs, {}, jobs.submit(new_job("paint")))
    assert (job.state, job.message) == (JobState.FAILED, "this version of Radfuse does not know jobs of kind paint")


def test_a_job_that_fails_for_now_waits_longer_each_time_until_no_try_is_left(jobs: Jobs) -> None:
    job_id = jobs.submit(new_job(retry=Retry(3, 60.0)))
    kinds = {"work": raising(TransientFailure("the peer is down"))}
    for expected_s in (60, 120, 240):
        job = run_next(jobs, kinds, job_id)  # type: ignore[arg-type]
        assert (job.state, job.message) == (JobState.WAITING, "the peer is down")
        assert job.next_attempt_s is not None
        assert expected_s - 5 < job.next_attempt_s - time.time() <= expected_s
    job = run_next(jobs, kinds, job_id)  # type: ignore[arg-type]
    assert (job.state, job.attempt, job.next_attempt_s) == (JobState.FAILED, 4, None)
    assert job.finished_s is not None


def test_a_database_that_was_away_for_the_kind_is_a_failure_for_now(jobs: Jobs) -> None:
    job = run(jobs, raising(OperationalError("x", None, Exception("gone"))), Retry(1))
    assert (job.state, job.message) == (JobState.WAITING, "a database could not be used")


@pytest.mark.parametrize("error", [None, TransientFailure("aborted"), ZeroDivisionError()])
def test_a_job_of_a_worker_that_stops_is_queued_again_whatever_its_kind_raised(
    error: Exception | None, jobs: Jobs
) -> None:
    stopping = False

    def kind(context: JobContext) -> None:
        nonlocal stopping
        context.record(1, ItemState.SENT)
        stopping = True
        assert context.should_stop()
        if error is not None:
            raise error

    job = run_next(jobs, {"work": kind}, jobs.submit(new_job()), lambda: stopping)
    assert (job.state, job.attempt, job.counts.sent) == (JobState.QUEUED, 2, 1)


def test_a_job_that_has_failed_for_good_stays_so_when_the_worker_stops(jobs: Jobs) -> None:
    stopping = False

    def kind(context: JobContext) -> None:
        nonlocal stopping
        context.record(1, ItemState.FAILED, 0xA900)
        stopping = True
        assert context.should_stop()
        raise JobFailed("SINK answered with status A900")

    job = run_next(jobs, {"work": kind}, jobs.submit(new_job()), lambda: stopping)
    assert (job.state, job.message) == (JobState.FAILED, "SINK answered with status A900")
    assert job.counts == Counts(pending=2, failed=1), "the others are not sent behind the user's back"


def test_a_job_that_was_all_done_when_the_worker_stopped_is_done(jobs: Jobs) -> None:
    stopping = False

    def kind(context: JobContext) -> None:
        nonlocal stopping
        do_all(context)
        stopping = True
        context.should_stop()

    assert run_next(jobs, {"work": kind}, jobs.submit(new_job()), lambda: stopping).state is JobState.DONE


def test_an_attempt_runs_once_and_never_after_it_is_over(jobs: Jobs) -> None:
    runs: list[int] = []

    def kind(context: JobContext) -> None:
        runs.append(context.job.attempt)
        do_all(context)

    runner = Runner(jobs, {"work": kind}, "tester")
    job_id = jobs.submit(new_job())
    runner.run(job_id, 2)
    assert runs == []
    runner.run(job_id, 1)
    runner.run(job_id, 1)
    runner.run(4711, 1)
    assert runs == [1]
    paused = jobs.submit(new_job())
    jobs.pause(paused)
    runner.run(paused, 1)
    jobs.resume(paused)
    runner.run(paused, 1)
    assert runs == [1]
    runner.run(paused, 2)
    assert runs == [1, 2]


def test_an_attempt_that_starts_while_the_worker_stops_is_handed_back(jobs: Jobs) -> None:
    job_id = jobs.submit(new_job())
    with write_transaction(jobs.engine) as connection:
        connection.execute(update(job_table).values(next_attempt_s=None))
    Runner(jobs, {"work": do_all}, "tester", lambda: True).run(job_id, 1)
    job = jobs.get(job_id)
    assert (job.state, job.attempt) == (JobState.QUEUED, 2)
    with jobs.engine.connect() as connection:
        assert connection.execute(job_table.select()).one().next_attempt_s is not None


def test_a_kind_that_is_cancelled_may_end_as_it_likes(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    def kind(context: JobContext) -> None:
        context.record(1, ItemState.FAILED)
        jobs.cancel(context.job.id)
        raise TransientFailure("too late")

    job = run(jobs, kind, Retry(5))
    assert (job.state, job.message) == (JobState.CANCELLED, "cancelled by the user")
    assert job.counts.failed == 1
    assert "a job attempt ended" not in caplog.text
