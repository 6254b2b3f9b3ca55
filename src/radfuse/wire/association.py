"""An established association: DIMSE messages in and out, blocking, used by one thread."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from radfuse.core.errors import (
    AssociationAborted,
    ConnectionLost,
    PeerTimeout,
    ProtocolViolation,
    RadfuseError,
    WireError,
)
from radfuse.wire.command import DATA_SET_PRESENT, NO_DATA_SET, CommandSet, decode_command, encode_command
from radfuse.wire.connection import Connection
from radfuse.wire.framing import COMMAND, LAST, Fragment
from radfuse.wire.fsm import State
from radfuse.wire.limits import Limits
from radfuse.wire.negotiation import AcceptedContext, AssociationRequest
from radfuse.wire.pdu import UNEXPECTED_PDU, Abort, ReleaseRP, ReleaseRQ
from radfuse.wire.sending import DataSource, MessageSender, ShouldStop, Stopped
from radfuse.wire.tls import TlsFacts
from radfuse.wire.upper_layer import ProviderAbort, Received, UpperLayer

MAX_MESSAGE_ID = 0xFFFF


class Sink(Protocol):
    """Where a data set goes. ``view`` is valid only during the call: copy it or write it out."""

    def write(self, view: memoryview, /) -> object:
        """Take the next bytes."""


class Message(NamedTuple):
    """A received command; when ``has_data_set``, the data set has to be received next."""

    context_id: int
    context: AcceptedContext
    command: CommandSet
    has_data_set: bool


class _BoundedBytes:
    """A sink into memory with a limit."""

    def __init__(self, limit_bytes: int) -> None:
        self.data = bytearray()
        self._limit_bytes = limit_bytes

    def write(self, view: memoryview, /) -> None:
        if len(self.data) + len(view) > self._limit_bytes:
            raise ProtocolViolation("an identifier is too long")
        self.data += view


class _Nowhere:
    def write(self, view: memoryview, /) -> None:
        """Forget."""


class _CommandReader:
    """Puts the fragments of commands together."""

    def __init__(self, contexts: Mapping[int, AcceptedContext], limits: Limits) -> None:
        self._contexts = contexts
        self._limits = limits
        self._collected = bytearray()
        self._context_id = 0

    def take(self, fragment: Fragment) -> Message | None:
        """The message when this fragment is its command's last. Raises ProtocolViolation."""
        context_id, control, view, ends_pdv = fragment
        context = self._contexts.get(context_id)
        if context is None or not control & COMMAND:
            raise ProtocolViolation("a fragment that belongs to no accepted context or no command", UNEXPECTED_PDU)
        collected = self._collected
        is_complete = ends_pdv and control & LAST
        if is_complete and not collected:
            data = bytes(view)
        else:
            if collected and context_id != self._context_id:
                raise ProtocolViolation("two commands are interleaved", UNEXPECTED_PDU)
            if len(collected) + len(view) > self._limits.command_set_bytes:
                raise ProtocolViolation("a command set is too long")
            self._context_id = context_id
            collected += view
            if not is_complete:
                return None
            data = bytes(collected)
            self._collected = bytearray()
        command = decode_command(data)
        return Message(context_id, context, command, command.command_data_set_type != NO_DATA_SET)


