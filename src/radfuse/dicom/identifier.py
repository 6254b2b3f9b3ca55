"""Identifiers: the data sets of queries, retrievals and their answers (PS3.4 section C.4)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, NamedTuple

from radfuse.core.errors import MalformedDataSet, NestingTooDeep
from radfuse.core.transfer_syntaxes import TransferSyntax, syntax_of
from radfuse.dicom.charset import defined_terms
from radfuse.dicom.dictionary import tag_of, vr_of
from radfuse.dicom.elements import (
    HEAD_BYTES,
    ITEM,
    ITEM_DELIMITATION,
    LONG_VRS,
    SEQUENCE_DELIMITATION,
    SHORT_VRS,
    UNDEFINED,
    DataSetBuffer,
    ScanLimits,
)
from radfuse.dicom.header import INDEX_VRS, SPECIFIC_CHARACTER_SET
from radfuse.dicom.inflate import inflated
from radfuse.dicom.values import raw_of, values_of

_MAX_INFLATED_BYTES: Final = 16 * 1024 * 1024
_DEFLATE_LIMITS: Final = ScanLimits(inflated_bytes=_MAX_INFLATED_BYTES, inflated_kept_bytes=_MAX_INFLATED_BYTES)
_MAX_NESTING: Final = 64
_MAX_SHORT_LENGTH: Final = 0xFFFE

_ANY_TAG: Final = 0xFFFFFFFF
_BEFORE_PIXELS: Final = 0x7FDFFFFF
_HEADER_INFLATE_LIMITS: Final = ScanLimits(inflated_kept_bytes=_MAX_INFLATED_BYTES)
_MAX_HEADER_VALUE_BYTES: Final = 64 * 1024
_MAX_HEADER_ELEMENTS: Final = 50_000

_LONG_NAMES: Final = frozenset(vr.decode() for vr in LONG_VRS)
_KNOWN_NAMES: Final = {vr: vr.decode() for vr in LONG_VRS | SHORT_VRS}


class Element(NamedTuple):
    """One attribute: its values as text, or the items of a sequence. (A tuple: thousands are made per query.)"""

    tag: int
    vr: str
    values: tuple[str, ...] = ()
    items: tuple[Identifier, ...] = ()

    @classmethod
    def of(cls, keyword_or_hex: str, *values: str) -> Element:
        """An element of the standard by keyword or tag, with its VR; ConfigurationError for what is neither."""
        tag = tag_of(keyword_or_hex)
        return cls(tag, INDEX_VRS.get(tag) or vr_of(tag), values)


@dataclass(frozen=True, slots=True)
class Identifier:
    """An ordered list of elements."""

    elements: tuple[Element, ...] = ()

    @classmethod
    def of_header(
        cls, buffer: DataSetBuffer, transfer_syntax_uid: str, start: int = 0, last_tag: int = _BEFORE_PIXELS
    ) -> Identifier:
        """The elements of an object's data set, which begins at ``start``, up to ``last_tag`` and before the pixels.

        Values beyond 64 KiB and those that are none of their VR are left empty. Raises MalformedDataSet
        (also for more than 50,000 elements), NestingTooDeep and InflatedTooLarge.
        """
        syntax = syntax_of(transfer_syntax_uid)
        if syntax.deflated:
            buffer, _ = inflated(buffer, start, _HEADER_INFLATE_LIMITS)
            start = 0
        last_tag = min(last_tag, _BEFORE_PIXELS)
        return _HeaderReader(buffer, syntax.explicit_vr, not syntax.little_endian, last_tag).whole(start)

    def __iter__(self) -> Iterator[Element]:
        """The elements in their order."""
        return iter(self.elements)

    def get(self, tag: int) -> Element | None:
        """The element of ``tag``, if there is one."""
        for element in self.elements:
            if element.tag == tag:
                return element
        return None

    def text(self, tag: int) -> str:
        """The values of ``tag`` joined by backslash, "" when absent."""
        element = self.get(tag)
        return "\\".join(element.values) if element else ""


# --- decoding --------------------------------------------------------------------------------


def decode_identifier(data: bytes, transfer_syntax_uid: str) -> Identifier:
    """The identifier that ``data`` encodes; group lengths are left out.

    Raises MalformedDataSet, NestingTooDeep and InflatedTooLarge.
    """
    syntax = syntax_of(transfer_syntax_uid)
    if syntax.deflated:
        data, _ = inflated(data, 0, _DEFLATE_LIMITS)
    return _Reader(data, syntax.explicit_vr, not syntax.little_endian).whole(0)


class _Reader:
    """Reads elements of one encoding."""

    __slots__ = ("_big", "_data", "_explicit", "_last_tag", "_long", "_pair", "_short")

    def __init__(self, data: DataSetBuffer, explicit: bool, big: bool) -> None:
        order = ">" if big else "<"
        self._data = data
        self._explicit = explicit
        self._big = big
        self._last_tag = _ANY_TAG
        self._pair = struct.Struct(order + "HH").unpack_from
        self._short = struct.Struct(order + "H").unpack_from
        self._long = struct.Struct(order + "I").unpack_from

    def whole(self, position: int) -> Identifier:
        """The elements from ``position`` to the end, or to the last one that is wanted."""
        try:
            identifier, _ = self.elements(position, len(self._data), _MAX_NESTING, ())
        except struct.error:
            raise MalformedDataSet("it ends inside an element", len(self._data)) from None
        return identifier

    def elements(
        self, position: int, end: int, nesting_left: int, character_sets: tuple[str, ...], undefined: bool = False
    ) -> tuple[Identifier, int]:
        """The elements from ``position`` to ``end``, or to the delimiter of an item of undefined length."""
        found: list[Element] = []
        while position < end:
            start = position
            tag, vr, length, position = self._head(position)
            if tag > self._last_tag and nesting_left == _MAX_NESTING:
                break
            if tag == ITEM_DELIMITATION and undefined:
                return Identifier(tuple(found)), position
            if vr == "SQ" or length == UNDEFINED:
                items, position = self._sequence(position, end, length, nesting_left, character_sets, vr)
                found.append(Element(tag, "SQ", (), items))
                continue
            value_at, position = position, position + length
            if position > end or tag >> 16 == 0xFFFE:
                raise MalformedDataSet("an element is longer than what holds it", start)
            values = self._values(value_at, length, vr, character_sets)
            if tag == SPECIFIC_CHARACTER_SET:
                character_sets = values
            if tag & 0xFFFF:
                found.append(Element(tag, vr, values))
        if undefined:
            raise MalformedDataSet("an item of undefined length is not closed", position)
        return Identifier(tuple(found)), position

    def _implicit(self) -> _Reader:
        return _Reader(self._data, False, False)

    def _values(self, position: int, length: int, vr: str, character_sets: tuple[str, ...]) -> tuple[str, ...]:
        return values_of(bytes(self._data[position : position + length]), vr, self._big, character_sets)

    def _head(self, position: int) -> tuple[int, str, int, int]:
        """Tag, VR, length and the place of the value of the element at ``position``."""
        group, number = self._pair(self._data, position)
        tag = group << 16 | number
        if not self._explicit or group == 0xFFFE:
            (length,) = self._long(self._data, position + 4)
            return tag, INDEX_VRS.get(tag) or vr_of(tag), length, position + HEAD_BYTES
        encoded = bytes(self._data[position + 4 : position + 6])
        vr = _KNOWN_NAMES.get(encoded, "UN")
        if encoded in SHORT_VRS:
            (length,) = self._short(self._data, position + 6)
            return tag, vr, length, position + HEAD_BYTES
        (length,) = self._long(self._data, position + 8)
        if vr == "UN" and length != UNDEFINED and (known := vr_of(tag)) != "SQ":
            vr = known
        return tag, vr, length, position + HEAD_BYTES + 4

    def _sequence(
        self, position: int, end: int, length: int, nesting_left: int, character_sets: tuple[str, ...], vr: str
    ) -> tuple[tuple[Identifier, ...], int]:
        if nesting_left == 0:
            raise NestingTooDeep(_MAX_NESTING)
        # PS3.5 section 6.2.2: what has VR UN and undefined length is encoded in implicit VR little endian.
        reader = self._implicit() if vr == "UN" and self._explicit else self
        if length == UNDEFINED:
            return reader.items(position, end, nesting_left - 1, character_sets, True)
        if position + length > end:
            raise MalformedDataSet("a sequence is longer than what holds it", position)
        return reader.items(position, position + length, nesting_left - 1, character_sets, False)

    def items(
        self, position: int, end: int, nesting_left: int, character_sets: tuple[str, ...], undefined: bool
    ) -> tuple[tuple[Identifier, ...], int]:
        """The items of a sequence from ``position`` to ``end``, or to its delimiter."""
        found: list[Identifier] = []
        while position < end:
            group, number = self._pair(self._data, position)
            (length,) = self._long(self._data, position + 4)
            tag = group << 16 | number
            position += HEAD_BYTES
            if tag == SEQUENCE_DELIMITATION and undefined:
                return tuple(found), position
            item_end = end if length == UNDEFINED else position + length
            if tag != ITEM or item_end > end:
                raise MalformedDataSet("a sequence holds something other than items that fit", position)
            item, position = self.elements(position, item_end, nesting_left, character_sets, length == UNDEFINED)
            found.append(item)
        if undefined:
            raise MalformedDataSet("a sequence of undefined length is not closed", position)
        return tuple(found), position


class _HeaderReader(_Reader):
    """Reads the header of a stored object: forgiving about values, bounded in size."""

    __slots__ = ("_elements_left",)

    def __init__(self, data: DataSetBuffer, explicit: bool, big: bool, last_tag: int) -> None:
        super().__init__(data, explicit, big)
        self._last_tag = last_tag
        self._elements_left = _MAX_HEADER_ELEMENTS

    def _implicit(self) -> _Reader:
        reader = _HeaderReader(self._data, False, False, self._last_tag)
        reader._elements_left = self._elements_left
        return reader

    def _values(self, position: int, length: int, vr: str, character_sets: tuple[str, ...]) -> tuple[str, ...]:
        self._elements_left -= 1
        if self._elements_left < 0:
            raise MalformedDataSet("it has too many elements", position)
        if length > _MAX_HEADER_VALUE_BYTES:
            return ()
        try:
            return super()._values(position, length, vr, character_sets)
        except MalformedDataSet:
            return ()


# --- encoding --------------------------------------------------------------------------------


def encode_identifier(identifier: Identifier, transfer_syntax_uid: str, character_sets: tuple[str, ...] = ()) -> bytes:
    """``identifier`` as a data set, its elements in the order of their tags.

    ``character_sets`` becomes its Specific Character Set (0008,0005), in defined terms; without it,
    text is written in the set that the identifier itself names. Raises TextNotEncodable and
    MalformedDataSet (a value that is none of its VR).
    """
    syntax = syntax_of(transfer_syntax_uid)
    terms = defined_terms(character_sets)
    head = [Element(SPECIFIC_CHARACTER_SET, "CS", terms)] if terms else []
    encoded = _encoded(head, identifier, syntax, terms, not character_sets)
    if syntax.deflated:
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        encoded = deflater.compress(encoded) + deflater.flush()
        encoded += b"\0" * (len(encoded) & 1)
    return encoded


_TAG: Final = itemgetter(0)

_HEADS: Final = {
    (explicit, big): (
        struct.Struct((">" if big else "<") + ("HH2sH" if explicit else "HHI")).pack,
        struct.Struct((">" if big else "<") + "HH2sHI").pack,
        struct.Struct((">" if big else "<") + "HHI").pack,
    )
    for explicit in (False, True)
    for big in (False, True)
}
"""Per encoding: the packers of a short head, a long head and an item's head."""


