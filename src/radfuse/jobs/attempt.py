"""One attempt at a job: begin, let the kind work, write down how it ended.

How a kind ends its job: it returns with every item sent or warned: DONE. With failed or pending
items: FAILED. It raises TransientFailure: WAITING while attempts are left, else FAILED. Another
RadfuseError: FAILED with its sentence. Anything else: FAILED, "internal error", with a traceback in
the log. It returned early because it was told to: the user's CANCELLED or PAUSED stays; if the worker
stops, the job is QUEUED again, unless it has failed for good.

Every change is one transaction that asks for the attempt it belongs to, so nothing is lost or done
twice whenever the process dies:

- after ``submit``: the job is QUEUED and due, whoever starts next hands it over;
- after the hand-over: it was one transaction on one database, the job is either due or with DBOS;
- with DBOS, before ``begin``: DBOS starts it again, or ``recover`` finds that DBOS has lost it;
- between ``begin`` and the end: the job is RUNNING in the name of this worker, which makes a new
  attempt of it when it starts again (``recover``); items whose result was written are not pending any
  more, the result of at most 0.1 s of work is not known and that work is done again;
- between the end and DBOS's own note of it: DBOS starts the attempt again, ``begin`` finds that it is
  over and does nothing.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import DBAPIError

from radfuse.core.errors import RadfuseError, TransientFailure
from radfuse.db import write_transaction
from radfuse.jobs.context import JobContext, QueueNotWritten, cannot_write_sentence
from radfuse.jobs.jobs import Jobs, items_of, job_of
from radfuse.jobs.model import Counts, ItemState, Job, JobState, Kind
from radfuse.jobs.tables import job_table
from radfuse.jobs.writer import Writer

_log = logging.getLogger(__name__)

_TRY_AGAIN_S: Final = 1.0
_TROUBLE: Final = "the queue could not be written for a while; the job goes on"


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs attempts in the name of one worker. ``stopping`` says whether the worker was asked to stop."""

    jobs: Jobs
    kinds: Mapping[str, Kind]
    name: str
    stopping: Callable[[], bool] = lambda: False
    writer: Writer | None = None

    def run(self, job_id: int, attempt: int) -> None:
        """Run this attempt to its end, unless it is over, not wanted any more, or running already."""
        if self.stopping():
            self._insist(lambda: self._hand_back(job_id, attempt))
            return
        job = self._insist(lambda: self._begin(job_id, attempt))
        if job is None:
            return
        with self._context(job) as context:
            failure = self._work(context)
        self._insist(lambda: self._end(context, failure))

    @contextlib.contextmanager
    def _context(self, job: Job) -> Iterator[JobContext]:
        if self.writer is None:
            yield JobContext(self.jobs.engine, job, self.stopping)
            return
        context = JobContext(self.jobs.engine, job, self.stopping, self.writer.wake)
        self.writer.add(context)
        try:
            yield context
        finally:
            self.writer.remove(context)

    def _begin(self, job_id: int, attempt: int) -> Job | None:
        """Mark the job as running here; None when this attempt must not run."""
        now_s = time.time()
        begun = (
            update(job_table)
            .where(job_table.c.id == job_id, job_table.c.attempt == attempt, job_table.c.state == JobState.QUEUED)
            .values(
                state=JobState.RUNNING,
                worker=self.name,
                started_s=func.coalesce(job_table.c.started_s, now_s),
                next_attempt_s=None,
                message="",
                live="",
            )
            .returning(job_table)
        )
        with write_transaction(self.jobs.engine) as connection:
            row = connection.execute(begun).one_or_none()
        return None if row is None else job_of(row)

    def _hand_back(self, job_id: int, attempt: int) -> None:
        """DBOS started it while the worker ends: for DBOS this attempt is over, so make the next one due."""
        not_begun = (job_table.c.id == job_id, job_table.c.attempt == attempt, job_table.c.state == JobState.QUEUED)
        again = {"attempt": attempt + 1, "next_attempt_s": time.time()}
        with write_transaction(self.jobs.engine) as connection:
            connection.execute(update(job_table).where(*not_begun).values(again))

    def _work(self, context: JobContext) -> Exception | None:
        """Let the kind work; gives what it raised."""
        job = context.job
        try:
            kind = self.kinds.get(job.kind)
            if kind is None:
                raise _UnknownKind(job.kind)
            kind(context)
        except RadfuseError as error:
            return error
        except Exception as error:
            _log.exception("a job failed", extra={"job": job.id, "kind": job.kind})
            return TransientFailure("a database could not be used") if isinstance(error, DBAPIError) else error
        return None

    def _insist(self, write: Callable[[], Any]) -> Any:
        """Do a write that must not be left out: as long as the disk is full or the database away, try again."""
        told = False
        while True:
            try:
                return write()
            except (DBAPIError, QueueNotWritten) as error:
                if not told:
                    _log.error("the queue waits: %s", cannot_write_sentence(error.__cause__ or error))
                told = True
                if self.stopping():
                    return None  # the job stays as it is: it is recovered when this worker starts again
            time.sleep(_TRY_AGAIN_S)

    def _end(self, context: JobContext, failure: Exception | None) -> None:
        """Write how the attempt ended, after its last results."""
        context.flush()
        job = context.job
        mine = (job_table.c.id == job.id, job_table.c.attempt == job.attempt, job_table.c.state == JobState.RUNNING)
        with write_transaction(self.jobs.engine) as connection:
            row = connection.execute(select(job_table).where(*mine).with_for_update()).one_or_none()
            if row is None:
                return  # cancelled, paused or started again meanwhile
            values = self._ending(context, failure, job_of(row).counts, row.tries)
            if values["state"] is JobState.FAILED and not values["message"]:
                values["message"] = _what_failed(connection, job.id, job_of(row).counts)
            connection.execute(update(job_table).where(*mine).values(values))
        _log.info("a job attempt ended", extra={"job": job.id, "kind": job.kind, "state": str(values["state"])})

    def _ending(self, context: JobContext, failure: Exception | None, counts: Counts, tries: int) -> dict[str, Any]:
        """What to write into the job's row; an empty message of a failure is filled in later."""
        now_s = time.time()
        again = {"attempt": context.job.attempt + 1, "next_attempt_s": now_s}
        all_done = not counts.pending and not counts.failed and counts.total
        is_over = all_done if failure is None else _is_for_good(failure)
        if context.told_to_stop and self.stopping() and not is_over:
            return again | {"state": JobState.QUEUED, "message": "goes on when the worker starts again"}
        if isinstance(failure, QueueNotWritten) or (context.was_in_trouble and failure is None and not all_done):
            # The queue could not be written and now can be again: no fault of the job, so no try of it.
            return again | {"state": JobState.WAITING, "next_attempt_s": now_s + _TRY_AGAIN_S, "message": _TROUBLE}
        if isinstance(failure, TransientFailure):
            return again | _later(context.job, failure, tries, now_s)
        return {"finished_s": now_s} | _final(failure, counts)


