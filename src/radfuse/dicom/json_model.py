"""Headers of stored objects as DICOM JSON (PS3.18 Annex F), written straight from their bytes.

The objects of a series differ in a few elements only: the text of every short element is remembered
by its bytes, so that a header costs little more than finding where its elements begin.
"""

from __future__ import annotations

import base64
import json
import math
import re
import struct
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from radfuse.core.errors import MalformedDataSet, NestingTooDeep
from radfuse.core.transfer_syntaxes import syntax_of
from radfuse.dicom.charset import character_sets_of
from radfuse.dicom.dictionary import vr_of
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
from radfuse.dicom.header import INDEX_VRS, SPECIFIC_CHARACTER_SET
from radfuse.dicom.inflate import inflated
from radfuse.dicom.names import split_groups
from radfuse.dicom.values import BINARY_VRS, CHARACTER_SET_VRS, NUMBER_CODES, values_of

BULK_MARK: Final = "\0"
"""Stands in the text for the address of the object's bulk data: no JSON text holds this character."""

INLINE_BYTES: Final = 4096
"""Longer binary values are bulk data."""
_INLINE_TEXT_BYTES: Final = 64 * 1024
_MEMO_BYTES: Final = 256
_MEMO_ENTRIES: Final = 8000
_MEMO_CONTEXTS: Final = 16
_MAX_NESTING: Final = 64
_MAX_ELEMENTS: Final = 500_000
_MAX_INFLATED_BYTES: Final = 16 * 1024 * 1024
_LONGEST_NUMBER: Final = 64
_MAX_EXACT_INTEGER: Final = 1 << 53

PIXEL_TAGS: Final = frozenset((0x7FE00008, 0x7FE00009, PIXEL_DATA))
EXTENDED_OFFSET_TABLE: Final = 0x7FE00001
_NAMES: Final = {vr: vr.decode() for vr in SHORT_VRS | LONG_VRS}
_JSON_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\Z", re.ASCII)
_LOOSE_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\Z", re.ASCII)
_TAGS_OF_DATA_SIGN: Final = frozenset((0x00280106, 0x00280107, 0x00280108, 0x00280109, 0x00280120, 0x00280121))
"""US or SS by Pixel Representation (PS3.6), where implicit VR does not say."""
_PIXEL_REPRESENTATION: Final = 0x00280103
_SEEN_EACH_TIME: Final = _TAGS_OF_DATA_SIGN | {SPECIFIC_CHARACTER_SET, _PIXEL_REPRESENTATION}

_quoted: Final = json.JSONEncoder(ensure_ascii=False).encode

_LITTLE: Final = struct.Struct("<I2sH").unpack_from
_LITTLE_LONG: Final = struct.Struct("<I").unpack_from
_BIG: Final = struct.Struct(">I2sH").unpack_from
_BIG_LONG: Final = struct.Struct(">I").unpack_from
_PAIR: Final = struct.Struct("<II").unpack_from
_BIG_PAIR: Final = struct.Struct(">II").unpack_from

_Memo: TypeAlias = dict[bytes, str]
_Sets: TypeAlias = tuple[str, ...]


class Extent(NamedTuple):
    """A value of a data set: its tag and VR, where it begins and how long it is (0xFFFFFFFF: until a delimiter)."""

    tag: int
    vr: str
    position: int
    length: int


@dataclass(frozen=True, slots=True)
class HeaderJson:
    """A header as DICOM JSON: an object with ``BULK_MARK`` before the path of every bulk value.

    ``pixels`` and ``offset_table`` are where Pixel Data and Extended Offset Table lie.
    ``bulk`` are the other values that are not in the text, by path.
    """

    text: str
    pixels: Extent | None
    offset_table: Extent | None
    bulk: dict[str, Extent]
    members: tuple[str, ...]
    """The elements of the data set itself, each as in ``text``."""

    def member(self, tag: str) -> str:
        """The element ``tag`` (eight hexadecimal digits) as in ``text``, "" when it is absent."""
        start = f'"{tag}":'
        return next((member for member in self.members if member.startswith(start)), "")


class HeaderIncomplete(Exception):
    """The buffer ends within the header: more of the file is needed."""


