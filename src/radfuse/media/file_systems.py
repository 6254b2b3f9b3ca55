"""Media and their file systems as tables: what fits, what a file costs, how names and folders are limited."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

SECTOR_BYTES: Final = 2048
"""Of every optical disc (ECMA-119 section 6.1.2, ECMA-167 2/3.2)."""

_CLUSTER_BYTES: Final = 32 << 10


@dataclass(frozen=True, slots=True)
class FileSystem:
    """How one file system holds files. ``None`` is no limit of its own; ``image``: the disc image that we write."""

    name: str
    section: str
    unit_bytes: int
    """A file takes whole units of this size."""
    file_overhead_bytes: int
    folder_overhead_bytes: int
    fixed_bytes: int
    """What an empty volume takes."""
    largest_file_bytes: int | None = None
    largest_volume_bytes: int | None = None
    entries_per_folder: int | None = None
    entries_in_root: int | None = None
    image: str = ""
    """``"ISO 9660"``, or the revision of UDF; empty: the medium is a folder that is copied."""

    def file_bytes(self, size_bytes: int) -> int:
        """What a file of ``size_bytes`` takes of the medium, its entry in the folder included."""
        return -(-size_bytes // self.unit_bytes) * self.unit_bytes + self.file_overhead_bytes


ISO_9660: Final = FileSystem(
    "ISO 9660 level 1",
    "PS3.12 Annex F; ECMA-119 section 10.1",
    unit_bytes=SECTOR_BYTES,
    # Directory records, here and in the Joliet tree (ECMA-119 section 9.1: 33 bytes and the name, twice as long there).
    file_overhead_bytes=128,
    folder_overhead_bytes=2 * SECTOR_BYTES + 256,
    fixed_bytes=64 * SECTOR_BYTES,
    # Level 1 allows one extent for each file, and an extent says its length in 32 bits (sections 9.1.4 and 10.1).
    largest_file_bytes=(1 << 32) - 1,
    image="ISO 9660",
)


def _udf(revision: str, section: str) -> FileSystem:
    """UDF gives a file entry of one sector to each file and folder (ECMA-167 4/14.9)."""
    return FileSystem(
        f"UDF {revision}",
        section,
        unit_bytes=SECTOR_BYTES,
        file_overhead_bytes=SECTOR_BYTES + 128,
        folder_overhead_bytes=3 * SECTOR_BYTES,
        fixed_bytes=1 << 20,
        image=revision,
    )


UDF_150: Final = _udf("1.50", "PS3.12 Annex J")
UDF_250: Final = _udf("2.50", "PS3.12 Annex X")
"""Of BD-RE."""
UDF_260: Final = _udf("2.60", "PS3.12 Annex X")
"""Of BD-R."""
FAT16: Final = FileSystem(
    "FAT16",
    "PS3.12 Annexes R to U",
    unit_bytes=_CLUSTER_BYTES,
    file_overhead_bytes=32,
    folder_overhead_bytes=_CLUSTER_BYTES,
    fixed_bytes=512 << 10,
    largest_file_bytes=(1 << 31) - 1,
    # 65,524 clusters of 32 KiB.
    largest_volume_bytes=65_524 * _CLUSTER_BYTES,
    # A folder's own file ends at 65,536 entries, and two of them are "." and "..".
    entries_per_folder=65_534,
    # One of the 512 entries is the volume's label.
    entries_in_root=511,
)
FAT32: Final = FileSystem(
    "FAT32",
    "PS3.12 Annexes R and S",
    unit_bytes=_CLUSTER_BYTES,
    file_overhead_bytes=32,
    folder_overhead_bytes=_CLUSTER_BYTES,
    fixed_bytes=1 << 20,
    largest_file_bytes=(1 << 32) - 1,
    entries_per_folder=65_534,
)


@dataclass(frozen=True, slots=True)
class Medium:
    """A kind of medium, and how many bytes a usual one holds (None: sizes differ, the operator says).

    ``source``: where the number comes from. Other sizes of the same medium are in ``sizes``, by name.
    """

    title: str
    section: str
    capacity_bytes: int | None = None
    source: str = ""
    sizes: tuple[tuple[str, int], ...] = ()


_OPERATOR: Final = "sizes differ"

CD_R: Final = Medium(
    "120 mm CD-R",
    "PS3.12 Annex F",
    359_840 * SECTOR_BYTES,
    "80 minutes of 75 sectors a second (ISO/IEC 10149) less the last sectors, which blanks differ in",
    (("CD-R, 74 minutes", 332_840 * SECTOR_BYTES), ("CD-R, 80 minutes", 359_840 * SECTOR_BYTES)),
)
DVD_RAM: Final = Medium(
    "120 mm DVD-RAM",
    "PS3.12 Annex J",
    2_236_704 * SECTOR_BYTES,
    "one side of 4.7 GB (ECMA-330) formatted with its spare area",
    (("DVD-RAM, one side", 2_236_704 * SECTOR_BYTES),),
)
DVD: Final = Medium(
    "120 mm DVD other than DVD-RAM",
    "PS3.12 Annex P",
    2_295_104 * SECTOR_BYTES,
    "one layer of DVD+R (ECMA-349), the smaller one; DVD-R (ECMA-359) holds 7 MB more",
    (("DVD, one layer", 2_295_104 * SECTOR_BYTES), ("DVD, two layers", 4_171_712 * SECTOR_BYTES)),
)
BD: Final = Medium(
    "120 mm BD-R or BD-RE",
    "PS3.12 Annex X",
    11_826_176 * SECTOR_BYTES,
    "one layer of 25 GB formatted with the usual spare area; without it 12,219,392 sectors",
    (("BD, one layer", 11_826_176 * SECTOR_BYTES), ("BD, two layers", 23_652_352 * SECTOR_BYTES)),
)
USB: Final = Medium("USB mass storage device", "PS3.12 Annex R", source=_OPERATOR)
COMPACT_FLASH: Final = Medium("CompactFlash", "PS3.12 Annex S", source=_OPERATOR)
MULTIMEDIA_CARD: Final = Medium("MultiMediaCard", "PS3.12 Annex T", source=_OPERATOR)
SECURE_DIGITAL: Final = Medium("Secure Digital card", "PS3.12 Annex U", source=_OPERATOR)

MEDIA: Final = (CD_R, DVD_RAM, DVD, BD, USB, COMPACT_FLASH, MULTIMEDIA_CARD, SECURE_DIGITAL)


def folder_problems(file_system: FileSystem, files: Iterable[Collection[str]]) -> list[str]:
    """What ``files`` (their paths, as names from the root down) break of the limits for folders, as sentences."""
    folders: dict[tuple[str, ...], set[str]] = {}
    for path in files:
        names = tuple(path)
        for depth, name in enumerate(names):
            folders.setdefault(names[:depth], set()).add(name)
    found = []
    for folder, entries in folders.items():
        most = file_system.entries_per_folder if folder or file_system.entries_in_root is None else None
        most = most if most is not None or folder else file_system.entries_in_root
        if most is not None and len(entries) > most:
            where = "/".join(folder) or "the root"
            found.append(f"{where} would hold {len(entries)} names; {file_system.name} holds {most}")
    return found
