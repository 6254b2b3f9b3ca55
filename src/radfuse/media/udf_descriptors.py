"""The descriptors of a UDF volume as bytes, each in a sector of its own (ECMA-167 parts 3 and 4; OSTA UDF 2.60)."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from radfuse.media.file_systems import SECTOR_BYTES

if TYPE_CHECKING:
    from radfuse.media.image_tree import Branch, Leaf

LONGEST_EXTENT_BYTES: Final = (1 << 30) - SECTOR_BYTES
"""The largest whole number of blocks that the 30 bits of an extent's length hold (ECMA-167 4/14.14.1.1)."""

_OURS: Final = b"*Radfuse"
_UNIX: Final = b"\x04\x00"
"""Operating system class and identifier of an implementation's identifier (UDF 2.1.5.3)."""
_READ_ONLY: Final = 1
_NOBODY: Final = 0xFFFF_FFFF
_ALL_READ: Final = 0x1084
_ALL_ENTER: Final = 0x14A5
_SHORT_DESCRIPTORS, _LONG_DESCRIPTORS = 0, 1
_FOLDER_TYPE, _FILE_TYPE = 4, 5
_SEQUENCE_BYTES: Final = 16 * SECTOR_BYTES


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision of UDF: its number, the version of its tags, and what it is recognised by."""

    number: int
    tag_version: int
    recognition: bytes
    has_metadata_partition: bool

    @property
    def file_partition(self) -> int:
        """The reference of the partition that holds entries and folders."""
        return int(self.has_metadata_partition)


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """What the volume's descriptors say of the volume; sectors count from its start, blocks in the partition."""

    partition_start: int
    partition_blocks: int
    integrity_sector: int
    next_unique_id: int
    files: int
    folders: int
    mirror_block: int
    metadata_unit: int


