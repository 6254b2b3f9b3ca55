"""Storage commitment as SCU: a durable job asks a peer to commit, its report is noted whenever it comes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import ConfigurationError, JobNotInState, OperationFailed, WireError
from radfuse.jobs import Item, ItemState, JobContext, Jobs, JobState, NewItem, NewJob, Retry
from radfuse.services.associating import associate
from radfuse.services.commitment.coding import Request, encode_request
from radfuse.services.commitment.ledger import Commitments
from radfuse.services.commitment.model import (
    COMMITTED,
    PUSH_MODEL_INSTANCE,
    REQUEST_ACTION,
    Outcome,
    Partner,
    Reference,
    Transaction,
    TransactionState,
)
from radfuse.services.commitment.reporting import CommitmentSurroundings
from radfuse.services.commitment.talking import CONTEXT, answer_report, context_to, refuse
from radfuse.services.failures import job_failure
from radfuse.services.peers import RETRIES_OF_THE_NODE, Peer
from radfuse.services.send import file_object
from radfuse.services.stored_objects import objects_named
from radfuse.wire import Association, Message, Operation, scu, status

COMMIT_KIND: Final = "commit"

OBJECTS_PER_REQUEST: Final = 2000
"""One request names so many at most: about 300 KB."""

_PAGE: Final = 1000
_POLL_S: Final = 0.25
_SEND_KIND: Final = "send"
_FINISHED: Final = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
_ACKNOWLEDGED: Final = (ItemState.SENT, ItemState.WARNED)


# --- what to ask for -----------------------------------------------------------------------------


def references_to(objects: Iterable[StoredObject]) -> list[Reference]:
    """References to objects of our archive."""
    return [Reference(stored.sop_class_uid, stored.sop_instance_uid, stored.digest) for stored in objects]


def references_of_send(jobs: Jobs, job_id: int, archive: Archive) -> list[Reference]:
    """References to what a send job has sent, from ``archive`` or from files.

    Raises UnknownJob, JobNotInState while it is not finished, ConfigurationError for another kind
    of job, and the errors of ``file_object`` for a file that is gone. Objects that the archive no
    longer has are left out: nothing is known of them any more.
    """
    job = jobs.get(job_id)
    if job.kind != _SEND_KIND:
        raise ConfigurationError("job", f"job {job_id} sends nothing: it is a job of kind {job.kind}")
    if job.state not in _FINISHED:
        raise JobNotInState(job_id, "be followed by storage commitment", job.state)
    items = list(_acknowledged(jobs, job_id))
    kept = objects_named(archive, [item.name for item in items if not item.where])
    return [reference for item in items if (reference := _reference(item, kept)) is not None]


def _acknowledged(jobs: Jobs, job_id: int) -> Iterator[Item]:
    after = 0
    while page := jobs.items(job_id, _ACKNOWLEDGED, after, _PAGE):
        yield from page
        after = page[-1].number


def _reference(item: Item, kept: Mapping[str, StoredObject]) -> Reference | None:
    if item.where:
        return Reference(file_object(Path(item.where)).sop_class_uid, item.name)
    stored = kept.get(item.name)
    return None if stored is None else Reference(stored.sop_class_uid, stored.sop_instance_uid, stored.digest)


def submit_commit(
    jobs: Jobs, peer: Peer, references: Sequence[Reference], our_ae_title: str, database: str = ""
) -> int:
    """Queue the job that asks ``peer`` to commit; its number. Raises NotAllowed if we are not to ask it."""
    peer.require("commit")
    if not references:
        raise ConfigurationError("commit", "there are no objects to ask for")
    return jobs.submit(
        NewJob(
            COMMIT_KIND,
            f"commitment to {peer.name}",
            f"ask {peer.name} to commit {len(references)} objects",
            {"peer": peer.reference, "from": our_ae_title, "database": database},
            [NewItem(one.sop_instance_uid, f"{one.sop_class_uid} {one.digest.hex()}") for one in references],
            retry=Retry(RETRIES_OF_THE_NODE if peer.retries is None else peer.retries, peer.retry_delay_s),
        )
    )


# --- asking --------------------------------------------------------------------------------------


def run_commit(context: JobContext, surroundings: CommitmentSurroundings) -> None:
    """The kind "commit": ask a peer, and wait a little for its report.

    What is committed is recorded as sent, what is not as failed, and what the peer has taken the
    request for without reporting yet as warned: its report is noted when it comes.
    """
    parameters = context.job.parameters
    peer = surroundings.peers.by_name(parameters["peer"])
    peer.require("commit")
    partner = Partner(peer.reference, peer.ae_title, parameters["from"])
    committed = 0
    while (items := context.pending(limit=OBJECTS_PER_REQUEST)) and not context.should_stop():
        references = [_reference_in(item) for item in items]
        try:
            transaction = _ask(context, surroundings, peer, partner, references)
        except WireError as error:
            raise job_failure(error, peer, partner.our_ae_title) from error
        for item, outcome in zip(items, surroundings.commitments.outcomes(transaction.id), strict=True):
            _record(context, item, outcome)
            committed += outcome.reason == COMMITTED
        context.say(f"{peer.name} has committed to {committed} objects")


def _reference_in(item: Item) -> Reference:
    sop_class_uid, _, digest = item.where.partition(" ")
    return Reference(sop_class_uid, item.name, bytes.fromhex(digest))


def _record(context: JobContext, item: Item, outcome: Outcome) -> None:
    text = outcome.text
    if outcome.reason == COMMITTED:
        context.record(item.number, ItemState.SENT)
    elif outcome.reason is None:
        context.record(item.number, ItemState.WARNED, comment=f"asked; {text}: 'radfuse commit show' will tell")
    else:
        context.record(item.number, ItemState.FAILED, outcome.reason if outcome.reason > 0 else None, text)


def _ask(
    context: JobContext,
    surroundings: CommitmentSurroundings,
    peer: Peer,
    partner: Partner,
    references: Sequence[Reference],
) -> Transaction:
    """One request, and its report if it comes soon; the transaction."""
    commitments = surroundings.commitments
    caller = surroundings.caller_of(peer, partner.our_ae_title)
    with associate(peer, caller, [CONTEXT]) as association:
        accepted = context_to(association, as_scp=False)
        transaction = commitments.begin(partner, references, context.job.parameters["database"])
        asked = encode_request(Request(transaction.uid, tuple(references)), accepted.transfer_syntax)
        response = scu.action(association, accepted.id, PUSH_MODEL_INSTANCE, REQUEST_ACTION, asked)
        commitments.note_answer(transaction.id, response.status)
        if response.status != status.SUCCESS:
            raise OperationFailed("N-ACTION", response.status, response.command.error_comment or "")
        context.say(f"{peer.name} has taken the request; waiting for its report")
        _await_report(context, surroundings, transaction, association)
    return transaction


def _await_report(
    context: JobContext, surroundings: CommitmentSurroundings, transaction: Transaction, association: Association
) -> None:
    """Until the report is noted, by us or by the node that the peer calls, or nobody waits any longer.

    What goes wrong on the association from here on does not undo that the peer has taken the request.
    """
    commitments = surroundings.commitments
    ends = time.monotonic() + surroundings.wait_s
    while time.monotonic() < ends and not context.should_stop():
        if commitments.transaction(transaction.id).state is TransactionState.ANSWERED:
            return
        if not association.is_established:
            time.sleep(_POLL_S)
        elif association.poll(_POLL_S):
            _serve(commitments, transaction, association)


def _serve(commitments: Commitments, transaction: Transaction, association: Association) -> None:
    try:
        message = association.receive_command()
        if message is not None:
            _take(commitments, transaction, association, message)
    except WireError:
        association.close()


def _take(commitments: Commitments, transaction: Transaction, association: Association, message: Message) -> None:
    if message.command.command_field == Operation.N_EVENT_REPORT_RQ:
        answer_report(association, message, lambda report: commitments.settle(report, transaction.partner.ae_title))
    elif message.command.is_request:
        refuse(association, message, status.UNRECOGNIZED_OPERATION)
