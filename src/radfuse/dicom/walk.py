"""One walk over every element of an encoded data set (PS3.5 section 7).

The walk touches element headers only, keeps no object per element and uses no recursion, so that a
mapped file of any size costs what its headers cost.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final, TypeAlias

from radfuse.core.errors import MalformedDataSet, NestingTooDeep
from radfuse.dicom.dictionary import vr_of
from radfuse.dicom.elements import (
    HEAD_BYTES,
    ITEM,
    ITEM_DELIMITATION,
    KNOWN_VRS,
    LONG_VRS,
    PIXEL_DATA,
    PLAIN_LONG_VRS,
    SEQUENCE_DELIMITATION,
    SHORT_VRS,
    UNDEFINED,
    DataSetBuffer,
    ScanLimits,
    swapped,
)

_LITTLE_ITEM: Final = swapped(ITEM)
_DELIMITERS_AS_READ: Final = {swapped(ITEM_DELIMITATION), swapped(SEQUENCE_DELIMITATION), _LITTLE_ITEM}

_IMPLICIT_HEAD = struct.Struct("<II").unpack_from
_IMPLICIT_HEAD_AND_VALUE = struct.Struct("<III").unpack_from
_LITTLE_HEAD = struct.Struct("<I2sH").unpack_from
_BIG_HEAD = struct.Struct(">I2sH").unpack_from
_LITTLE_LONG = struct.Struct("<I").unpack_from
_BIG_LONG = struct.Struct(">I").unpack_from
_BIG_TAG_AND_LENGTH = struct.Struct(">II").unpack_from


# What stopped the loop over one item's elements.
_NOTHING_SPECIAL: Final = 0
_AT_END: Final = 1
_AT_BREAK: Final = 2
_AT_ITEM_DELIMITATION: Final = 3
_AT_SEQUENCE_DELIMITATION: Final = 4
_AT_SEQUENCE: Final = 5
_AT_IMPLICIT_SEQUENCE: Final = 6
_AT_POSSIBLE_SEQUENCE: Final = 7

_DELIMITER_EVENTS: Final = {
    ITEM_DELIMITATION: _AT_ITEM_DELIMITATION,
    SEQUENCE_DELIMITATION: _AT_SEQUENCE_DELIMITATION,
}

_FRAGMENT_VRS: Final = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW"))

_SEQUENCE_EVENTS: Final = {"SQ": _AT_SEQUENCE, "UN": _AT_POSSIBLE_SEQUENCE}
"""What a value that starts with an item is, by the VR that the dictionary gives (UN: a tag it does not have)."""

_Frame: TypeAlias = tuple[int, bool, bool, bool]
"""An open item or sequence: its end, and whether its length is undefined, its elements have explicit
VRs, and it is only a guess (from its first bytes) that this value is a sequence at all."""

_Stop: TypeAlias = tuple[int, int, int]
"""Where the loop over elements stopped, at what, and the length (of a sequence) or last tag read (at an end)."""

_NONE_WANTED: Final[Mapping[int, int]] = {}


def _behind_false_sequence(stack: list[_Frame]) -> int | None:
    """Where to go on when a value that looked like a sequence is none; None when there is no such value."""
    while stack:
        end, _, _, possible = stack.pop()
        if possible:
            return end
    return None


class _ElementLoops:
    """The loops over the elements of one item, which collect the raw values of wanted ones."""

    __slots__ = (
        "_big",
        "_budget",
        "_buffer",
        "_explicit",
        "_head",
        "_limits",
        "_long",
        "_size",
        "_start",
        "_wanted",
        "raw",
    )

    def __init__(
        self, buffer: DataSetBuffer, explicit: bool, big: bool, wanted: Mapping[int, int], limits: ScanLimits
    ) -> None:
        """A walk that has not started."""
        self._buffer = buffer
        self._explicit = explicit
        self._big = big
        self._head = _BIG_HEAD if big else _LITTLE_HEAD
        self._long = _BIG_LONG if big else _LITTLE_LONG
        self._wanted = wanted
        self._limits = limits
        self._budget = limits.elements
        self._start = 0
        self._size = len(buffer)
        self.raw: dict[int, bytes] = {}

    def _broken(self, reason: str, position: int) -> MalformedDataSet:
        return MalformedDataSet(reason, min(position, self._size) - self._start)

    def _explicit_elements(self, position: int, end: int, wanted: Mapping[int, int]) -> _Stop:
        buffer, head, raw, short, plain_long = self._buffer, self._head, self.raw, SHORT_VRS, PLAIN_LONG_VRS
        tag = count = 0
        try:
            for count in range(self._budget):  # noqa: B007 (counted after the loop)
                if position >= end:
                    return position, _AT_END, tag
                tag, vr, length = head(buffer, position)
                if vr in short:
                    position += 8 + length
                    if tag in wanted:
                        raw[wanted[tag]] = bytes(buffer[position - length : position])
                    continue
                if vr in plain_long:
                    (length,) = self._long(buffer, position + 8)
                    if length != UNDEFINED:
                        position += 12 + length
                        if tag in wanted:
                            self._collect(position - length, tag, length, wanted)
                        continue
                position, event, length = self._explicit_special(position, tag, vr, length, wanted)
                if event:
                    return position, event, length
        except struct.error:
            return position, _AT_BREAK, tag
        finally:
            self._budget -= count + 1
        raise self._broken("it has too many elements", position)

    def _explicit_special(self, position: int, tag: int, vr: bytes, length: int, wanted: Mapping[int, int]) -> _Stop:
        read, tag = tag, tag if self._big else swapped(tag)
        if tag >> 16 == 0xFFFE:
            return self._delimiter(position, tag)
        # PS3.5 section 6.2: a VR of a later edition has the long form; what is no VR at all is met with the short one.
        if vr in LONG_VRS or (vr.isalpha() and vr.isupper() and not length):
            (length,) = self._long(self._buffer, position + 8)
            position += 4
        position += 8
        if length == UNDEFINED:
            return self._undefined(position, tag, vr)
        self._collect(position, read, length, wanted)
        if vr == b"SQ" and length:
            return position, _AT_SEQUENCE, length
        return position + length, _NOTHING_SPECIAL, 0

    def _implicit_elements(self, position: int, end: int, wanted: Mapping[int, int]) -> _Stop:
        buffer, raw, item, delimiters = self._buffer, self.raw, _LITTLE_ITEM, _DELIMITERS_AS_READ
        most = self._limits.value_bytes
        tag = count = 0
        try:
            for count in range(self._budget):  # noqa: B007 (counted after the loop)
                if position >= end:
                    return position, _AT_END, tag
                try:
                    tag, length, first = _IMPLICIT_HEAD_AND_VALUE(buffer, position)
                except struct.error:
                    tag, length = _IMPLICIT_HEAD(buffer, position)
                    first = 0
                if first == item or length == UNDEFINED or tag in delimiters:
                    position, event, length = self._implicit_special(position, tag, length, wanted)
                    if event:
                        return position, event, length
                    continue
                position += 8 + length
                if tag in wanted and length <= most:
                    raw[wanted[tag]] = bytes(buffer[position - length : position])
        except struct.error:
            return position, _AT_BREAK, tag
        finally:
            self._budget -= count + 1
        raise self._broken("it has too many elements", position)

    def _implicit_special(self, position: int, tag: int, length: int, wanted: Mapping[int, int]) -> _Stop:
        read, tag = tag, swapped(tag)
        if tag >> 16 == 0xFFFE:
            return self._delimiter(position, tag)
        position += 8
        if length == UNDEFINED:
            return self._undefined(position, tag, b"OW" if tag == PIXEL_DATA else b"UN")
        self._collect(position, read, length, wanted)
        if length >= HEAD_BYTES and (event := _SEQUENCE_EVENTS.get(vr_of(tag))):
            return position, event, length
        return position + length, _NOTHING_SPECIAL, 0

    def _collect(self, position: int, read: int, length: int, wanted: Mapping[int, int]) -> None:
        if read in wanted and length <= self._limits.value_bytes and position + length <= len(self._buffer):
            self.raw[wanted[read]] = bytes(self._buffer[position : position + length])

    def _delimiter(self, position: int, tag: int) -> _Stop:
        event = _DELIMITER_EVENTS.get(tag)
        if event is None:
            raise self._broken("an item outside a sequence", position)
        return position + HEAD_BYTES, event, 0

    def _undefined(self, position: int, tag: int, vr: bytes) -> _Stop:
        if vr == b"SQ":
            return position, _AT_SEQUENCE, UNDEFINED
        if vr == b"UN" and tag != PIXEL_DATA:
            return position, _AT_IMPLICIT_SEQUENCE, UNDEFINED
        if vr in _FRAGMENT_VRS or tag == PIXEL_DATA:
            return self._behind_fragments(position), _NOTHING_SPECIAL, 0
        raise self._broken("an undefined length where none is allowed", position)

    def _behind_fragments(self, position: int) -> int:
        """Behind the delimiter of encapsulated pixel data (PS3.5 section A.4)."""
        unpack = _BIG_TAG_AND_LENGTH if self._big else _IMPLICIT_HEAD
        item = ITEM if self._big else _LITTLE_ITEM
        for _ in range(self._budget):
            tag, length = unpack(self._buffer, position)
            if tag != item:
                break
            position += 8 + length
        else:
            raise self._broken("it has too many elements", position)
        if tag != (SEQUENCE_DELIMITATION if self._big else swapped(SEQUENCE_DELIMITATION)):
            raise self._broken("a fragment of encapsulated data does not start where the one before it ends", position)
        return position + HEAD_BYTES


class StructureWalk(_ElementLoops):
    """One pass over a data set that collects the raw values of wanted top-level elements.

    ``wanted`` maps a tag as read (``swapped`` when little endian) to the tag. ``size`` is where the
    data set ends; a shorter ``buffer`` is a kept prefix, and the walk ends without complaint where
    the prefix ends. The stack of open frames alternates: item (the data set itself first), sequence.
    """

    __slots__ = ()

    def run(self, start: int, size: int) -> dict[int, bytes]:
        """Walk from ``start`` to ``size``.

        Raises MalformedDataSet where the structure breaks, NestingTooDeep where it does not end.
        """
        self._start = start
        self._size = size
        stack: list[_Frame] = [(size, False, self._explicit, False)]
        position = start
        while stack:
            try:
                step = self._through_item if len(stack) & 1 else self._next_item
                position = step(stack, position)
            except MalformedDataSet:
                behind = _behind_false_sequence(stack)
                if behind is None:
                    raise
                position = behind
        return self.raw

    def _through_item(self, stack: list[_Frame], position: int) -> int:
        end, undefined, explicit, _ = stack[-1]
        loop = self._explicit_elements if explicit else self._implicit_elements
        position, event, length = loop(position, end, self._wanted if len(stack) == 1 else _NONE_WANTED)
        if event >= _AT_SEQUENCE:
            self._open_sequence(stack, position, event, length)
        elif event == _AT_END:
            if position > end:
                raise self._broken("an element is longer than what holds it", position)
            if undefined:
                raise self._broken("an item of undefined length is not closed", position)
            stack.pop()
            if position > len(self._buffer):
                self._drop_cut_value(length)
        elif event == _AT_BREAK:
            self._end_in_header(stack, position, length)
        elif undefined:
            stack.pop()
            if event == _AT_SEQUENCE_DELIMITATION:
                position -= HEAD_BYTES
        return position

    def _drop_cut_value(self, tag: int) -> None:
        self.raw.pop(self._wanted.get(tag, 0), None)

    def _end_in_header(self, stack: list[_Frame], position: int, last_tag: int) -> None:
        """The buffer ended inside an element header: the end of a kept prefix, of padding, or an error."""
        kept = len(self._buffer)
        if self._size > kept and position <= self._size:
            if position > kept:
                self._drop_cut_value(last_tag)
        elif len(stack) > 1 or not 0 <= kept - position < HEAD_BYTES or any(self._buffer[position:kept]):
            raise self._broken("it ends inside an element", position)
        stack.clear()

    def _open_sequence(self, stack: list[_Frame], position: int, event: int, length: int) -> None:
        if len(stack) >= 2 * self._limits.nesting + 1:
            raise NestingTooDeep(self._limits.nesting)
        parent_end, _, explicit, _ = stack[-1]
        end = parent_end if length == UNDEFINED else position + length
        if end > parent_end:
            raise self._broken("a sequence is longer than what holds it", position)
        explicit = explicit and event != _AT_IMPLICIT_SEQUENCE
        stack.append((end, length == UNDEFINED, explicit, event == _AT_POSSIBLE_SEQUENCE))

    def _next_item(self, stack: list[_Frame], position: int) -> int:
        end, undefined, explicit, _ = stack[-1]
        if position >= end and not undefined:
            stack.pop()
            return position
        self._budget -= 1
        if self._budget < 0:
            raise self._broken("it has too many elements", position)
        try:
            if explicit and self._big:
                tag, length = _BIG_TAG_AND_LENGTH(self._buffer, position)
            else:
                tag, length = _IMPLICIT_HEAD(self._buffer, position)
                tag = swapped(tag)
        except struct.error:
            self._end_in_header(stack, position, 0)
            return position
        position += HEAD_BYTES
        if tag == ITEM:
            self._open_item(stack, position, length)
        elif tag == SEQUENCE_DELIMITATION:
            if undefined:
                stack.pop()
        elif tag != ITEM_DELIMITATION:
            raise self._broken("a sequence holds something other than items", position - HEAD_BYTES)
        return position

    def _open_item(self, stack: list[_Frame], position: int, length: int) -> None:
        parent_end, _, explicit, _ = stack[-1]
        end = parent_end if length == UNDEFINED else position + length
        if end > parent_end:
            raise self._broken("an item is longer than its sequence", position)
        if length >= HEAD_BYTES and self._explicit:
            explicit = self._item_is_explicit(position, end, explicit)
        stack.append((end, length == UNDEFINED, explicit, False))

    def _item_is_explicit(self, position: int, end: int, expected: bool) -> bool:
        """The encoding of an item: some writers put implicit items into explicit data sets, or the reverse under UN."""
        head = bytes(self._buffer[position : position + HEAD_BYTES])
        if len(head) < HEAD_BYTES:
            return expected
        if expected:
            return head[4:6].isalpha() or ITEM >> 16 in (
                int.from_bytes(head[:2], "little"),
                int.from_bytes(head[:2], "big"),
            )
        return head[4:6] in KNOWN_VRS and position + int.from_bytes(head[4:], "little") > end
