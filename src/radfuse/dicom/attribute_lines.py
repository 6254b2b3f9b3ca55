"""A whole object as lines for people: every element with its name and a readable value, nested by depth.

Written for whatever is kept, hostile objects too: the number of lines, the depth and what is read of
each value are bounded, and what cannot be understood ends the list instead of losing it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from radfuse.core.errors import DataSetError, MalformedDataSet
from radfuse.core.transfer_syntaxes import syntax_of
from radfuse.dicom.charset import character_sets_of
from radfuse.dicom.dictionary import keyword_of, name_of, vr_of
from radfuse.dicom.elements import (
    ITEM,
    ITEM_DELIMITATION,
    LONG_VRS,
    PIXEL_DATA,
    SEQUENCE_DELIMITATION,
    SHORT_VRS,
    UNDEFINED,
    DataSetBuffer,
    ScanLimits,
    swapped,
)
from radfuse.dicom.inflate import inflated
from radfuse.dicom.part10 import PREAMBLE_BYTES, PREFIX
from radfuse.dicom.readable import MOST_BYTES, readable_value

MOST_LINES: Final = 20_000
_MAX_NESTING: Final = 32
_MAX_FRAGMENTS: Final = 100_000
_MAX_INFLATED_BYTES: Final = 16 << 20
_CHARACTER_SET: Final = 0x0008_0005
_PIXEL_REPRESENTATION: Final = 0x0028_0103
_OF_DATA_SIGN: Final = frozenset((0x00280106, 0x00280107, 0x00280108, 0x00280109, 0x00280120, 0x00280121))
_CODES: Final = frozenset(("CodeValue", "LongCodeValue", "URNCodeValue"))


@dataclass(frozen=True, slots=True)
class AttributeLine:
    """One element. ``depth`` is 0 at the top; ``item`` "1" in the first item of a sequence, "1.2" within that."""

    tag: str
    keyword: str
    name: str
    vr: str
    value: str
    depth: int = 0
    item: str = ""


class _Head(NamedTuple):
    """An element as its header says it."""

    tag: int
    vr: str
    position: int
    length: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where elements stand."""

    depth: int = 0
    item: str = ""


@dataclass(slots=True)
class _State:
    """What holds for the elements that follow, and for those below them."""

    character_sets: tuple[str, ...] = ()
    creators: dict[int, str] = field(default_factory=dict)
    is_signed: bool = False


class _EndOfList(Exception):
    """Enough lines."""


def attribute_lines(file: DataSetBuffer, transfer_syntax_uid: str, data_start: int) -> list[AttributeLine]:
    """Every element of a Part 10 file, its File Meta Information first; at most ``MOST_LINES`` and one that says so."""
    lines: list[AttributeLine] = []
    try:
        meta_start = PREAMBLE_BYTES + len(PREFIX)
        if data_start > meta_start:
            _Reader(file, True, False, lines).elements(meta_start, data_start, _Place(), _State())
        syntax = syntax_of(transfer_syntax_uid)
        if syntax.deflated:
            file, _ = inflated(file, data_start, ScanLimits(inflated_kept_bytes=_MAX_INFLATED_BYTES))
            data_start = 0
        reader = _Reader(file, syntax.explicit_vr, not syntax.little_endian, lines)
        reader.elements(data_start, len(file), _Place(), _State())
    except _EndOfList:
        lines.append(_remark(f"only the first {MOST_LINES:,} attributes are shown"))
    except (DataSetError, struct.error, IndexError) as error:
        reason = str(error) if isinstance(error, DataSetError) else "it ends inside an element"
        lines.append(_remark(f"the rest cannot be read: {reason}"))
    return lines


def _remark(text: str) -> AttributeLine:
    return AttributeLine("", "", "Remark", "", text)


