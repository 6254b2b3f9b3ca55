"""The queue as every door sees it: submit, look, cancel, pause, start again.

All of this is plain SQL on our own tables, so it needs no worker and no DBOS: a command or a node
process queues a job in a millisecond. The worker hands what is due over to DBOS (``durable``).
"""

from __future__ import annotations

import builtins
import contextlib
import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Engine,
    Row,
    Text,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    select,
    update,
)

from radfuse.core.errors import JobNotInState, UnknownJob
from radfuse.db import (
    Schema,
    create_database_engine,
    prepare_schema,
    read_transaction,
    sqlite_url,
    translate_database_errors,
    write_transaction,
)
from radfuse.jobs.model import FINISHED, Counts, Item, ItemState, Job, JobState, NewJob, Retry, check_priority
from radfuse.jobs.tables import item_table, job_table, study_table

_ITEMS_AT_ONCE: Final = 5000
_STATES: Final = {str(state): state for state in JobState}
_NOT_STARTED: Final = (JobState.QUEUED, JobState.WAITING)
_NEXT_START: Final = case(
    # Queued with a delay: nobody was given its first attempt yet.
    (and_(job_table.c.state == JobState.WAITING, job_table.c.started_s.is_(None)), job_table.c.attempt),
    else_=job_table.c.attempt + 1,
)


