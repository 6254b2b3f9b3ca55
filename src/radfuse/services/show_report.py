"""A structured report, from a file or out of the archive, to be shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from radfuse.core.errors import UnknownEntity, UnreadableObject
from radfuse.core.uids import checked_uid
from radfuse.dicom import FileMeta, build_file_meta
from radfuse.objects.sr import Report, read_report

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
    from radfuse.archive import queries

    uid = checked_uid(sop_instance_uid, "SOP Instance UID")
    with archive.reading() as connection:
        found = queries.named(connection, [uid])
    if not found:
        raise UnknownEntity("instance")
    stored = found[0]
    _check_size(stored.size_bytes)
    with archive.open_object(stored) as opened:
        content = archive.read_verified(stored, opened)
    meta = FileMeta(stored.sop_class_uid, stored.sop_instance_uid, stored.transfer_syntax_uid)
    return read_report(build_file_meta(meta) + content)


def _check_size(size_bytes: int) -> None:
    if size_bytes > _MOST_BYTES:
        raise UnreadableObject("it is too large for a structured report")
