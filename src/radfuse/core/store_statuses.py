"""What a storage SCU does about each C-STORE status and each failure of the association.

Seed 000 section 4.2.1.3.1.3 and seed 001 Tables 9 and 10, which agree; statuses are those of PS3.4
Table B.2-1. The seeds abort with A-P-ABORT where a context is refused, which only the provider can
issue: a user aborts with A-ABORT, source 0.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Outcome(StrEnum):
    """What becomes of the object, and of the task that it belongs to."""

    SENT = "sent"
    WARNED = "warned"
    """Counts as sent; the status is logged."""
    TRANSIENT = "transient"
    """A-ABORT; the task failed for now and may be tried again."""
    FAILED = "failed"
    """A-ABORT; the task failed."""


class StatusRange(NamedTuple):
    """The statuses from ``first`` to ``last``."""

    first: int
    last: int
    meaning: str
    outcome: Outcome


STORE_STATUSES: Final = (
    StatusRange(0x0000, 0x0000, "success", Outcome.SENT),
    StatusRange(0xA700, 0xA7FF, "out of resources", Outcome.TRANSIENT),
    StatusRange(0xA900, 0xA9FF, "data set does not match SOP class", Outcome.FAILED),
    StatusRange(0xB000, 0xB000, "coercion of data elements", Outcome.WARNED),
    StatusRange(0xB006, 0xB006, "elements discarded", Outcome.WARNED),
    StatusRange(0xB007, 0xB007, "data set does not match SOP class", Outcome.WARNED),
    StatusRange(0xC000, 0xCFFF, "cannot understand", Outcome.FAILED),
)
"""The statuses that the seeds name."""

_ANY_OTHER: Final = StatusRange(0x0000, 0xFFFF, "a status that PS3.4 Table B.2-1 does not have", Outcome.FAILED)
_DUPLICATE: Final = StatusRange(0x0111, 0x0111, "duplicate SOP instance", Outcome.WARNED)
_OTHER_WARNING: Final = StatusRange(0xB000, 0xBFFF, "a warning that PS3.4 Table B.2-1 does not have", Outcome.WARNED)
_LENIENT: Final = (_DUPLICATE, _OTHER_WARNING)
"""Warnings where a destination is configured so: several archives answer them for objects that they kept."""


def meaning_of(status: int, *, lenient: bool = False) -> StatusRange:
    """What ``status`` means. ``lenient``: 0111H and every Bxxx count as warnings."""
    ranges = (*STORE_STATUSES, *_LENIENT) if lenient else STORE_STATUSES
    return next((known for known in ranges if known.first <= status <= known.last), _ANY_OTHER)
