"""What both sides of storage commitment say on an association (PS3.4 sections J.3.2 and J.3.3)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from radfuse.core.errors import (
    InvalidCommitment,
    NoPresentationContext,
    NotAuthorized,
    OutOfSpace,
    RadfuseError,
    UnknownTransaction,
    WireError,
)
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.services.commitment.coding import Report, Request, decode_report, decode_request
from radfuse.services.commitment.model import PUSH_MODEL, PUSH_MODEL_INSTANCE, REQUEST_ACTION, Event
from radfuse.wire import AcceptedContext, Association, Message, ProposedContext, status

CONTEXT: Final = ProposedContext(PUSH_MODEL, (EXPLICIT_LITTLE, IMPLICIT_LITTLE))

_log = logging.getLogger(__name__)
_COMMENT_CHARACTERS: Final = 64

STATUS_OF_ERROR: Final[tuple[tuple[type[Exception], int], ...]] = (
    (NotAuthorized, status.NOT_AUTHORIZED),
    (InvalidCommitment, status.INVALID_ARGUMENT_VALUE),
    (UnknownTransaction, status.PROCESSING_FAILURE),
    (OutOfSpace, status.RESOURCE_LIMITATION),
)
"""Why a request or report was not taken, as statuses (PS3.7 sections 10.1.1.1.8 and 10.1.4.1.10); else 0110H."""


def status_of(error: Exception) -> int:
    """The status that tells a peer of ``error``."""
    return next((code for kind, code in STATUS_OF_ERROR if isinstance(error, kind)), status.PROCESSING_FAILURE)


def _answer(association: Association, message: Message, take: Callable[[bytes], object]) -> bool:
    """Let ``take`` have the data set of a request, and answer with its success or with its error; whether it took it.

    Raises the WireErrors that end the association.
    """
    code, comment = status.SUCCESS, None
    try:
        take(association.receive_identifier() if message.has_data_set else b"")
    except WireError:
        raise  # the association is gone: nobody to answer
    except Exception as error:
        code = status_of(error)
        facts = {"calling": association.request.calling_ae_title, "status": f"{code:04X}"}
        if isinstance(error, RadfuseError):
            _log.warning("storage commitment refused: %s", error, extra=facts)
            comment = str(error)[:_COMMENT_CHARACTERS].replace("\\", "/")
        else:
            _log.error("storage commitment failed", exc_info=error, extra=facts)
    return refuse(association, message, code, comment)


def refuse(association: Association, message: Message, code: int, comment: str | None = None) -> bool:
    """Answer with a status, whatever of the data set is still to come; whether it is success."""
    if message.has_data_set:
        association.discard_data_set()
    association.send(message.context_id, message.command.response(code, comment))
    return code == status.SUCCESS


def answer_request(association: Association, message: Message, take: Callable[[Request], object]) -> bool:
    """Answer N-ACTION once ``take`` has noted it; whether it has (PS3.7 section 10.1.4.1.10)."""
    command = message.command
    if message.context.abstract_syntax != PUSH_MODEL or command.requested_sop_class_uid != PUSH_MODEL:
        return refuse(association, message, status.NO_SUCH_SOP_CLASS)
    if command.requested_sop_instance_uid != PUSH_MODEL_INSTANCE:
        return refuse(association, message, status.NO_SUCH_SOP_INSTANCE)
    if command.action_type_id != REQUEST_ACTION:
        return refuse(association, message, status.NO_SUCH_ACTION)
    syntax = message.context.transfer_syntax
    return _answer(association, message, lambda data: take(decode_request(data, syntax)))


def answer_report(association: Association, message: Message, settle: Callable[[Report], object]) -> bool:
    """Answer N-EVENT-REPORT once ``settle`` has noted it; whether it has (PS3.7 section 10.1.1.1.8).

    The role of the context is not asked for: a peer that forgot role selection still says what it knows.
    """
    command = message.command
    if message.context.abstract_syntax != PUSH_MODEL or command.affected_sop_class_uid != PUSH_MODEL:
        return refuse(association, message, status.NO_SUCH_SOP_CLASS)
    if command.affected_sop_instance_uid != PUSH_MODEL_INSTANCE:
        return refuse(association, message, status.NO_SUCH_SOP_INSTANCE)
    if command.event_type_id not in tuple(Event):
        return refuse(association, message, status.NO_SUCH_EVENT_TYPE)
    syntax = message.context.transfer_syntax
    return _answer(association, message, lambda data: settle(decode_report(data, syntax)))


def context_to(association: Association, *, as_scp: bool) -> AcceptedContext:
    """The accepted context of the push model, best one with our role. Raises NoPresentationContext.

    A peer that accepts the context and says nothing about roles is taken at its context.
    """
    contexts = [context for context in association.contexts.values() if context.abstract_syntax == PUSH_MODEL]
    for context in contexts:
        if context.as_scp if as_scp else context.as_scu:
            return context
    if not contexts:
        raise NoPresentationContext(PUSH_MODEL)
    return contexts[0]