def _is_for_good(failure: Exception) -> bool:
    return isinstance(failure, RadfuseError) and not isinstance(failure, TransientFailure)


def _final(failure: Exception | None, counts: Counts) -> dict[str, Any]:
    if isinstance(failure, RadfuseError):
        return {"state": JobState.FAILED, "message": str(failure)}
    if failure is not None:
        return {"state": JobState.FAILED, "message": "internal error; the log says more"}
    if counts.pending or counts.failed:
        return {"state": JobState.FAILED, "message": ""}
    return {"state": JobState.DONE}


def _later(job: Job, failure: TransientFailure, tries: int, now_s: float) -> dict[str, Any]:
    """Another try while there are any left."""
    if tries >= job.retry.count:
        over = {"state": JobState.FAILED, "attempt": job.attempt, "next_attempt_s": None, "finished_s": now_s}
        return over | {"message": str(failure)}
    next_attempt_s = now_s + job.retry.delay_after_s(tries + 1)
    return {"state": JobState.WAITING, "tries": tries + 1, "next_attempt_s": next_attempt_s, "message": str(failure)}


class _UnknownKind(RadfuseError):
    template = "this version of Radfuse does not know jobs of kind {kind}"

    def __init__(self, kind: str) -> None:
        self.kind = kind


def _what_failed(connection: Connection, job_id: int, counts: Counts) -> str:
    """Which part of the items is not done, and why the first of them failed."""
    parts = [f"{counts.failed} of {counts.total} failed"] if counts.failed else []
    if counts.pending:
        parts.append(f"{counts.pending} of {counts.total} not done")
    sentence = ", ".join(parts)
    for item in items_of(connection, job_id, (ItemState.FAILED,), 0, 1):
        sentence += f": {item.comment}" if item.comment else ""
    return sentence


def run_next(jobs: Jobs, kinds: Mapping[str, Kind], job_id: int, stopping: Callable[[], bool] = lambda: False) -> Job:
    """Run the next attempt of a queued or waiting job here and now, without a worker; gives the job after it.

    For tests and for tools that must not leave a process behind.
    """
    with write_transaction(jobs.engine) as connection:
        due = job_table.c.state.in_((JobState.QUEUED, JobState.WAITING))
        taken = (
            update(job_table).where(job_table.c.id == job_id, due).values(state=JobState.QUEUED, next_attempt_s=None)
        )
        connection.execute(taken)
    Runner(jobs, kinds, "here", stopping).run(job_id, jobs.get(job_id).attempt)
    return jobs.get(job_id)
