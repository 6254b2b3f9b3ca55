"""One DICOM object, from the archive or a file."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import CannotTranscode, UnknownEntity, UnreadableObject
from radfuse.dicom import Transcoder
from radfuse.dicom.inflate import require_bounded
from radfuse.dicom.transcode import NATIVE
from radfuse.services.stored_objects import object_of, proved_file

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def object_named(archive: Archive | None, wanted: str | Path) -> Dataset:
    """A DICOM object of the archive, by its SOP Instance UID, or of a file; pixels as they are stored.

    Raises UnknownEntity, BlobDamaged, UnreadableObject, InflatedTooLarge and OSError.
    """
    if isinstance(wanted, Path):
        return _read(wanted)
    return _read(proved_file(*_kept(archive, wanted)))


def with_plain_pixels(archive: Archive | None, wanted: str | Path, ds: Dataset) -> Dataset:
    """The object ``ds``, which ``object_named`` gave, with pixels that are plain numbers: decoded where they must be.

    Raises UnreadableObject for pixels that cannot be decoded.
    """
    from radfuse.objects.common import read_native

    if str(ds.file_meta.get("TransferSyntaxUID", "")) in NATIVE:
        return ds
    path = wanted
    if isinstance(path, str):
        kept, stored = _kept(archive, path)
        path = kept.path_of(stored)
    try:
        with tempfile.TemporaryDirectory(prefix="radfuse-pixels-") as folder, Transcoder(children=1) as transcoder:
            return read_native(path, transcoder, Path(folder))
    except CannotTranscode as error:
        sentence = f"its pixels cannot be decoded ({error.reason}): have it sent in another transfer syntax"
        raise UnreadableObject(sentence) from error


def stored_data_set(archive: Archive, stored: StoredObject, *, pixels: bool = True) -> Dataset:
    """An object of the archive, proved to be what was stored.

    Raises BlobDamaged, UnreadableObject, InflatedTooLarge.
    """
    return _read(proved_file(archive, stored), pixels=pixels)


def _kept(archive: Archive | None, uid: str) -> tuple[Archive, StoredObject]:
    if archive is None:
        raise UnknownEntity("instance")
    return archive, object_of(archive, uid)


def _read(source: Path | bytes, *, pixels: bool = True) -> Dataset:
    from pydicom import dcmread

    require_bounded(source)
    try:
        return dcmread(BytesIO(source) if isinstance(source, bytes) else source, stop_before_pixels=not pixels)
    except OSError:
        raise
    except Exception as error:  # pydicom raises whatever comes while it parses a foreign file
        raise UnreadableObject("it is damaged, or no DICOM object") from error
