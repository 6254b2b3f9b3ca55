"""Where the elements of one level of a data set lie, without entering what has a length (PS3.5 section 7).

A DICOMDIR is one sequence of very many small items, and what a record says of an object stands at
its top level: both are read by stepping from header to header.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from radfuse.core.errors import MalformedDataSet

Bytes: TypeAlias = bytes | memoryview

PIXEL_DATA: Final = 0x7FE00010
ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD
UNDEFINED: Final = 0xFFFFFFFF

_SHORT: Final = {
    name.encode("ascii"): name
    for name in (
        *("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO"),
        *("LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"),
    )
}
"""VRs with a 16-bit length (PS3.5 table 7.1-2)."""
_LONG: Final = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
"""VRs with a 32-bit length (PS3.5 table 7.1-1)."""

LONGEST_VALUE: Final = 16 * 1024
"""Bytes of a value that is taken: no key of a record is meant to be longer."""

_MOST_HEADERS: Final = 5_000_000
"""Within one element without a length: beyond this it was not written to be read."""


class Encoding(NamedTuple):
    """How the elements of a data set are encoded."""

    is_explicit: bool = True
    is_big: bool = False


class Span(NamedTuple):
    """One element: its tag, its VR ("" without explicit VRs), and where it, its value and its successor begin."""

    tag: int
    vr: str
    at: int
    value_at: int
    end: int
    is_open: bool = False
    """It had no length: its value ends with a delimitation."""


_MOST_ELEMENTS: Final = 100_000
"""Of one level."""
_MOST_PADDING: Final = 1 << 16

_TAG_VR_LENGTH: Final = struct.Struct("<I2sH").unpack_from
_USUAL_HEAD: Final = struct.Struct("<HH2sH").unpack_from
_PAIR: Final = (struct.Struct("<HH").unpack_from, struct.Struct(">HH").unpack_from)
_LENGTH: Final = (struct.Struct("<I").unpack_from, struct.Struct(">I").unpack_from)
_SHORT_LENGTH: Final = (struct.Struct("<H").unpack_from, struct.Struct(">H").unpack_from)


def spans(view: Bytes, start: int, end: int, encoding: Encoding) -> Iterator[Span]:
    """The elements from ``start`` to ``end``, or to the end of the item that they are in.

    Encapsulated pixel data, whose fragments are not entered, are the last one. Zero bytes at the end
    are padding. Raises MalformedDataSet where a header is broken or a value reaches beyond ``end``.
    """
    position = start
    is_usual = encoding.is_explicit and not encoding.is_big
    for _ in range(_MOST_ELEMENTS):
        if position >= end:
            return
        if is_usual and position + 8 <= end:
            # Nearly every element of nearly every object, without a call.
            group, element, code, length = _USUAL_HEAD(view, position)
            behind = position + 8 + length
            if (vr := _SHORT.get(code)) and behind <= end and group != 0xFFFE:
                yield Span(group << 16 | element, vr, position, position + 8, behind)
                position = behind
                continue
        span = span_at(view, position, end, encoding)
        if span is None:
            return
        yield span
        position = span.end
    raise MalformedDataSet("it has too many elements", start)


def span_at(view: Bytes, position: int, end: int, encoding: Encoding) -> Span | None:
    """The element at ``position``; None when only padding, or a delimitation, is there. Raises as ``spans``."""
    try:
        span = _span(view, position, end, encoding)
    except MalformedDataSet:
        if end - position <= _MOST_PADDING and not any(view[position:end]):
            return None
        raise
    return None if span.tag >> 16 == 0xFFFE else span


def take_usual(view: Bytes, position: int, wanted: Mapping[int, int], values: dict[int, bytes]) -> int:
    """Step over elements with short VRs in explicit VR little endian and put the wanted values into ``values``.

    ``wanted``: tags by what a little endian number of 32 bits makes of them. Returns where an element
    begins that is not of this kind, or not whole: the caller's to read.
    """
    size = len(view)
    while True:
        try:
            tag, code, length = _TAG_VR_LENGTH(view, position)
        except struct.error:
            return position
        behind = position + 8 + length
        if code not in _SHORT or behind > size:
            return position
        if tag in wanted and length <= LONGEST_VALUE:
            values[wanted[tag]] = bytes(view[position + 8 : behind])
        position = behind


def as_read(tag: int) -> int:
    """``tag`` as ``take_usual`` sees it."""
    return (tag & 0xFFFF) << 16 | tag >> 16


def items(view: Bytes, start: int, end: int, encoding: Encoding) -> Iterator[tuple[int, int]]:
    """Where each item of the sequence from ``start`` to ``end`` begins and its elements end, delimitations left out.

    Raises MalformedDataSet for what is no sequence of items.
    """
    position = start
    while position < end:
        tag, _, value_at, length = header(view, position, end, encoding)
        if tag == SEQUENCE_END:
            return
        if tag != ITEM:
            raise MalformedDataSet("a sequence holds something other than items", position)
        if length == UNDEFINED:
            behind = value_at
            for span in spans(view, value_at, end, encoding):
                behind = span.end
            yield value_at, behind
            position = behind + 8
        else:
            if value_at + length > end:
                raise MalformedDataSet("an item is longer than its sequence", position)
            yield value_at, value_at + length
            position = value_at + length


def end_of_items(view: Bytes, start: int, end: int, encoding: Encoding) -> int:
    """The position behind the delimitation of a sequence without a length whose items begin at ``start``.

    Raises MalformedDataSet when there is none before ``end``.
    """
    position, depth = start, 1
    explicit = [encoding.is_explicit]
    for _ in range(_MOST_HEADERS):
        tag, vr, value_at, length = header(view, position, end, Encoding(explicit[-1], encoding.is_big))
        position = value_at
        if tag == SEQUENCE_END:
            depth -= 1
            explicit.pop()
            if depth == 0:
                return position
        elif tag in (ITEM, ITEM_END):
            position += length if tag == ITEM and length != UNDEFINED else 0
        elif length == UNDEFINED:
            depth += 1
            # UN without a length is a sequence in implicit VR (PS3.5 section 6.2.2 note 4).
            explicit.append(explicit[-1] and vr != "UN")
        else:
            position += length
        if position > end:
            break
    raise MalformedDataSet("a sequence without a length has no end", start)


def _span(view: Bytes, at: int, end: int, encoding: Encoding) -> Span:
    tag, vr, value_at, length = header(view, at, end, encoding)
    if length == UNDEFINED:
        if tag >> 16 == 0xFFFE:
            return Span(tag, vr, at, value_at, value_at, True)
        if tag == PIXEL_DATA:
            return Span(tag, vr, at, value_at, end, True)
        inner = encoding._replace(is_explicit=encoding.is_explicit and vr != "UN")
        return Span(tag, vr, at, value_at, end_of_items(view, value_at, end, inner), True)
    behind = value_at + length
    if behind > end:
        raise MalformedDataSet("an element is longer than what holds it", at)
    return Span(tag, vr, at, value_at, behind)


def header(view: Bytes, at: int, end: int, encoding: Encoding) -> tuple[int, str, int, int]:
    """The tag, the VR, where the value begins and its length, of the header at ``at``."""
    if at + 8 > end:
        raise MalformedDataSet("it ends inside an element", at)
    big = encoding.is_big
    group, element = _PAIR[big](view, at)
    tag = group << 16 | element
    if not encoding.is_explicit or group == 0xFFFE:
        return tag, "", at + 8, _LENGTH[big](view, at + 4)[0]
    vr = bytes(view[at + 4 : at + 6])
    if vr not in _LONG:
        if not vr.isalpha():
            if group < 8:
                raise MalformedDataSet("an element has no VR", at)
            # Some writers put items with implicit VR into explicit data sets.
            return tag, "", at + 8, _LENGTH[big](view, at + 4)[0]
        return tag, vr.decode("latin-1"), at + 8, _SHORT_LENGTH[big](view, at + 6)[0]
    if at + 12 > end:
        raise MalformedDataSet("it ends inside an element", at)
    return tag, vr.decode("latin-1"), at + 12, _LENGTH[big](view, at + 8)[0]
