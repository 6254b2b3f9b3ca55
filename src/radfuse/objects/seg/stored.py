"""The stored pixels of a segmentation, frame by frame (PS3.5 section 8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from radfuse.core.errors import UnreadableObject
from radfuse.core.transfer_syntaxes import EXPLICIT_BIG, EXPLICIT_LITTLE
from radfuse.dicom.transcode import NATIVE
from radfuse.objects.common import Item


@dataclass(frozen=True, eq=False)
class StoredFrames:
    """Native Pixel Data with 1, 8 or 16 bits a pixel; bits run on from frame to frame without a gap."""

    data: bytes
    rows: int
    columns: int
    bits: int
    big_endian: bool = False

    def frame(self, index: int) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
        """The stored values of a frame, from 0: rows x columns."""
        size = self.rows * self.columns
        if self.bits == 1:
            first = index * size
            part = np.frombuffer(self.data, np.uint8, -(-(first + size) // 8) - first // 8, first // 8)
            values = np.unpackbits(part, bitorder="little")[first % 8 : first % 8 + size]
        else:
            kind = np.dtype(np.uint8 if self.bits == 8 else (">u2" if self.big_endian else "<u2"))
            values = np.frombuffer(self.data, kind, size, index * size * kind.itemsize)
        return values.reshape(self.rows, self.columns)


def stored_frames(ds: Dataset, frames: int) -> StoredFrames:
    """The pixels of ``ds``, checked to hold ``frames`` frames. Raises UnreadableObject."""
    item = Item(ds)
    rows, columns, bits = item.whole("Rows"), item.whole("Columns"), item.whole("BitsAllocated")
    if not rows or not columns or bits not in (1, 8, 16) or item.whole("SamplesPerPixel") not in (1, None):
        raise UnreadableObject("the segmentation does not say how its pixels are stored, or not as segments are")
    syntax = str(getattr(getattr(ds, "file_meta", None), "TransferSyntaxUID", EXPLICIT_LITTLE))
    if syntax not in NATIVE:
        raise UnreadableObject("its pixels are compressed: transcode it to Explicit VR Little Endian first")
    try:
        data = ds["PixelData"].value
    except Exception:  # not there, or of a VR that is none
        data = None
    if not isinstance(data, bytes) or len(data) * 8 < rows * columns * frames * bits:
        raise UnreadableObject("the pixel data are missing or shorter than the frames it announces: a damaged file")
    return StoredFrames(data, rows, columns, bits, big_endian=syntax == EXPLICIT_BIG)
