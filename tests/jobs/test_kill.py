"""The worker process is killed at random moments: every item is done, none again after its result was written."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from radfuse.jobs import ItemState, Jobs, JobState
from tests.jobs.working import WorkerProcess, finished, new_job, until
from tests.support.repeats import repeats

ITEMS = 200
JOBS = 6
KILLS = repeats(5, 12)


def recorded(folder: Path) -> set[tuple[int, int]]:
    """What the truth table says is done."""
    with closing(sqlite3.connect(folder / "jobs.sqlite")) as database:
        return set(database.execute("SELECT job_id, number FROM job_item WHERE state = 'sent'"))


def lines(log: Path) -> list[tuple[str, int, int]]:
    """What the kind has appended."""
    words = (line.split() for line in log.read_text().splitlines())
    return [(verb, int(job), int(item)) for verb, job, item in words]


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_is_done_again_after_its_result_was_written(
    tmp_path: Path, start_worker: Callable[..., WorkerProcess]
) -> None:
    log = tmp_path / "log"
    log.touch()
    jobs = Jobs(tmp_path)
    ids = [jobs.submit(new_job("append", f"lane {number % 3}", ITEMS)) for number in range(JOBS)]
    chance = random.Random(20260101)
    known_before_kill: set[tuple[int, int]] = set()
    for _ in range(KILLS):
        seen = len(lines(log))
        worker = start_worker(tmp_path, log, pause_s=0.008)
        if chance.random() < 0.8:  # else it is killed while it starts
            until(lambda seen=seen: len(lines(log)) > seen or finished(jobs, *ids))  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.7))
        assert worker.end(signal.SIGKILL) == -signal.SIGKILL
        done_now = {(job, item) for verb, job, item in lines(log)[seen:] if verb == "did"}
        assert not done_now & known_before_kill, "an item was done again after its result was written"
        known_before_kill = recorded(tmp_path)
        for job_id in ids:
            counted = Counter(item.state for item in jobs.items(job_id))
            assert jobs.get(job_id).counts.sent == counted[ItemState.SENT]
    worker = start_worker(tmp_path, log)
    until(lambda: finished(jobs, *ids))
    assert worker.end(signal.SIGTERM) == 0
    assert [jobs.get(job_id).state for job_id in ids] == [JobState.DONE] * JOBS
    everything = {(job_id, number) for job_id in ids for number in range(1, ITEMS + 1)}
    assert recorded(tmp_path) == everything
    assert {(job, item) for verb, job, item in lines(log) if verb == "did"} == everything
    _assert_never_after_it_was_written(lines(log))
    jobs.close()


def _assert_never_after_it_was_written(log: list[tuple[str, int, int]]) -> None:
    """What a job had done when its kind saw that it was written does not come again."""
    did: dict[int, set[int]] = {}
    written: dict[int, set[int]] = {}
    for verb, job, item in log:
        if verb == "wrote":
            written.setdefault(job, set()).update(did.get(job, ()))
        else:
            assert item not in written.get(job, ())
            did.setdefault(job, set()).add(item)


def test_a_stopped_worker_goes_on_where_it_was(tmp_path: Path, start_worker: Callable[..., WorkerProcess]) -> None:
    log = tmp_path / "log"
    jobs = Jobs(tmp_path)
    job_id = jobs.submit(new_job("append", items=100))
    worker = start_worker(tmp_path, log, pause_s=0.05)
    until(lambda: log.exists() and len(lines(log)) > 10)
    assert worker.end(signal.SIGTERM) == 0
    half = jobs.get(job_id)
    assert half.state is JobState.QUEUED
    assert 0 < half.counts.sent < 100
    worker = start_worker(tmp_path, log)
    until(lambda: finished(jobs, job_id))
    assert worker.end(signal.SIGTERM) == 0
    did = Counter(item for verb, _, item in lines(log) if verb == "did")
    assert did == dict.fromkeys(range(1, 101), 1)
    jobs.close()
