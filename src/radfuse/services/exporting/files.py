"""Exports as files: one zip of Part 10 files for each job, kept for a day."""

from __future__ import annotations

import contextlib
import os
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from radfuse.archive import Archive
from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from radfuse.objects.common import encode
from radfuse.services.exporting.making import Exported
from radfuse.services.stored_objects import proved_file

KEPT_S: Final = 86_400.0
_NO_DATE: Final = (1980, 1, 1, 0, 0, 0)
_PLAIN: Final = re.compile(r"[^a-z0-9]+")


def exports_folder(data: Path) -> Path:
    """Where the files are."""
    return data / "exports"


def exported_file(data: Path, job: int) -> Path:
    """The file of a job, whether it is there or not."""
    return exports_folder(data) / f"{job}.zip"


def write_files(place: Path, archive: Archive, exported: Exported, tell: Callable[[int, int], None]) -> int:
    """Write all objects into ``place``, which appears whole or not at all; how many there are.

    The names say the class and count; nothing in them comes from the objects. Raises OSError, and BlobMissing and
    BlobDamaged of stored objects.
    """
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = place.with_suffix(".part")
    total, counts = len(exported.made) + len(exported.stored), dict[str, int]()
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as file:
            for done, (sop_class, content) in enumerate(_contents(archive, exported), 1):
                counts[sop_class] = counts.get(sop_class, 0) + 1
                name = f"{_folder(sop_class)}/{counts[sop_class]:05d}.dcm"
                file.writestr(zipfile.ZipInfo(name, _NO_DATE), content)
                tell(done, total)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
    return total


def forget_old(data: Path, now_s: float | None = None) -> int:
    """Remove files that are older than a day; how many."""
    oldest_s = (time.time() if now_s is None else now_s) - KEPT_S
    removed = 0
    for each in exports_folder(data).glob("*.*"):
        with contextlib.suppress(FileNotFoundError):  # somebody else was faster
            if each.stat().st_mtime < oldest_s:
                each.unlink()
                removed += 1
    return removed


def _contents(archive: Archive, exported: Exported) -> Iterator[tuple[str, bytes]]:
    for ds in exported.made:
        yield str(ds.SOPClassUID), encode(ds)
    for stored in exported.stored:
        yield stored.sop_class_uid, proved_file(archive, stored)


def _folder(sop_class_uid: str) -> str:
    name = STORAGE_CLASS_NAMES.get(sop_class_uid, "object").removesuffix(" Storage")
    return _PLAIN.sub("-", name.lower()).strip("-")
