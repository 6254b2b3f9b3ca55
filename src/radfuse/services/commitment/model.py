"""The words of storage commitment, push model (PS3.4 Annex J)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from radfuse.core.sop_classes import STORAGE_COMMITMENT_PUSH

PUSH_MODEL: Final = STORAGE_COMMITMENT_PUSH
PUSH_MODEL_INSTANCE: Final = "1.2.840.10008.1.20.1.1"
"""The well-known instance that all requests and reports are about (PS3.4 section J.3.5)."""

REQUEST_ACTION: Final = 1
"""Request Storage Commitment (PS3.4 section J.3.2)."""


class Event(IntEnum):
    """Event types of the report (PS3.4 section J.3.3)."""

    ALL_COMMITTED = 1
    FAILURES_EXIST = 2


COMMITTED: Final = 0
"""In the place of a failure reason: there is none."""

LEFT_OUT: Final = -1
"""In the place of a failure reason: the peer's report does not mention the instance."""

PROCESSING_FAILURE: Final = 0x0110
NO_SUCH_INSTANCE: Final = 0x0112
CLASS_CONFLICT: Final = 0x0119
CLASS_NOT_SUPPORTED: Final = 0x0122
DUPLICATE_TRANSACTION: Final = 0x0131
RESOURCE_LIMITATION: Final = 0x0213

FAILURE_REASONS: Final = {
    PROCESSING_FAILURE: "processing failure",
    NO_SUCH_INSTANCE: "no such object instance",
    CLASS_CONFLICT: "class / instance conflict",
    CLASS_NOT_SUPPORTED: "referenced SOP class not supported",
    DUPLICATE_TRANSACTION: "duplicate transaction UID",
    RESOURCE_LIMITATION: "resource limitation",
}
"""Failure Reason (0008,1197) as PS3.3 section C.14.1.1 defines it."""


def reason_text(reason: int | None) -> str:
    """A result for people."""
    if reason is None:
        return "no result yet"
    if reason == COMMITTED:
        return "committed"
    if reason == LEFT_OUT:
        return "the peer's report does not mention it"
    return FAILURE_REASONS.get(reason, f"failure reason {reason:04X}")


class Role(StrEnum):
    """Which side of a transaction we are."""

    ASKED = "asked"
    """We asked a peer to commit (SCU)."""

    PROMISED = "promised"
    """A peer asked us (SCP)."""


class TransactionState(StrEnum):
    """How far a transaction is."""

    ASKING = "asking"
    """Noted, the peer has not confirmed the request yet."""
    ASKED = "asked"
    """The peer has taken the request; its report is to come."""
    REFUSED = "refused"
    """The peer did not take the request."""
    ANSWERED = "answered"
    """The peer has reported."""
    TAKEN = "taken"
    """We took a peer's request; our report is to go out."""
    REPORTED = "reported"
    """The peer has taken our report."""


AWAITING_REPORT: Final = frozenset({TransactionState.ASKING, TransactionState.ASKED})


@dataclass(frozen=True, slots=True)
class Reference:
    """One object that commitment is asked for; ``digest`` is that of our own copy, where we have one."""

    sop_class_uid: str
    sop_instance_uid: str
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Partner:
    """Who a transaction is with: a peer by its reference ("" when it is not configured), and both AE titles."""

    peer: str
    ae_title: str
    our_ae_title: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """One request and its answer. Times are seconds since 1970 (UTC)."""

    id: int
    uid: str
    role: Role
    partner: Partner
    database: str
    state: TransactionState
    status: int | None
    """The status that refused the request."""
    is_duplicate: bool
    """A peer used the UID of another transaction: nothing is promised (0131H)."""
    created_s: float
    answered_s: float | None
    held_until_s: float
    """Until then the association that brought the request may still tell the result itself."""

    def is_overdue(self, now_s: float, after_s: float) -> bool:
        """Whether the peer owes its report for longer than ``after_s``."""
        return self.state in AWAITING_REPORT and now_s - self.created_s > after_s


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one object of a transaction: ``reason`` is None while nothing is known, 0 for committed."""

    reference: Reference
    reason: int | None = None
    changed_s: float | None = None
    retrieve_ae_title: str = ""

    @property
    def text(self) -> str:
        """The result for people."""
        return reason_text(self.reason)


@dataclass(frozen=True, slots=True)
class Commitment:
    """A peer holds an object safely since ``committed_s``, as it said itself.

    ``digest`` is that of our copy when we asked, empty when we had none: another copy under the
    same UID is not what was committed.
    """

    peer: str
    ae_title: str
    committed_s: float
    digest: bytes
    retrieve_ae_title: str = ""