class Jobs:
    """The durable queue of a data folder (``jobs.sqlite``) or of a database URL.

    Raises OutOfSpace where the volume of the queue is full.
    """

    def __init__(self, where: Path | str) -> None:
        url = where if isinstance(where, str) else sqlite_url(where / "jobs.sqlite")
        self._engine = create_database_engine(url, synced_commits=True)
        with translate_database_errors("the queue"):
            prepare_schema(self._engine, Schema.JOBS)

    @property
    def engine(self) -> Engine:
        """The database of the queue, for tables that must change together with it."""
        return self._engine

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def submit(self, new: NewJob, within: Connection | None = None) -> int:
        """Queue a job, durably when this returns, and give its number.

        ``within`` a write transaction of ``engine`` the job comes into being with its commit.
        """
        with self._writing() if within is None else contextlib.nullcontext(within) as connection:
            now_s = time.time()
            row = {
                "kind": new.kind,
                "lane": new.lane,
                "title": new.title,
                "parameters": json.dumps(dict(new.parameters)),
                "state": JobState.WAITING if new.delay_s else JobState.QUEUED,
                "priority": new.priority,
                "attempt": 1,
                "tries": 0,
                "retry_count": new.retry.count,
                "retry_delay_s": new.retry.delay_s,
                "created_s": now_s,
                "next_attempt_s": now_s + new.delay_s,
                "worker": "",
                "message": "",
                "pending": len(new.items),
                "sent": 0,
                "warned": 0,
                "failed": 0,
            }
            job_id: int = connection.execute(insert(job_table).values(row).returning(job_table.c.id)).scalar_one()
            common = {"job_id": job_id, "state": ItemState.PENDING, "comment": "", "changed_s": now_s}
            for begin in range(0, len(new.items), _ITEMS_AT_ONCE):
                rows = [
                    {"number": number, "name": item.name, "place": item.where, **common}
                    for number, item in enumerate(new.items[begin : begin + _ITEMS_AT_ONCE], begin + 1)
                ]
                connection.execute(insert(item_table), rows)
            about = [{"study_instance_uid": study, "job_id": job_id} for study in dict.fromkeys(new.studies)]
            if about:
                connection.execute(insert(study_table), about)
        return job_id

    def get(self, job_id: int) -> Job:
        """One job as it is now. Raises UnknownJob."""
        with read_transaction(self._engine) as connection:
            return job_of(_row(connection, job_id))

    def list(
        self,
        states: Collection[JobState] = (),
        kind: str = "",
        lane: str = "",
        peer: str = "",
        before_id: int | None = None,
        limit: int = 100,
    ) -> list[Job]:
        """Jobs, the newest first; for the next page give the last one's number as ``before_id``.

        ``peer``: those whose parameters name it.
        """
        wanted = select(job_table).order_by(job_table.c.id.desc()).limit(limit)
        if states:
            wanted = wanted.where(job_table.c.state.in_(states))
        if kind:
            wanted = wanted.where(job_table.c.kind == kind)
        if lane:
            wanted = wanted.where(job_table.c.lane == lane)
        if peer:
            wanted = wanted.where(self._peer() == peer)
        if before_id is not None:
            wanted = wanted.where(job_table.c.id < before_id)
        with read_transaction(self._engine) as connection:
            return [job_of(row) for row in connection.execute(wanted).all()]

    def _peer(self) -> ColumnElement[str]:
        """The peer that a job's parameters name."""
        parameters = job_table.c.parameters
        if self._engine.dialect.name == "sqlite":
            return cast(func.json_extract(parameters, "$.peer"), Text)
        peer: ColumnElement[str] = cast(parameters, JSON)["peer"].as_string()
        return peer

    def totals(self, kind: str = "", lane: str = "", peer: str = "") -> Mapping[JobState, int]:
        """How many jobs (of a kind, in a lane, of a peer) are in each state; every state is there."""
        counted = select(job_table.c.state, func.count().label("jobs")).group_by(job_table.c.state)
        if kind:
            counted = counted.where(job_table.c.kind == kind)
        if lane:
            counted = counted.where(job_table.c.lane == lane)
        if peer:
            counted = counted.where(self._peer() == peer)
        with read_transaction(self._engine) as connection:
            found = {row.state: row.jobs for row in connection.execute(counted)}
        return {state: found.get(state, 0) for state in JobState}

    def totals_by_peer(self, states: Collection[JobState]) -> Mapping[str, int]:
        """How many jobs in ``states`` name each peer in their parameters; peers without any are not there."""
        peer = self._peer().label("peer")
        counted = select(peer, func.count()).where(job_table.c.state.in_(states)).group_by(peer)
        with read_transaction(self._engine) as connection:
            return {name: count for name, count in connection.execute(counted) if name}

    def items(
        self, job_id: int, states: Collection[ItemState] = (), after: int = 0, limit: int | None = 1000
    ) -> builtins.list[Item]:
        """Items of a job by number; for the next page give the last one's number as ``after``. Raises UnknownJob."""
        with read_transaction(self._engine) as connection:
            found = items_of(connection, job_id, states, after, limit)
            if not found:
                _row(connection, job_id)
        return found

    def about(self, study_instance_uids: Collection[str], limit: int = 1000) -> builtins.list[tuple[str, Job]]:
        """The jobs that are about these studies, each with the study, the newest first."""
        wanted = (
            select(study_table.c.study_instance_uid, *job_table.c)
            .join(job_table, job_table.c.id == study_table.c.job_id)
            .where(study_table.c.study_instance_uid.in_(study_instance_uids))
            .order_by(job_table.c.id.desc())
            .limit(limit)
        )
        with read_transaction(self._engine) as connection:
            return [(row[0], job_of(row[1:])) for row in connection.execute(wanted).all()]

    def cancel(self, job_id: int) -> None:
        """End a job that is not finished; what runs stops within a moment. Raises UnknownJob, JobNotInState."""
        states = (JobState.RUNNING, JobState.PAUSED, *_NOT_STARTED)
        done = {"state": JobState.CANCELLED, "finished_s": time.time(), "next_attempt_s": None}
        self._act(job_id, "be cancelled", states, {**done, "message": "cancelled by the user"})

    def pause(self, job_id: int) -> None:
        """Hold a job until it is resumed; what runs stops within a moment. Raises UnknownJob, JobNotInState."""
        states = (JobState.RUNNING, *_NOT_STARTED)
        held = {"state": JobState.PAUSED, "next_attempt_s": None, "message": "paused by the user"}
        self._act(job_id, "be paused", states, held)

    def resume(self, job_id: int) -> None:
        """Let a paused job go on, or a waiting one start now. Raises UnknownJob, JobNotInState."""
        self._act(job_id, "be resumed", (JobState.PAUSED, JobState.WAITING), _start_again() | {"attempt": _NEXT_START})

    def set_priority(self, job_id: int, priority: int) -> None:
        """Let a job that does not run yet go first (1) or last (9). Raises UnknownJob, JobNotInState."""
        check_priority(priority)
        is_handed_over = and_(job_table.c.state == JobState.QUEUED, job_table.c.next_attempt_s.is_(None))
        # DBOS has taken it with the old one: it is given it anew, as another attempt.
        again = {
            "attempt": case((is_handed_over, job_table.c.attempt + 1), else_=job_table.c.attempt),
            "next_attempt_s": case((is_handed_over, time.time()), else_=job_table.c.next_attempt_s),
        }
        states = (JobState.PAUSED, *_NOT_STARTED)
        self._act(job_id, "be given another priority", states, again | {"priority": priority})

    def retry(self, job_id: int) -> None:
        """Start a failed or cancelled job again: what failed is tried once more, what was sent stays sent.

        Raises UnknownJob, JobNotInState.
        """
        again = _start_again() | {
            "tries": 0,
            "finished_s": None,
            "pending": job_table.c.pending + job_table.c.failed,
            "failed": 0,
        }
        with self._writing() as connection:
            _change(connection, job_id, "be started again", (JobState.FAILED, JobState.CANCELLED), again)
            connection.execute(
                update(item_table)
                .where(item_table.c.job_id == job_id, item_table.c.state == ItemState.FAILED)
                .values(state=ItemState.PENDING, status=None, comment="", changed_s=time.time())
            )

    def forget(self, older_than_s: float) -> int:
        """Remove the jobs that were finished longer ago; gives how many."""
        old = and_(job_table.c.state.in_(FINISHED), job_table.c.finished_s < time.time() - older_than_s)
        with self._writing() as connection:
            return connection.execute(delete(job_table).where(old)).rowcount

    def _act(self, job_id: int, operation: str, states: Collection[JobState], values: Mapping[str, Any]) -> None:
        with self._writing() as connection:
            _change(connection, job_id, operation, states, values)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        with translate_database_errors("the queue"), write_transaction(self._engine) as connection:
            yield connection


