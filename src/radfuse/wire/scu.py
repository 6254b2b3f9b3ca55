"""DIMSE services from the user's side (PS3.7 sections 9 and 10); identifiers and data sets are raw bytes.

Each function needs an accepted presentation context whose role is SCU. Statuses are returned, not
raised. A response that does not belong to the request ends the association with ProtocolViolation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from radfuse.core.errors import ConnectionLost, NoPresentationContext, ProtocolViolation
from radfuse.wire.association import Association, Message
from radfuse.wire.command import PRIORITY_MEDIUM, RESPONSE_BIT, CommandSet, Operation
from radfuse.wire.sending import DataSource, ShouldStop
from radfuse.wire.status import PENDING, PENDING_WITH_WARNING, SOP_CLASS_NOT_SUPPORTED

VERIFICATION: Final = "1.2.840.10008.1.1"


class Response(NamedTuple):
    """One response: its command set and the bytes of its identifier or data set (empty for none)."""

    command: CommandSet
    identifier: bytes

    @property
    def status(self) -> int:
        """The DIMSE status, 0 for success."""
        return self.command.status or 0


ShouldCancel = Callable[[], bool]
StoreHandler = Callable[[Association, Message], int]
"""Receives the data set of a C-STORE sub-operation and returns the status to answer."""


def context_for(association: Association, sop_class_uid: str, transfer_syntax_uid: str = "") -> int:
    """Id of an accepted context with the SCU role for this class (and syntax), or NoPresentationContext."""
    for context in association.contexts.values():
        if (
            context.as_scu
            and context.abstract_syntax == sop_class_uid
            and transfer_syntax_uid in ("", context.transfer_syntax)
        ):
            return context.id
    raise NoPresentationContext(sop_class_uid, transfer_syntax_uid)


def echo(association: Association) -> int:
    """C-ECHO (PS3.7 section 9.1.5); the status."""
    context_id = context_for(association, VERIFICATION)
    command = CommandSet(
        Operation.C_ECHO_RQ, message_id=association.next_message_id(), affected_sop_class_uid=VERIFICATION
    )
    return _exchange(association, context_id, command, None).status


def store(
    association: Association,
    context_id: int,
    sop_class_uid: str,
    sop_instance_uid: str,
    data: DataSource,
    *,
    move_originator: tuple[str, int] | None = None,
    should_stop: ShouldStop | None = None,
) -> CommandSet:
    """C-STORE of one instance (PS3.7 section 9.1.1); the response.

    ``data`` is encoded in the context's transfer syntax. ``move_originator`` is the AE title and
    message id of the C-MOVE behind it.
    """
    title, message_id = move_originator or (None, None)
    command = CommandSet(
        Operation.C_STORE_RQ,
        association.next_message_id(),
        affected_sop_class_uid=sop_class_uid,
        affected_sop_instance_uid=sop_instance_uid,
        priority=PRIORITY_MEDIUM,
        move_originator_ae_title=title,
        move_originator_message_id=message_id,
    )
    association.send(context_id, command, data, should_stop)
    return _response(association, command, association.limits.response_s).command


def find(
    association: Association, context_id: int, identifier: bytes, should_cancel: ShouldCancel | None = None
) -> Iterator[Response]:
    """C-FIND (PS3.7 section 9.1.2): the pending responses and then the final one.

    ``should_cancel`` is asked before each response and sends C-CANCEL once; so does closing the iterator.
    """
    command = _query(association, context_id, Operation.C_FIND_RQ)
    association.send(context_id, command, identifier)
    yield from _responses(association, context_id, command, should_cancel)


def move(
    association: Association,
    context_id: int,
    destination: str,
    identifier: bytes,
    should_cancel: ShouldCancel | None = None,
) -> Iterator[Response]:
    """C-MOVE to the AE title ``destination`` (PS3.7 section 9.1.4): responses with their counters."""
    command = _query(association, context_id, Operation.C_MOVE_RQ)
    command.move_destination = destination
    association.send(context_id, command, identifier)
    yield from _responses(association, context_id, command, should_cancel)


def get(
    association: Association,
    context_id: int,
    identifier: bytes,
    store_handler: StoreHandler,
    should_cancel: ShouldCancel | None = None,
) -> Iterator[Response]:
    """C-GET (PS3.7 section 9.1.3): its responses, while C-STORE sub-operations go to ``store_handler``.

    The storage contexts need the SCP role. What the handler raises passes; the association is
    then in the middle of the operation and should be aborted.
    """
    command = _query(association, context_id, Operation.C_GET_RQ)
    association.send(context_id, command, identifier)
    yield from _responses(association, context_id, command, should_cancel, store_handler)


def cancel(association: Association, context_id: int, message_id: int) -> None:
    """C-CANCEL of the request with ``message_id`` (PS3.7 section 9.3.2.3); it has no response of its own."""
    association.send(context_id, CommandSet(Operation.C_CANCEL_RQ, message_id_being_responded_to=message_id))


def action(
    association: Association,
    context_id: int,
    sop_instance_uid: str,
    action_type_id: int,
    information: bytes | None = None,
) -> Response:
    """N-ACTION (PS3.7 section 10.1.4) on an instance of the context's class."""
    command = CommandSet(
        Operation.N_ACTION_RQ,
        association.next_message_id(),
        requested_sop_class_uid=association.contexts[context_id].abstract_syntax,
        requested_sop_instance_uid=sop_instance_uid,
        action_type_id=action_type_id,
    )
    return _exchange(association, context_id, command, information)


