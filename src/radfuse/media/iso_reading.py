"""ISO 9660 images read: the Joliet tree, or the primary one with the names of Rock Ridge (ECMA-119, SUSP, RRIP)."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from radfuse.core.errors import UnreadableMedia
from radfuse.media.image_files import Extent, ImageBytes, Listing

_SECTOR: Final = 2048
_FIRST_DESCRIPTOR: Final = 16
_MOST_DESCRIPTORS: Final = 64
_PRIMARY, _SUPPLEMENTARY, _TERMINATOR = 1, 2, 255
_JOLIET_ESCAPES: Final = (b"%/@", b"%/C", b"%/E")
_IS_FOLDER, _IS_ASSOCIATED, _IS_CONTINUED = 0x02, 0x04, 0x80
_FOLDER_NAMES: Final = (b"\0", b"\1")


class _Record(NamedTuple):
    """A directory record (ECMA-119 section 9.1)."""

    block: int
    length: int
    flags: int
    is_interleaved: bool
    name: bytes
    system_use: bytes


class _Tree(NamedTuple):
    """One volume descriptor's tree."""

    root: _Record
    block_bytes: int
    is_joliet: bool


def is_iso_9660(source: ImageBytes) -> bool:
    """Whether the image has a volume descriptor of ECMA-119."""
    at = _FIRST_DESCRIPTOR * _SECTOR
    return source.size_bytes >= at + _SECTOR and source.read(at + 1, 5) == b"CD001"


def list_iso_9660(source: ImageBytes, listing: Listing) -> None:
    """Put every file of the image into ``listing``. Raises UnreadableMedia."""
    trees = list(_trees(source))
    tree = next((tree for tree in trees if tree.is_joliet), None) or next(iter(trees), None)
    if tree is None:
        raise UnreadableMedia("it has no volume descriptor")
    _Walk(source, listing, tree).run()


def _trees(source: ImageBytes) -> Iterator[_Tree]:
    for number in range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + _MOST_DESCRIPTORS):
        data = source.read(number * _SECTOR, _SECTOR)
        if data[1:6] != b"CD001" or data[0] == _TERMINATOR:
            return
        is_joliet = data[0] == _SUPPLEMENTARY and data[88:91] in _JOLIET_ESCAPES
        if data[0] == _PRIMARY or is_joliet:
            (block_bytes,) = struct.unpack_from("<H", data, 128)
            if block_bytes not in (512, 1024, 2048):
                raise UnreadableMedia("its blocks have a size that ISO 9660 does not know")
            root = _record(data[156:190])
            if root is not None:
                yield _Tree(root, block_bytes, is_joliet)


def _record(data: bytes) -> _Record | None:
    """The record at the start of ``data``; None for one that is cut."""
    size = data[0] if data else 0
    if size < 34 or size > len(data) or 33 + data[32] > size:
        return None
    attributes, block, length, flags, unit, gap, name_bytes = struct.unpack_from("<xBI4xI4x7xBBB4xB", data)
    behind = 33 + name_bytes + (1 - name_bytes % 2)
    return _Record(block + attributes, length, flags, bool(unit or gap), data[33 : 33 + name_bytes], data[behind:size])


class _Walk:
    """Every folder from the root down, without recursion."""

    def __init__(self, source: ImageBytes, listing: Listing, tree: _Tree) -> None:
        self._source, self._listing, self._tree = source, listing, tree
        self._skip = 0 if tree.is_joliet else self._rock_ridge_skip()

    def run(self) -> None:
        """Fill the listing."""
        waiting: list[tuple[tuple[str, ...], _Record]] = [((), self._tree.root)]
        while waiting:
            path, folder = waiting.pop()
            if not self._listing.enter(folder.block, len(path), folder.length):
                continue
            pieces: list[Extent] = []
            for record in self._records(folder):
                if record.name in _FOLDER_NAMES or record.flags & _IS_ASSOCIATED or self._is_link(record):
                    continue
                names = (*path, self._name_of(record))
                if record.flags & _IS_FOLDER:
                    waiting.append((names, record))
                    continue
                pieces.append(Extent(record.block * self._tree.block_bytes, record.length))
                if not record.flags & _IS_CONTINUED:
                    self._take(names, record, pieces)
                    pieces = []

    def _take(self, names: tuple[str, ...], record: _Record, pieces: list[Extent]) -> None:
        if record.is_interleaved:
            self._listing.find("an interleaved file was passed over")
            return
        # Empty files may point anywhere.
        extents = tuple(piece for piece in pieces if piece.length)
        self._listing.add(names, sum(piece.length for piece in extents), extents)

    def _records(self, folder: _Record) -> Iterator[_Record]:
        """The records of a folder; none crosses a sector (ECMA-119 section 6.8.1.1)."""
        position = folder.block * self._tree.block_bytes
        try:
            data = self._source.read(position, folder.length)
        except UnreadableMedia:
            self._listing.find("a folder that the image does not hold whole was passed over")
            return
        at = 0
        while at < len(data):
            if data[at] == 0:
                at += _SECTOR - at % _SECTOR
                continue
            record = _record(data[at : at + 255])
            if record is None:
                self._listing.find("the rest of a damaged folder was passed over")
                return
            yield record
            at += data[at]

    def _name_of(self, record: _Record) -> str:
        if self._tree.is_joliet:
            return _without_version(record.name.decode("utf-16-be", "replace"))
        entries = self._rock_ridge_entries(record.system_use) if self._skip >= 0 else ()
        # NM: flags of which 2 and 4 mean this folder and the one above, then a part of the name.
        name = b"".join(body[1:] for signature, body in entries if signature == b"NM" and body and not body[0] & 6)
        return name.decode("utf-8", "replace") or _without_version(record.name.decode("latin-1"))

    def _is_link(self, record: _Record) -> bool:
        """Whether it is a symbolic link, or stands for a folder that was moved up and is met there."""
        entries = self._rock_ridge_entries(record.system_use) if self._skip >= 0 else ()
        return any(signature in (b"SL", b"CL") for signature, _ in entries)

    def _rock_ridge_skip(self) -> int:
        """What to skip before the entries of SUSP (its section 5.3), -1 where there are none."""
        first = next(self._records(self._tree.root), None)
        use = first.system_use if first is not None else b""
        for start in (0, 14):  # behind the extended attributes of CD-ROM XA
            if use[start : start + 2] == b"SP" and use[start + 4 : start + 6] == b"\xbe\xef":
                return use[start + 6]
        return -1

    def _rock_ridge_entries(self, use: bytes) -> Iterator[tuple[bytes, bytes]]:
        """(signature, body) of the entries of RRIP, one continuation area followed (SUSP section 5.1)."""
        for signature, body in _entries(use[self._skip :]):
            if signature != b"CE":
                yield signature, body
            elif len(body) >= 24:
                block, offset, length = struct.unpack_from("<I4xI4xI", body)
                with contextlib.suppress(UnreadableMedia):
                    area = self._source.read(block * self._tree.block_bytes + offset, min(length, _SECTOR))
                    yield from _entries(area)


def _entries(use: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 4 <= len(use) and use[at + 2] >= 4:
        yield use[at : at + 2], use[at + 4 : at + use[at + 2]]
        at += use[at + 2]


def _without_version(name: str) -> str:
    """``IM000001.;1`` is ``IM000001`` (ECMA-119 section 7.5)."""
    stem, separator, version = name.rpartition(";")
    if separator and version.isdigit():
        name = stem
    return name[:-1] if name.endswith(".") and name.strip(".") else name