def header_json(
    buffer: DataSetBuffer, transfer_syntax_uid: str, start: int = 0, *, is_whole: bool = True
) -> HeaderJson:
    """The elements from ``start`` up to the pixels. Positions are those of ``buffer``, or of the inflated data set.

    Raises HeaderIncomplete unless ``is_whole``; MalformedDataSet, NestingTooDeep, InflatedTooLarge.
    """
    syntax = syntax_of(transfer_syntax_uid)
    if syntax.deflated:
        if not is_whole:
            raise HeaderIncomplete
        buffer, _ = inflated(buffer, start, ScanLimits(inflated_kept_bytes=_MAX_INFLATED_BYTES))
        start = 0
    writer = _Writer(buffer, syntax.explicit_vr, not syntax.little_endian)
    try:
        text, _ = writer.elements(start, len(buffer), _Place("", 0, (), writer.memo_of(())))
    except (struct.error, IndexError):
        if not is_whole:
            raise HeaderIncomplete from None
        raise MalformedDataSet("it ends inside an element", len(buffer) - start) from None
    if writer.pixels is None and not is_whole:
        raise HeaderIncomplete
    return HeaderJson("{" + text + "}", writer.pixels, writer.offset_table, writer.bulk, writer.members)


def element_json(tag: int, vr: str, values: tuple[str, ...]) -> str:
    """One element with its values as text, as a member of a JSON object."""
    if vr in BINARY_VRS:
        return _binary_json(tag, vr, bytes.fromhex("".join(values)))
    return f'"{tag:08X}":{{"vr":"{vr}"{_members(vr, values)}}}'


def _binary_json(tag: int, vr: str, raw: bytes) -> str:
    inline = f',"InlineBinary":"{base64.b64encode(raw).decode()}"' if raw else ""
    return f'"{tag:08X}":{{"vr":"{vr}"{inline}}}'


class _Place(NamedTuple):
    """Where in the data set the writer is: the path of what holds it, how deep, and how its text reads."""

    path: str
    depth: int
    sets: _Sets
    memo: _Memo


_MEMOS: Final[dict[tuple[bool, bool, _Sets], _Memo]] = {}


def _length_of_short(buffer: DataSetBuffer, position: int, explicit: bool) -> int:
    """The length that a short little endian header at ``position`` says, 0 where it is none."""
    if explicit:
        _, vr, length = _LITTLE(buffer, position)
        return length if vr in SHORT_VRS else 0
    _, length = _PAIR(buffer, position)
    return length if length <= _MEMO_BYTES else 0


