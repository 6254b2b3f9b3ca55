"""A job's turn, changed while it waits for it."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from radfuse.core.errors import ConfigurationError, JobNotInState
from radfuse.db import read_transaction
from radfuse.jobs import JobContext, Jobs, JobState
from radfuse.jobs.tables import job_table
from tests.jobs.working import do_all, finished, new_job, until, working


def is_handed_over(jobs: Jobs, job_id: int) -> bool:
    with read_transaction(jobs.engine) as connection:
        return connection.scalar(select(job_table.c.next_attempt_s).where(job_table.c.id == job_id)) is None


def test_a_job_that_dbos_has_already_goes_before_the_others(jobs: Jobs) -> None:
    go_on, order = threading.Event(), list[int]()

    def kind(context: JobContext) -> None:
        order.append(context.job.id)
        go_on.wait(60)
        do_all(context)

    first, second, third = (jobs.submit(new_job()) for _ in range(3))
    with working(jobs, {"work": kind}):
        until(lambda: bool(order) and is_handed_over(jobs, third))
        jobs.set_priority(third, 1)
        until(lambda: is_handed_over(jobs, third))
        go_on.set()
        until(lambda: finished(jobs, first, second, third))
    assert order == [first, third, second]
    assert jobs.get(third).state is JobState.DONE


def test_a_waiting_job_keeps_its_time_and_its_attempt(jobs: Jobs) -> None:
    number = jobs.submit(new_job())
    before = jobs.get(number)
    jobs.set_priority(number, 2)
    after = jobs.get(number)
    assert (after.priority, after.attempt, after.state) == (2, before.attempt, JobState.QUEUED)


def test_what_has_ended_and_what_is_no_priority_is_refused(jobs: Jobs) -> None:
    number = jobs.submit(new_job())
    with pytest.raises(ConfigurationError):
        jobs.set_priority(number, 10)
    jobs.cancel(number)
    with pytest.raises(JobNotInState, match="cannot be given another priority"):
        jobs.set_priority(number, 2)
