"""The upper layer protocol machine as tables (PS3.8 section 9.2, Tables 9-1 to 9-10)."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Final


class State(IntEnum):
    """States 1 to 13 (PS3.8 Tables 9-1 to 9-5)."""

    IDLE = 1
    TRANSPORT_OPEN_AWAITING_REQUEST = 2
    AWAITING_LOCAL_ASSOCIATE_RESPONSE = 3
    AWAITING_TRANSPORT = 4
    AWAITING_ASSOCIATE_ANSWER = 5
    ESTABLISHED = 6
    AWAITING_RELEASE_RESPONSE = 7
    AWAITING_LOCAL_RELEASE_RESPONSE = 8
    COLLISION_REQUESTOR_AWAITING_LOCAL = 9
    COLLISION_ACCEPTOR_AWAITING_PEER = 10
    COLLISION_REQUESTOR_AWAITING_PEER = 11
    COLLISION_ACCEPTOR_AWAITING_LOCAL = 12
    AWAITING_TRANSPORT_CLOSE = 13


class Event(IntEnum):
    """Events 1 to 19 (PS3.8 Table 9-10, first column)."""

    ASSOCIATE_REQUEST = 1
    TRANSPORT_CONNECTED = 2
    ASSOCIATE_AC_RECEIVED = 3
    ASSOCIATE_RJ_RECEIVED = 4
    TRANSPORT_INDICATION = 5
    ASSOCIATE_RQ_RECEIVED = 6
    ACCEPT_RESPONSE = 7
    REJECT_RESPONSE = 8
    DATA_REQUEST = 9
    DATA_TF_RECEIVED = 10
    RELEASE_REQUEST = 11
    RELEASE_RQ_RECEIVED = 12
    RELEASE_RP_RECEIVED = 13
    RELEASE_RESPONSE = 14
    ABORT_REQUEST = 15
    ABORT_RECEIVED = 16
    TRANSPORT_CLOSED = 17
    ARTIM_EXPIRED = 18
    INVALID_PDU_RECEIVED = 19


class Step(Enum):
    """What actions are made of."""

    OPEN_TRANSPORT = "issue a transport connect request"
    SEND = "send the PDU of the primitive"
    SEND_USER_ABORT = "send A-ABORT, service-user source"
    SEND_PROVIDER_ABORT = "send A-ABORT, service-provider source"
    INDICATE = "issue the indication or confirmation of the received PDU"
    INDICATE_PROVIDER_ABORT = "issue an A-P-ABORT indication"
    START_ARTIM = "start or restart the ARTIM timer"
    STOP_ARTIM = "stop the ARTIM timer"
    CLOSE = "close the transport connection"


class Action(Enum):
    """The actions (PS3.8 Tables 9-6 to 9-9) and the steps of each."""

    AE_1 = ("AE-1", (Step.OPEN_TRANSPORT,))
    AE_2 = ("AE-2", (Step.SEND,))
    AE_3 = ("AE-3", (Step.INDICATE,))
    AE_4 = ("AE-4", (Step.INDICATE, Step.CLOSE))
    AE_5 = ("AE-5", (Step.START_ARTIM,))
    AE_6 = ("AE-6", (Step.STOP_ARTIM, Step.INDICATE))
    AE_7 = ("AE-7", (Step.SEND,))
    AE_8 = ("AE-8", (Step.SEND, Step.START_ARTIM))
    DT_1 = ("DT-1", (Step.SEND,))
    DT_2 = ("DT-2", (Step.INDICATE,))
    AR_1 = ("AR-1", (Step.SEND,))
    AR_2 = ("AR-2", (Step.INDICATE,))
    AR_3 = ("AR-3", (Step.INDICATE, Step.CLOSE))
    AR_4 = ("AR-4", (Step.SEND, Step.START_ARTIM))
    AR_5 = ("AR-5", (Step.STOP_ARTIM,))
    AR_6 = ("AR-6", (Step.INDICATE,))
    AR_7 = ("AR-7", (Step.SEND,))
    AR_8 = ("AR-8", (Step.INDICATE,))
    AR_9 = ("AR-9", (Step.SEND,))
    AR_10 = ("AR-10", (Step.INDICATE,))
    AA_1 = ("AA-1", (Step.SEND_USER_ABORT, Step.START_ARTIM))
    AA_2 = ("AA-2", (Step.STOP_ARTIM, Step.CLOSE))
    AA_3 = ("AA-3", (Step.INDICATE, Step.CLOSE))
    AA_4 = ("AA-4", (Step.INDICATE_PROVIDER_ABORT,))
    AA_5 = ("AA-5", (Step.STOP_ARTIM,))
    AA_6 = ("AA-6", ())
    AA_7 = ("AA-7", (Step.SEND_PROVIDER_ABORT,))
    AA_8 = ("AA-8", (Step.SEND_PROVIDER_ABORT, Step.INDICATE_PROVIDER_ABORT, Step.START_ARTIM))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps in their order."""
        steps: tuple[Step, ...] = self.value[1]
        return steps


