"""Storage commitment as SCP: a peer's request is noted, looked into, and answered by a durable job."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from radfuse.archive import Archive
from radfuse.core.errors import OperationFailed, OutOfSpace, TransientFailure, WireError
from radfuse.jobs import ItemState, JobContext, Jobs, NewItem, NewJob, Retry
from radfuse.services.access import addresses_of
from radfuse.services.associating import Caller, associate
from radfuse.services.commitment.coding import Request, encode_report
from radfuse.services.commitment.examining import examine
from radfuse.services.commitment.ledger import Commitments
from radfuse.services.commitment.model import (
    COMMITTED,
    PUSH_MODEL,
    PUSH_MODEL_INSTANCE,
    Event,
    Outcome,
    Partner,
    Transaction,
    TransactionState,
)
from radfuse.services.commitment.talking import CONTEXT, context_to
from radfuse.services.failures import job_failure
from radfuse.services.peers import RETRIES_OF_THE_NODE, Peer, Peers
from radfuse.wire import CommandSet, Operation, scu, status

REPORT_KIND: Final = "commit-report"

_HOLD_S: Final = 30.0
"""How long the association that brought a request may take for its next step before the job tells the result."""

_LOOK_S: Final = 0.6 * _HOLD_S
"""Objects that take longer to look into on that association are left to the job."""

_POLL_S: Final = 0.1
_MAY_PASS: Final = frozenset({status.PROCESSING_FAILURE, status.RESOURCE_LIMITATION})
"""Answers to a report that may be others the next time."""


@dataclass(frozen=True, slots=True)
class CommitmentSurroundings:
    """What the kinds of job of storage commitment need."""

    commitments: Commitments
    peers: Peers
    open_archive: Callable[[str], Archive]
    """The archive of a database, by its name."""
    caller_of: Callable[[Peer, str], Caller]
    """Who we are to a peer, given our AE title."""
    wait_s: float = 10.0
    """How long the job that asks waits for the report."""


class CommitmentDesk:
    """What a node does about storage commitment; the records are opened when the first message needs them."""

    def __init__(self, open_jobs: Callable[[], Jobs], peers: Peers, databases: Mapping[str, str]) -> None:
        """``databases`` maps our AE titles to the names of their databases."""
        self._open_jobs = open_jobs
        self._peers = peers
        self._databases = databases
        self._opening = threading.Lock()
        self._jobs: Jobs | None = None

    def close(self) -> None:
        """Close the records."""
        if self._jobs is not None:
            self._jobs.close()

    @property
    def jobs(self) -> Jobs:
        """The queue."""
        with self._opening:
            if self._jobs is None:
                self._jobs = self._open_jobs()
            return self._jobs

    @property
    def commitments(self) -> Commitments:
        """The records, in the queue's database."""
        return Commitments(self.jobs)

    def take(self, request: Request, calling: str, called: str, address: str) -> Transaction:
        """Note a request durably, and the job that will report on it when the peer is one that we can call."""
        peer = self._peer(calling, address)
        partner = Partner(peer.reference if peer else "", calling, called)
        return self.commitments.take(
            partner,
            request,
            self._databases.get(called, ""),
            _HOLD_S,
            lambda transaction: None if peer is None else report_job(transaction, peer, len(request.references)),
        )

    def look(
        self, transaction: Transaction, archive: Archive, should_stop: Callable[[], bool]
    ) -> Sequence[Outcome] | None:
        """The result for every object of a transaction, noted; None when it was ended early, or takes too long here."""
        ends = time.monotonic() + _LOOK_S
        return look(self.commitments, transaction, archive, lambda: time.monotonic() > ends or should_stop())

    def hold(self, transaction_id: int) -> None:
        """Give the association that brought the request time for the peer's answer."""
        self.commitments.hold(transaction_id, _HOLD_S)

    def let_go(self, transaction_id: int) -> bool:
        """Leave the report to the job now; False when there is none, since the peer is not configured."""
        if not self.commitments.transaction(transaction_id).partner.peer:
            return False
        self.commitments.hold(transaction_id, 0.0)
        return True

    def _peer(self, calling: str, address: str) -> Peer | None:
        """The configured peer that calls, of several with its AE title the one at its address."""
        peers = self._peers.by_ae_title(calling)
        here = (peer for peer in peers if len(peers) > 1 and address in addresses_of(peer.host))
        return next(here, peers[0] if peers else None)


