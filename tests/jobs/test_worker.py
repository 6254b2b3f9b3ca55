"""The worker on DBOS: lanes, priority, retries, and what a crash or a full disk left is put right."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update

from radfuse.core.errors import DurableQueueFailed, OutOfSpace, TransientFailure
from radfuse.db import write_transaction
from radfuse.jobs import ItemState, JobContext, Jobs, JobState, JobWorker, Retry
from radfuse.jobs import worker as worker_module
from radfuse.jobs.durable import workflow_id
from radfuse.jobs.tables import job_table
from tests.jobs.working import do_all, finished, new_job, until, working
from tests.support.small_volumes import in_memory, mounted


class Watching:
    """A kind that knows which of its jobs run at once, and in which order they began."""

    def __init__(self, pause_s: float = 0.05) -> None:
        self.began: list[int] = []
        self.running: dict[int, str] = {}
        self.most = 0
        self.shared_lane = False
        self._pause_s = pause_s
        self._lock = threading.Lock()

    def __call__(self, context: JobContext) -> None:
        with self._lock:
            self.began.append(context.job.id)
            self.shared_lane |= context.job.lane in self.running.values()
            self.running[context.job.id] = context.job.lane
            self.most = max(self.most, len(self.running))
        time.sleep(self._pause_s)
        do_all(context)
        with self._lock:
            del self.running[context.job.id]


def workflows(folder: Path) -> dict[str, str]:
    """What DBOS keeps: workflow and status."""
    with contextlib.closing(sqlite3.connect(folder / "jobs.sqlite", timeout=30)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'workflow_status'").fetchone():
            return {}
        return dict(database.execute("SELECT workflow_uuid, status FROM workflow_status"))


def test_one_job_of_a_lane_runs_at_a_time_and_lanes_run_side_by_side(jobs: Jobs) -> None:
    watching = Watching(0.3)
    ids = [jobs.submit(new_job(lane=f"lane {number % 3}")) for number in range(12)]
    with working(jobs, {"work": watching}):
        until(lambda: finished(jobs, *ids))
    assert {jobs.get(job_id).state for job_id in ids} == {JobState.DONE}
    assert not watching.shared_lane
    assert 1 < watching.most <= 3


def test_no_more_jobs_run_at_once_than_the_worker_may(jobs: Jobs) -> None:
    watching = Watching(0.3)
    ids = [jobs.submit(new_job(lane=f"lane {number}")) for number in range(6)]
    with working(jobs, {"work": watching}, concurrency=2):
        until(lambda: finished(jobs, *ids))
    assert watching.most == 2


def test_the_jobs_of_a_lane_run_by_priority_and_then_in_order(jobs: Jobs) -> None:
    watching = Watching(0.0)
    ids = [jobs.submit(new_job(priority=priority)) for priority in (9, 5, 5, 1, 5)]
    with working(jobs, {"work": watching}):
        until(lambda: finished(jobs, *ids))
    assert watching.began == [ids[3], ids[1], ids[2], ids[4], ids[0]]


def test_a_failed_for_now_job_is_tried_again_and_others_of_its_lane_run_meanwhile(jobs: Jobs) -> None:
    tries: list[float] = []

    def at_third(context: JobContext) -> None:
        tries.append(time.monotonic())
        if len(tries) < 3:
            raise TransientFailure("the peer is down")
        do_all(context)

    def between(context: JobContext) -> None:
        began.append(len(tries))
        do_all(context)

    began: list[int] = []
    bad = jobs.submit(new_job("bad", retry=Retry(5, 1.0)))
    good = jobs.submit(new_job())
    with working(jobs, {"bad": at_third, "work": between}):
        until(lambda: finished(jobs, good, bad))
    assert began in ([1], [2]), "after the first try, and before the last one"
    assert (jobs.get(bad).state, jobs.get(bad).attempt) == (JobState.DONE, 3)
    assert tries[1] - tries[0] >= 1.0
    assert tries[2] - tries[1] >= 2.0


def test_a_waiting_job_may_be_tried_now(jobs: Jobs) -> None:
    allowed = threading.Event()

    def kind(context: JobContext) -> None:
        if not allowed.is_set():
            raise TransientFailure("the peer is down")
        do_all(context)

    job_id = jobs.submit(new_job(retry=Retry(1, 3600.0)))
    with working(jobs, {"work": kind}):
        until(lambda: jobs.get(job_id).state is JobState.WAITING)
        allowed.set()
        jobs.resume(job_id)
        until(lambda: finished(jobs, job_id))
    assert jobs.get(job_id).state is JobState.DONE


def test_a_queued_job_that_is_cancelled_or_paused_never_starts(jobs: Jobs) -> None:
    block, started = threading.Event(), threading.Event()
    ran: list[int] = []

    def kind(context: JobContext) -> None:
        ran.append(context.job.id)
        started.set()
        block.wait(30)
        do_all(context)

    first, cancelled, paused, last = (jobs.submit(new_job()) for _ in range(4))
    with working(jobs, {"work": kind}):
        assert started.wait(30)
        jobs.cancel(cancelled)
        jobs.pause(paused)
        block.set()
        until(lambda: finished(jobs, first, last))
        assert ran == [first, last]
        assert jobs.get(paused).state is JobState.PAUSED
        jobs.resume(paused)
        until(lambda: finished(jobs, paused))
    assert ran == [first, last, paused]
    assert jobs.get(cancelled).state is JobState.CANCELLED


def test_a_cancelled_job_that_is_started_again_waits_for_its_own_old_attempt(jobs: Jobs) -> None:
    inside = threading.Semaphore(1)
    started, go = threading.Event(), threading.Event()

    def kind(context: JobContext) -> None:
        assert inside.acquire(blocking=False), "two attempts of one job run at once"
        started.set()
        go.wait(30)
        inside.release()
        if not context.should_stop():
            do_all(context)

    job_id = jobs.submit(new_job())
    with working(jobs, {"work": kind}):
        assert started.wait(30)
        jobs.cancel(job_id)
        jobs.retry(job_id)
        time.sleep(0.8)
        assert jobs.get(job_id).state is JobState.QUEUED
        go.set()
        until(lambda: finished(jobs, job_id))
    assert (jobs.get(job_id).state, jobs.get(job_id).attempt) == (JobState.DONE, 2)


def test_a_single_result_is_written_while_the_kind_is_busy(jobs: Jobs) -> None:
    go = threading.Event()

    def kind(context: JobContext) -> None:
        context.say("hello")
        context.record(1, ItemState.SENT)
        go.wait(30)
        do_all(context)

    job_id = jobs.submit(new_job())
    with working(jobs, {"work": kind}):
        until(lambda: jobs.get(job_id).counts.sent == 1)
        assert jobs.get(job_id).message == "hello"
        go.set()
        until(lambda: finished(jobs, job_id))


def test_a_stopping_worker_queues_what_runs_again_and_the_next_one_ends_it(jobs: Jobs) -> None:
    started = threading.Event()

    def slow(context: JobContext) -> None:
        context.record(1, ItemState.SENT)
        started.set()
        while not context.should_stop():
            time.sleep(0.01)

    job_id = jobs.submit(new_job())
    with working(jobs, {"work": slow}):
        assert started.wait(30)
    half = jobs.get(job_id)
    assert (half.state, half.counts.sent) == (JobState.QUEUED, 1)
    assert half.message == "goes on when the worker starts again"
    with working(jobs, {"work": do_all}):
        until(lambda: finished(jobs, job_id))
    assert (jobs.get(job_id).state, jobs.get(job_id).message) == (JobState.DONE, "")


def test_what_dbos_keeps_of_finished_attempts_is_removed(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_PUT_RIGHT_EVERY_S", 0.2)
    ids = [jobs.submit(new_job(lane=str(number))) for number in range(5)]
    with working(jobs, {"work": do_all}):
        until(lambda: len(workflows(tmp_path)) > 0)
        until(lambda: finished(jobs, *ids) and workflows(tmp_path) == {})


def test_a_job_that_dbos_has_lost_is_queued_again(jobs: Jobs) -> None:
    job_id = jobs.submit(new_job())
    with write_transaction(jobs.engine) as connection:
        connection.execute(update(job_table).values(next_attempt_s=None))
    with working(jobs, {"work": do_all}):
        until(lambda: finished(jobs, job_id))
    assert (jobs.get(job_id).state, jobs.get(job_id).attempt) == (JobState.DONE, 2)


def test_a_lane_that_dbos_holds_for_an_attempt_that_is_over_is_freed(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_PUT_RIGHT_EVERY_S", 3600.0)
    with working(jobs, {"work": do_all}):
        first = jobs.submit(new_job())
        until(lambda: workflows(tmp_path).get(workflow_id(first, 1)) == "SUCCESS")
        stuck = "UPDATE workflow_status SET status = 'PENDING'"  # as when DBOS could not write that it ended
        with contextlib.closing(sqlite3.connect(tmp_path / "jobs.sqlite", timeout=30)) as database, database:
            database.execute(stuck)
        second = jobs.submit(new_job())
        time.sleep(1.0)
        assert not finished(jobs, second)
        monkeypatch.setattr(worker_module, "_PUT_RIGHT_EVERY_S", 0.2)
        until(lambda: finished(jobs, second))


def test_nothing_of_dbos_reaches_the_console_or_the_log(
    jobs: Jobs, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    job_id = jobs.submit(new_job())
    with working(jobs, {"work": do_all}):
        until(lambda: finished(jobs, job_id))
    assert "dbos" not in (capfd.readouterr().out + capfd.readouterr().err).lower()
    assert [record for record in caplog.records if record.name.startswith("dbos")] == []


@pytest.mark.parametrize("name", ["with space", "q?uestion=1", "per%20cent", "ha#sh", "ü", "a:b@c"])
def test_dbos_uses_our_database_whatever_the_folder_is_called(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    jobs = Jobs(folder)
    job_id = jobs.submit(new_job())
    with working(jobs, {"work": do_all}):
        until(lambda: finished(jobs, job_id))
    assert workflows(folder).keys() == {workflow_id(job_id, 1)}
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert {path.name for path in folder.iterdir()} <= {"jobs.sqlite", "jobs.sqlite-wal", "jobs.sqlite-shm"}
    jobs.close()


def test_at_rest_dbos_is_stopped_and_started_again_for_the_next_job(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_REST_AFTER_S", 0.3)
    threads = threading.active_count()
    with working(jobs, {"work": do_all}) as worker:
        time.sleep(0.5)
        assert workflows(tmp_path) == {}, "a worker without jobs does not even make DBOS's tables"
        for _ in range(3):
            job_id = jobs.submit(new_job())
            until(partial(finished, jobs, job_id))
            until(lambda: worker._durable._client is None)
            until(lambda: threading.active_count() <= threads + 2)  # the worker's own and the one that writes results
    assert {job.state for job in jobs.list()} == {JobState.DONE}


def test_a_worker_does_not_rest_while_a_job_runs_or_waits_for_its_turn(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_REST_AFTER_S", 0.2)
    stopped: list[bool] = []

    def slow(context: JobContext) -> None:
        time.sleep(1.0)
        stopped.append(context.should_stop())
        do_all(context)

    ids = [jobs.submit(new_job()) for _ in range(2)]
    with working(jobs, {"work": slow}):
        until(lambda: finished(jobs, *ids))
    assert stopped == [False, False]
    assert [jobs.get(job_id).attempt for job_id in ids] == [1, 1]


def test_errors_of_dbos_stop_at_our_door(jobs: Jobs) -> None:
    jobs.submit(new_job())
    with working(jobs, {"work": do_all}) as worker:
        until(lambda: worker._durable._client is not None)
        with pytest.raises(DurableQueueFailed) as refused, write_transaction(jobs.engine) as connection:
            worker._durable.hand_over(connection, 1, 1, "lane", priority=1 << 40)
    assert str(refused.value) == "the durable queue failed: DBOSException"


def test_the_tables_of_dbos_are_in_a_write_ahead_log(jobs: Jobs, tmp_path: Path) -> None:
    job_id = jobs.submit(new_job())
    with working(jobs, {"work": do_all}):
        until(lambda: finished(jobs, job_id))
        assert (tmp_path / "jobs.sqlite-wal").exists()
    with contextlib.closing(sqlite3.connect(tmp_path / "jobs.sqlite")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("SELECT count(*) FROM workflow_status").fetchone() is not None


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    with mounted(tmp_path / "volume", in_memory("8m")) as target:
        yield target


def fill(volume: Path) -> Callable[[], None]:
    """Take all space away; gives what brings it back."""
    filler = volume / "filler"
    with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
        while file.write(bytes(512)):
            pass
    return filler.unlink


def test_a_worker_that_cannot_start_for_lack_of_space_says_so(volume: Path) -> None:
    jobs = Jobs(volume)
    jobs.submit(new_job())
    fill(volume)
    try:
        with pytest.raises(OutOfSpace) as refused:
            JobWorker(jobs, {}, "tester").run()
        assert str(refused.value) == "no space left for the queue"
    finally:
        jobs.close()


def test_a_full_disk_makes_jobs_wait_and_they_go_on_with_space(volume: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_PUT_RIGHT_EVERY_S", 0.5)
    started, go = threading.Event(), threading.Event()
    seen: list[int] = []

    def kind(context: JobContext) -> None:
        started.set()
        go.wait(30)
        for item in context.pending():
            if context.should_stop():
                return
            seen.append(item.number)
            context.record(item.number, ItemState.SENT, 0, f"{item.number} " * 80)

    jobs = Jobs(volume)
    first, second = jobs.submit(new_job(items=2000)), jobs.submit(new_job())
    try:
        with working(jobs, {"work": kind}):
            assert started.wait(30)
            make_room = fill(volume)
            go.set()
            until(lambda: len(seen) > 0)
            time.sleep(3.0)
            assert jobs.get(first).counts.pending > 0
            make_room()
            until(lambda: finished(jobs, first, second))
        assert [jobs.get(job_id).state for job_id in (first, second)] == [JobState.DONE] * 2
        assert sorted(set(seen)) == list(range(1, 2001))
        assert len(seen) == 2003  # what was recorded while the disk was full was kept, not done again
    finally:
        jobs.close()