def _start_again() -> dict[str, Any]:
    """A new attempt: whatever still runs of the old one can no longer change the job."""
    return {
        "state": JobState.QUEUED,
        "attempt": job_table.c.attempt + 1,
        "next_attempt_s": time.time(),
        "message": "",
    }


def _change(
    connection: Connection, job_id: int, operation: str, states: Collection[JobState], values: Mapping[str, Any]
) -> None:
    wanted = update(job_table).where(job_table.c.id == job_id, job_table.c.state.in_(states))
    if not connection.execute(wanted.values(**values)).rowcount:
        raise JobNotInState(job_id, operation, _row(connection, job_id).state)


def _row(connection: Connection, job_id: int) -> Row[Any]:
    found = connection.execute(select(job_table).where(job_table.c.id == job_id)).one_or_none()
    if found is None:
        raise UnknownJob(job_id)
    return found


def job_of(row: Sequence[Any]) -> Job:
    """A job from its row of all columns. Taken apart at once: lists are of thousands."""
    values: tuple[Any, ...] = tuple(row)
    number, kind, lane, title, parameters, state_name, priority, attempt, _, retries, delay_s, *rest = values
    created_s, started_s, finished_s, next_attempt_s, _, message, *counts, live = rest
    state = _STATES[state_name]
    return Job(
        number,
        kind,
        lane,
        title,
        json.loads(parameters),
        state,
        priority,
        attempt,
        Retry(retries, delay_s),
        created_s,
        started_s,
        finished_s,
        next_attempt_s if state is JobState.WAITING else None,
        message,
        Counts(*counts),
        json.loads(live) if live and state is JobState.RUNNING else None,
    )


def items_of(
    connection: Connection, job_id: int, states: Collection[ItemState], after: int, limit: int | None
) -> list[Item]:
    """Items of a job by number: those in ``states`` (empty: all) beyond the number ``after``."""
    wanted = select(item_table).where(item_table.c.job_id == job_id, item_table.c.number > after)
    if states:
        wanted = wanted.where(item_table.c.state.in_(states))
    rows = connection.execute(wanted.order_by(item_table.c.number).limit(limit))
    return [
        Item(number, name, place, ItemState(state), status, comment, changed_s)
        for _, number, name, place, state, status, comment, changed_s in rows
    ]