def event_report(
    association: Association,
    context_id: int,
    sop_instance_uid: str,
    event_type_id: int,
    information: bytes | None = None,
) -> Response:
    """N-EVENT-REPORT (PS3.7 section 10.1.1) about an instance of the context's class; sent in the SCP role."""
    command = CommandSet(
        Operation.N_EVENT_REPORT_RQ,
        association.next_message_id(),
        affected_sop_class_uid=association.contexts[context_id].abstract_syntax,
        affected_sop_instance_uid=sop_instance_uid,
        event_type_id=event_type_id,
    )
    return _exchange(association, context_id, command, information)


def _query(association: Association, context_id: int, operation: Operation) -> CommandSet:
    return CommandSet(
        operation,
        association.next_message_id(),
        affected_sop_class_uid=association.contexts[context_id].abstract_syntax,
        priority=PRIORITY_MEDIUM,
    )


def _exchange(association: Association, context_id: int, command: CommandSet, data: bytes | None) -> Response:
    association.send(context_id, command, data)
    return _response(association, command, association.limits.response_s)


def _response(
    association: Association, request: CommandSet, timeout_s: float, store_handler: StoreHandler | None = None
) -> Response:
    """The next response to ``request``; C-STORE sub-operations before it are served, C-CANCEL is noted.

    A peer whose C-GET we serve may cancel it while we wait for its answer to a sub-operation.
    """
    while True:
        message = association.receive_command(timeout_s)
        if message is None:
            raise ConnectionLost("the peer released the association before its response")
        command = message.command
        if command.command_field == Operation.C_STORE_RQ and store_handler is not None:
            _serve_store(association, message, store_handler)
            continue
        if command.command_field == Operation.C_CANCEL_RQ:
            association.cancelled.add(command.message_id_being_responded_to or 0)
            continue
        if (
            command.command_field != request.command_field | RESPONSE_BIT
            or command.message_id_being_responded_to != request.message_id
            or command.status is None
        ):
            association.abort()
            raise ProtocolViolation("a response belongs to no request")
        identifier = association.receive_identifier() if message.has_data_set else b""
        return Response(command, identifier)


def _serve_store(association: Association, message: Message, store_handler: StoreHandler) -> None:
    if message.context.as_scp and message.has_data_set:
        answer = store_handler(association, message)
    else:
        answer = SOP_CLASS_NOT_SUPPORTED
    if message.has_data_set:
        association.discard_data_set()
    association.send(message.context_id, message.command.response(answer))


def _responses(
    association: Association,
    context_id: int,
    request: CommandSet,
    should_cancel: ShouldCancel | None,
    store_handler: StoreHandler | None = None,
) -> Iterator[Response]:
    cancelled = finished = False
    try:
        while not finished:
            if should_cancel is not None and not cancelled and should_cancel():
                cancelled = True
                cancel(association, context_id, request.message_id or 0)
            response = _response(association, request, association.limits.idle_s, store_handler)
            finished = response.status not in (PENDING, PENDING_WITH_WARNING)
            yield response
    finally:
        if not finished and association.is_established:
            _stop(association, context_id, request, store_handler, cancelled)


def _stop(
    association: Association,
    context_id: int,
    request: CommandSet,
    store_handler: StoreHandler | None,
    cancelled: bool,
) -> None:
    """The iterator was left early: cancel, and take what is still on its way."""
    if not cancelled:
        cancel(association, context_id, request.message_id or 0)
    status = PENDING
    while status in (PENDING, PENDING_WITH_WARNING):
        status = _response(association, request, association.limits.idle_s, store_handler).status
