"""Objects as data sets whose pixels can be used as they are."""

from __future__ import annotations

from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from radfuse.core.errors import UnreadableObject
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.dicom import Transcoder
from radfuse.dicom.inflate import require_bounded
from radfuse.dicom.transcode import NATIVE


def read_native(path: Path, transcoder: Transcoder, scratch: Path) -> Dataset:
    """The object in the Part 10 file ``path``; compressed pixels are decoded in the transcoder's child process.

    ``scratch``: a folder for the time of decoding. Raises CannotTranscode, InflatedTooLarge, and UnreadableObject
    for a file that holds no data set (one cut off in compressed pixels reads as an empty one).
    """
    require_bounded(path)
    try:
        ds = dcmread(path, force=True)
        syntax = str(getattr(ds.file_meta, "TransferSyntaxUID", ""))
    except Exception as error:  # pydicom raises whatever comes while it parses a foreign file
        raise UnreadableObject("the file is damaged or no DICOM") from error
    if "SOPClassUID" not in ds:
        raise UnreadableObject("the file is damaged: nothing can be read from it")
    if syntax in NATIVE or "PixelData" not in ds:
        return ds
    plain = scratch / "native"
    try:
        transcoder.transcode(path, EXPLICIT_LITTLE, plain)
        native = dcmread(plain, force=True, defer_size=None)
    finally:
        plain.unlink(missing_ok=True)
    native.file_meta = FileMetaDataset()
    native.file_meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE)
    return native
