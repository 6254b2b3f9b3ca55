"""The upper layer without input and output: primitives and bytes in, effects out (PS3.8 section 9.2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple

from radfuse.core.errors import ConnectionLost, ProtocolViolation
from radfuse.wire.framing import Fragment, PduReader, WholePdu
from radfuse.wire.fsm import DELIVERS_DATA, TRANSITIONS, Action, Event, State, Step, collision_state
from radfuse.wire.limits import Limits
from radfuse.wire.pdu import (
    UNEXPECTED_PDU,
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    Pdu,
    PduType,
    ReleaseRP,
    ReleaseRQ,
    decode,
    encode,
)

USER_SOURCE: Final = 0
"""A-ABORT source service-user (PS3.8 Table 9-26)."""

PROVIDER_SOURCE: Final = 2
"""A-ABORT source service-provider (PS3.8 Table 9-26)."""


class Task(Enum):
    """Effects that the driver carries out, besides Send."""

    OPEN_TRANSPORT = "connect to the peer"
    START_ARTIM = "start or restart the ARTIM timer"
    STOP_ARTIM = "stop the ARTIM timer"
    CLOSE = "close the connection"


class Send(NamedTuple):
    """Effect: bytes that the driver sends."""

    data: bytes


class Received(NamedTuple):
    """Indication or confirmation of an association or release PDU or of an abort by the peer."""

    pdu: Pdu


class ProviderAbort(NamedTuple):
    """A-P-ABORT indication; ``violation`` says what the peer did, None when the connection closed."""

    violation: ProtocolViolation | None


Effect = Task | Send | Received | ProviderAbort | Fragment

_EVENT_OF_PDU: Final = {
    PduType.ASSOCIATE_RQ: Event.ASSOCIATE_RQ_RECEIVED,
    PduType.ASSOCIATE_AC: Event.ASSOCIATE_AC_RECEIVED,
    PduType.ASSOCIATE_RJ: Event.ASSOCIATE_RJ_RECEIVED,
    PduType.RELEASE_RQ: Event.RELEASE_RQ_RECEIVED,
    PduType.RELEASE_RP: Event.RELEASE_RP_RECEIVED,
    PduType.ABORT: Event.ABORT_RECEIVED,
}

_TASK_OF_STEP: Final = {
    Step.OPEN_TRANSPORT: Task.OPEN_TRANSPORT,
    Step.START_ARTIM: Task.START_ARTIM,
    Step.STOP_ARTIM: Task.STOP_ARTIM,
    Step.CLOSE: Task.CLOSE,
}


class UpperLayer:
    """One association's protocol machine. No socket, no clock, no thread inside.

    Local primitives are methods; they raise ConnectionLost in a state that does not allow them.
    Received bytes go into space() and are announced with received(). next_effect() then gives the
    effects one by one, None when there is nothing to do before more bytes or a primitive.
    ``violation`` keeps the first fault of the peer: not every state has an indication for it.
    """

    def __init__(self, limits: Limits, *, requestor: bool) -> None:
        self.state = State.IDLE
        self.violation: ProtocolViolation | None = None
        self.reader = PduReader(limits)
        self.space: Callable[[], memoryview] = self.reader.space
        self._requestor = requestor
        self._effects: deque[Effect] = deque()
        self._deaf = False

    # --- local primitives ----------------------------------------------------------------

    def request(self) -> None:
        """A-ASSOCIATE request: asks for a transport connection."""
        self._local(Event.ASSOCIATE_REQUEST)

    def transport_connected(self, request: AssociateRQ) -> None:
        """The transport connection asked for is there."""
        self._local(Event.TRANSPORT_CONNECTED, request)

    def transport_accepted(self) -> None:
        """A peer opened a transport connection to us."""
        self._local(Event.TRANSPORT_INDICATION)

    def accept(self, answer: AssociateAC) -> None:
        """A-ASSOCIATE response, accepting."""
        self._local(Event.ACCEPT_RESPONSE, answer)

    def reject(self, answer: AssociateRJ) -> None:
        """A-ASSOCIATE response, rejecting."""
        self._local(Event.REJECT_RESPONSE, answer)

    def check_may_send_data(self) -> None:
        """P-DATA request; the driver itself builds and sends the PDUs, straight from their source."""
        if (Event.DATA_REQUEST, self.state) not in TRANSITIONS:
            raise ConnectionLost("no association is established")

    def release(self) -> None:
        """A-RELEASE request."""
        self._local(Event.RELEASE_REQUEST, ReleaseRQ())

    def respond_release(self) -> None:
        """A-RELEASE response."""
        self._local(Event.RELEASE_RESPONSE, ReleaseRP())

    def abort(self, source: int = USER_SOURCE, reason: int = 0) -> None:
        """A-ABORT request."""
        self._local(Event.ABORT_REQUEST, Abort(source, reason))

    # --- the peer and the driver ---------------------------------------------------------

    def received(self, count: int) -> None:
        """``count`` bytes came into space()."""
        self.reader.received(count)
        if self._deaf:
            self.reader.discard()

    def transport_closed(self) -> None:
        """The connection was closed or lost."""
        self._apply(Event.TRANSPORT_CLOSED)

    def artim_expired(self) -> None:
        """The ARTIM timer ran out."""
        self._apply(Event.ARTIM_EXPIRED)

    def violated(self, violation: ProtocolViolation) -> None:
        """The peer's message is invalid in a way that only the driver sees (commands, contexts)."""
        self._deaf = True
        self.reader.discard()
        self._apply(Event.INVALID_PDU_RECEIVED, violation=violation)

    def next_effect(self) -> Effect | None:
        """The next effect in order, None when there is none."""
        while True:
            if self._effects:
                return self._effects.popleft()
            try:
                piece = self.reader.next()
                if isinstance(piece, Fragment):
                    if self.state in DELIVERS_DATA:
                        return piece
                    self._unexpected(Event.DATA_TF_RECEIVED)
                elif piece is None:
                    return None
                else:
                    self._whole_pdu(piece)
            except ProtocolViolation as violation:
                self.violated(violation)

    def next_due(self) -> Effect | None:
        """As next_effect(), but what the peer sent is left unread."""
        return self._effects.popleft() if self._effects else None

    # --- the machine ---------------------------------------------------------------------

    def _whole_pdu(self, piece: WholePdu) -> None:
        event = _EVENT_OF_PDU[PduType(piece.pdu_type)]
        transition = TRANSITIONS.get((event, self.state))
        if transition is not None and Step.INDICATE in transition[0].steps:
            self._apply(event, decode(piece.pdu_type, piece.body))
        else:
            self._unexpected(event)

    def _unexpected(self, event: Event) -> None:
        violation = ProtocolViolation(f"a PDU ({event.name}) came in state {self.state.name}", UNEXPECTED_PDU)
        self._apply(event, violation=violation)

    def _local(self, event: Event, pdu: Pdu | None = None) -> None:
        if (event, self.state) not in TRANSITIONS:
            raise ConnectionLost(f"{event.name} is not possible in state {self.state.name}")
        self._apply(event, pdu)

    def _apply(self, event: Event, pdu: Pdu | None = None, violation: ProtocolViolation | None = None) -> None:
        transition = TRANSITIONS.get((event, self.state))
        if transition is None:
            return
        self.violation = self.violation or violation
        action, self.state = transition
        if action is Action.AR_8:
            self.state = collision_state(self._requestor)
        for step in action.steps:
            effect = self._effect(step, pdu, violation)
            if effect is not None:
                self._effects.append(effect)

    def _effect(self, step: Step, pdu: Pdu | None, violation: ProtocolViolation | None) -> Effect | None:
        task = _TASK_OF_STEP.get(step)
        if task is not None:
            return task
        if step is Step.INDICATE:
            return None if pdu is None else Received(pdu)
        if step is Step.INDICATE_PROVIDER_ABORT:
            return ProviderAbort(violation)
        if step is Step.SEND_PROVIDER_ABORT:
            return Send(encode(Abort(PROVIDER_SOURCE, violation.abort_reason if violation else 0)))
        if step is Step.SEND_USER_ABORT and pdu is None:
            return Send(encode(Abort(USER_SOURCE, 0)))
        return None if pdu is None else Send(encode(pdu))
