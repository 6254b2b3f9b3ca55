"""What data sets are made of (PS3.5 sections 6.2 and 7): value representations, structural tags, and limits."""

from __future__ import annotations

from dataclasses import dataclass
from mmap import mmap
from typing import Final, TypeAlias

DataSetBuffer: TypeAlias = bytes | bytearray | memoryview | mmap
"""What a data set can be read from."""

UNDEFINED: Final = 0xFFFFFFFF
"""The undefined length (PS3.5 section 7.1.1)."""

LONG_VRS: Final = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
"""VRs with two reserved bytes and a 32-bit length (PS3.5 table 7.1-1)."""

SHORT_VRS: Final = frozenset(
    (
        *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO"),
        *(b"LT", b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"),
    )
)
"""VRs with a 16-bit length (PS3.5 table 7.1-2)."""

PLAIN_LONG_VRS: Final = LONG_VRS - {b"SQ"}
"""Those whose value is not made of items."""

KNOWN_VRS: Final = LONG_VRS | SHORT_VRS

PIXEL_DATA: Final = 0x7FE00010
ITEM: Final = 0xFFFEE000
ITEM_DELIMITATION: Final = 0xFFFEE00D
SEQUENCE_DELIMITATION: Final = 0xFFFEE0DD

HEAD_BYTES: Final = 8
"""The shortest element header."""


def swapped(tag: int) -> int:
    """``tag`` as one little endian 32-bit read sees it: group in the low half. Its own inverse."""
    return (tag << 16 & 0xFFFF0000) | tag >> 16


@dataclass(frozen=True, slots=True)
class ScanLimits:
    """What one data set may cost. ``elements`` counts items and fragments, too."""

    nesting: int = 64
    elements: int = 5_000_000
    value_bytes: int = 64 * 1024
    inflated_bytes: int = 512 * 1024 * 1024
    inflated_kept_bytes: int = 16 * 1024 * 1024


DEFAULT_LIMITS: Final = ScanLimits()
