"""Made-up images for the codec and transcoder tests: Part 10 files of every shape, written with pydicom."""

from __future__ import annotations

import io
from collections.abc import Sequence as Values
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID, RLELossless

from radfuse.dicom.codecs.base import PixelDescription

Samples = npt.NDArray[Any]

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
BASELINE = "1.2.840.10008.1.2.4.50"
EXTENDED = "1.2.840.10008.1.2.4.51"
LOSSLESS = "1.2.840.10008.1.2.4.57"
LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
J2K_LOSSLESS = "1.2.840.10008.1.2.4.90"
J2K = "1.2.840.10008.1.2.4.91"
RLE = "1.2.840.10008.1.2.5"
NATIVE = (IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN)


@dataclass(frozen=True)
class Kind:
    """One shape of image; ``bits`` are stored in ``allocated``."""

    bits: int
    allocated: int
    signed: bool = False
    colour: str = "MONOCHROME2"
    frames: int = 1
    rows: int = 21
    columns: int = 17

    @property
    def samples(self) -> int:
        """Samples per Pixel."""
        return 1 if self.colour in ("MONOCHROME2", "PALETTE COLOR") else 3

    def description(self) -> PixelDescription:
        """The same as codecs see it."""
        return PixelDescription(
            rows=self.rows,
            columns=self.columns,
            samples=self.samples,
            frames=self.frames,
            bits_allocated=self.allocated,
            bits_stored=self.bits,
            high_bit=self.bits - 1,
            signed=self.signed,
            photometric=self.colour,
            planar=0,
        )

    def pixels(self, seed: int = 1) -> Samples:
        """(frames, rows, columns[, samples]), smooth with noise, using every bit."""
        shape = (self.frames, self.rows, self.columns) + ((3,) if self.samples == 3 else ())
        low = -(1 << self.bits - 1) if self.signed else 0
        high = low + (1 << self.bits) - 1
        values = np.linspace(low, high, int(np.prod(shape))).reshape(shape)
        noise = np.random.default_rng(seed).integers(-2, 3, shape)
        width = max(self.allocated, 8) // 8
        return np.clip(values + noise, low, high).astype(f"{'i' if self.signed else 'u'}{width}")


def data_set(kind: Kind, pixels: Samples) -> Dataset:
    """An object with text in an unusual character set, private and nested elements, and these pixels."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 144"
    ds.SOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7.3")
    ds.SOPInstanceUID = UID("2.25.4242.1")
    ds.PatientName = "\N{CYRILLIC CAPITAL LETTER EF}^\N{CYRILLIC CAPITAL LETTER ZHE}"
    ds.PatientID = "T1"
    ds.LossyImageCompression = "00"
    inner = Dataset()
    inner.CodeValue = "abc"
    inner.add_new(0x00091001, "UN", b"\x01\x02\x03\x04")
    ds.AnatomicRegionSequence = Sequence([inner, Dataset()])
    private = ds.private_block(0x0011, "RADFUSE TEST", create=True)
    private.add_new(0x01, "LO", "kept")
    private.add_new(0x02, "SQ", [inner])
    ds.SamplesPerPixel = kind.samples
    ds.PhotometricInterpretation = kind.colour
    if kind.samples == 3:
        ds.PlanarConfiguration = 0
    if kind.frames > 1:
        ds.NumberOfFrames = kind.frames
    ds.Rows, ds.Columns = kind.rows, kind.columns
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = kind.allocated, kind.bits, kind.bits - 1
    ds.PixelRepresentation = int(kind.signed)
    ds.add_new(0x00280106, "SS" if kind.signed else "US", -3 if kind.signed else 3)
    if kind.allocated == 1:
        data = np.packbits(pixels.reshape(-1), bitorder="little").tobytes()
    else:
        data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    ds.add_new(0x7FE00010, "OB" if kind.allocated <= 8 else "OW", data + bytes(len(data) & 1))
    return ds


def write(path: Path, ds: Dataset, syntax: str = EXPLICIT) -> Path:
    """Write ``ds``, which holds little endian pixels, as a Part 10 file."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta = meta
    data = ds.PixelData
    if syntax == BIG_ENDIAN and ds.BitsAllocated == 16:
        ds.PixelData = np.frombuffer(data, "<u2").byteswap().tobytes()
    dcmwrite(path, ds, enforce_file_format=True)
    ds.PixelData = data
    return path


def write_encapsulated(path: Path, ds: Dataset, frames: Values[bytes], syntax: str, *, has_bot: bool = True) -> Path:
    """Write ``ds`` with compressed ``frames`` in place of its pixels."""
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.PixelData = encapsulate(list(frames), has_bot=has_bot)
    return write(path, ds, syntax)


def foreign_stream(frame: Samples, kind: Kind, syntax: str) -> bytes:
    """One frame compressed by another program's encoder, for the syntaxes that we only read."""
    if syntax == BASELINE:
        return bytes(imagecodecs.jpeg8_encode(frame, level=95))
    if syntax == EXTENDED:
        return bytes(imagecodecs.jpeg8_encode(frame, level=95, bitspersample=kind.bits))
    if syntax == J2K:
        return bytes(imagecodecs.jpeg2k_encode(frame, level=40, codecformat="J2K", bitspersample=kind.bits))
    if syntax == JPEG_LS:
        return bytes(imagecodecs.jpegls_encode(frame))
    ds = data_set(kind, frame)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    ds.compress(RLELossless, generate_instance_uid=False)
    return next(generate_frames(ds.PixelData, number_of_frames=1))


def read_result(path: Path, syntax: str) -> Dataset:
    """A bare data set, read by pydicom."""
    return dcmread(io.BytesIO(bytes(128) + b"DICM" + _meta(syntax) + path.read_bytes()))


def _meta(syntax: str) -> bytes:
    value = syntax.encode("ascii") + b"\0" * (len(syntax) & 1)
    return b"\x02\x00\x10\x00UI" + len(value).to_bytes(2, "little") + value


def with_meta(path: Path, syntax: str, destination: Path) -> Path:
    """A bare data set as a Part 10 file for other programs."""
    meta = _meta(syntax)
    length = b"\x02\x00\x00\x00UL\x04\x00" + len(meta).to_bytes(4, "little")
    destination.write_bytes(bytes(128) + b"DICM" + length + meta + path.read_bytes())
    return destination