class _Writer:
    """Writes the elements of one data set."""

    __slots__ = ("_big", "_buffer", "_explicit", "_left", "_signed", "bulk", "members", "offset_table", "pixels")

    def __init__(self, buffer: DataSetBuffer, explicit: bool, big: bool) -> None:
        self._buffer = buffer
        self._explicit = explicit
        self._big = big
        self._left = _MAX_ELEMENTS
        self._signed = False
        self.pixels: Extent | None = None
        self.offset_table: Extent | None = None
        self.bulk: dict[str, Extent] = {}
        self.members: tuple[str, ...] = ()

    def memo_of(self, character_sets: _Sets) -> _Memo:
        """What is remembered of elements in these character sets and this encoding."""
        key = (self._explicit, self._big, character_sets)
        memo = _MEMOS.get(key)
        if memo is None or len(memo) >= _MEMO_ENTRIES:
            if len(_MEMOS) >= _MEMO_CONTEXTS:  # character sets come from the objects
                _MEMOS.clear()
            memo = _MEMOS[key] = {}
        return memo

    def elements(self, position: int, end: int, place: _Place, undefined: bool = False) -> tuple[str, int]:
        """The members of the item from ``position`` to ``end`` or its delimiter, and where it ends."""
        parts: list[str] = []
        explicit, little = self._explicit, not self._big
        buffer: Any = self._buffer
        memo = place.memo
        while position < end:
            if little:
                length = _length_of_short(buffer, position, explicit)
                text = memo.get(buffer[position : position + 8 + length])
                if text is not None:
                    position += 8 + length
                    parts.append(text)
                    continue
            self._count(position)
            found = self._head(position)
            if found.tag == ITEM_DELIMITATION and undefined:
                return ",".join(parts), found.position
            if found.tag in PIXEL_TAGS and place.depth == 0:
                self.pixels = found
                parts.append(self._bulk(found, place))
                break
            text, after, place = self._element(found, end, place)
            memo = place.memo
            if text:
                parts.append(text)
                if little and after - position <= _MEMO_BYTES:
                    self._remember(memo, position, after, found, text)
            position = after
        else:
            if undefined:
                raise self._beyond(end, position)
        if place.depth == 0:
            self.members = tuple(parts)
        return ",".join(parts), position

    def _remember(self, memo: _Memo, position: int, after: int, found: Extent, text: str) -> None:
        """A plain element with a short header. One that changes how others are read must be seen each time."""
        is_plain = found.vr != "SQ" and found.position - position == 8 and found.tag not in _SEEN_EACH_TIME
        if is_plain and len(memo) < _MEMO_ENTRIES:
            memo[bytes(self._buffer[position:after])] = text

    def _count(self, position: int) -> None:
        self._left -= 1
        if self._left < 0:
            raise MalformedDataSet("it has too many elements", position)

    def _head(self, position: int) -> Extent:
        """The element at ``position``."""
        buffer = self._buffer
        tag, vr, length = (_BIG if self._big else _LITTLE)(buffer, position)
        tag = tag if self._big else swapped(tag)
        if not self._explicit or tag >> 16 == 0xFFFE:
            (length,) = (_BIG_LONG if self._big else _LITTLE_LONG)(buffer, position + 4)
            return Extent(tag, self._implied(tag), position + 8, length)
        if vr in SHORT_VRS:
            return Extent(tag, _NAMES[vr], position + 8, length)
        # PS3.5 section 6.2: a VR of a later edition has the long form; what is no VR is met with the short one.
        if vr not in LONG_VRS and not (vr.isalpha() and vr.isupper() and not length):
            return Extent(tag, "UN", position + 8, length)
        (length,) = (_BIG_LONG if self._big else _LITTLE_LONG)(buffer, position + 8)
        return Extent(tag, _NAMES.get(vr, "UN"), position + 12, length)

    def _implied(self, tag: int) -> str:
        if self._signed and tag in _TAGS_OF_DATA_SIGN:
            return "SS"
        return INDEX_VRS.get(tag) or vr_of(tag)

    def _element(self, found: Extent, end: int, place: _Place) -> tuple[str, int, _Place]:
        """An element as a member (or "" for what is left out), where it ends, and how to read on."""
        tag, vr, value_at, length = found.tag, found.vr, found.position, found.length
        if tag >> 16 == 0xFFFE:
            raise MalformedDataSet("an item outside a sequence", value_at)
        implicit_inside = vr == "UN" and self._explicit
        if implicit_inside and length != UNDEFINED:
            known = self._implied(tag)  # PS3.5 section 6.2.2: what was UN to somebody may be known to us
            vr = "UN" if known == "SQ" else known  # but how its items are written nobody says
        if vr == "SQ" or length == UNDEFINED:
            text, after = self._sequence(found, end, place, implicit_inside)
            return text, after, place
        after = value_at + length
        if after > end:
            raise self._beyond(end, value_at)
        if tag & 0xFFFF == 0:
            return "", after, place
        found = Extent(tag, vr, value_at, length)
        if tag == EXTENDED_OFFSET_TABLE:
            self.offset_table = found
        if length > (INLINE_BYTES if vr in BINARY_VRS else _INLINE_TEXT_BYTES):
            return self._bulk(found, place), after, place
        raw = bytes(self._buffer[value_at:after])
        return self._short(tag, vr, raw, place), after, self._place_behind(tag, raw, place)

    def _beyond(self, end: int, position: int) -> Exception:
        """What holds the element ends too early; or the buffer does, of which there may be more."""
        if end == len(self._buffer):
            return struct.error()
        return MalformedDataSet("an element is longer than what holds it", position)

    def _place_behind(self, tag: int, raw: bytes, place: _Place) -> _Place:
        if tag == SPECIFIC_CHARACTER_SET:
            sets = character_sets_of(raw)
            return _Place(place.path, place.depth, sets, self.memo_of(sets))
        if tag == _PIXEL_REPRESENTATION:
            self._signed = raw.strip(b"\0") == b"\1"
        return place

    def _short(self, tag: int, vr: str, raw: bytes, place: _Place) -> str:
        if tag == SPECIFIC_CHARACTER_SET:
            return '"00080005":{"vr":"CS","Value":["ISO_IR 192"]}'  # PS3.18 section F.2: JSON is UTF-8
        if vr in BINARY_VRS:
            return _binary_json(tag, vr, raw)
        try:
            values = values_of(raw, vr, self._big, place.sets if vr in CHARACTER_SET_VRS else ())
        except MalformedDataSet:
            values = ()
        return element_json(tag, vr, values)

    def _bulk(self, found: Extent, place: _Place) -> str:
        where = f"{place.path}{found.tag:08X}"
        self.bulk[where] = found
        return f'"{found.tag:08X}":{{"vr":"{found.vr}","BulkDataURI":"{BULK_MARK}/{where}"}}'

    def _sequence(self, found: Extent, end: int, place: _Place, implicit: bool) -> tuple[str, int]:
        is_open = found.length == UNDEFINED
        stop = end if is_open else found.position + found.length
        if stop > end:
            raise self._beyond(end, found.position)
        was = self._explicit, self._big
        memo = place.memo
        if implicit:  # PS3.5 section 6.2.2
            self._explicit = self._big = False
            memo = self.memo_of(place.sets)
        try:
            inside = _Place(f"{place.path}{found.tag:08X}/", place.depth, place.sets, memo)
            items, after = self._items(found.position, stop, is_open, inside)
        finally:
            self._explicit, self._big = was
        value = ',"Value":[' + ",".join("{" + item + "}" for item in items) + "]" if items else ""
        return f'"{found.tag:08X}":{{"vr":"SQ"{value}}}', after

    def _items(self, position: int, end: int, undefined: bool, place: _Place) -> tuple[list[str], int]:
        items: list[str] = []
        while position < end:
            self._count(position)
            tag, length = (_BIG_PAIR if self._big else _PAIR)(self._buffer, position)
            tag = tag if self._big else swapped(tag)
            position += 8
            if tag == SEQUENCE_DELIMITATION and undefined:
                return items, position
            if tag != ITEM:
                raise MalformedDataSet("a sequence holds something other than items", position)
            stop = end if length == UNDEFINED else position + length
            if stop > end:
                raise self._beyond(end, position)
            if place.depth >= _MAX_NESTING:
                raise NestingTooDeep(_MAX_NESTING)
            inside = _Place(f"{place.path}{len(items)}/", place.depth + 1, place.sets, place.memo)
            text, position = self.elements(position, stop, inside, length == UNDEFINED)
            items.append(text)
        if undefined:
            raise self._beyond(end, position)
        return items, position


