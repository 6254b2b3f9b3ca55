"""Jobs that are not due at once: until then they can be taken back as if they had never been."""

from __future__ import annotations

import time

import pytest

from radfuse.core.errors import ConfigurationError, JobNotInState
from radfuse.jobs import ItemState, JobContext, Jobs, JobState, NewItem, NewJob
from tests.jobs.working import do_all, finished, until, working


def delayed(delay_s: float) -> NewJob:
    return NewJob("work", "lane", "later", items=[NewItem("2.25.1")], delay_s=delay_s)


def test_a_delayed_job_waits_until_it_is_due(jobs: Jobs) -> None:
    before_s = time.time()
    job = jobs.get(jobs.submit(delayed(300)))
    assert (job.state, job.attempt, job.started_s, job.message) == (JobState.WAITING, 1, None, "")
    assert job.next_attempt_s is not None
    assert before_s + 300 <= job.next_attempt_s <= time.time() + 300


def test_a_job_without_a_delay_is_due_at_once(jobs: Jobs) -> None:
    assert jobs.get(jobs.submit(delayed(0))).state is JobState.QUEUED


@pytest.mark.parametrize("delay_s", [-1.0, 31 * 86_400.0])
def test_a_delay_is_between_nothing_and_thirty_days(delay_s: float) -> None:
    with pytest.raises(ConfigurationError, match="delay_s"):
        delayed(delay_s)


def test_a_worker_starts_it_when_it_is_due_and_not_before(jobs: Jobs) -> None:
    began: list[tuple[float, int]] = []

    def work(context: JobContext) -> None:
        began.append((time.time(), context.job.attempt))
        do_all(context)

    job_id = jobs.submit(delayed(0.5))
    due_s = jobs.get(job_id).next_attempt_s
    with working(jobs, {"work": work}):
        until(lambda: finished(jobs, job_id))
    assert due_s is not None
    assert [attempt for _, attempt in began] == [1]
    assert began[0][0] >= due_s
    assert jobs.get(job_id).state is JobState.DONE


def test_cancelling_before_it_is_due_takes_it_back(jobs: Jobs) -> None:
    job_id = jobs.submit(delayed(300))
    jobs.cancel(job_id)
    job = jobs.get(job_id)
    assert (job.state, job.started_s, job.next_attempt_s) == (JobState.CANCELLED, None, None)
    assert [item.state for item in jobs.items(job_id)] == [ItemState.PENDING]
    with pytest.raises(JobNotInState):
        jobs.resume(job_id)


def test_resuming_starts_it_now_and_that_is_its_first_attempt(jobs: Jobs) -> None:
    job_id = jobs.submit(delayed(300))
    jobs.resume(job_id)
    job = jobs.get(job_id)
    assert (job.state, job.attempt) == (JobState.QUEUED, 1)
    with working(jobs, {"work": do_all}):
        until(lambda: finished(jobs, job_id))
    assert jobs.get(job_id).attempt == 1


def test_pausing_holds_it_beyond_its_time(jobs: Jobs) -> None:
    job_id = jobs.submit(delayed(0.01))
    jobs.pause(job_id)
    time.sleep(0.05)
    assert (jobs.get(job_id).state, jobs.get(job_id).next_attempt_s) == (JobState.PAUSED, None)
    jobs.resume(job_id)
    with working(jobs, {"work": do_all}):
        until(lambda: finished(jobs, job_id))
    assert jobs.get(job_id).state is JobState.DONE


def test_a_job_is_found_by_the_studies_it_is_about(jobs: Jobs) -> None:
    first = jobs.submit(NewJob("work", "lane", "one", studies=["1.2", "1.3", "1.2"]))
    second = jobs.submit(NewJob("work", "lane", "two", studies=["1.3"]))
    jobs.submit(NewJob("work", "lane", "none"))
    assert [(study, job.id) for study, job in jobs.about(["1.2", "1.3", "1.4"])] in (
        [("1.3", second), ("1.2", first), ("1.3", first)],
        [("1.3", second), ("1.3", first), ("1.2", first)],
    )
    assert [job.id for _, job in jobs.about(["1.3"], limit=1)] == [second]
    assert jobs.about([]) == []


def test_a_forgotten_job_is_about_no_study(jobs: Jobs) -> None:
    jobs.cancel(jobs.submit(NewJob("work", "lane", "one", studies=["1.2"])))
    assert jobs.forget(older_than_s=-1) == 1
    assert jobs.about(["1.2"]) == []