def report_job(transaction: Transaction, peer: Peer, objects: int) -> NewJob:
    """The job that reports on a transaction. It does not wait in line behind what is sent to the peer."""
    return NewJob(
        REPORT_KIND,
        f"commitment to {peer.name}",
        f"tell {peer.name} which of {objects} objects are committed",
        {"transaction": transaction.id},
        [NewItem(transaction.uid)],
        retry=Retry(RETRIES_OF_THE_NODE if peer.retries is None else peer.retries, peer.retry_delay_s),
    )


def look(
    commitments: Commitments, transaction: Transaction, archive: Archive, should_stop: Callable[[], bool]
) -> Sequence[Outcome] | None:
    """The result for every object of a transaction as things are now, noted; None when it was ended early."""
    outcomes = commitments.outcomes(transaction.id)
    if transaction.is_duplicate:
        return outcomes
    # Looking again may find what was not there: whoever deletes must see before that we may promise it.
    open_again = [each if each.reason == COMMITTED else replace(each, reason=None) for each in outcomes]
    if open_again != outcomes:
        commitments.note_results(transaction.id, open_again)
    promised = {each.reference.sop_instance_uid for each in outcomes if each.reason == COMMITTED}
    found = examine(archive, [outcome.reference for outcome in outcomes], should_stop, promised)
    if found is not None:
        commitments.note_results(transaction.id, found)
    return found


def report_command(
    transaction: Transaction, outcomes: Sequence[Outcome], transfer_syntax_uid: str
) -> tuple[CommandSet, bytes]:
    """N-EVENT-REPORT of a transaction's outcomes, still without its message id, and its Event Information."""
    event, information = _encoded(transaction, outcomes, transfer_syntax_uid)
    command = CommandSet(
        Operation.N_EVENT_REPORT_RQ,
        affected_sop_class_uid=PUSH_MODEL,
        affected_sop_instance_uid=PUSH_MODEL_INSTANCE,
        event_type_id=event,
    )
    return command, information


def _encoded(transaction: Transaction, outcomes: Sequence[Outcome], transfer_syntax_uid: str) -> tuple[Event, bytes]:
    return encode_report(transaction.uid, outcomes, transaction.partner.our_ae_title, transfer_syntax_uid)


def run_commit_report(context: JobContext, surroundings: CommitmentSurroundings) -> None:
    """The kind "commit-report": tell a peer the result of its request, on an association of our own."""
    commitments = surroundings.commitments
    transaction = _released(context, commitments, int(context.job.parameters["transaction"]))
    if transaction is not None and transaction.state is not TransactionState.REPORTED:
        try:
            outcomes = look(
                commitments, transaction, surroundings.open_archive(transaction.database), context.should_stop
            )
        except (OSError, OutOfSpace) as error:
            raise TransientFailure(f"the objects cannot be looked into now: {error}") from error
        if outcomes is None:
            return
        _tell(surroundings, transaction, outcomes)
        commitments.note_reported(transaction.id)
    if transaction is not None:
        for item in context.pending():
            context.record(item.number, ItemState.SENT)


def _released(context: JobContext, commitments: Commitments, transaction_id: int) -> Transaction | None:
    """The transaction once the association that brought it is done with it; None when we are to stop."""
    while True:
        transaction = commitments.transaction(transaction_id)
        if transaction.state is TransactionState.REPORTED or transaction.held_until_s <= time.time():
            return transaction
        if context.should_stop():
            return None
        time.sleep(_POLL_S)


def _tell(surroundings: CommitmentSurroundings, transaction: Transaction, outcomes: Sequence[Outcome]) -> None:
    """N-EVENT-REPORT in the role of SCP, which has to be negotiated (PS3.4 section J.3.3, PS3.7 section D.3.3.4)."""
    our_ae_title = transaction.partner.our_ae_title
    peer = surroundings.peers.by_name(transaction.partner.peer)
    caller = surroundings.caller_of(peer, our_ae_title)
    try:
        with associate(peer, caller, [CONTEXT], {PUSH_MODEL: (False, True)}) as association:
            context = context_to(association, as_scp=True)
            event, information = _encoded(transaction, outcomes, context.transfer_syntax)
            response = scu.event_report(association, context.id, PUSH_MODEL_INSTANCE, event, information)
    except WireError as error:
        raise job_failure(error, peer, our_ae_title) from error
    if response.status in _MAY_PASS:
        raise TransientFailure(f"{peer.name} answered the commitment report with status {response.status:04X}")
    if response.status != status.SUCCESS:
        raise OperationFailed("N-EVENT-REPORT", response.status, response.command.error_comment or "")
