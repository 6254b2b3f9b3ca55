"""Storage commitment on associations that peers open: N-ACTION and N-EVENT-REPORT (PS3.4 Annex J)."""

from __future__ import annotations

import logging
from typing import Final

from radfuse.core.errors import NotAuthorized
from radfuse.core.sop_classes import STORAGE_COMMITMENT_PUSH
from radfuse.node.session import Session
from radfuse.services.access import NO_RIGHTS
from radfuse.services.commitment import (
    CommitmentDesk,
    Report,
    Request,
    Transaction,
    answer_report,
    answer_request,
    report_command,
)
from radfuse.wire import Message, status

_log = logging.getLogger(__name__)

_QUIET_S: Final = 0.5
"""A peer that says nothing for so long after its request waits for the report on this association."""


def action(session: Session, message: Message) -> None:
    """Answer a request once it is noted durably; then tell its result here, if the peer waits for it."""
    desk = session.surroundings.commitment
    if desk is None or message.context.abstract_syntax != STORAGE_COMMITMENT_PUSH:
        _do_not_know(session, message)
        return
    taken: list[Transaction] = []

    def take(request: Request) -> None:
        session.require(session.rights.commit, "ask for storage commitment")
        address = session.association.peer_address[0]
        taken.append(desk.take(request, session.calling_ae_title, session.called_ae_title, address))

    if answer_request(session.association, message, take):
        _report_here(session, desk, message, taken[0])
    else:
        session.tally.refused += 1


def _do_not_know(session: Session, message: Message) -> None:
    session.association.discard_data_set()
    session.association.send(message.context_id, message.command.response(status.UNRECOGNIZED_OPERATION))


def _report_here(session: Session, desk: CommitmentDesk, message: Message, transaction: Transaction) -> None:
    """Send the report on this association, unless the peer goes on or goes away: then the job has it."""
    association = session.association
    try:
        outcomes = desk.look(
            transaction, session.archive, lambda: association.poll() or session.surroundings.is_stopping()
        )
    except Exception:
        _log.exception("the objects of a storage commitment cannot be looked into")
        outcomes = None
    if outcomes is None or association.poll(_QUIET_S):
        _leave_to_job(session, desk, transaction.id)
        return
    desk.hold(transaction.id)
    command, information = report_command(transaction, outcomes, message.context.transfer_syntax)
    command.message_id = association.next_message_id()
    session.reports[command.message_id] = transaction.id
    association.send(message.context_id, command, information)


def _leave_to_job(session: Session, desk: CommitmentDesk, transaction_id: int) -> None:
    if not desk.let_go(transaction_id):
        _log.warning(
            "a storage commitment cannot be reported: the peer is not configured and did not wait for the report; "
            "add it with 'radfuse peers add'",
            extra={"calling": session.calling_ae_title},
        )


def reported(session: Session, message: Message) -> None:
    """Note the peer's answer to our report."""
    session.association.discard_data_set()
    desk = session.surroundings.commitment
    transaction_id = session.reports.pop(message.command.message_id_being_responded_to or 0, None)
    if desk is None or transaction_id is None:
        return
    if message.command.status == status.SUCCESS:
        desk.commitments.note_reported(transaction_id)
        return
    facts = {"calling": session.calling_ae_title, "status": f"{message.command.status or 0:04X}"}
    _log.warning("the peer refused the report of a storage commitment", extra=facts)
    _leave_to_job(session, desk, transaction_id)


def ended(session: Session) -> None:
    """Leave what the peer has not answered to the job; never raises."""
    desk = session.surroundings.commitment
    if desk is None or not session.reports:
        return
    try:
        for transaction_id in session.reports.values():
            _leave_to_job(session, desk, transaction_id)
    except Exception:
        _log.exception("unanswered reports of storage commitment wait longer than they need to")


def report(session: Session, message: Message) -> None:
    """Note what a peer tells of a request of ours."""
    desk = session.surroundings.commitment
    if desk is None:
        _do_not_know(session, message)
        return

    def settle(told: Report) -> None:
        # Not the rights to ask something of us: we asked, and must know who answers.
        if session.rights is NO_RIGHTS:
            raise NotAuthorized("report on storage commitment")
        desk.commitments.settle(told, session.calling_ae_title)

    if not answer_report(session.association, message, settle):
        session.tally.refused += 1
