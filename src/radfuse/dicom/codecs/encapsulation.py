"""Encapsulated Pixel Data: fragments found, grouped into frames, and written (PS3.5 section A.4)."""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from radfuse.dicom.codecs.element_stream import EXPLICIT, ITEM, SEQUENCE_END, UNDEFINED_LENGTH, ElementReader
from radfuse.dicom.codecs.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from radfuse.dicom.codecs.base import Limits

_ITEM_HEADER: Final = struct.Struct("<HHL")
_HEAD_BYTES: Final = 8
_TABLE_REACH_BYTES: Final = 1 << 32


class Fragment(NamedTuple):
    """One fragment's value: where in the file, how long."""

    position: int
    length: int


class Encapsulated(NamedTuple):
    """The items of one encapsulated Pixel Data element."""

    offset_table: tuple[int, ...]
    fragments: tuple[Fragment, ...]


def read_items(reader: ElementReader, limits: Limits) -> Encapsulated:
    """Read past the items, up to and with the sequence delimiter; no fragment is held."""
    first = reader.header(EXPLICIT)
    if first.tag != ITEM or first.length % 4 or first.length > 4 * limits.fragments:
        raise Refused("the Basic Offset Table is damaged")
    table = struct.unpack(f"<{first.length // 4}L", reader.read(first.length))
    fragments: list[Fragment] = []
    while True:
        header = reader.header(EXPLICIT)
        if header.tag == SEQUENCE_END:
            return Encapsulated(table, tuple(fragments))
        if header.tag != ITEM or header.length == UNDEFINED_LENGTH:
            raise Refused("the encapsulated pixels are not a list of fragments")
        if not header.length:
            raise Refused("a fragment is empty")
        if len(fragments) == limits.fragments:
            raise Refused("the pixels are in more fragments than the limit")
        fragments.append(Fragment(reader.position, header.length))
        reader.seek(reader.position + header.length)


class EncapsulatedFrames:
    """The frames of encapsulated Pixel Data, read one at a time.

    A frame may span fragments; which ones is told, in this order, by there being one each, by the
    offset table, or by where a stream of the codec starts.
    """

    def __init__(
        self,
        reader: ElementReader,
        items: Encapsulated,
        frames: int,
        starts_frame: Callable[[bytes], bool],
        longest_bytes: int,
    ) -> None:
        self._reader = reader
        self._fragments = items.fragments
        self._starts_frame = starts_frame
        self._longest_bytes = longest_bytes
        if len(items.fragments) < frames:
            raise Refused("there are fewer fragments than frames")
        starts = self._frame_starts(items.offset_table, frames)
        self._bounds = [*starts, len(items.fragments)]

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def fragments_of(self, index: int) -> tuple[Fragment, ...]:
        """Where the fragments of frame ``index`` lie."""
        return self._fragments[self._bounds[index] : self._bounds[index + 1]]

    def read(self, index: int) -> bytes:
        """The stream of frame ``index``."""
        fragments = self.fragments_of(index)
        if sum(fragment.length for fragment in fragments) > self._longest_bytes:
            raise Refused("a compressed frame is larger than the limit")
        parts = []
        for fragment in fragments:
            self._reader.seek(fragment.position)
            parts.append(self._reader.read(fragment.length))
        return b"".join(parts) if len(parts) > 1 else parts[0]

    def _frame_starts(self, table: tuple[int, ...], frames: int) -> list[int]:
        """The index of every frame's first fragment."""
        if table:
            return self._starts_by_table(table, frames)
        if len(self._fragments) == frames:
            return list(range(frames))
        starts = [index for index in range(len(self._fragments)) if self._starts_frame(self._head(index))]
        if len(starts) != frames or starts[0] != 0:
            raise Refused("the fragments do not make up the Number of Frames")
        return starts

    def _starts_by_table(self, table: tuple[int, ...], frames: int) -> list[int]:
        origin = self._fragments[0].position - _HEAD_BYTES
        by_offset = {fragment.position - _HEAD_BYTES - origin: index for index, fragment in enumerate(self._fragments)}
        starts = [by_offset.get(offset, -1) for offset in table]
        if len(table) != frames or starts[0] != 0 or any(b <= a for a, b in itertools.pairwise(starts)):
            raise Refused("the offset table does not fit the fragments")
        return starts

    def _head(self, index: int) -> bytes:
        position, length = self._fragments[index]
        self._reader.seek(position)
        return self._reader.read(min(length, _HEAD_BYTES))


def write_encapsulated(out: BinaryIO, frames: Iterable[bytes], count: int, expected_bytes: int) -> None:
    """Write the items of ``count`` frames, one fragment each, with a filled Basic Offset Table.

    The table stays empty when ``expected_bytes`` might reach beyond its 32 bits. ``out`` is seekable.
    """
    has_table = 2 * expected_bytes + 65536 * count < _TABLE_REACH_BYTES
    out.write(_ITEM_HEADER.pack(ITEM >> 16, ITEM & 0xFFFF, 4 * count if has_table else 0))
    table_position = out.tell()
    if has_table:
        out.write(bytes(4 * count))
    origin = out.tell()
    offsets: list[int] = []
    for frame in frames:
        offsets.append(out.tell() - origin)
        padding = len(frame) & 1
        out.write(_ITEM_HEADER.pack(ITEM >> 16, ITEM & 0xFFFF, len(frame) + padding))
        out.write(frame)
        out.write(bytes(padding))
    out.write(_ITEM_HEADER.pack(SEQUENCE_END >> 16, SEQUENCE_END & 0xFFFF, 0))
    if has_table:
        end = out.tell()
        out.seek(table_position)
        out.write(struct.pack(f"<{count}L", *offsets))
        out.seek(end)
