"""DICOM objects with regions, from the archive or a file."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from radfuse.archive import Archive, StoredObject, queries
from radfuse.core.errors import UnknownEntity, UnreadableObject
from radfuse.dicom import FileMeta, build_file_meta

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def object_named(archive: Archive | None, wanted: str | Path) -> Dataset:
    """A DICOM object of the archive, by its SOP Instance UID, or of a file.

    Raises UnknownEntity, BlobDamaged, UnreadableObject and OSError.
    """
    if isinstance(wanted, Path):
        return _read(wanted)
    if archive is None:
        raise UnknownEntity("instance")
    with archive.reading() as connection:
        found = queries.named(connection, [wanted])
    if not found:
        raise UnknownEntity("instance")
    return stored_data_set(archive, found[0])


def stored_data_set(archive: Archive, stored: StoredObject, *, pixels: bool = True) -> Dataset:
    """An object of the archive, proved to be what was stored. Raises BlobDamaged, UnreadableObject."""
    with archive.open_object(stored) as opened:
        content = archive.read_verified(stored, opened)
    meta = FileMeta(stored.sop_class_uid, stored.sop_instance_uid, stored.transfer_syntax_uid)
    return _read(BytesIO(build_file_meta(meta) + content), pixels=pixels)


def _read(source: Path | BytesIO, *, pixels: bool = True) -> Dataset:
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        return dcmread(source, stop_before_pixels=not pixels)
    except (InvalidDicomError, EOFError) as error:
        raise UnreadableObject("it is no DICOM object") from error
