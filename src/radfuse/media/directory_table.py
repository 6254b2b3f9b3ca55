"""Where the records of a DICOMDIR lie, what their offsets say and of which type they are (PS3.3 table F.3-3).

A table of numbers, not of objects: a directory may have a million records.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from radfuse.core.errors import MalformedDataSet
from radfuse.media.spans import ITEM, SEQUENCE_END, UNDEFINED, Encoding, header, spans


class DirectoryLimits(NamedTuple):
    """What one DICOMDIR may cost."""

    file_bytes: int = 1 << 29
    records: int = 2_000_000
    findings: int = 100


DIRECTORY_LIMITS: Final = DirectoryLimits()

_NEXT: Final = 0x0004_1400
_IN_USE: Final = 0x0004_1410
_BELOW: Final = 0x0004_1420
_TYPE: Final = 0x0004_1430
_IS_IN_USE: Final = 0xFFFF
_MOST_TYPES: Final = 256
_ITEM_HEADER_BYTES: Final = 8

_USUAL_ELEMENTS: Final = ((_NEXT, b"UL", 4), (_IN_USE, b"US", 2), (_BELOW, b"UL", 4))
"""How nearly all records begin; their type is next."""
_USUAL_RECORD: Final = struct.Struct("<II8sI8sH8sI6sH")
_USUAL_OFFSETS: Final = tuple(
    (at, struct.pack("<HH2sH", 4, tag & 0xFFFF, vr, length))
    for at, (tag, vr, length) in zip((0, 12, 22), _USUAL_ELEMENTS, strict=True)
)
"""Where in a record their headers stand, and their bytes."""
_USUAL_OFFSETS_BYTES: Final = 34
_USUAL_HEADERS: Final = (
    (ITEM & 0xFFFF) << 16 | ITEM >> 16,
    *(head for _, head in _USUAL_OFFSETS),
    struct.pack("<HH2s", 4, _TYPE & 0xFFFF, b"CS"),
)


@dataclass(slots=True)
class RecordTable:
    """The records in the order of the file."""

    at: array[int] = field(default_factory=lambda: array("Q"))
    """Where each item begins, from the start of the file; its elements begin 8 bytes later."""
    end: array[int] = field(default_factory=lambda: array("Q"))
    """Where its elements end."""
    following: array[int] = field(default_factory=lambda: array("I"))
    below: array[int] = field(default_factory=lambda: array("I"))
    is_used: bytearray = field(default_factory=bytearray)
    type_numbers: bytearray = field(default_factory=bytearray)
    types: list[str] = field(default_factory=list)
    """The terms that ``type_numbers`` stand for."""
    known: dict[bytes, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.at)

    def type_at(self, number: int) -> str:
        """The type of a record."""
        return self.types[self.type_numbers[number]]

    def number_at(self, offset: int) -> int | None:
        """The record whose item begins at ``offset``."""
        number = bisect_left(self.at, offset)
        return number if number < len(self.at) and self.at[number] == offset else None

    def number_of_type(self, name: bytes) -> int:
        """The number that stands for a type; beyond 256 of them, which no honest directory has, the last one's."""
        found = self.known.get(name)
        if found is None:
            if len(self.known) == _MOST_TYPES:
                return _MOST_TYPES - 1
            found = self.known[name] = len(self.types)
            self.types.append(name.decode("latin-1").strip(" \0"))
        return found

    def add(self, place: tuple[int, int], offsets: tuple[int, int, int], type_number: int) -> None:
        """Add a record: where it begins and ends; next record, whether it is in use, first record below; its type."""
        self.at.append(place[0])
        self.end.append(place[1])
        self.following.append(offsets[0])
        self.is_used.append(offsets[1] != 0)
        self.below.append(offsets[2])
        self.type_numbers.append(type_number)


@dataclass(slots=True)
class TableReader:
    """Reads the records of one directory into a table, and notes what is wrong with them."""

    content: bytes
    encoding: Encoding
    limits: DirectoryLimits
    note: Callable[[str], None]
    table: RecordTable = field(default_factory=RecordTable)

    def read(self, position: int, end: int) -> None:
        """Read the records that begin at ``position``.

        They are the last element of a DICOMDIR: that its length, which leads to ``end``, is wrong hides none.
        """
        whole = len(self.content)
        try:
            while position < whole and not (position == end and whole - position < _ITEM_HEADER_BYTES):
                if len(self.table) >= self.limits.records:
                    self.note(f"it has more than {self.limits.records} records: the others are left out")
                    return
                behind = self._usual(position)
                if behind is None:
                    tag, _, value_at, length = header(self.content, position, whole, self.encoding)
                    if tag != ITEM:
                        if tag != SEQUENCE_END and any(self.content[position : position + _ITEM_HEADER_BYTES]):
                            self.note("the sequence of records ends with something that is no record")
                        break
                    behind = self._any(position, value_at, length)
                position = behind
            if position != end != whole:
                self.note("the sequence of records is not as long as it says")
        except MalformedDataSet:
            self.note(f"record {len(self.table) + 1} is broken: it and those behind it are left out")

    def number(self, value: bytes) -> int:
        """An offset or a flag."""
        return int.from_bytes(value[:4], "big" if self.encoding.is_big else "little")

    def start_of_rest(self, number: int) -> int:
        """Where a record goes on behind its offsets."""
        start, content = self.table.at[number] + _ITEM_HEADER_BYTES, self.content
        is_usual = all(content[start + at : start + at + 8] == head for at, head in _USUAL_OFFSETS)
        return start + _USUAL_OFFSETS_BYTES if is_usual else start

    def _usual(self, at: int) -> int | None:
        """Add a record that is as nearly all are; the position behind it, or None when it is another one's to read."""
        content = self.content
        if at + _USUAL_RECORD.size > len(content):
            return None
        item, length, one, following, two, is_used, three, below, four, type_length = _USUAL_RECORD.unpack_from(
            content, at
        )
        behind: int = at + _ITEM_HEADER_BYTES + length
        type_at = at + _USUAL_RECORD.size
        if (item, one, two, three, four) != _USUAL_HEADERS or not type_at + type_length <= behind <= len(content):
            return None
        type_number = self.table.number_of_type(content[type_at : type_at + type_length])
        self.table.add((at, behind), (following, is_used, below), type_number)
        return behind

    def _any(self, at: int, value_at: int, length: int) -> int:
        """Add a record in any encoding; the position behind it."""
        whole = len(self.content)
        end = behind = value_at + length
        if length == UNDEFINED:
            end = value_at
            for span in spans(self.content, value_at, whole, self.encoding):
                end = span.end
            behind = end + _ITEM_HEADER_BYTES
        elif behind > whole:
            self.note("the last record is cut off, or says that it is longer than it is")
            end = whole
        try:
            offsets, name = self._head(value_at, end)
        except MalformedDataSet:
            self.note("a record cannot be read and is left out")
        else:
            self.table.add((at, end), offsets, self.table.number_of_type(name))
        return behind

    def _head(self, start: int, end: int) -> tuple[tuple[int, int, int], bytes]:
        """The offsets, whether it is in use, and the type."""
        found = {_NEXT: 0, _IN_USE: _IS_IN_USE, _BELOW: 0}
        name = b""
        for span in spans(self.content, start, end, self.encoding):
            value = self.content[span.value_at : min(span.end, span.value_at + 64)]
            if span.tag in found:
                found[span.tag] = self.number(value)
            elif span.tag == _TYPE:
                name = value
            if span.tag >= _TYPE:
                break
        return (found[_NEXT], found[_IN_USE], found[_BELOW]), name
