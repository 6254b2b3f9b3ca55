"""C-ECHO and C-STORE as SCP (PS3.4 Annexes A and B)."""

from __future__ import annotations

import contextlib
import logging
from typing import Final

from radfuse.archive import Origin, Outcome
from radfuse.core.errors import InvalidInstance, RadfuseError, WireError
from radfuse.node.session import Session
from radfuse.node.statuses import comment_of, status_of
from radfuse.services.ingest import check_origin, ingest
from radfuse.wire import Message, status

_log = logging.getLogger(__name__)
_SILENT_OUTCOMES: Final = frozenset({Outcome.KEPT, Outcome.SAME_AGAIN})


def echo(session: Session, message: Message) -> None:
    """Answer C-ECHO."""
    session.association.send(message.context_id, message.command.response(status.SUCCESS))


def store(session: Session, message: Message) -> None:
    """Receive one object and answer only when it is durable, or say why not.

    The answer goes out before the block of the arriving object ends: what is done then is no
    longer the peer's business.
    """
    with contextlib.ExitStack() as stack:
        answer, comment = _take(session, message, stack)
        session.association.discard_data_set()
        session.association.send(message.context_id, message.command.response(answer, comment))


def _take(session: Session, message: Message, stack: contextlib.ExitStack) -> tuple[int, str | None]:
    command = message.command
    answer, comment = status.SUCCESS, None
    try:
        session.require(session.rights.store, "store")
        if command.affected_sop_class_uid != message.context.abstract_syntax:
            answer = status.SOP_CLASS_NOT_SUPPORTED
        elif not message.has_data_set:
            raise InvalidInstance("there is no data set")
        else:
            _receive(session, message, stack)
    except WireError:
        raise  # the association is gone: nobody to answer
    except Exception as error:
        answer, comment = status_of(error), comment_of(error)
        _log_refusal(session, error, answer)
    if answer == status.SUCCESS:
        session.tally.stored += 1
    else:
        session.tally.refused += 1
    return answer, comment


def _receive(session: Session, message: Message, stack: contextlib.ExitStack) -> None:
    command = message.command
    origin = Origin(
        command.affected_sop_class_uid or "",
        command.affected_sop_instance_uid or "",
        message.context.transfer_syntax,
        session.calling_ae_title,
    )
    check_origin(origin)
    incoming = stack.enter_context(session.archive.receive(origin))
    session.tally.received_bytes += session.association.receive_data_set(incoming)
    outcome = ingest(session.archive, incoming).outcome
    if outcome not in _SILENT_OUTCOMES:
        _log.warning("duplicate SOP Instance UID: %s", outcome.value, extra={"calling": session.calling_ae_title})


def _log_refusal(session: Session, error: Exception, answer: int) -> None:
    facts = {"calling": session.calling_ae_title, "status": f"{answer:04X}", "error": type(error).__name__}
    if isinstance(error, RadfuseError):
        _log.warning("object refused: %s", error, extra=facts)
    else:
        _log.error("object not stored", exc_info=error, extra=facts)
