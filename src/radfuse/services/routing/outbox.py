"""The durable half of routing: what was read, what waits, what was given to which job. One transaction a step.

An object goes to a destination once per rule: the ledger is written in the transaction that queues
the job, so that no crash, restart, rebuild of the index or ring of nodes makes it go again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from radfuse.archive import StoredObject
from radfuse.archive.queries import Arrival
from radfuse.db import read_transaction, translate_database_errors, write_transaction
from radfuse.jobs import Jobs
from radfuse.services.peers import Peer
from radfuse.services.routing.planning import Plan
from radfuse.services.routing.tables import (
    cursor_table,
    forget_object_table,
    forget_table,
    job_table,
    sent_table,
    study_table,
)
from radfuse.services.rules import Rule
from radfuse.services.send_job import new_send

_KEY_BYTES: Final = 16
_KEYS_AT_ONCE: Final = 500
_WHAT: Final = "the records of routing"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the arrivals of a database were read; the fields are those of the table."""

    database: str
    index_identity: str
    position: int
    up_to: int
    arrived_since_s: int
    newest_s: int


@dataclass(frozen=True, slots=True)
class WaitingStudy:
    """A study that a rule has still to look at."""

    rule: str
    database: str
    study_instance_uid: str
    first_s: int
    changed_s: float
    due_s: float


@dataclass(frozen=True, slots=True)
class Routed:
    """What came of one look at a study."""

    jobs: tuple[int, ...] = ()
    objects: int = 0


class Outbox:
    """The records of routing in the database of the queue. Every change is durable when its method returns."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._engine = jobs.engine

    # --- arrivals ----------------------------------------------------------------------------

    def cursors(self) -> Mapping[str, Cursor]:
        """The cursors by database."""
        with read_transaction(self._engine) as connection:
            rows = connection.execute(select(cursor_table)).all()
        return {row.database: Cursor(*row) for row in rows}

    def drop_cursors(self, databases: Collection[str]) -> None:
        """Stop following these databases: no rule is for what arrives there now."""
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            connection.execute(delete(cursor_table).where(cursor_table.c.database.in_(databases)))

    def note_arrivals(self, before: Cursor | None, after: Cursor, waiting: Sequence[WaitingStudy]) -> bool:
        """Move the cursor on and remember the studies for their rules; False when another router was faster."""
        values = {name: getattr(after, name) for name, _ in cursor_table.c.items()}
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            its_row = cursor_table.c.database == after.database
            found = connection.execute(select(cursor_table).where(its_row)).one_or_none()
            if (None if found is None else Cursor(*found)) != before:
                return False
            connection.execute(delete(cursor_table).where(its_row))
            connection.execute(insert(cursor_table).values(values))
            for study in waiting:
                _merge(connection, study)
        return True

    def due(self, now_s: float, limit: int, passed_over: Collection[str] = ()) -> list[WaitingStudy]:
        """Studies whose time has come, the longest waiting first; not those of the databases ``passed_over``."""
        wanted = select(study_table).where(study_table.c.due_s <= now_s)
        if passed_over:
            wanted = wanted.where(study_table.c.database.not_in(passed_over))
        with read_transaction(self._engine) as connection:
            return [WaitingStudy(*row) for row in connection.execute(wanted.order_by(study_table.c.due_s).limit(limit))]

    def next_due_s(self) -> float | None:
        """When the next study or deletion is due."""
        with read_transaction(self._engine) as connection:
            times = [
                connection.scalar(select(func.min(column))) for column in (study_table.c.due_s, forget_table.c.check_s)
            ]
        return min((due_s for due_s in times if due_s is not None), default=None)

    def postpone(self, study: WaitingStudy, due_s: float) -> None:
        """Look at the study again later."""
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            connection.execute(update(study_table).where(_is(study)).values(due_s=due_s))

    # --- routing -----------------------------------------------------------------------------

    def to_forget(self, rule: Rule, peers: Sequence[Peer], made: Plan) -> list[StoredObject]:
        """The objects of the plan that may be forgotten once they have arrived: those that never went anywhere.

        What went somewhere before, on an earlier arrival, may only be here because it is nowhere else.
        """
        if rule.forget is None:
            return []
        with read_transaction(self._engine) as connection:
            known = set()
            for peer in peers:
                to = _ledger_name(rule, peer)
                keys = {_key(rule.name, to, stored): stored.blob_id for stored in made.complete}
                known |= {keys[key] for key in _known_keys(connection, list(keys))}
        return [stored for stored in made.complete if stored.blob_id not in known]

    def route(
        self, study: WaitingStudy, rule: Rule, peers: Sequence[Peer], made: Plan, to_forget: Sequence[StoredObject]
    ) -> Routed:
        """Queue what the plan says and the ledger does not know yet, and take the study off the list."""
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            if not connection.execute(delete(study_table).where(_is(study))).rowcount:
                return Routed()  # something arrived meanwhile: it is looked at once more
            queued: dict[int, str] = {}
            objects = 0
            fresh_for = []
            for peer in peers:
                fresh = _note_sent(connection, rule.name, _ledger_name(rule, peer), made.to_send[peer.name])
                fresh_for.append(fresh)
                if fresh:
                    objects += len(fresh)
                    queued[self._queue(connection, study, rule, peer, list(fresh.values()))] = peer.name
            leaving = [stored for stored in to_forget if all(stored.blob_id in fresh for fresh in fresh_for)]
            if leaving:
                # A copy without the patient is no reason to delete the original.
                relied_on = {job_id: name for job_id, name in queued.items() if not rule.anonymizes_for(name)}
                _plan_forgetting(connection, study, rule, relied_on, leaving)
        return Routed(tuple(queued), objects)

    def drop(self, study: WaitingStudy) -> None:
        """Take a study off the list: its rule is gone."""
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            connection.execute(delete(study_table).where(_is(study)))

    def _queue(
        self, connection: Connection, study: WaitingStudy, rule: Rule, peer: Peer, objects: Sequence[StoredObject]
    ) -> int:
        if rule.anonymize is not None and rule.anonymizes_for(peer.name):
            from radfuse.services.anonymize_job import Treatments, new_anonymization  # heavy, and few rules need it

            its = rule.anonymize
            how = Treatments(its.options, its.preset, its.key)
            new = new_anonymization(self._jobs, objects, how, peer, database=study.database, rule=rule.name)
        else:
            new = new_send(self._jobs, peer, objects, database=study.database)
        job_id = self._jobs.submit(replace(new, studies=(study.study_instance_uid,)), connection)
        connection.execute(
            insert(job_table).values(
                job_id=job_id, database=study.database, study_instance_uid=study.study_instance_uid
            )
        )
        return job_id


def waiting_for(rule: Rule, arrived: Sequence[Arrival], now_s: float) -> Iterator[WaitingStudy]:
    """The studies of which something arrived that is the rule's business."""
    studies: dict[str, list[int]] = {}
    for each in arrived:
        if each.arrived_s >= int(rule.active_since_s):
            studies.setdefault(each.study_instance_uid, []).append(each.arrived_s)
    for uid, times in studies.items():
        changed_s = min(float(max(times)), now_s)  # a clock that was set back must not make it wait for long
        yield WaitingStudy(rule.name, rule.database, uid, min(times), changed_s, changed_s + rule.wait_s)


