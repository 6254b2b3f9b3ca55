"""DIMSE services from the user's side (PS3.7 sections 9 and 10); identifiers and data sets are raw bytes.

Each function needs an accepted presentation context whose role is SCU. Statuses are returned, not
raised. A response that does not belong to the request ends the association with ProtocolViolation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Final, NamedTuple

from radfuse.core.errors import ConnectionLost, NoPresentationContext, PeerTimeout, ProtocolViolation
from radfuse.wire.association import Association, Message
from radfuse.wire.command import PRIORITY_MEDIUM, RESPONSE_BIT, CommandSet, Operation
from radfuse.wire.sending import DataSource, ShouldStop
from radfuse.wire.status import PENDING, PENDING_WITH_WARNING, SOP_CLASS_NOT_SUPPORTED

VERIFICATION: Final = "1.2.840.10008.1.1"
_CANCEL_POLL_S: Final = 0.2
"""How soon a wish to cancel is heard while no response comes."""


class Response(NamedTuple):
    """One response: its command set and the bytes of its identifier or data set (empty for none)."""

    command: CommandSet
    identifier: bytes
    context_id: int = 0

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


class StoreRequest(NamedTuple):
    """A C-STORE that was sent and is not answered yet."""

    command: CommandSet
    context_id: int


def send_store(
    association: Association,
    context_id: int,
    instance: tuple[str, str],
    data: DataSource,
    *,
    move_originator: tuple[str, int] | None = None,
    should_stop: ShouldStop | None = None,
) -> StoreRequest:
    """Send one instance by C-STORE (PS3.7 section 9.1.1); its response must be taken before anything else.

    ``instance`` is its SOP class and SOP Instance UID, ``data`` its data set in the context's transfer
    syntax, ``move_originator`` the AE title and message id of the C-MOVE behind it. ``should_stop`` as
    in ``Association.send``.
    """
    title, message_id = move_originator or (None, None)
    command = CommandSet(
        Operation.C_STORE_RQ,
        association.next_message_id(),
        affected_sop_class_uid=instance[0],
        affected_sop_instance_uid=instance[1],
        priority=PRIORITY_MEDIUM,
        move_originator_ae_title=title,
        move_originator_message_id=message_id,
    )
    association.send(context_id, command, data, should_stop)
    return StoreRequest(command, context_id)


def store_response(
    association: Association, request: StoreRequest, should_stop: ShouldStop | None = None
) -> CommandSet:
    """The response to ``request``. ``should_stop`` as in ``Association.receive_command``."""
    limit_s = association.limits.response_s
    response = _response(association, request.command, limit_s, should_stop=should_stop)
    if response.context_id != request.context_id:
        association.abort()
        raise ProtocolViolation("a response came in another presentation context than its request")
    return response.command


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
    """C-STORE of one instance; the response. As ``send_store`` and ``store_response``."""
    instance = (sop_class_uid, sop_instance_uid)
    request = send_store(
        association, context_id, instance, data, move_originator=move_originator, should_stop=should_stop
    )
    return store_response(association, request, should_stop)


def find(
    association: Association, context_id: int, identifier: bytes, should_cancel: ShouldCancel | None = None
) -> Generator[Response, None, None]:
    """C-FIND (PS3.7 section 9.1.2): the pending responses and then the final one.

    ``should_cancel`` is asked before each message and while none comes, and sends C-CANCEL once; so
    does closing the generator.
    """
    command = _query(association, context_id, Operation.C_FIND_RQ)
    association.send(context_id, command, identifier)
    yield from _RunningQuery(association, context_id, command, should_cancel).responses()


def move(
    association: Association,
    context_id: int,
    destination: str,
    identifier: bytes,
    should_cancel: ShouldCancel | None = None,
) -> Generator[Response, None, None]:
    """C-MOVE to the AE title ``destination`` (PS3.7 section 9.1.4): responses with their counters."""
    command = _query(association, context_id, Operation.C_MOVE_RQ)
    command.move_destination = destination
    association.send(context_id, command, identifier)
    yield from _RunningQuery(association, context_id, command, should_cancel).responses()


def get(
    association: Association,
    context_id: int,
    identifier: bytes,
    store_handler: StoreHandler,
    should_cancel: ShouldCancel | None = None,
) -> Generator[Response, None, None]:
    """C-GET (PS3.7 section 9.1.3): its responses, while C-STORE sub-operations go to ``store_handler``.

    The storage contexts need the SCP role. What the handler raises passes; the association is
    then in the middle of the operation and should be aborted.
    """
    command = _query(association, context_id, Operation.C_GET_RQ)
    association.send(context_id, command, identifier)
    yield from _RunningQuery(association, context_id, command, should_cancel, store_handler).responses()


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
    association: Association,
    request: CommandSet,
    timeout_s: float,
    store_handler: StoreHandler | None = None,
    should_stop: ShouldStop | None = None,
    before_each: Callable[[], None] | None = None,
) -> Response:
    """The next response to ``request``; C-STORE sub-operations before it are served, C-CANCEL is noted.

    A peer whose C-GET we serve may cancel it while we wait for its answer to a sub-operation.
    """
    while True:
        if before_each is not None:
            before_each()
        message = association.receive_command(timeout_s, should_stop)
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
        return Response(command, identifier, message.context_id)


def _serve_store(association: Association, message: Message, store_handler: StoreHandler) -> None:
    if message.context.as_scp and message.has_data_set:
        answer = store_handler(association, message)
    else:
        answer = SOP_CLASS_NOT_SUPPORTED
    if message.has_data_set:
        association.discard_data_set()
    association.send(message.context_id, message.command.response(answer))


class _RunningQuery:
    """A running C-FIND, C-MOVE or C-GET: its responses, and its end before time."""

    def __init__(
        self,
        association: Association,
        context_id: int,
        request: CommandSet,
        should_cancel: ShouldCancel | None,
        store_handler: StoreHandler | None = None,
    ) -> None:
        self._association = association
        self._context_id = context_id
        self._request = request
        self._should_cancel = should_cancel
        self._store_handler = store_handler
        self._is_cancelled = False

    def responses(self) -> Generator[Response, None, None]:
        """The pending responses and the final one."""
        try:
            while True:
                response = self._next()
                yield response
                if response.status not in (PENDING, PENDING_WITH_WARNING):
                    return
        except GeneratorExit:
            if response.status in (PENDING, PENDING_WITH_WARNING) and self._association.is_established:
                self._stop()
            raise

    def _next(self) -> Response:
        timeout_s = self._association.limits.idle_s
        return _response(self._association, self._request, timeout_s, self._store_handler, before_each=self._await)

    def _await(self) -> None:
        """Wait for the next message; C-CANCEL if that is wanted meanwhile."""
        if self._should_cancel is None or self._is_cancelled:
            return
        timeout_s = self._association.limits.idle_s
        ends = time.monotonic() + timeout_s
        while not self._should_cancel():
            if self._association.poll(_CANCEL_POLL_S):
                return
            if time.monotonic() > ends:
                self._association.abort()
                raise PeerTimeout("the next response", timeout_s)
        self._cancel()

    def _cancel(self) -> None:
        self._is_cancelled = True
        cancel(self._association, self._context_id, self._request.message_id or 0)

    def _stop(self) -> None:
        """The generator was left early: cancel, and take what is still on its way.

        Abort where the cancelling was not waited for either.
        """
        if self._is_cancelled:
            self._association.abort()
            return
        self._cancel()
        while self._next().status in (PENDING, PENDING_WITH_WARNING):
            pass