class Udf:
    """Descriptors of one volume: its revision, its label and its time."""

    def __init__(self, revision: Revision, label: str, time_s: float) -> None:
        self._revision, self._label, self._time_s = revision, label, time_s

    # --- the volume --------------------------------------------------------------------------

    def anchor(self, sector: int, main: int, reserve: int) -> bytes:
        """Anchor Volume Descriptor Pointer (3/10.2)."""
        return self._tagged(2, sector, struct.pack("<4I480x", _SEQUENCE_BYTES, main, _SEQUENCE_BYTES, reserve))

    def terminator(self, sector: int) -> bytes:
        """Terminating Descriptor (3/10.9)."""
        return self._tagged(8, sector, bytes(496))

    def volume_sequence(self, start: int, facts: VolumeFacts) -> Iterator[bytes]:
        """The volume descriptor sequence (3/8.4.2), one sector each."""
        descriptors = (
            (1, self._primary()),
            (4, self._implementation_use()),
            (5, self._partition(facts)),
            (6, self._logical(facts)),
            (7, struct.pack("<II", 4, 0)),
        )
        for number, (tag, body) in enumerate(descriptors):
            yield self._tagged(tag, start + number, body)
        yield self.terminator(start + len(descriptors))

    def _primary(self) -> bytes:
        """Primary Volume Descriptor (3/10.1)."""
        # The first sixteen characters of the set's name make it unique (UDF 2.2.2.5).
        set_name = f"{int(self._time_s) & 0xFFFFFFFF:08X}{binascii.crc32(self._label.encode()):08X}{self._label}"
        return b"".join(
            (
                struct.pack("<II", 0, 0),
                _dstring(self._label, 32),
                struct.pack("<4HII", 1, 1, 2, 3, 1, 1),
                _dstring(set_name[:120], 128),
                _CHARACTERS + _CHARACTERS,
                bytes(16),
                bytes(32),
                _time(self._time_s),
                _identifier(_OURS, _UNIX),
                bytes(64 + 4 + 2 + 22),
            )
        )

    def _implementation_use(self) -> bytes:
        """Implementation Use Volume Descriptor with the logical volume's information (UDF 2.2.7)."""
        return b"".join(
            (
                struct.pack("<I", 1),
                self._udf_identifier(b"*UDF LV Info"),
                _CHARACTERS,
                _dstring(self._label, 128),
                bytes(3 * 36),
                _identifier(_OURS, _UNIX),
                bytes(128),
            )
        )

    def _partition(self, facts: VolumeFacts) -> bytes:
        """Partition Descriptor (3/10.5)."""
        return b"".join(
            (
                struct.pack("<IHH", 2, 1, 0),
                _identifier(b"+" + self._revision.recognition, b""),
                bytes(128),
                struct.pack("<III", _READ_ONLY, facts.partition_start, facts.partition_blocks),
                _identifier(_OURS, _UNIX),
                bytes(128 + 156),
            )
        )

    def _logical(self, facts: VolumeFacts) -> bytes:
        """Logical Volume Descriptor with its partition maps (3/10.6, 3/10.7, UDF 2.2.4)."""
        maps = struct.pack("<BBHH", 1, 6, 1, 0)
        count = 1
        if self._revision.has_metadata_partition:
            maps += self._metadata_map(facts)
            count = 2
        return b"".join(
            (
                struct.pack("<I", 3),
                _CHARACTERS,
                _dstring(self._label, 128),
                struct.pack("<I", SECTOR_BYTES),
                self._udf_identifier(b"*OSTA UDF Compliant"),
                self._address(0, SECTOR_BYTES),
                struct.pack("<II", len(maps), count),
                _identifier(_OURS, _UNIX),
                bytes(128),
                struct.pack("<II", 2 * SECTOR_BYTES, facts.integrity_sector),
                maps,
            )
        )

    def _metadata_map(self, facts: VolumeFacts) -> bytes:
        """Metadata Partition Map (UDF 2.50 2.2.10): no bitmap file, as nothing is ever added."""
        return b"".join(
            (
                struct.pack("<BBH", 2, 64, 0),
                self._udf_identifier(b"*UDF Metadata Partition"),
                struct.pack("<HHIII", 1, 0, 0, facts.mirror_block, _NOBODY),
                struct.pack("<IHB5x", facts.metadata_unit, facts.metadata_unit, 0),
            )
        )

    def integrity(self, sector: int, facts: VolumeFacts) -> bytes:
        """Logical Volume Integrity Descriptor: closed, and full (3/10.10, UDF 2.2.6)."""
        partitions = 1 + self._revision.has_metadata_partition
        sizes = [facts.partition_blocks] + [_NOBODY] * (partitions - 1)
        number = self._revision.number
        # Nothing that 2.60 added is used: 2.50 reads it too.
        revisions = min(number, 0x0250), number, number
        use = _identifier(_OURS, _UNIX) + struct.pack("<IIHHH", facts.files, facts.folders, *revisions)
        return self._tagged(
            9,
            sector,
            b"".join(
                (
                    _time(self._time_s),
                    struct.pack("<III", 1, 0, 0),
                    struct.pack("<Q24x", facts.next_unique_id),
                    struct.pack("<II", partitions, len(use)),
                    struct.pack(f"<{partitions}I", *[0] * partitions),
                    struct.pack(f"<{partitions}I", *sizes),
                    use,
                )
            ),
        )

    def file_set(self, block: int, root_block: int) -> bytes:
        """File Set Descriptor (4/14.1)."""
        body = b"".join(
            (
                _time(self._time_s),
                struct.pack("<HH4I", 3, 3, 1, 1, 0, 0),
                _CHARACTERS,
                _dstring(self._label, 128),
                _CHARACTERS,
                _dstring(self._label[:16], 32),
                bytes(64),
                self._address(root_block, SECTOR_BYTES),
                self._udf_identifier(b"*OSTA UDF Compliant"),
                bytes(16 + 16 + 32),
            )
        )
        return self._tagged(256, block, body)

    # --- files and folders -------------------------------------------------------------------

    def short_entry(self, block: int, kind: int, size_bytes: int, extents: Sequence[tuple[int, int]]) -> bytes:
        """The entry of a file of the system itself, with bytes in the same partition."""
        descriptors = b"".join(struct.pack("<II", length, start) for start, length in extents)
        return self._entry(block, (kind, _SHORT_DESCRIPTORS, 0), size_bytes, (self._time_s, 0), descriptors)

    def folder_entry(self, block: int, data_block: int, size_bytes: int, time_s: float, unique_id: int) -> bytes:
        """The entry of a folder, whose identifiers are beside it."""
        descriptors = struct.pack("<II", size_bytes, data_block)
        kind = (_FOLDER_TYPE, _SHORT_DESCRIPTORS, _ALL_ENTER)
        return self._entry(block, kind, size_bytes, (time_s, unique_id), descriptors)

    def file_entry(self, block: int, data_block: int, size_bytes: int, time_s: float, unique_id: int) -> bytes:
        """The entry of a file, whose bytes are in the first partition."""
        descriptors = b"".join(
            struct.pack(
                "<IIH6x",
                min(LONGEST_EXTENT_BYTES, size_bytes - offset),
                data_block + offset // SECTOR_BYTES,
                0,
            )
            for offset in range(0, size_bytes, LONGEST_EXTENT_BYTES)
        )
        kind = (_FILE_TYPE, _LONG_DESCRIPTORS, _ALL_READ)
        return self._entry(block, kind, size_bytes, (time_s, unique_id), descriptors)

    def _entry(
        self, block: int, kind: tuple[int, int, int], size_bytes: int, own: tuple[float, int], descriptors: bytes
    ) -> bytes:
        """File Entry, or Extended File Entry from revision 2.00 on (4/14.9, 4/14.17); ``kind``: type, flags, rights."""
        (file_type, flags, permissions), (time_s, unique_id) = kind, own
        is_extended = self._revision.tag_version == 3
        blocks = -(-size_bytes // SECTOR_BYTES)
        stamp = _time(time_s)
        body = b"".join(
            (
                struct.pack("<IHHHBB6xH", 0, 4, 0, 1, 0, file_type, flags),
                struct.pack("<IIIHBBI", _NOBODY, _NOBODY, permissions, 1, 0, 0, 0),
                struct.pack("<QQQ", size_bytes, size_bytes, blocks)
                if is_extended
                else struct.pack("<QQ", size_bytes, blocks),
                stamp * (4 if is_extended else 3),
                struct.pack("<I", 1),
                bytes(4 + 16 + 16 if is_extended else 16),
                _identifier(_OURS, _UNIX),
                struct.pack("<QII", unique_id, 0, len(descriptors)),
                descriptors,
            )
        )
        return self._tagged(266 if is_extended else 261, block, body)

    def folder_bytes(self, children: Sequence[Branch | Leaf]) -> int:
        """The bytes of a folder's identifiers, the one of its parent included."""
        return 40 + sum((38 + 1 + len(_name_of(child)) + 3) & ~3 for child in children)

    def identifier(self, block: int, name: str, flags: int, entry_block: int, unique_id: int) -> bytes:
        """File Identifier Descriptor (4/14.4); ``block`` is the one that it begins in."""
        text = b"\x08" + name.encode("ascii") if name else b""
        address = self._address(entry_block, SECTOR_BYTES, unique_id)
        body = struct.pack("<HBB", 1, flags, len(text)) + address + struct.pack("<H", 0) + text
        body += bytes(-(len(body) + 16) % 4)
        return self._tag(257, block, body) + body

    # --- parts -------------------------------------------------------------------------------

    def _address(self, block: int, length: int, unique_id: int = 0) -> bytes:
        """A long allocation descriptor in the partition of entries; the unique id in its last bytes (UDF 2.3.4.3)."""
        return struct.pack("<IIHHI", length, block, self._revision.file_partition, 0, unique_id)

    def _udf_identifier(self, name: bytes) -> bytes:
        """An entity identifier with the revision as its suffix (UDF 2.1.5.3)."""
        return _identifier(name, struct.pack("<H", self._revision.number))

    def _tagged(self, tag: int, location: int, body: bytes) -> bytes:
        return (self._tag(tag, location, body) + body).ljust(SECTOR_BYTES, b"\0")

    def _tag(self, tag: int, location: int, body: bytes) -> bytes:
        """The descriptor tag with checksum and CRC (3/7.2)."""
        crc = binascii.crc_hqx(body, 0)
        head = struct.pack("<HHBBHHHI", tag, self._revision.tag_version, 0, 0, 0, crc, len(body), location)
        return head[:4] + bytes([sum(head) & 0xFF]) + head[5:]


def _name_of(child: Branch | Leaf) -> str:
    names: tuple[str, ...] = getattr(child, "names", ())
    return names[-1] if names else child.name  # type: ignore[union-attr]


def _dstring(text: str, length: int) -> bytes:
    """A fixed-length string of OSTA compressed Unicode, its own length in the last byte (1/7.2.12)."""
    data = b"\x08" + text.encode("ascii") if text else b""
    return data.ljust(length - 1, b"\0") + bytes([len(data)])


def _identifier(name: bytes, suffix: bytes) -> bytes:
    """An entity identifier (1/7.4)."""
    return b"\0" + name.ljust(23, b"\0") + suffix.ljust(8, b"\0")


def _time(seconds: float) -> bytes:
    """A timestamp in UTC (1/7.3)."""
    when = datetime.fromtimestamp(seconds, UTC)
    parts = when.year, when.month, when.day, when.hour, when.minute, when.second
    micro = when.microsecond
    return struct.pack("<HhBBBBB3B", 0x1000, *parts, micro // 10_000, micro // 100 % 100, micro % 100)


_CHARACTERS: Final = b"\0" + b"OSTA Compressed Unicode".ljust(63, b"\0")
"""The character set of every text (UDF 2.1.2)."""
