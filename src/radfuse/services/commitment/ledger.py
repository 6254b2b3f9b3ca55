"""What was asked, promised and reported: kept durably, for retention to rely on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, bindparam, insert, select, update

from radfuse.core.errors import UnknownTransaction
from radfuse.core.uids import new_uid
from radfuse.db import read_transaction, translate_database_errors, write_transaction
from radfuse.jobs import Jobs, NewJob
from radfuse.services.commitment.coding import Report, Request
from radfuse.services.commitment.model import (
    CLASS_CONFLICT,
    COMMITTED,
    DUPLICATE_TRANSACTION,
    LEFT_OUT,
    Commitment,
    Outcome,
    Partner,
    Reference,
    Role,
    Transaction,
    TransactionState,
)
from radfuse.services.commitment.tables import instance_table, transaction_table

_WHAT: Final = "the records of storage commitment"

JobOf = Callable[[Transaction], NewJob | None]
"""Makes the job that reports on a transaction; None when there is nobody to report to."""


class Commitments:
    """The records of storage commitment, in the database of the queue.

    Every change is on stable storage when its method returns. Thread-safe; several processes may
    have it open. Raises OutOfSpace where the volume is full.
    """

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._engine = jobs.engine

    # --- looking ---------------------------------------------------------------------------

    def transaction(self, transaction_id: int) -> Transaction:
        """The transaction of this number. Raises UnknownTransaction."""
        with read_transaction(self._engine) as connection:
            return _transaction(connection, transaction_table.c.id == transaction_id)

    def named(self, uid: str) -> Sequence[Transaction]:
        """The transactions with this UID, oldest first: one, unless a peer has used a UID twice."""
        with read_transaction(self._engine) as connection:
            return _transactions(connection, transaction_table.c.uid == uid)

    def newest(self, limit: int = 100) -> Sequence[Transaction]:
        """The transactions that were begun last, newest first."""
        statement = select(transaction_table).order_by(transaction_table.c.id.desc()).limit(limit)
        with read_transaction(self._engine) as connection:
            return [_as_transaction(row) for row in connection.execute(statement).mappings()]

    def outcomes(self, transaction_id: int) -> Sequence[Outcome]:
        """What is known of each object of a transaction, in the order of the request."""
        with read_transaction(self._engine) as connection:
            return _outcomes(connection, transaction_id)

    def history(self, sop_instance_uid: str) -> Sequence[tuple[Transaction, Outcome]]:
        """Every transaction that was about an object, oldest first."""
        statement = _with_instances().where(instance_table.c.sop_instance_uid == sop_instance_uid)
        with read_transaction(self._engine) as connection:
            rows = connection.execute(statement).mappings().all()
        return [(_as_transaction(row), _as_outcome(row)) for row in rows]

    def committed_by(self, sop_instance_uid: str) -> Sequence[Commitment]:
        """The peers that hold an object safely, by what each of them said last."""
        told = [
            (outcome.changed_s or 0.0, transaction.partner, outcome)
            for transaction, outcome in self.history(sop_instance_uid)
            if transaction.role is Role.ASKED and outcome.reason is not None
        ]
        told.sort(key=itemgetter(0))
        last = {(partner.peer, partner.ae_title): (told_s, outcome) for told_s, partner, outcome in told}
        return [
            Commitment(peer, ae_title, told_s, outcome.reference.digest, outcome.retrieve_ae_title)
            for (peer, ae_title), (told_s, outcome) in last.items()
            if outcome.reason == COMMITTED
        ]

    def is_committed(self, sop_instance_uid: str, by_peer: str | None = None, digest: bytes | None = None) -> bool:
        """Whether a peer (or this one) holds an object safely.

        With ``digest``, that of the copy here: only if this very copy was here when we asked.
        """
        return any(
            by_peer in (None, commitment.peer) and digest in (None, commitment.digest)
            for commitment in self.committed_by(sop_instance_uid)
        )

    def promised_to(self, sop_instance_uid: str) -> Sequence[Partner]:
        """Those whom we have promised to keep an object, each once; also those who have asked and wait for our word."""
        promised = (
            transaction.partner
            for transaction, outcome in self.history(sop_instance_uid)
            if transaction.role is Role.PROMISED and outcome.reason in (None, COMMITTED)
        )
        return list(dict.fromkeys(promised))

    # --- asking a peer (SCU) ---------------------------------------------------------------

    def begin(self, partner: Partner, references: Sequence[Reference], database: str) -> Transaction:
        """Note a request before it is sent: its report may come before its response."""
        request = Request(new_uid(), tuple(references))
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            return _insert(connection, Role.ASKED, partner, request, database)

    def note_answer(self, transaction_id: int, status: int) -> None:
        """Note how the peer answered the request; a report that was faster stands."""
        state = TransactionState.REFUSED if status else TransactionState.ASKED
        statement = (
            update(transaction_table)
            .where(transaction_table.c.id == transaction_id, transaction_table.c.state == TransactionState.ASKING)
            .values(state=state, status=status or None)
        )
        self._write(statement)

    def settle(self, report: Report, ae_title: str) -> Transaction:
        """Note the report of the peer with ``ae_title``; the same report again changes nothing.

        Raises UnknownTransaction when it is about no transaction of ours with this peer, or differs
        from what the peer reported before. What was not asked for is not noted; what was asked for
        and is not in the report has failed (LEFT_OUT).
        """
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            transaction = _transaction(
                connection,
                transaction_table.c.uid == report.transaction_uid,
                transaction_table.c.role == Role.ASKED,
                transaction_table.c.ae_title == ae_title,
            )
            asked = _outcomes(connection, transaction.id)
            told = _told(report)
            settled = [_settled(outcome, told) for outcome in asked]
            if transaction.state is TransactionState.ANSWERED:
                if [outcome.reason for outcome in asked] != [outcome.reason for outcome in settled]:
                    raise UnknownTransaction
                return transaction
            _store(connection, transaction.id, settled)
            _set(connection, transaction.id, state=TransactionState.ANSWERED, answered_s=time.time())
            return _transaction(connection, transaction_table.c.id == transaction.id)

    # --- answering a peer (SCP) --------------------------------------------------------------

    def take(self, partner: Partner, request: Request, database: str, hold_s: float, job_of: JobOf) -> Transaction:
        """Note a peer's request before it is answered, and queue the job that ``job_of`` makes of it, if any.

        A request that the peer repeats before it has our report is the same transaction again; any
        other use of a known UID is a transaction in which everything fails (0131H). For ``hold_s``
        it is left to the association that brought it.
        """
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            known = _transactions(
                connection,
                transaction_table.c.uid == request.transaction_uid,
                transaction_table.c.role == Role.PROMISED,
            )
            held_until_s = time.time() + hold_s
            repeated = next((row for row in known if _is_repeated(connection, row, partner, request)), None)
            transaction = repeated or _insert(connection, Role.PROMISED, partner, request, database)
            if known and repeated is None:
                failed = [Outcome(reference, DUPLICATE_TRANSACTION) for reference in request.references]
                _store(connection, transaction.id, failed)
                _set(connection, transaction.id, is_duplicate=True)
            _set(connection, transaction.id, held_until_s=held_until_s)
            # Its earlier job may have given up: one more finds nothing to do if it did not.
            job = job_of(transaction)
            if job is not None:
                self._jobs.submit(job, connection)
            return _transaction(connection, transaction_table.c.id == transaction.id)

    def hold(self, transaction_id: int, hold_s: float) -> None:
        """Leave a transaction to the association that brought it for ``hold_s`` more; 0: let it go."""
        self._write(
            update(transaction_table)
            .where(transaction_table.c.id == transaction_id)
            .values(held_until_s=time.time() + hold_s)
        )

    def note_results(self, transaction_id: int, outcomes: Sequence[Outcome]) -> None:
        """Note what we promise, before the peer is told."""
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            _store(connection, transaction_id, outcomes)

    def note_reported(self, transaction_id: int) -> None:
        """Note that the peer has taken our report."""
        self._write(
            update(transaction_table)
            .where(transaction_table.c.id == transaction_id)
            .values(state=TransactionState.REPORTED, answered_s=time.time())
        )

    def _write(self, statement: Any) -> None:
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            connection.execute(statement)


# --- rows ----------------------------------------------------------------------------------------


def _insert(connection: Connection, role: Role, partner: Partner, request: Request, database: str) -> Transaction:
    state = TransactionState.ASKING if role is Role.ASKED else TransactionState.TAKEN
    row = {
        "uid": request.transaction_uid,
        "role": role,
        "peer": partner.peer,
        "ae_title": partner.ae_title,
        "our_ae_title": partner.our_ae_title,
        "database": database,
        "state": state,
        "is_duplicate": False,
        "created_s": time.time(),
        "held_until_s": 0.0,
    }
    key = connection.execute(insert(transaction_table).values(row)).inserted_primary_key
    transaction_id: int = key[0] if key else 0
    instances = [
        {
            "transaction_id": transaction_id,
            "number": number,
            "sop_class_uid": reference.sop_class_uid,
            "sop_instance_uid": reference.sop_instance_uid,
            "digest": reference.digest,
            "retrieve_ae_title": "",
        }
        for number, reference in enumerate(request.references)
    ]
    if instances:
        connection.execute(insert(instance_table), instances)
    return _transaction(connection, transaction_table.c.id == transaction_id)


def _set(connection: Connection, transaction_id: int, **values: Any) -> None:
    connection.execute(update(transaction_table).where(transaction_table.c.id == transaction_id).values(**values))


def _store(connection: Connection, transaction_id: int, outcomes: Sequence[Outcome]) -> None:
    now_s = time.time()
    statement = (
        update(instance_table)
        .where(instance_table.c.transaction_id == transaction_id, instance_table.c.number == bindparam("place"))
        .values(reason=bindparam("told"), changed_s=now_s, retrieve_ae_title=bindparam("from_title"))
    )
    rows = [
        {"place": number, "told": outcome.reason, "from_title": outcome.retrieve_ae_title}
        for number, outcome in enumerate(outcomes)
    ]
    if rows:
        connection.execute(statement, rows)


def _told(report: Report) -> Mapping[str, Outcome]:
    """The report by SOP Instance UID; of an instance that is there twice, the failure counts."""
    told: dict[str, Outcome] = {}
    for outcome in report.outcomes:
        uid = outcome.reference.sop_instance_uid
        if uid not in told or told[uid].reason == COMMITTED:
            told[uid] = outcome
    return told


def _settled(asked: Outcome, told: Mapping[str, Outcome]) -> Outcome:
    found = told.get(asked.reference.sop_instance_uid)
    if found is None:
        return Outcome(asked.reference, LEFT_OUT)
    if found.reason == COMMITTED and found.reference.sop_class_uid != asked.reference.sop_class_uid:
        return Outcome(asked.reference, CLASS_CONFLICT)
    return Outcome(asked.reference, found.reason, retrieve_ae_title=found.retrieve_ae_title)


def _is_repeated(connection: Connection, known: Transaction, partner: Partner, request: Request) -> bool:
    return (
        known.state is TransactionState.TAKEN
        and known.partner == partner
        and tuple(outcome.reference for outcome in _outcomes(connection, known.id)) == request.references
    )


def _transaction(connection: Connection, *conditions: Any) -> Transaction:
    found = _transactions(connection, *conditions)
    if not found:
        raise UnknownTransaction
    return found[-1]


def _transactions(connection: Connection, *conditions: Any) -> Sequence[Transaction]:
    statement = select(transaction_table).where(*conditions).order_by(transaction_table.c.id)
    return [_as_transaction(row) for row in connection.execute(statement).mappings()]


def _outcomes(connection: Connection, transaction_id: int) -> Sequence[Outcome]:
    statement = select(instance_table).where(instance_table.c.transaction_id == transaction_id)
    return [_as_outcome(row) for row in connection.execute(statement.order_by(instance_table.c.number)).mappings()]


def _with_instances() -> Select[Any]:
    joined = transaction_table.join(instance_table, instance_table.c.transaction_id == transaction_table.c.id)
    return (
        select(transaction_table, instance_table)
        .select_from(joined)
        .order_by(transaction_table.c.id, instance_table.c.number)
    )


def _as_transaction(row: RowMapping) -> Transaction:
    return Transaction(
        row["id"],
        row["uid"],
        Role(row["role"]),
        Partner(row["peer"], row["ae_title"], row["our_ae_title"]),
        row["database"],
        TransactionState(row["state"]),
        row["status"],
        bool(row["is_duplicate"]),
        row["created_s"],
        row["answered_s"],
        row["held_until_s"],
    )


def _as_outcome(row: RowMapping) -> Outcome:
    reference = Reference(row["sop_class_uid"], row["sop_instance_uid"], bytes(row["digest"]))
    return Outcome(reference, row["reason"], row["changed_s"], row["retrieve_ae_title"])
