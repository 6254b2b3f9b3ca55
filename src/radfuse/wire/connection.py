"""The driver: one stream, one protocol machine, their deadlines."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import Final, Protocol

from radfuse.core.errors import ConnectionLost, PeerTimeout, WireError
from radfuse.wire.framing import Fragment
from radfuse.wire.fsm import State
from radfuse.wire.limits import Limits
from radfuse.wire.sending import ShouldStop, Stopped
from radfuse.wire.transport import Buffer
from radfuse.wire.upper_layer import ProviderAbort, Received, Send, Task, UpperLayer

MAX_DRAINED_BYTES: Final = 8_388_608
"""What a peer may still send after an abort before its connection is cut."""

_OVER: Final = (State.IDLE, State.AWAITING_TRANSPORT_CLOSE)


class Stream(Protocol):
    """What the driver needs from a connection (see Transport, which has it for sockets)."""

    def recv_into(self, view: memoryview) -> int | None:
        """Bytes received, 0 at the end, None when nothing came within a tick."""

    def send_buffers(self, buffers: Sequence[Buffer]) -> None:
        """Send all; ConnectionLost or PeerTimeout."""

    def readable(self, timeout_s: float) -> bool:
        """Whether recv_into would not block."""

    def finish(self) -> None:
        """Close our direction."""

    def close(self) -> None:
        """Close both."""


class Connection:
    """Carries out the effects of the machine and keeps the deadlines; used by one thread."""

    def __init__(self, stream: Stream, machine: UpperLayer, limits: Limits) -> None:
        self.stream = stream
        self.machine = machine
        self.limits = limits
        self._reader = machine.reader
        self._pdu_number = 0
        self._pdu_waited_s = 0.0
        self._artim_ends: float | None = None
        self._closed = False
        self._put_back: Received | ProviderAbort | WireError | None = None

    def wait(
        self, timeout_s: float, waiting_for: str, should_stop: ShouldStop | None = None
    ) -> Fragment | Received | ProviderAbort:
        """The next fragment or indication.

        Raises PeerTimeout when waiting costs more than ``timeout_s``, or a begun PDU more than its
        deadline; ConnectionLost or the peer's ProtocolViolation when the machine ends without an
        indication. ``should_stop`` is asked when nothing came for a tick; Stopped when it says so.
        """
        waited = 0.0
        while True:
            effect = self.next_effect()
            if effect is not None:
                return effect
            waited += self._read()
            if waited > timeout_s and not self._reader.is_inside_pdu:
                raise PeerTimeout(waiting_for, timeout_s)
            if should_stop is not None and waited >= self.limits.tick_s and should_stop():
                raise Stopped

    def next_effect(self) -> Fragment | Received | ProviderAbort | None:
        """What is there without reading; None when more bytes are needed."""
        machine = self.machine
        if self._put_back is not None:
            return self._again()
        while True:
            effect = machine.next_effect()
            if isinstance(effect, Fragment) or effect is None:
                if effect is None and machine.state in _OVER:
                    raise machine.violation or ConnectionLost("the connection was closed")
                return effect
            if isinstance(effect, Received | ProviderAbort):
                return effect
            self._carry_out(effect)

    def put_back(self, effect: Received | ProviderAbort | WireError) -> None:
        """Let the next wait return or raise ``effect``: it was met while polling."""
        self._put_back = effect

    def _again(self) -> Received | ProviderAbort:
        effect, self._put_back = self._put_back, None
        if isinstance(effect, WireError):
            raise effect
        if effect is None:
            raise ConnectionLost("the connection was closed")
        return effect

    def read_if_readable(self, timeout_s: float) -> bool:
        """Read once if that does not block; whether it was so."""
        if not self.stream.readable(timeout_s):
            return False
        self._read()
        return True

    def flush(self) -> None:
        """Carry out the effects of a local primitive; what the peer sent stays unread."""
        while (effect := self.machine.next_due()) is not None:
            if isinstance(effect, Send | Task):
                self._carry_out(effect)

    def end(self, wait_s: float) -> None:
        """Send what is due, close our direction, wait for the peer to close (Sta13), close. Never raises.

        Closing at once would reset the connection and could destroy the last PDU on its way.
        """
        if self._closed:
            return
        with contextlib.suppress(WireError):
            self.flush()
            if self.machine.state is State.AWAITING_TRANSPORT_CLOSE:
                self.stream.finish()
                self._drain(wait_s)
        self.close()

    def close(self) -> None:
        """Close the stream."""
        self._closed = True
        self.stream.close()

    def _drain(self, wait_s: float) -> None:
        ends, drained, machine = time.monotonic() + wait_s, 0, self.machine
        while True:
            while (effect := machine.next_effect()) is not None:
                if isinstance(effect, Send | Task):
                    self._carry_out(effect)
            if machine.state is not State.AWAITING_TRANSPORT_CLOSE:
                return
            count = self.stream.recv_into(machine.space())
            if count:
                drained += count
                machine.received(count)
            elif count == 0:
                machine.transport_closed()
            if time.monotonic() > ends or drained > MAX_DRAINED_BYTES:
                machine.artim_expired()

    def _carry_out(self, effect: Send | Task) -> None:
        if isinstance(effect, Send):
            self.stream.send_buffers((effect.data,))
        elif effect is Task.START_ARTIM:
            self._artim_ends = time.monotonic() + self.limits.artim_s
        elif effect is Task.STOP_ARTIM:
            self._artim_ends = None
        elif effect is Task.CLOSE:
            self.close()

    def _read(self) -> float:
        """Receive once; the seconds that it blocked."""
        machine = self.machine
        before = time.monotonic()
        count = self.stream.recv_into(machine.space())
        now = time.monotonic()
        waited = now - before
        if count:
            machine.received(count)
        elif count == 0:
            machine.transport_closed()
        # Only blocking counts: our own slow disk must not expire the peer's PDU.
        reader = self._reader
        if reader.completed_pdus != self._pdu_number or not reader.is_inside_pdu:
            self._pdu_number = reader.completed_pdus
            self._pdu_waited_s = 0.0
        else:
            self._pdu_waited_s += waited
            if self._pdu_waited_s > self.limits.pdu_deadline_s:
                raise PeerTimeout("the rest of a PDU", self.limits.pdu_deadline_s)
        if self._artim_ends is not None and now > self._artim_ends:
            machine.artim_expired()
            self.flush()
            raise PeerTimeout("the association request", self.limits.artim_s)
        return waited
