"""UDF images written: revision 1.50, and 2.50 or 2.60 with a metadata partition (ECMA-167; OSTA UDF 1.50 to 2.60).

The image is read-only and complete: volume recognition, two volume descriptor sequences, anchors at sector 256 and
at the end, file entries and folders together, the files' bytes behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from radfuse.core.errors import CannotMakeImage
from radfuse.media.file_systems import SECTOR_BYTES
from radfuse.media.image_tree import Branch, Leaf
from radfuse.media.udf_descriptors import LONGEST_EXTENT_BYTES, Revision, Udf, VolumeFacts

REVISIONS: Final = {
    "1.50": Revision(0x0150, 2, b"NSR02", has_metadata_partition=False),
    "2.50": Revision(0x0250, 3, b"NSR03", has_metadata_partition=True),
    "2.60": Revision(0x0260, 3, b"NSR03", has_metadata_partition=True),
}
"""What can be written. From 2.50 on a read-only partition must have a metadata partition (UDF 2.50 2.2.10)."""

_PARTITION_START: Final = 272
_ANCHOR: Final = 256
_MAIN_SEQUENCE: Final = 32
_RESERVE_SEQUENCE: Final = 48
_INTEGRITY: Final = 64
_METADATA_UNIT: Final = 32
"""Allocation and alignment unit of the metadata file in blocks: an ECC block of BD."""
_FIRST_UNIQUE_ID: Final = 16
_CHUNK_BYTES: Final = 1 << 20

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Placed:
    """A folder or file and where its entry and its bytes are, in blocks (of metadata, and of the partition)."""

    entry_block: int
    data_block: int
    size_bytes: int
    unique_id: int


def write_udf(tree: Branch, out: BinaryIO, revision: str, label: str, progress: Progress) -> None:
    """Write the image of ``tree``. Raises CannotMakeImage, OSError."""
    _Writer(tree, out, REVISIONS[revision], label, progress).run()


def _blocks(size_bytes: int) -> int:
    return -(-size_bytes // SECTOR_BYTES)


class _Writer:
    def __init__(self, tree: Branch, out: BinaryIO, revision: Revision, label: str, progress: Progress) -> None:
        self._out, self._revision, self._progress = out, revision, progress
        self._branches = list(tree.walk())
        self._places: dict[Branch | Leaf, _Placed] = {}
        newest = max((leaf.modified_s for branch in self._branches for leaf in branch.leaves), default=tree.modified_s)
        self._udf = Udf(revision, label, newest)
        self._metadata_blocks = self._place_entries()
        self._metadata_start = 0
        if revision.has_metadata_partition:
            self._metadata_start = _METADATA_UNIT
            self._metadata_blocks = -(-self._metadata_blocks // _METADATA_UNIT) * _METADATA_UNIT
        # Behind the metadata, where no file's bytes can follow it to the image's end.
        self._mirror_block = self._metadata_start + self._metadata_blocks
        self._total_bytes = sum(leaf.size_bytes for branch in self._branches for leaf in branch.leaves)
        self._partition_blocks = self._place_data(self._mirror_block + revision.has_metadata_partition)

    def run(self) -> None:
        """Write everything, from the first sector to the last."""
        self._write_volume()
        self._seek_block(0)
        if self._revision.has_metadata_partition:
            self._out.write(self._metadata_file(0, 250))
        self._seek_block(self._metadata_start)
        for data in self._metadata():
            self._out.write(data)
        if self._revision.has_metadata_partition:
            self._seek_block(self._mirror_block)
            self._out.write(self._metadata_file(self._mirror_block, 251))
        done = 0
        for branch in self._branches:
            for leaf in branch.leaves:
                done = self._copy(leaf, done)
        last = _PARTITION_START + self._partition_blocks
        self._out.seek(last * SECTOR_BYTES)
        self._out.write(self._anchor(last))

    # --- where everything goes ---------------------------------------------------------------

    def _place_entries(self) -> int:
        """Blocks of entries and folders: the file set, then each folder, what it lists, and its files' entries."""
        block, unique_id = 1, _FIRST_UNIQUE_ID
        for branch in self._branches:
            size = self._udf.folder_bytes([*branch.branches, *branch.leaves])
            own_id = unique_id if branch.names else 0
            self._places[branch] = _Placed(block, block + 1, size, own_id)
            block += 1 + _blocks(size)
            unique_id += bool(branch.names)
            for leaf in branch.leaves:
                self._places[leaf] = _Placed(block, 0, leaf.size_bytes, unique_id)
                block += 1
                unique_id += 1
        self._next_unique_id = unique_id
        return block

    def _place_data(self, block: int) -> int:
        """Blocks of the files' bytes; returns those of the partition."""
        for branch in self._branches:
            for leaf in branch.leaves:
                self._places[leaf].data_block = block
                block += _blocks(leaf.size_bytes)
        return block

    # --- the volume --------------------------------------------------------------------------

    def _write_volume(self) -> None:
        out, udf = self._out, self._udf
        out.write(bytes(16 * SECTOR_BYTES))
        for word in (b"BEA01", self._revision.recognition, b"TEA01"):
            out.write((b"\0" + word + b"\1").ljust(SECTOR_BYTES, b"\0"))
        facts = VolumeFacts(
            partition_start=_PARTITION_START,
            partition_blocks=self._partition_blocks,
            integrity_sector=_INTEGRITY,
            next_unique_id=self._next_unique_id,
            files=sum(len(branch.leaves) for branch in self._branches),
            folders=len(self._branches),
            mirror_block=self._mirror_block,
            metadata_unit=_METADATA_UNIT,
        )
        for start in (_MAIN_SEQUENCE, _RESERVE_SEQUENCE):
            out.seek(start * SECTOR_BYTES)
            out.write(b"".join(udf.volume_sequence(start, facts)))
        out.seek(_INTEGRITY * SECTOR_BYTES)
        out.write(udf.integrity(_INTEGRITY, facts) + udf.terminator(_INTEGRITY + 1))
        out.seek(_ANCHOR * SECTOR_BYTES)
        out.write(self._anchor(_ANCHOR))

    def _anchor(self, sector: int) -> bytes:
        return self._udf.anchor(sector, _MAIN_SEQUENCE, _RESERVE_SEQUENCE)

    def _seek_block(self, block: int) -> None:
        self._out.seek((_PARTITION_START + block) * SECTOR_BYTES)

    def _metadata_file(self, block: int, kind: int) -> bytes:
        """The entry of the metadata file (kind 250) or of its mirror (251), which share their bytes."""
        size = self._metadata_blocks * SECTOR_BYTES
        extents = [
            (start, min(LONGEST_EXTENT_BYTES, size - offset))
            for offset in range(0, size, LONGEST_EXTENT_BYTES)
            for start in [self._metadata_start + offset // SECTOR_BYTES]
        ]
        return self._udf.short_entry(block, kind, size, extents)

    # --- entries and folders -----------------------------------------------------------------

    def _metadata(self) -> Iterator[bytes]:
        yield self._udf.file_set(0, self._places[self._branches[0]].entry_block)
        parents = {child: branch for branch in self._branches for child in branch.branches}
        for branch in self._branches:
            place = self._places[branch]
            yield self._udf.folder_entry(
                place.entry_block, place.data_block, place.size_bytes, branch.modified_s, place.unique_id
            )
            yield self._folder(branch, self._places[parents.get(branch, branch)])
            for leaf in branch.leaves:
                at = self._places[leaf]
                yield self._udf.file_entry(
                    at.entry_block, at.data_block, leaf.size_bytes, leaf.modified_s, at.unique_id
                )

    def _folder(self, branch: Branch, parent: _Placed) -> bytes:
        place, udf = self._places[branch], self._udf
        data = udf.identifier(place.data_block, "", 0x0A, parent.entry_block, parent.unique_id)
        children: list[Branch | Leaf] = [*branch.branches, *branch.leaves]
        for child in children:
            at = self._places[child]
            is_folder = isinstance(child, Branch)
            name = child.names[-1] if isinstance(child, Branch) else child.name
            block = place.data_block + len(data) // SECTOR_BYTES
            data += udf.identifier(block, name, 2 * is_folder, at.entry_block, at.unique_id)
        return data.ljust(_blocks(len(data)) * SECTOR_BYTES, b"\0")

    def _copy(self, leaf: Leaf, done: int) -> int:
        self._seek_block(self._places[leaf].data_block)
        left = leaf.size_bytes
        with open(leaf.path, "rb") as source:
            while left and (data := source.read(min(_CHUNK_BYTES, left))):
                self._out.write(data)
                left -= len(data)
                done += len(data)
                self._progress(done, self._total_bytes)
            if left or source.read(1):
                raise CannotMakeImage(f"{leaf.name} changed meanwhile: try again when nothing writes into the folder")
        return done
