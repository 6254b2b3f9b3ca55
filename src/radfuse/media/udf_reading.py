"""UDF images read, revisions 1.02 to 2.60 (ECMA-167; OSTA UDF 2.60): plain, sparable and metadata partitions."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from radfuse.core.errors import UnreadableMedia
from radfuse.media.image_files import Extent, ImageBytes, Listing

_ANCHOR, _PARTITION, _LOGICAL_VOLUME, _TERMINATOR = 2, 5, 6, 8
_FILE_SET, _FILE_IDENTIFIER, _ALLOCATION, _FILE_ENTRY, _EXTENDED_FILE_ENTRY = 256, 257, 258, 261, 266
_MOST_DESCRIPTORS: Final = 256
_MOST_ALLOCATIONS: Final = 1 << 16
_IS_FOLDER, _IS_DELETED, _IS_PARENT = 0x02, 0x04, 0x08
_FOLDER_TYPE: Final = 4
_METADATA_PARTITION: Final = b"*UDF Metadata Partition"
_SPARABLE_PARTITION: Final = b"*UDF Sparable Partition"

_Runs = list[Extent]
_Map = Callable[[int, int], _Runs]
"""(first block, bytes) of a partition -> where they are in the image."""


class _Entry(NamedTuple):
    """A file entry (ECMA-167 4/14.9, 4/14.17): its kind, its size and where its bytes are."""

    kind: int
    size_bytes: int
    extents: _Runs


def is_udf(source: ImageBytes) -> bool:
    """Whether the volume recognition sequence has an NSR descriptor (ECMA-167 2/8.3, 3/9.1)."""
    for sector in range(16, 64):
        if source.size_bytes < (sector + 1) * 2048:
            return False
        word = source.read(sector * 2048 + 1, 5)
        if word in (b"NSR02", b"NSR03"):
            return True
        if word not in (b"BEA01", b"BOOT2", b"CD001", b"CDW02", b"TEA01"):
            return False
    return False


def list_udf(source: ImageBytes, listing: Listing) -> None:
    """Put every file of the image into ``listing``. Raises UnreadableMedia."""
    for block_bytes in (2048, 512, 4096):
        volume = _volume(source, block_bytes)
        if volume is not None:
            _Walk(source, listing, volume).run()
            return
    raise UnreadableMedia("it has no volume of UDF that is understood")


class _Volume(NamedTuple):
    block_bytes: int
    maps: list[_Map]
    root: bytes
    """The long allocation descriptor of the file set."""


def _descriptor(data: bytes, tag: int) -> bool:
    """Whether a descriptor begins with this tag and its checksum (ECMA-167 3/7.2)."""
    identifier = int.from_bytes(data[:2], "little")
    return identifier == tag and len(data) >= 16 and (sum(data[:4]) + sum(data[5:16])) & 0xFF == data[4]


def _volume(source: ImageBytes, block_bytes: int) -> _Volume | None:
    last = source.size_bytes // block_bytes - 1
    for anchor in (256, last, last - 256, 512):
        if not 0 <= anchor <= last:
            continue
        data = source.read(anchor * block_bytes, 32)
        if _descriptor(data, _ANCHOR):
            for at in (16, 24):  # the main sequence, and the reserve
                length, first = struct.unpack_from("<II", data, at)
                volume = _read_sequence(source, block_bytes, first, length)
                if volume is not None:
                    return volume
    return None


def _read_sequence(source: ImageBytes, block_bytes: int, first: int, length: int) -> _Volume | None:
    partitions: dict[int, int] = {}
    logical = b""
    for number in range(min(length // block_bytes, _MOST_DESCRIPTORS)):
        position = (first + number) * block_bytes
        if position + block_bytes > source.size_bytes:
            return None
        data = source.read(position, block_bytes)
        if _descriptor(data, _PARTITION):
            partition, start = struct.unpack_from("<H", data, 22)[0], struct.unpack_from("<I", data, 188)[0]
            partitions[partition] = start
        elif _descriptor(data, _LOGICAL_VOLUME):
            logical = data
        elif _descriptor(data, _TERMINATOR):
            break
    if not logical or struct.unpack_from("<I", logical, 212)[0] != block_bytes:
        return None
    return _Volume(block_bytes, _maps(source, block_bytes, logical, partitions), logical[248:264])


def _maps(source: ImageBytes, block_bytes: int, logical: bytes, partitions: dict[int, int]) -> list[_Map]:
    """The partition maps of a logical volume (ECMA-167 3/10.7, UDF 2.2.8 to 2.2.10)."""
    found: list[_Map] = []
    (count,) = struct.unpack_from("<I", logical, 268)
    at = 440
    for _ in range(min(count, 8)):
        kind, length = logical[at], logical[at + 1]
        entry = logical[at : at + length]
        if kind == 1 and length >= 6:
            found.append(_plain(block_bytes, partitions.get(struct.unpack_from("<H", entry, 4)[0], -1)))
        elif kind == 2 and length >= 64:
            start = partitions.get(struct.unpack_from("<H", entry, 38)[0], -1)
            plain = _plain(block_bytes, start)
            if entry[5:28] == _SPARABLE_PARTITION:
                found.append(plain)
            elif entry[5:28] == _METADATA_PARTITION:
                found.append(_metadata(source, block_bytes, plain, struct.unpack_from("<II", entry, 40)))
            else:
                raise UnreadableMedia("it was written in packets and not closed; copy the medium's files instead")
        at += max(length, 1)
    return found


def _plain(block_bytes: int, start: int) -> _Map:
    def runs(block: int, length: int) -> _Runs:
        if start < 0:
            raise UnreadableMedia("it names a partition that is not there")
        return [Extent((start + block) * block_bytes, length)]

    return runs


def _metadata(source: ImageBytes, block_bytes: int, plain: _Map, files: tuple[int, ...]) -> _Map:
    """Blocks of a metadata partition are those of the metadata file, or of its mirror (UDF 2.2.13)."""
    extents: _Runs | None = None
    for place in files:
        try:
            extents = _entry(source, plain, block_bytes, plain(place, block_bytes)[0]).extents
            break
        except UnreadableMedia:
            continue
    if extents is None:
        raise UnreadableMedia("its metadata file is damaged")
    known = extents

    def runs(block: int, length: int) -> _Runs:
        return _slice(known, block * block_bytes, length)

    return runs


def _slice(extents: _Runs, offset: int, length: int) -> _Runs:
    """``length`` bytes from ``offset`` on of what ``extents`` hold together."""
    found: _Runs = []
    for extent in extents:
        if offset < extent.length and length > 0:
            part = min(length, extent.length - offset)
            found.append(Extent(extent.position + offset if extent.position >= 0 else -1, part))
            length -= part
            offset = 0
        else:
            offset -= min(offset, extent.length)
    if length:
        raise UnreadableMedia("it points behind its own end; copy the medium again")
    return found


def _entry(source: ImageBytes, own: _Map, block_bytes: int, place: Extent, maps: list[_Map] | None = None) -> _Entry:
    """The file entry at ``place``; its short allocation descriptors count in its own partition."""
    data = source.read(place.position, block_bytes)
    if _descriptor(data, _FILE_ENTRY):
        at = 168
    elif _descriptor(data, _EXTENDED_FILE_ENTRY):
        at = 208
    else:
        raise UnreadableMedia("a file entry is damaged")
    attributes, allocated = struct.unpack_from("<II", data, at)
    start = at + 8 + attributes
    if start + allocated > block_bytes:
        raise UnreadableMedia("a file entry is damaged")
    kind, how = data[27], data[34] & 7
    (size,) = struct.unpack_from("<Q", data, 56)
    if how == 3:
        extents = [Extent(place.position + start, allocated)]
    elif how in (0, 1):
        extents = _allocated(source, data[start : start + allocated], how == 1, own, maps or [own])
    else:
        raise UnreadableMedia("a file entry is of a kind that UDF does not have")
    return _Entry(kind, size, _cut(extents, size))


def _allocated(source: ImageBytes, data: bytes, is_long: bool, own: _Map, maps: list[_Map]) -> _Runs:
    """The extents of allocation descriptors, followed through their continuations (ECMA-167 4/14.14)."""
    found: _Runs = []
    width, at, left = (16, 0, _MOST_ALLOCATIONS) if is_long else (8, 0, _MOST_ALLOCATIONS)
    while at + width <= len(data) and (left := left - 1):
        word, block = struct.unpack_from("<II", data, at)
        map_ = _chosen(maps, struct.unpack_from("<H", data, at + 8)[0]) if is_long else own
        kind, length = word >> 30, word & 0x3FFF_FFFF
        at += width
        if not length:
            break
        if kind == 3:
            head = source.read(map_(block, length)[0].position, length)
            if not _descriptor(head, _ALLOCATION):
                raise UnreadableMedia("the allocation of a file is damaged")
            data, at = head[24 : 24 + struct.unpack_from("<I", head, 20)[0]], 0
        elif kind == 0:
            found += map_(block, length)
        else:
            found.append(Extent(-1, length))
    return found


def _chosen(maps: list[_Map], number: int) -> _Map:
    if number >= len(maps):
        raise UnreadableMedia("it names a partition that is not there")
    return maps[number]


def _cut(extents: _Runs, size: int) -> _Runs:
    """The first ``size`` bytes; extents are rounded up to blocks where they were preallocated."""
    found: _Runs = []
    for extent in extents:
        if size <= 0:
            break
        found.append(extent._replace(length=min(size, extent.length)))
        size -= extent.length
    return found


class _Walk:
    """Every folder from the root down, without recursion."""

    def __init__(self, source: ImageBytes, listing: Listing, volume: _Volume) -> None:
        self._source, self._listing, self._volume = source, listing, volume

    def run(self) -> None:
        """Fill the listing."""
        data = self._source.read(self._place(self._volume.root).position, self._volume.block_bytes)
        if not _descriptor(data, _FILE_SET):
            raise UnreadableMedia("its file set is damaged")
        waiting: list[tuple[tuple[str, ...], bytes]] = [((), data[400:416])]
        while waiting:
            path, address = waiting.pop()
            try:
                entry = self._entry(address)
                wanted = self._listing.enter(address[4:10], len(path), entry.size_bytes)
                content = b"".join(self._read(extent) for extent in entry.extents) if wanted else b""
            except UnreadableMedia:
                if not path:
                    raise
                if self._listing.is_over_limits:
                    raise
                self._listing.find("a damaged folder was passed over")
                continue
            for name, is_folder, child in self._identifiers(content):
                if is_folder:
                    waiting.append(((*path, name), child))
                else:
                    self._take((*path, name), child)

    def _read(self, extent: Extent) -> bytes:
        return bytes(extent.length) if extent.position < 0 else self._source.read(*extent)

    def _take(self, names: tuple[str, ...], address: bytes) -> None:
        try:
            entry = self._entry(address)
        except UnreadableMedia:
            self._listing.find("a file with a damaged entry was passed over")
            return
        if entry.kind == _FOLDER_TYPE:
            return
        self._listing.add(names, entry.size_bytes, tuple(entry.extents))

    def _place(self, address: bytes) -> Extent:
        """Where the block of a long allocation descriptor is (ECMA-167 4/14.14.2)."""
        block, partition = struct.unpack_from("<IH", address, 4)
        return _chosen(self._volume.maps, partition)(block, self._volume.block_bytes)[0]

    def _entry(self, address: bytes) -> _Entry:
        (partition,) = struct.unpack_from("<H", address, 8)
        maps = self._volume.maps
        return _entry(self._source, _chosen(maps, partition), self._volume.block_bytes, self._place(address), maps)

    def _identifiers(self, data: bytes) -> Iterator[tuple[str, bool, bytes]]:
        """(name, whether it is a folder, its address) of the file identifiers of a folder (ECMA-167 4/14.4)."""
        at = 0
        while at + 38 <= len(data):
            head = data[at : at + 38]
            if not _descriptor(head, _FILE_IDENTIFIER):
                self._listing.find("the rest of a damaged folder was passed over")
                return
            flags, length, more = head[18], head[19], struct.unpack_from("<H", head, 36)[0]
            start = at + 38 + more
            if not flags & (_IS_DELETED | _IS_PARENT):
                yield _name(data[start : start + length]), bool(flags & _IS_FOLDER), head[20:36]
            at = (start + length + 3) & ~3


def _name(data: bytes) -> str:
    """A name of OSTA compressed Unicode (UDF 2.1.1)."""
    if data[:1] == b"\x10":
        return data[1:].decode("utf-16-be", "replace")
    return data[1:].decode("latin-1")
