"""Whether JPEG frames can each be decoded alone (ITU-T T.81 annex B.2 and B.5; PS3.11 sections H.3.1 and J.3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from radfuse.core.transfer_syntaxes import JPEG_BASELINE, JPEG_EXTENDED
from radfuse.dicom.codecs.jpeg_markers import START_OF_IMAGE, segment_markers
from radfuse.dicom.codecs.refused import Refused

_HUFFMAN_TABLE: Final = 0xC4
_ARITHMETIC_TABLE: Final = 0xCC
_QUANTIZATION_TABLE: Final = 0xDB
_HEAD_BYTES: Final = 1 << 16
"""More than tables and frame header take; only an application segment in front could push them behind."""


def are_interchange_format(fragments: Iterable[memoryview], transfer_syntax_uid: str) -> bool:
    """Whether every frame among ``fragments`` (without the offset table) carries its tables.

    Fragments that begin no frame are passed over. False for a frame whose markers are damaged.
    """
    needs_quantization = transfer_syntax_uid in (JPEG_BASELINE, JPEG_EXTENDED)
    for fragment in fragments:
        if bytes(fragment[:2]) != START_OF_IMAGE:
            continue
        try:
            markers = segment_markers(bytes(fragment[:_HEAD_BYTES]))
        except Refused:
            return False
        if markers.isdisjoint((_HUFFMAN_TABLE, _ARITHMETIC_TABLE)):
            return False
        if needs_quantization and _QUANTIZATION_TABLE not in markers:
            return False
    return True