class Association:
    """One association. Every method may raise a WireError; the connection is closed then.

    Protocol violations and timeouts of the peer are answered with A-ABORT before they are raised.
    """

    def __init__(
        self,
        connection: Connection,
        limits: Limits,
        request: AssociationRequest,
        contexts: Mapping[int, AcceptedContext],
        peer_address: tuple[str, int],
        peer_max_pdu_bytes: int,
    ) -> None:
        self.request = request
        self.contexts = dict(contexts)
        self.peer_address = peer_address
        self.limits = limits
        self.cancelled: set[int] = set()
        """Message ids that C-CANCEL came for while something else was awaited; the operation looks here."""
        self.tls: TlsFacts | None = None
        """How the connection is protected; None for plain TCP."""
        self._connection = connection
        self._machine: UpperLayer = connection.machine
        self._sender = MessageSender(connection.stream, peer_max_pdu_bytes, limits)
        self._commands = _CommandReader(self.contexts, limits)
        self._data_set_context_id = 0
        self._waiting: Message | None = None
        self._message_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release on the way out, or abort when an error passes; what was exchanged before stands."""
        if not self.is_established:
            self.close()
        elif kind is None:
            with contextlib.suppress(WireError):
                self.release()
        else:
            self.abort()

    @property
    def is_established(self) -> bool:
        """Whether messages can still be exchanged, as far as known."""
        return self._machine.state is State.ESTABLISHED

    def next_message_id(self) -> int:
        """A message id for the next request, 1 to 65535 in turn."""
        self._message_id = self._message_id % MAX_MESSAGE_ID + 1
        return self._message_id

    # --- receiving -----------------------------------------------------------------------

    def receive_command(self, timeout_s: float | None = None, should_stop: ShouldStop | None = None) -> Message | None:
        """The next command, None when the peer has released the association.

        Waits ``timeout_s`` (default: the idle limit). A data set that was not received is discarded.
        ``should_stop`` is asked while nothing comes; when true the association is aborted and
        AssociationAborted raised.
        """
        if self._data_set_context_id and self._waiting is None:
            self.discard_data_set()
        message, self._waiting = self._waiting, None
        if message is not None:
            return message
        wait, limit_s = self._connection.wait, self.limits.idle_s if timeout_s is None else timeout_s
        try:
            while message is None:
                effect = wait(limit_s, "the next message", should_stop)
                if isinstance(effect, Fragment):
                    message = self._command_fragment(effect)
                elif self._ended(effect):
                    return None
        except Stopped:
            self.abort()
            raise AssociationAborted(0, 0) from None
        except WireError as error:
            raise self._failed(error) from None
        return message

    def receive_data_set(self, sink: Sink) -> int:
        """Write the data set of the last command to ``sink`` as it comes; its number of bytes.

        What the sink raises passes through; the rest of the data set can then still be discarded.
        """
        wait, limit_s, write = self._connection.wait, self.limits.idle_s, sink.write
        total = 0
        while self._data_set_context_id:
            try:
                effect = wait(limit_s, "the data set")
                if not isinstance(effect, Fragment):
                    self._ended(effect)
                    raise ConnectionLost("the peer released the association within a message")
                if effect.control & COMMAND or effect.context_id != self._data_set_context_id:
                    raise ProtocolViolation("a fragment of another message came within a data set", UNEXPECTED_PDU)
            except WireError as error:
                raise self._failed(error) from None
            if effect.ends_pdv and effect.control & LAST:
                self._data_set_context_id = 0
            view = effect.view
            total += len(view)
            write(view)
        return total

    def receive_identifier(self) -> bytes:
        """The data set of the last command in memory, up to ``limits.identifier_bytes``."""
        sink = _BoundedBytes(self.limits.identifier_bytes)
        try:
            self.receive_data_set(sink)
        except ProtocolViolation as error:
            raise self._failed(error) from None
        return bytes(sink.data)

    def discard_data_set(self) -> None:
        """Receive the (rest of the) data set of the last command and forget it."""
        self.receive_data_set(_Nowhere())

    def poll(self, timeout_s: float = 0.0) -> bool:
        """Whether receive_command has something to say at once: a command, a release or an abort.

        Reads what is there; a command that has come only in part is not yet something.
        """
        if self._waiting is not None or self._data_set_context_id or not self.is_established:
            return True
        ends = time.monotonic() + timeout_s
        connection = self._connection
        try:
            while True:
                while (effect := connection.next_effect()) is not None:
                    if not isinstance(effect, Fragment):
                        connection.put_back(effect)
                        return True
                    self._waiting = self._command_fragment(effect)
                    if self._waiting is not None:
                        return True
                if not connection.read_if_readable(max(0.0, ends - time.monotonic())):
                    return False
        except WireError as error:
            connection.put_back(error)
            return True

    def _command_fragment(self, fragment: Fragment) -> Message | None:
        """Take a command fragment; the message when it was the last."""
        message = self._commands.take(fragment)
        if message is not None and message.has_data_set:
            self._data_set_context_id = message.context_id
        return message

    # --- sending -------------------------------------------------------------------------

    def send(
        self,
        context_id: int,
        command: CommandSet,
        data: DataSource | None = None,
        should_stop: ShouldStop | None = None,
    ) -> None:
        """Send a message; sets its Command Data Set Type.

        ``should_stop`` is asked about once a MiB; when true the association is aborted and
        AssociationAborted raised.
        """
        self._machine.check_may_send_data()
        command.command_data_set_type = NO_DATA_SET if data is None else DATA_SET_PRESENT
        try:
            self._sender.send(context_id, encode_command(command), data, should_stop)
        except Stopped:
            self.abort()
            raise AssociationAborted(0, 0) from None
        except PeerTimeout:
            # The peer takes nothing: an abort could only be sent as bytes of the message within, in vain.
            self.close()
            self.abort()
            raise
        except (RadfuseError, OSError):
            self.abort()
            raise

    # --- ending --------------------------------------------------------------------------

    def release(self) -> None:
        """A-RELEASE request, until the peer has answered; data that still comes is dropped."""
        try:
            self._machine.release()
            self._connection.flush()
            while self._machine.state is not State.IDLE:
                effect = self._connection.wait(self.limits.response_s, "the release response")
                if isinstance(effect, Fragment):
                    continue
                if isinstance(effect, Received) and isinstance(effect.pdu, ReleaseRP):
                    self._respond_collision(State.COLLISION_ACCEPTOR_AWAITING_LOCAL)
                    break
                if isinstance(effect, Received) and isinstance(effect.pdu, ReleaseRQ):
                    self._respond_collision(State.COLLISION_REQUESTOR_AWAITING_LOCAL)
                else:
                    self._ended(effect)
        except WireError as error:
            raise self._failed(error) from None
        self._connection.end(self.limits.close_wait_s)

    def _respond_collision(self, state: State) -> None:
        if self._machine.state is state:
            self._machine.respond_release()
            self._connection.flush()

    def abort(self, source: int = 0, reason: int = 0) -> None:
        """A-ABORT and close; does nothing when the association has ended. Never raises."""
        if self._machine.state not in (State.IDLE, State.AWAITING_TRANSPORT_CLOSE):
            self._machine.abort(source, reason)
        self._connection.end(self.limits.close_wait_s)

    def close(self) -> None:
        """Close the connection as it is; abort() or release() come before it."""
        self._connection.close()

    def _ended(self, effect: Received | ProviderAbort) -> bool:
        """True after a release by the peer, which is answered; raises for an abort."""
        if isinstance(effect, ProviderAbort):
            raise effect.violation or ConnectionLost("the peer closed the connection")
        if isinstance(effect.pdu, Abort):
            raise AssociationAborted(effect.pdu.source, effect.pdu.reason)
        self._machine.respond_release()
        self._connection.end(self.limits.close_wait_s)
        return True

    def _failed(self, error: WireError) -> WireError:
        """Bring the connection down in the way that fits ``error``."""
        if isinstance(error, ProtocolViolation) and self._machine.violation is None:
            self._machine.violated(error)
            self._connection.end(self.limits.close_wait_s)
        elif isinstance(error, PeerTimeout):
            self.abort()
        else:
            self._connection.end(self.limits.close_wait_s)
        return error