# --- values ----------------------------------------------------------------------------------


def _members(vr: str, values: tuple[str, ...]) -> str:
    if not values:
        return ""
    if vr in ("DS", "IS"):
        written = [_number_text(value) for value in values]
    elif vr in NUMBER_CODES:
        written = [_binary_number(value) for value in values]
    elif vr == "PN":
        written = [_person_name(value) for value in values]
    else:
        written = [_quoted(value) if value else "null" for value in values]
    return ',"Value":[' + ",".join(written) + "]"


def _number_text(value: str) -> str:
    """DS and IS are numbers (PS3.18 table F.2.3-1); what is none stays text, so that nothing is lost."""
    if not value:
        return "null"
    if len(value) > _LONGEST_NUMBER:
        return _quoted(value)
    if _JSON_NUMBER.match(value):
        return value
    if _LOOSE_NUMBER.match(value):
        number = float(value)
        if math.isfinite(number):
            return str(int(value)) if value.lstrip("+-").isdigit() else repr(number)
    return _quoted(value)


def _binary_number(value: str) -> str:
    if _JSON_NUMBER.match(value) and not (value.lstrip("-").isdigit() and abs(int(value)) > _MAX_EXACT_INTEGER):
        return value
    return f'"{value}"'


def _person_name(value: str) -> str:
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), split_groups(value), strict=True)
    members = [f'"{name}":{_quoted(group)}' for name, group in groups if group]
    return "{" + ",".join(members) + "}" if members else "null"