def _is(study: WaitingStudy) -> ColumnElement[bool]:
    """The study's row as it was read: nothing arrived since."""
    its = study_table.c
    return and_(
        its.rule == study.rule,
        its.database == study.database,
        its.study_instance_uid == study.study_instance_uid,
        its.first_s == study.first_s,
        its.changed_s == study.changed_s,
        its.due_s == study.due_s,
    )


def _merge(connection: Connection, study: WaitingStudy) -> None:
    """Put the study on its rule's list, or what arrived to what is on it already."""
    its = study_table.c
    row = and_(
        its.rule == study.rule, its.database == study.database, its.study_instance_uid == study.study_instance_uid
    )
    found = connection.execute(select(its.first_s, its.changed_s, its.due_s).where(row)).one_or_none()
    if found is None:
        values = {name: getattr(study, name) for name, _ in its.items()}
        connection.execute(insert(study_table).values(values))
        return
    merged = {
        "first_s": min(found.first_s, study.first_s),
        "changed_s": max(found.changed_s, study.changed_s),
        "due_s": max(found.due_s, study.due_s),
    }
    connection.execute(update(study_table).where(row).values(merged))


def _ledger_name(rule: Rule, peer: Peer) -> str:
    """How the ledger calls a destination: an anonymized copy that went there is not the original."""
    return f"{peer.name}\0anonymized" if rule.anonymizes_for(peer.name) else peer.name


def _key(rule: str, peer: str, stored: StoredObject) -> bytes:
    what = "\0".join((rule, peer, stored.sop_instance_uid)).encode() + b"\0" + stored.digest
    return hashlib.blake2b(what, digest_size=_KEY_BYTES).digest()


def _known_keys(connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
    known: set[bytes] = set()
    for begin in range(0, len(keys), _KEYS_AT_ONCE):
        wanted = select(sent_table.c.key).where(sent_table.c.key.in_(keys[begin : begin + _KEYS_AT_ONCE]))
        known.update(map(bytes, connection.scalars(wanted)))
    return known


def _note_sent(
    connection: Connection, rule: str, peer: str, objects: Sequence[StoredObject]
) -> dict[bytes, StoredObject]:
    """Enter the objects in the ledger; returns those that were not in it, by blob id."""
    keys = {_key(rule, peer, stored): stored for stored in objects}
    known = _known_keys(connection, list(keys))
    fresh = {key: stored for key, stored in keys.items() if key not in known}
    if fresh:
        now_s = int(time.time())
        connection.execute(insert(sent_table), [{"key": key, "routed_s": now_s} for key in fresh])
    return {stored.blob_id: stored for stored in fresh.values()}


def _plan_forgetting(
    connection: Connection,
    study: WaitingStudy,
    rule: Rule,
    queued: Mapping[int, str],
    objects: Sequence[StoredObject],
) -> None:
    now_s = time.time()
    made = insert(forget_table).values(
        rule=rule.name,
        database=study.database,
        study_instance_uid=study.study_instance_uid,
        jobs=[[job_id, peer] for job_id, peer in queued.items()],
        after_s=rule.forget.after_days * 86_400.0 if rule.forget else 0.0,
        created_s=now_s,
        check_s=now_s,
    )
    forget_id = connection.execute(made.returning(forget_table.c.id)).scalar_one()
    connection.execute(
        insert(forget_object_table),
        [
            {
                "forget_id": forget_id,
                "sop_instance_uid": stored.sop_instance_uid,
                "blob_id": stored.blob_id,
                "digest": stored.digest,
            }
            for stored in objects
        ],
    )
