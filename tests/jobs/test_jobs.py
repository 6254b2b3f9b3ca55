"""The queue as every door sees it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event, select, update

from radfuse.core.errors import JobNotInState, OutOfSpace, TransientFailure, UnknownJob
from radfuse.db import write_transaction
from radfuse.jobs import Counts, ItemState, JobContext, Jobs, JobState, NewItem, NewJob, Retry, run_next
from radfuse.jobs.tables import item_table, job_table
from tests.jobs.working import do_all, new_job


def force(jobs: Jobs, job_id: int, state: JobState) -> None:
    with write_transaction(jobs.engine) as connection:
        connection.execute(update(job_table).where(job_table.c.id == job_id).values(state=state))


def test_a_submitted_job_is_there_with_all_it_was_given(jobs: Jobs) -> None:
    given = NewJob("send", "PACS", "2 objects", {"peer": "PACS", "n": [1, None]}, [NewItem("1.2", "a"), NewItem("1.3")],
                   priority=2, retry=Retry(5, 30.0))  # fmt: skip
    before_s = time.time()
    job = jobs.get(jobs.submit(given))
    assert (job.kind, job.lane, job.title, job.parameters) == ("send", "PACS", "2 objects", given.parameters)
    assert (job.state, job.priority, job.attempt, job.retry) == (JobState.QUEUED, 2, 1, Retry(5, 30.0))
    assert before_s <= job.created_s <= time.time()
    assert (job.started_s, job.finished_s, job.next_attempt_s, job.message) == (None, None, None, "")
    assert job.counts == Counts(pending=2)
    items = jobs.items(job.id)
    assert [(item.number, item.name, item.where, item.state) for item in items] == [
        (1, "1.2", "a", ItemState.PENDING),
        (2, "1.3", "", ItemState.PENDING),
    ]


def test_a_job_may_come_into_being_with_something_else(jobs: Jobs) -> None:
    with pytest.raises(KeyError), write_transaction(jobs.engine) as connection:
        jobs.submit(new_job(), connection)
        raise KeyError
    assert jobs.list() == []
    with write_transaction(jobs.engine) as connection:
        first, second = jobs.submit(new_job(), connection), jobs.submit(new_job(), connection)
    assert [job.id for job in jobs.list()] == [second, first]


def test_jobs_are_listed_newest_first_in_pages_and_by_what_they_are(jobs: Jobs) -> None:
    ids = [jobs.submit(new_job(kind=f"kind {number % 2}", lane=f"lane {number % 3}")) for number in range(12)]
    jobs.cancel(ids[4])
    assert [job.id for job in jobs.list()] == ids[::-1]
    assert [job.id for job in jobs.list(limit=5)] == ids[:-6:-1]
    assert [job.id for job in jobs.list(before_id=ids[7], limit=5)] == ids[6:1:-1]
    assert [job.id for job in jobs.list(kind="kind 1", lane="lane 0")] == [ids[9], ids[3]]
    assert [job.id for job in jobs.list(states=[JobState.CANCELLED, JobState.DONE])] == [ids[4]]
    totals = jobs.totals()
    assert totals == {**dict.fromkeys(JobState, 0), JobState.QUEUED: 11, JobState.CANCELLED: 1}
    assert jobs.totals(kind="kind 0", lane="lane 1")[JobState.CANCELLED] == 1
    assert sum(jobs.totals(kind="kind 0").values()) == 6
    assert sum(jobs.totals(lane="lane 2").values()) == 4


def test_items_are_listed_in_pages_and_by_state(jobs: Jobs) -> None:
    job_id = jobs.submit(new_job(items=12_000))
    assert len(jobs.items(job_id)) == 1000
    assert [item.number for item in jobs.items(job_id, after=11_997)] == [11_998, 11_999, 12_000]
    assert jobs.items(job_id, [ItemState.FAILED]) == []
    assert len(jobs.items(job_id, [ItemState.PENDING], limit=None)) == 12_000


def test_an_unknown_job_is_said_to_be_unknown(jobs: Jobs) -> None:
    actions: list[Callable[[int], object]] = [
        jobs.get,
        jobs.items,
        jobs.cancel,
        jobs.pause,
        jobs.resume,
        jobs.retry,
    ]
    for action in actions:
        with pytest.raises(UnknownJob) as refused:
            action(77)
        assert str(refused.value) == "there is no job 77; the page Jobs and 'radfuse jobs list' show all"


ACTIONS: dict[str, tuple[Callable[[Jobs, int], None], JobState, set[JobState]]] = {
    "cancel": (
        Jobs.cancel,
        JobState.CANCELLED,
        {JobState.QUEUED, JobState.RUNNING, JobState.WAITING, JobState.PAUSED},
    ),
    "pause": (Jobs.pause, JobState.PAUSED, {JobState.QUEUED, JobState.RUNNING, JobState.WAITING}),
    "resume": (Jobs.resume, JobState.QUEUED, {JobState.PAUSED, JobState.WAITING}),
    "retry": (Jobs.retry, JobState.QUEUED, {JobState.FAILED, JobState.CANCELLED}),
}


@pytest.mark.parametrize("before", JobState)
@pytest.mark.parametrize("action", ACTIONS)
def test_what_the_user_may_do_depends_on_the_state(action: str, before: JobState, jobs: Jobs) -> None:
    act, after, allowed = ACTIONS[action]
    job_id = jobs.submit(new_job())
    force(jobs, job_id, before)
    if before in allowed:
        act(jobs, job_id)
        assert jobs.get(job_id).state is after
        return
    with pytest.raises(JobNotInState) as refused:
        act(jobs, job_id)
    assert str(refused.value).startswith(f"job {job_id} is {before}: it cannot be ")
    assert jobs.get(job_id).state is before


def test_a_restart_tries_again_what_failed_and_leaves_what_was_sent(jobs: Jobs) -> None:
    def first_fails(context: JobContext) -> None:
        context.record(1, ItemState.FAILED, 0xA900, "wrong class")
        context.record(2, ItemState.SENT, 0)
        context.record(3, ItemState.WARNED, 0xB000)

    job_id = jobs.submit(new_job())
    failed = run_next(jobs, {"work": first_fails}, job_id)
    assert (failed.state, failed.message) == (JobState.FAILED, "1 of 3 failed: wrong class")
    assert failed.counts == Counts(0, 1, 1, 1)
    jobs.retry(job_id)
    again = jobs.get(job_id)
    assert (again.state, again.counts, again.finished_s, again.message) == (JobState.QUEUED, Counts(1, 1, 1), None, "")
    assert [(item.number, item.status, item.comment) for item in jobs.items(job_id, [ItemState.PENDING])] == [
        (1, None, "")
    ]
    seen: list[int] = []

    def rest(context: JobContext) -> None:
        seen.extend(item.number for item in context.pending())
        do_all(context)

    done = run_next(jobs, {"work": rest}, job_id)
    assert seen == [1]
    assert (done.state, done.counts, done.attempt) == (JobState.DONE, Counts(0, 2, 1), 2)


def test_a_restart_has_all_its_tries_again(jobs: Jobs) -> None:
    def down(_context: JobContext) -> None:
        raise TransientFailure("the peer is down")

    job_id = jobs.submit(new_job(retry=Retry(1)))
    states = [run_next(jobs, {"work": down}, job_id).state for _ in range(2)]
    jobs.retry(job_id)
    states += [run_next(jobs, {"work": down}, job_id).state for _ in range(2)]
    assert states == [JobState.WAITING, JobState.FAILED] * 2


def test_finished_jobs_are_forgotten_with_their_items(jobs: Jobs) -> None:
    old, young, running = (jobs.submit(new_job()) for _ in range(3))
    jobs.cancel(old)
    jobs.cancel(young)
    with write_transaction(jobs.engine) as connection:
        aged = update(job_table).where(job_table.c.id.in_([old, running])).values(finished_s=time.time() - 100)
        connection.execute(aged)
    assert jobs.forget(older_than_s=50) == 1
    assert [job.id for job in jobs.list()] == [running, young]
    with write_transaction(jobs.engine) as connection:
        assert set(connection.execute(select(item_table.c.job_id)).scalars()) == {young, running}
    assert jobs.submit(new_job()) > running


def test_numbers_of_forgotten_jobs_do_not_come_back(jobs: Jobs) -> None:
    last = jobs.submit(new_job())
    jobs.cancel(last)
    assert jobs.forget(older_than_s=-1) == 1
    assert jobs.submit(new_job()) == last + 1


def test_a_full_disk_is_said_when_a_job_is_submitted_and_nothing_of_it_stays(jobs: Jobs) -> None:
    jobs.submit(new_job())

    @event.listens_for(jobs.engine, "checkout")
    def limit(connection: object, *_: object) -> None:
        connection.execute("PRAGMA max_page_count=1")  # type: ignore[attr-defined]

    with pytest.raises(OutOfSpace) as refused:
        jobs.submit(new_job(items=20_000))
    assert str(refused.value) == "no space left for the queue"
    event.remove(jobs.engine, "checkout", limit)
    jobs.engine.dispose()
    assert [job.counts.total for job in jobs.list()] == [3]
    assert jobs.submit(new_job(items=20_000))


def test_a_door_opens_the_queue_without_dbos(tmp_path: Path) -> None:
    words = (
        "import sys; from pathlib import Path; from radfuse.jobs import *\n"
        f"jobs = Jobs(Path({str(tmp_path)!r}))\n"
        "jobs.cancel(jobs.submit(NewJob('k', 'l', 't', {}, [NewItem('1.2')])))\n"
        "assert 'dbos' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", words], check=True, env={"PYTHONPATH": "src"}, cwd=Path(__file__).parents[2])


def test_ten_thousand_queued_jobs_are_paged_whole_newest_first_by_the_index(jobs: Jobs) -> None:
    with write_transaction(jobs.engine) as connection:
        ids = [jobs.submit(new_job(items=0), connection) for _ in range(10_000)]
    statements: list[tuple[str, object]] = []
    event.listen(jobs.engine, "before_cursor_execute", lambda *call: statements.append((call[2], call[3])))
    seen: list[int] = []
    while page := jobs.list((JobState.QUEUED,), before_id=seen[-1] if seen else None, limit=1000):
        seen += [job.id for job in page]
    assert seen == ids[::-1]
    assert jobs.totals()[JobState.QUEUED] == 10_000
    words, values = next(each for each in statements if "id < ?" in each[0])
    with jobs.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values).all()  # type: ignore[arg-type]
    assert [row[-1] for row in plan] == ["SEARCH job USING INDEX ix_job_state (state=? AND id<?)"]


def test_unfinished_jobs_are_counted_by_peer(jobs: Jobs) -> None:
    for peer in ("pacs", "pacs", "viewer", None):
        jobs.submit(NewJob("send", "a lane", "to send", {} if peer is None else {"peer": peer}, []))
    jobs.cancel(jobs.submit(NewJob("send", "a lane", "to send", {"peer": "pacs"}, [])))
    assert jobs.totals_by_peer([JobState.QUEUED, JobState.RUNNING]) == {"pacs": 2, "viewer": 1}
    assert jobs.totals_by_peer([JobState.CANCELLED]) == {"pacs": 1}
