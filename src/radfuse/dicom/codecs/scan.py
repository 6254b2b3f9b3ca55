"""A first walk over a data set that finds its image description and its pixels; no value is copied."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from radfuse.dicom.codecs.base import PixelDescription
from radfuse.dicom.codecs.element_stream import (
    IMPLICIT,
    ITEM,
    ITEM_END,
    SEQUENCE_END,
    UNDEFINED_LENGTH,
    ElementReader,
    Encoding,
    Header,
)
from radfuse.dicom.codecs.encapsulation import Encapsulated, read_items
from radfuse.dicom.codecs.refused import Refused

if TYPE_CHECKING:
    from radfuse.dicom.codecs.base import Limits

PIXEL_DATA: Final = 0x7FE0_0010
OTHER_PIXELS: Final = frozenset((0x7FE0_0008, 0x7FE0_0009))
"""Float and Double Float Pixel Data, which no compressed transfer syntax holds."""
EXTENDED_OFFSET_TABLE: Final = 0x7FE0_0001
EXTENDED_OFFSET_TABLE_LENGTHS: Final = 0x7FE0_0002

IMAGE_TYPE: Final = 0x0008_0008
SOP_CLASS_UID: Final = 0x0008_0016
SOP_INSTANCE_UID: Final = 0x0008_0018
LOSSY_RATIO: Final = 0x0028_2112
LOSSY_METHOD: Final = 0x0028_2114
SAMPLES_PER_PIXEL: Final = 0x0028_0002
PHOTOMETRIC_INTERPRETATION: Final = 0x0028_0004
PLANAR_CONFIGURATION: Final = 0x0028_0006
NUMBER_OF_FRAMES: Final = 0x0028_0008
ROWS: Final = 0x0028_0010
COLUMNS: Final = 0x0028_0011
BITS_ALLOCATED: Final = 0x0028_0100
BITS_STORED: Final = 0x0028_0101
HIGH_BIT: Final = 0x0028_0102
PIXEL_REPRESENTATION: Final = 0x0028_0103

DEEPEST: Final = 64
_KEPT: Final = frozenset(
    (
        *(SAMPLES_PER_PIXEL, PHOTOMETRIC_INTERPRETATION, PLANAR_CONFIGURATION, NUMBER_OF_FRAMES, ROWS, COLUMNS),
        *(BITS_ALLOCATED, BITS_STORED, HIGH_BIT, PIXEL_REPRESENTATION, EXTENDED_OFFSET_TABLE),
        *(IMAGE_TYPE, SOP_CLASS_UID, SOP_INSTANCE_UID, LOSSY_RATIO, LOSSY_METHOD),
    )
)
_LONGEST_KEPT_BYTES: Final = 1024
_LONGEST_TABLE_BYTES: Final = 1 << 25


@dataclass(slots=True)
class Pixels:
    """Where Pixel Data is: native from ``position`` on, or as ``items``; ``end`` is behind it."""

    vr: bytes
    position: int
    length: int
    end: int
    items: Encapsulated | None


@dataclass(slots=True)
class Scan:
    """What one level of a data set says of its own pixels."""

    encoding: Encoding
    values: dict[int, bytes] = field(default_factory=dict)
    pixels: Pixels | None = None
    has_other_pixels: bool = False

    def number(self, tag: int, default: int | None = None) -> int:
        """The single US value of ``tag``; raises ``Refused`` when it is absent or not one number."""
        value = self.values.get(tag)
        if value is None and default is not None:
            return default
        if value is None or len(value) != 2:
            raise Refused(f"({tag >> 16:04X},{tag & 0xFFFF:04X}) is not one number")
        result: int = struct.unpack("<H" if self.encoding.little else ">H", value)[0]
        return result

    @property
    def is_signed(self) -> bool:
        """Whether Pixel Representation says 2's complement; unsigned when it says nothing."""
        return self.values.get(PIXEL_REPRESENTATION, b"").strip(b"\0") == b"\x01"

    def description(self) -> PixelDescription:
        """The image description, not yet checked; raises ``Refused`` for a missing attribute."""
        bits_stored = self.number(BITS_STORED)
        return PixelDescription(
            rows=self.number(ROWS),
            columns=self.number(COLUMNS),
            samples=self.number(SAMPLES_PER_PIXEL),
            frames=self._frames(),
            bits_allocated=self.number(BITS_ALLOCATED),
            bits_stored=bits_stored,
            high_bit=self.number(HIGH_BIT, bits_stored - 1),
            signed=self.number(PIXEL_REPRESENTATION, 0) == 1,
            photometric=self._photometric(),
            planar=self.number(PLANAR_CONFIGURATION, 0),
        )

    def _frames(self) -> int:
        text = self.values.get(NUMBER_OF_FRAMES, b"").strip(b" \0") or b"1"
        if not text.lstrip(b"+").isdigit() or len(text) > 12:
            raise Refused("Number of Frames is not a number")
        return int(text)

    def _photometric(self) -> str:
        text = self.values.get(PHOTOMETRIC_INTERPRETATION, b"").strip(b" \0").decode("ascii", "replace")
        if not text:
            raise Refused("there is no Photometric Interpretation")
        return text


def scan(reader: ElementReader, encoding: Encoding, end: int | None, limits: Limits) -> Scan:
    """Walk one level from here to ``end`` (None: to its item delimiter); raises ``Refused``."""
    result = Scan(encoding)
    _Walker(reader, limits).level(encoding, end, result, 0)
    return result


class _Walker:
    def __init__(self, reader: ElementReader, limits: Limits) -> None:
        self._reader = reader
        self._limits = limits

    def level(self, encoding: Encoding, end: int | None, found: Scan | None, depth: int) -> None:
        """Skip the elements of one level, keeping what ``found`` wants."""
        if depth > DEEPEST:
            raise Refused("sequences are nested too deeply")
        reader = self._reader
        while end is None or reader.position < end:
            header = reader.header(encoding)
            if header.tag == ITEM_END and end is None:
                return
            if found is not None and self._keep(header, found):
                continue
            if header.length != UNDEFINED_LENGTH:
                reader.seek(reader.position + header.length)
            elif header.tag == PIXEL_DATA:
                read_items(reader, self._limits)
            else:
                self._sequence(IMPLICIT if header.vr == b"UN" else encoding, depth)
        if end is not None and reader.position != end:
            raise Refused("an element is longer than what holds it")

    def _keep(self, header: Header, found: Scan) -> bool:
        """Note what an element says of the pixels; True when its value was read."""
        reader, tag, length = self._reader, header.tag, header.length
        if tag == PIXEL_DATA:
            position = reader.position
            items = read_items(reader, self._limits) if length == UNDEFINED_LENGTH else None
            if items is None:
                reader.seek(position + length)
            found.pixels = Pixels(header.vr, position, length, reader.position, items)
            return True
        found.has_other_pixels |= tag in OTHER_PIXELS
        longest = _LONGEST_TABLE_BYTES if tag == EXTENDED_OFFSET_TABLE else _LONGEST_KEPT_BYTES
        if tag not in _KEPT or length > longest:
            return False
        found.values[tag] = reader.read(length)
        return True

    def _sequence(self, encoding: Encoding, depth: int) -> None:
        """Skip a sequence of undefined length."""
        reader = self._reader
        while True:
            header = reader.header(encoding)
            if header.tag == SEQUENCE_END:
                return
            if header.tag != ITEM:
                raise Refused("a sequence holds something else than items")
            if header.length == UNDEFINED_LENGTH:
                self.level(encoding, None, None, depth + 1)
            else:
                reader.seek(reader.position + header.length)
