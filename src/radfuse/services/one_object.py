"""One DICOM object, from the archive or a file, and one region of several by its name."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from radfuse.archive import Archive, StoredObject, queries
from radfuse.core.errors import InvalidRegion, UnknownEntity, UnreadableObject
from radfuse.dicom import FileMeta, build_file_meta

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_T = TypeVar("_T")


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


def region_named(known: Sequence[tuple[str, int, _T]], name: str) -> _T:
    """The one of that name (whatever its case), or of that number where no name fits. Raises InvalidRegion."""
    fits = [one for label, _, one in known if label == name]
    fits = fits or [one for label, _, one in known if label.casefold() == name.casefold()]
    fits = fits or [one for _, number, one in known if str(number) == name]
    if len(fits) != 1:
        how_many = "more than one region has" if fits else f"none of its {len(known)} regions has"
        raise InvalidRegion(f"{how_many} that name; 'radfuse contour list' shows names and numbers")
    return fits[0]
