"""The same queue on PostgreSQL, shared by several workers."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from radfuse.core.errors import TransientFailure
from radfuse.jobs import Counts, JobContext, Jobs, JobState, Retry
from tests.jobs.test_kill import lines
from tests.jobs.working import WorkerProcess, do_all, finished, new_job, until, working

pytestmark = pytest.mark.postgresql


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def queue(url: str) -> Iterator[Jobs]:
    opened = Jobs(url)
    yield opened
    opened.close()


def test_jobs_run_wait_and_are_cancelled(queue: Jobs) -> None:
    tries: list[int] = []

    def second_time(context: JobContext) -> None:
        tries.append(context.job.attempt)
        if len(tries) == 1:
            raise TransientFailure("down")
        do_all(context)

    ids = [queue.submit(new_job(lane=str(number % 2), items=200)) for number in range(6)]
    bad = queue.submit(new_job("bad", retry=Retry(1, 0.5)))
    cancelled = queue.submit(new_job())
    queue.cancel(cancelled)
    with working(queue, {"work": do_all, "bad": second_time}):
        until(lambda: finished(queue, *ids, bad))
    assert [queue.get(job_id).state for job_id in (*ids, bad)] == [JobState.DONE] * 7
    assert queue.get(ids[0]).counts == Counts(sent=200)
    assert tries == [1, 2]
    assert queue.totals()[JobState.CANCELLED] == 1
    assert queue.forget(-1) == 8


def test_two_workers_share_the_queue_and_one_of_them_is_killed(
    queue: Jobs, url: str, tmp_path: Path, start_worker: Callable[..., WorkerProcess]
) -> None:
    log = tmp_path / "log"
    log.touch()
    ids = [queue.submit(new_job("append", f"lane {number}", 60)) for number in range(8)]
    one = start_worker(url, log, "one", 0.03)
    two = start_worker(url, log, "two", 0.03)
    until(lambda: len(lines(log)) > 150)
    assert one.end(signal.SIGKILL) == -signal.SIGKILL
    one = start_worker(url, log, "one")
    until(lambda: finished(queue, *ids))
    one.wait_until_ready()  # it may have come too late to do anything
    assert one.end(signal.SIGTERM) == two.end(signal.SIGTERM) == 0
    assert {queue.get(job_id).state for job_id in ids} == {JobState.DONE}
    did = Counter((job, item) for verb, job, item in lines(log) if verb == "did")
    assert set(did) == {(job_id, item) for job_id in ids for item in range(1, 61)}
    assert max(did.values()) <= 2