class _Reader:
    """Reads the elements of one data set into ``lines``."""

    def __init__(self, buffer: DataSetBuffer, explicit: bool, big: bool, lines: list[AttributeLine]) -> None:
        self._buffer = buffer
        self._explicit = explicit
        self._order = ">" if big else "<"
        self._big = big
        self._lines = lines

    def elements(self, position: int, end: int, place: _Place, state: _State, *, is_open: bool = False) -> int:
        """The elements up to ``end``, or to the delimiter of an item without a length; gives where they end."""
        while position + 8 <= end:
            head = self._head(position)
            if head.tag == ITEM_DELIMITATION and is_open:
                return head.position
            if head.tag >> 16 == 0xFFFE:
                raise MalformedDataSet("an item outside a sequence", position)
            position = self._element(head, end, place, state)
        return position if is_open else end

    def _head(self, position: int) -> _Head:
        tag, vr, length = struct.unpack_from(f"{self._order}I2sH", self._buffer, position)
        tag = tag if self._big else swapped(tag)
        if self._explicit and tag >> 16 != 0xFFFE:
            if vr in SHORT_VRS:
                return _Head(tag, vr.decode(), position + 8, length)
            if vr in LONG_VRS or (vr.isalpha() and vr.isupper() and not length):
                known = vr.decode() if vr in LONG_VRS else "UN"
                return _Head(tag, known, position + 12, self._long(position + 8))
            return _Head(tag, "UN", position + 8, length)
        return _Head(tag, vr_of(tag), position + 8, self._long(position + 4))

    def _long(self, position: int) -> int:
        (length,) = struct.unpack_from(f"{self._order}I", self._buffer, position)
        return int(length)

    def _element(self, head: _Head, end: int, place: _Place, state: _State) -> int:
        """One element and what is below it; gives where it ends."""
        tag, vr, position, length = head
        if vr == "UN" and self._explicit and length != UNDEFINED and (known := vr_of(tag)) != "SQ":
            vr = known
        if tag in _OF_DATA_SIGN and vr == "US" and state.is_signed:
            vr = "SS"
        is_pixels = length == UNDEFINED and (tag == PIXEL_DATA or vr in ("OB", "OW"))
        if is_pixels:
            text, after = self._fragments(position, end)
            self._add(_Head(tag, vr, position, length), text, place, state)
            return after
        if vr == "SQ" or length == UNDEFINED:
            return self._sequence(head, end, place, state)
        after = position + length
        if after > end:
            raise MalformedDataSet("an element is longer than what holds it", position)
        raw = bytes(self._buffer[position : position + min(length, MOST_BYTES)])
        self._learn(tag, raw, state)
        text = readable_value(raw, vr, length, big=self._big, character_sets=state.character_sets)
        self._add(_Head(tag, vr, position, length), text, place, state)
        return after

    @staticmethod
    def _learn(tag: int, raw: bytes, state: _State) -> None:
        if tag == _CHARACTER_SET:
            state.character_sets = character_sets_of(raw)
        elif tag == _PIXEL_REPRESENTATION:
            state.is_signed = raw.strip(b"\0") == b"\1"
        elif tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF:
            state.creators[tag] = raw.decode("latin-1").strip(" \0")

    def _add(self, head: _Head, value: str, place: _Place, state: _State) -> None:
        if len(self._lines) >= MOST_LINES:
            raise _EndOfList
        tag = head.tag
        keyword = keyword_of(tag)
        known = "" if keyword == f"{tag:08X}" else keyword
        name = name_of(tag) or _private_name(tag, state.creators)
        shown = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
        self._lines.append(AttributeLine(shown, known, name, head.vr, value, place.depth, place.item))

    # --- what has parts ------------------------------------------------------------------------

    def _fragments(self, position: int, end: int) -> tuple[str, int]:
        """How encapsulated pixels lie (PS3.5 section A.4), and where they end."""
        count = total = 0
        while position + 8 <= end and count <= _MAX_FRAGMENTS:
            tag, length = self._item_head(position)
            position += 8
            if tag == SEQUENCE_DELIMITATION:
                fragments = max(count - 1, 0)
                return f"{total:,} bytes in {fragments:,} fragment{'s' if fragments != 1 else ''}", position
            if tag != ITEM or position + length > end:
                raise MalformedDataSet("a fragment of encapsulated data does not lie where it should", position)
            position += length
            total += length if count else 0  # the first is the offset table
            count += 1
        if count > _MAX_FRAGMENTS:
            return f"more than {_MAX_FRAGMENTS:,} fragments", end
        raise MalformedDataSet("encapsulated data are not closed", position)

    def _item_head(self, position: int) -> tuple[int, int]:
        tag, length = struct.unpack_from(f"{self._order}II", self._buffer, position)
        return (tag if self._big else swapped(tag)), length

    def _sequence(self, head: _Head, end: int, place: _Place, state: _State) -> int:
        stop = end if head.length == UNDEFINED else head.position + head.length
        if stop > end:
            raise MalformedDataSet("a sequence is longer than what holds it", head.position)
        if place.depth >= _MAX_NESTING:
            raise MalformedDataSet(f"sequences are nested deeper than {_MAX_NESTING} levels", head.position)
        was = self._explicit, self._order, self._big
        if head.vr == "UN" and self._explicit:  # PS3.5 section 6.2.2: without VRs inside, and little endian
            self._explicit, self._order, self._big = False, "<", False
        at = len(self._lines)
        self._add(_Head(head.tag, "SQ", head.position, head.length), "", place, state)
        try:
            count, after = self._items(head, stop, place, state)
        finally:
            self._explicit, self._order, self._big = was
        said = _coded(self._lines[at + 1 :], place.depth + 1) or f"{count:,} item{'s' if count != 1 else ''}"
        self._lines[at] = replace(self._lines[at], value=said)
        return after

    def _items(self, head: _Head, stop: int, place: _Place, state: _State) -> tuple[int, int]:
        position, count = head.position, 0
        while position + 8 <= stop:
            tag, length = self._item_head(position)
            position += 8
            if tag == SEQUENCE_DELIMITATION and head.length == UNDEFINED:
                return count, position
            if tag != ITEM:
                raise MalformedDataSet("a sequence holds something other than items", position)
            count += 1
            item_end = stop if length == UNDEFINED else position + length
            if item_end > stop:
                raise MalformedDataSet("an item is longer than its sequence", position)
            inside = _Place(place.depth + 1, f"{place.item}.{count}" if place.item else str(count))
            below = _State(state.character_sets, {}, state.is_signed)
            position = self.elements(position, item_end, inside, below, is_open=length == UNDEFINED)
        return count, position


def _private_name(tag: int, creators: dict[int, str]) -> str:
    group, element = tag >> 16, tag & 0xFFFF
    if not group & 1:
        return "Group Length" if not element else ""
    if element <= 0xFF:
        return "Private Creator" if element >= 0x10 else ""
    creator = creators.get(group << 16 | element >> 8, "")
    return f"Private: {creator}" if creator else "Private"


def _coded(below: list[AttributeLine], depth: int) -> str:
    """The meanings of the items of a code sequence (PS3.3 section 8.8), "" when it is none."""
    codes: dict[str, dict[str, str]] = {}
    for line in below:
        if line.depth == depth:
            codes.setdefault(line.item, {})[line.keyword] = line.value
    texts = []
    for code in codes.values():
        value = next((code[keyword] for keyword in code if keyword in _CODES), "")
        if not value or "CodeMeaning" not in code:
            return ""
        texts.append(f"{code['CodeMeaning']} ({value}, {code.get('CodingSchemeDesignator', '?')})")
    return " \\ ".join(texts[:8]) + (" \\ …" if len(texts) > 8 else "")
