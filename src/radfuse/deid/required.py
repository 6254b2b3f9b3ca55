"""What must be there although the table takes it away: emptied or a dummy instead, so that the object stays valid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from radfuse.deid.table import Action

AT_THE_TOP: Final = 0
REQUIRED: Final[Mapping[tuple[int, int], Action]] = {
    (AT_THE_TOP, 0x0070_0082): Action.DUMMY,  # Presentation Creation Date, type 1
    (AT_THE_TOP, 0x0070_0083): Action.DUMMY,  # Presentation Creation Time, type 1
    (0x0040_A370, 0x0040_1001): Action.EMPTY,  # Requested Procedure ID in Referenced Request Sequence, type 2
    (0x0018_100A, 0x0018_1009): Action.DUMMY,  # Unique Device Identifier in UDI Sequence, type 1
    (0x3008_0100, 0x300A_0216): Action.EMPTY,  # Source Manufacturer in Recorded Source Sequence, type 2
}
"""Attributes with the plain action X that PS3.3 requires, by the sequence that holds them."""

_IF_NOTHING_IS_LEFT: Final[Mapping[int, Action]] = {
    0x0008_0104: Action.DUMMY,  # Code Meaning, type 1
    0x0040_A160: Action.DUMMY,  # Text Value, type 1
    0x0042_0010: Action.EMPTY,  # Document Title, type 2
    0x0062_0005: Action.DUMMY,  # Segment Label, type 1
    0x0070_0080: Action.DUMMY,  # Content Label, type 1
    0x0070_0081: Action.EMPTY,  # Content Description, type 2
}
_ALTERNATIVES: Final = 0x0070_0087
"""Alternate Content Description Sequence: here the description is of type 1."""


def if_nothing_is_left(tag: int, parent: int) -> Action:
    """What is done with an unlisted text of which cleaning leaves no word; most of them may be absent."""
    if parent == _ALTERNATIVES:
        return Action.DUMMY
    return _IF_NOTHING_IS_LEFT.get(tag, Action.REMOVE)