_NEXT_STATE: Final = {
    # AE-6 leads to Sta13 only when the provider itself rejects; here the acceptor does that, as
    # Evt8, after the indication. AR-8 leads the acceptor to Sta10 (see collision_state).
    Action.AE_1: 4,
    Action.AE_2: 5,
    Action.AE_3: 6,
    Action.AE_4: 1,
    Action.AE_5: 2,
    Action.AE_6: 3,
    Action.AE_7: 6,
    Action.AE_8: 13,
    Action.DT_1: 6,
    Action.DT_2: 6,
    Action.AR_1: 7,
    Action.AR_2: 8,
    Action.AR_3: 1,
    Action.AR_4: 13,
    Action.AR_5: 1,
    Action.AR_6: 7,
    Action.AR_7: 8,
    Action.AR_8: 9,
    Action.AR_9: 11,
    Action.AR_10: 12,
    Action.AA_1: 13,
    Action.AA_2: 1,
    Action.AA_3: 1,
    Action.AA_4: 1,
    Action.AA_5: 1,
    Action.AA_6: 13,
    Action.AA_7: 13,
    Action.AA_8: 13,
}

_A = Action
_ABORT_8 = dict.fromkeys((3, 5, 6, 7, 8, 9, 10, 11, 12), _A.AA_8)
_ROWS: Final[dict[int, dict[int, Action]]] = {
    1: {1: _A.AE_1},
    2: {4: _A.AE_2},
    3: {2: _A.AA_1, **_ABORT_8, 5: _A.AE_3, 13: _A.AA_6},
    4: {2: _A.AA_1, **_ABORT_8, 5: _A.AE_4, 13: _A.AA_6},
    5: {1: _A.AE_5},
    6: {2: _A.AE_6, **_ABORT_8, 13: _A.AA_7},
    7: {3: _A.AE_7},
    8: {3: _A.AE_8},
    9: {6: _A.DT_1, 8: _A.AR_7},
    10: {2: _A.AA_1, **_ABORT_8, 6: _A.DT_2, 7: _A.AR_6, 13: _A.AA_6},
    11: {6: _A.AR_1},
    12: {2: _A.AA_1, **_ABORT_8, 6: _A.AR_2, 7: _A.AR_8, 13: _A.AA_6},
    13: {2: _A.AA_1, **_ABORT_8, 7: _A.AR_3, 10: _A.AR_10, 11: _A.AR_3, 13: _A.AA_6},
    14: {8: _A.AR_4, 9: _A.AR_9, 12: _A.AR_4},
    15: {**dict.fromkeys((3, 5, 6, 7, 8, 9, 10, 11, 12), _A.AA_1), 4: _A.AA_2},
    16: {**dict.fromkeys((3, 5, 6, 7, 8, 9, 10, 11, 12), _A.AA_3), 2: _A.AA_2, 13: _A.AA_2},
    17: {**dict.fromkeys((3, 4, 5, 6, 7, 8, 9, 10, 11, 12), _A.AA_4), 2: _A.AA_5, 13: _A.AR_5},
    18: {2: _A.AA_2, 13: _A.AA_2},
    19: {2: _A.AA_1, **_ABORT_8, 13: _A.AA_7},
}

TRANSITIONS: Final[dict[tuple[Event, State], tuple[Action, State]]] = {
    (Event(event), State(state)): (action, State(_NEXT_STATE[action]))
    for event, row in _ROWS.items()
    for state, action in row.items()
}
"""Table 9-10. A pair that is not in it cannot happen: a local primitive there is a programming error."""

DELIVERS_DATA: Final = frozenset(
    state
    for (event, state), (action, _) in TRANSITIONS.items()
    if event is Event.DATA_TF_RECEIVED and action in (Action.DT_2, Action.AR_6)
)
"""The states in which received P-DATA is indicated to the user."""


def collision_state(requestor: bool) -> State:
    """The state after AR-8 (release collision): Sta9 for the association requestor, else Sta10."""
    return State(9) if requestor else State(10)
