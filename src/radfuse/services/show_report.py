"""A structured report, from a file or out of the archive, to be shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from radfuse.core.errors import UnreadableObject
from radfuse.core.uids import checked_uid
from radfuse.objects.sr import Report, read_report
from radfuse.services.stored_objects import object_of, proved_file

if TYPE_CHECKING:
    from radfuse.archive import Archive

_MOST_BYTES: Final = 256 * 1024 * 1024
"""No report is larger: what is, holds images."""


def report_in_file(path: Path) -> Report:
    """The report in a DICOM file. Raises UnreadableObject for what is no structured report, OSError."""
    _check_size(path.stat().st_size)
    return read_report(path.read_bytes())


def stored_report(archive: Archive, sop_instance_uid: str) -> Report:
    """The report that the archive keeps. Raises InvalidUID, UnknownEntity, UnreadableObject, BlobDamaged."""
    stored = object_of(archive, checked_uid(sop_instance_uid, "SOP Instance UID"))
    _check_size(stored.size_bytes)
    return read_report(proved_file(archive, stored))


def _check_size(size_bytes: int) -> None:
    if size_bytes > _MOST_BYTES:
        raise UnreadableObject("it is too large for a structured report")
