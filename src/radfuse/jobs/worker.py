"""The worker: hands what is due over to DBOS, runs it, and puts right what a crash left.

DBOS costs 50 MB once and some percent of a processor as long as it runs. So it is started when there
is a job to do, and stopped when there has been none for a while.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from sqlalchemy import Select, bindparam, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from radfuse.core.errors import DurableQueueFailed
from radfuse.db import read_transaction, translate_database_errors, write_transaction
from radfuse.jobs.attempt import Runner
from radfuse.jobs.context import cannot_write_sentence
from radfuse.jobs.durable import DurableQueue, workflow_id
from radfuse.jobs.jobs import Jobs
from radfuse.jobs.model import JobState, Kind
from radfuse.jobs.tables import job_table
from radfuse.jobs.writer import Writer

_log = logging.getLogger(__name__)

_STEP_S: Final = 0.1
_REST_AFTER_S: Final = 30.0
_HANDED_OVER_AT_ONCE: Final = 200
_PUT_RIGHT_EVERY_S: Final = 30.0
_GRACE_S: Final = 10.0
_TRY_AGAIN_S: Final = 1.0


_IS_DUE: Final = job_table.c.next_attempt_s <= bindparam("now_s")
_IS_ANY_DUE: Final = select(job_table.c.id).where(_IS_DUE).limit(1)
_IS_ANY_TO_DO: Final = select(job_table.c.id).where(or_(_IS_DUE, job_table.c.state == JobState.QUEUED)).limit(1)

_T = TypeVar("_T")


class JobWorker:
    """Runs the jobs of a queue, at most ``concurrency`` at once and one in each lane.

    One of a name at a time, and one in a process. What a killed worker was doing goes on when a
    worker of the same ``name`` starts again. At rest it looks every ``poll_s`` for something to do.
    """

    def __init__(
        self, jobs: Jobs, kinds: Mapping[str, Kind], name: str, concurrency: int = 8, poll_s: float = 0.25
    ) -> None:
        self._engine = jobs.engine
        self._poll_s = poll_s
        self._name = name
        self._stopping = False
        self._writer = Writer()
        self._taken_up: set[str] = set()
        self._suspects: set[str] = set()
        self._runner = Runner(jobs, kinds, name, lambda: self._stopping, self._writer)
        url = jobs.engine.url.render_as_string(hide_password=False)
        self._durable = DurableQueue(url, name, concurrency, self._run_attempt)

    def stop(self) -> None:
        """Ask the worker to end: takes no lock, so a signal handler may call it."""
        self._stopping = True

    def run(self) -> None:
        """Work until stopped; then what runs gets some seconds to stop, and is queued again.

        A kind that does not stop in time is left behind in its thread, which keeps the process from
        ending by itself; its job goes on when a worker of this name starts again.

        Raises OutOfSpace or DurableQueueFailed when DBOS cannot be started.
        """
        self._writer.start()
        try:
            while not self._stopping and not self._guarded(self._recover):
                pass
            while self._wait_for_work():
                self._work_until_rest()
        finally:
            self._writer.stop()

    def _wait_for_work(self) -> bool:
        """Rest until there is something to do; false when the worker is to stop instead."""
        while not self._stopping:
            if self._guarded(self._has_work):
                return True
            time.sleep(self._poll_s)
        return False

    def _has_work(self) -> bool:
        """Whether a job is due, or waits for its turn."""
        return self._is_any(_IS_ANY_TO_DO)

    def _is_any(self, wanted: Select[tuple[int]]) -> bool:
        with read_transaction(self._engine) as connection:
            return connection.execute(wanted, {"now_s": time.time()}).first() is not None

    def _work_until_rest(self) -> None:
        """Run jobs with DBOS until there has been nothing to do for a while, or the worker is to stop."""
        try:
            with translate_database_errors("the queue"):
                self._durable.start()
            busy_s, put_right_s = time.monotonic(), -_PUT_RIGHT_EVERY_S
            while not self._stopping and time.monotonic() - busy_s < _REST_AFTER_S:
                self._guarded(self._hand_over_due)
                if time.monotonic() - put_right_s >= _PUT_RIGHT_EVERY_S:
                    self._guarded(self._put_right)
                    put_right_s = time.monotonic()
                if self._taken_up or self._guarded(self._has_work) is not False:
                    busy_s = time.monotonic()
                time.sleep(_STEP_S)
            self._drain()
        finally:
            self._durable.stop()

    def _drain(self) -> None:
        """Let what runs see that it must stop, and write how far it came."""
        deadline_s = time.monotonic() + _GRACE_S
        while self._taken_up and time.monotonic() < deadline_s:
            time.sleep(_STEP_S)
        if self._taken_up:
            _log.error("jobs did not stop in time", extra={"count": len(self._taken_up)})

    def _recover(self) -> bool:
        """Make a new attempt of what a killed worker of this name was doing."""
        running = (job_table.c.state == JobState.RUNNING, job_table.c.worker == self._name)
        again = {"state": JobState.QUEUED, "attempt": job_table.c.attempt + 1, "next_attempt_s": time.time()}
        with write_transaction(self._engine) as connection:
            found = connection.execute(update(job_table).where(*running).values(again)).rowcount
        if found:
            _log.warning("jobs were interrupted and go on", extra={"count": found})
        return True

    def _hand_over_due(self) -> None:
        """Give DBOS what is due; a job and its place in DBOS's queue change in one transaction."""
        if not self._is_any(_IS_ANY_DUE):
            return  # asked ten times a second: no lock is taken while there is nothing to do
        due = (
            select(job_table.c.id, job_table.c.attempt, job_table.c.lane, job_table.c.priority)
            .where(job_table.c.next_attempt_s <= time.time())
            .order_by(job_table.c.priority, job_table.c.id)
            .limit(_HANDED_OVER_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        handed_over = update(job_table).values(state=JobState.QUEUED, next_attempt_s=None)
        with write_transaction(self._engine) as connection:
            rows = connection.execute(due).all()
            connection.execute(handed_over.where(job_table.c.id.in_([row.id for row in rows])))
            for row in rows:
                self._durable.hand_over(connection, row.id, row.attempt, row.lane, row.priority)

    def _put_right(self) -> None:
        """Free lanes that DBOS holds for attempts that are over, and queue again what DBOS has lost.

        Both happen when the disk was full, or the database away, at the moment when DBOS wanted to
        write how an attempt ended or began.
        """
        self._durable.tidy()
        suspects = self._durable.taken_up() - self._taken_up
        # What begins or ends just now is not in both: only what was so for a whole round is stuck.
        self._durable.remove(suspects & self._suspects)
        self._suspects = suspects
        handed_over = (job_table.c.state == JobState.QUEUED, job_table.c.next_attempt_s.is_(None))
        with read_transaction(self._engine) as connection:
            rows = connection.execute(select(job_table.c.id, job_table.c.attempt).where(*handed_over)).all()
        alive = self._durable.alive([workflow_id(row.id, row.attempt) for row in rows])
        for row in rows:
            if workflow_id(row.id, row.attempt) not in alive:
                again = {"attempt": row.attempt + 1, "next_attempt_s": time.time()}
                lost = (job_table.c.id == row.id, job_table.c.attempt == row.attempt, *handed_over)
                with write_transaction(self._engine) as connection:
                    connection.execute(update(job_table).where(*lost).values(again))

    def _guarded(self, step: Callable[[], _T]) -> _T | None:
        """What the step gives; None when it failed: a full disk or a database that is away must not end the worker."""
        try:
            return step()
        except (SQLAlchemyError, DurableQueueFailed) as error:
            reason = str(error) if isinstance(error, DurableQueueFailed) else cannot_write_sentence(error)
            _log.error("the queue waits: %s", reason)
            time.sleep(_TRY_AGAIN_S)
            return None

    def _run_attempt(self, job_id: int, attempt: int) -> None:
        """What DBOS calls, in a thread of its own."""
        name = workflow_id(job_id, attempt)
        self._taken_up.add(name)
        try:
            self._runner.run(job_id, attempt)
        finally:
            self._taken_up.discard(name)