def _encoded(
    head: list[Element], identifier: Identifier, syntax: TransferSyntax, character_sets: tuple[str, ...], own_sets: bool
) -> bytes:
    """``head`` and the elements of ``identifier``, in its own character set if ``own_sets`` and it names one."""
    elements = [*head, *identifier.elements]
    named = identifier.get(SPECIFIC_CHARACTER_SET)
    if named and own_sets:
        character_sets = named.values
    elif named:
        elements.remove(named)
    elements.sort(key=_TAG)
    explicit, big = syntax.explicit_vr, not syntax.little_endian
    short, long, item_head = _HEADS[explicit, big]
    parts: list[bytes] = []
    for tag, vr, values, items in elements:
        if vr == "SQ":
            inner = [_encoded([], item, syntax, character_sets, own_sets) for item in items]
            raw = b"".join([item_head(0xFFFE, 0xE000, len(item)) + item for item in inner])
        else:
            raw = raw_of(values, vr, big, character_sets)
        if not explicit:
            parts.append(short(tag >> 16, tag & 0xFFFF, len(raw)))
        elif vr in _LONG_NAMES:
            parts.append(long(tag >> 16, tag & 0xFFFF, vr.encode(), 0, len(raw)))
        elif len(raw) <= _MAX_SHORT_LENGTH:
            parts.append(short(tag >> 16, tag & 0xFFFF, vr.encode(), len(raw)))
        else:
            # PS3.5 section 6.2.2, note 7: what is too long for its VR's 16-bit length is written as UN.
            parts.append(long(tag >> 16, tag & 0xFFFF, b"UN", 0, len(raw)))
        parts.append(raw)
    return b"".join(parts)
