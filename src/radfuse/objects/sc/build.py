"""Captures as Secondary Capture objects (PS3.3 sections A.8 and C.8.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from radfuse import __version__
from radfuse.core.errors import InvalidObject
from radfuse.objects.common import (
    Code,
    Making,
    NewSeries,
    Provenance,
    add_provenance,
    code_sequence,
    codes,
    decimal,
    new_object,
    reference_to,
)
from radfuse.objects.sc.model import Capture, CaptureClass
from radfuse.objects.sc.planes import add_frame_groups, add_plane

_FRAME_TIME: Final = 0x0018_1063
_PAGE_NUMBERS: Final = 0x0018_2001
_GRAYSCALE: Final = (CaptureClass.GRAYSCALE_BYTE, CaptureClass.GRAYSCALE_WORD)


def build_capture(
    capture: Capture,
    sources: Sequence[Dataset],
    series: NewSeries,
    provenance: Provenance,
    making: Making,
    *,
    single: bool = False,
    derivation: Code | None = None,
) -> Dataset:
    """A capture as one object: of a multi-frame class (7.1 to 7.4), or with ``single`` of the single-frame class (7).

    ``sources``: the images that were shown, without pixels, at least one; patient and study are those of the first.
    ``derivation``: how the picture was made (CID 7203), as maximum intensity projection.

    Raises InvalidObject for no source, for ``single`` with several frames, words or truth values, and for planes
    of several frames of reference or of truth values. Raises InvalidGeometry for planes in an unknown frame.
    """
    if not sources:
        raise InvalidObject(("a capture needs the images it was made from",))
    kind = CaptureClass.SINGLE if single else capture.multi_frame_class
    if single and (len(capture.frames) != 1 or capture.frames.dtype != np.uint8):
        raise InvalidObject(("a single-frame capture holds one frame of bytes or RGB",))
    if capture.planes and kind is CaptureClass.SINGLE_BIT:
        raise InvalidObject(("a capture of single bits has no place for a geometry: capture bytes",))
    ds = new_object(kind, "OT", sources[0], series=series, making=making)
    ds.ImageType = ["DERIVED", "SECONDARY", *([capture.kind] if capture.kind else [])]
    _add_source(ds, sources, provenance, derivation)
    _add_equipment(ds)
    ds.BurnedInAnnotation = "YES" if capture.burned_in_annotation else "NO"
    ds.RecognizableVisualFeatures = "YES" if capture.visual_features else "NO"
    _add_pixels(ds, capture)
    if kind is CaptureClass.SINGLE:
        if capture.planes:
            add_plane(ds, capture.planes[0])
    else:
        _add_frames(ds, capture, kind)
    if not capture.planes:
        ds.PatientOrientation = ""
    add_provenance(ds, provenance, making)
    return ds


def _add_source(ds: Dataset, sources: Sequence[Dataset], provenance: Provenance, derivation: Code | None) -> None:
    """What it was made of, and how (C.7.6.1.1.3, C.7.6.1.1.4); what was lost before stays lost (C.7.6.1.1.5)."""
    ds.DerivationDescription = provenance.sentence()
    if derivation:
        ds.DerivationCodeSequence = code_sequence(derivation)
    ds.SourceImageSequence = Items([reference_to(source).item(codes.SOURCE_IMAGE) for source in sources])
    lossy = [source for source in sources if str(source.get("LossyImageCompression", "")) == "01"]
    ds.LossyImageCompression = "01" if lossy else "00"
    if lossy:
        ds.LossyImageCompressionRatio = lossy[0].get("LossyImageCompressionRatio") or "1"
        ds.LossyImageCompressionMethod = lossy[0].get("LossyImageCompressionMethod") or "ISO_10918_1"


def _add_equipment(ds: Dataset) -> None:
    """SC Equipment and SC Image modules (C.8.6.1, C.8.6.2)."""
    ds.ConversionType = "WSD"
    ds.SecondaryCaptureDeviceManufacturer = "Radfuse"
    ds.SecondaryCaptureDeviceManufacturerModelName = "Radfuse"
    ds.SecondaryCaptureDeviceSoftwareVersions = __version__
    ds.DateOfSecondaryCapture = ds.ContentDate
    ds.TimeOfSecondaryCapture = ds.ContentTime


def _add_pixels(ds: Dataset, capture: Capture) -> None:
    frames = capture.frames
    bits = {np.dtype(np.bool_): 1, np.dtype(np.uint8): 8, np.dtype(np.uint16): 16}[frames.dtype]
    ds.SamplesPerPixel = 3 if capture.is_colour else 1
    ds.PhotometricInterpretation = "RGB" if capture.is_colour else "MONOCHROME2"
    if capture.is_colour:
        ds.PlanarConfiguration = 0
    ds.Rows, ds.Columns = frames.shape[1:3]
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit = bits - 1
    ds.PixelRepresentation = 0
    data = _bytes(frames)
    ds.add_new(0x7FE0_0010, "OW" if bits == 16 else "OB", data + b"\0" * (len(data) % 2))


def _bytes(frames: Any) -> bytes:
    """Pixels as PS3.5 section 8.1.1 and Annex D put them: single bits from the lowest, across frames."""
    if frames.dtype == np.bool_:
        return np.packbits(np.ascontiguousarray(frames).reshape(-1), bitorder="little").tobytes()
    return bytes(np.ascontiguousarray(frames, dtype=frames.dtype.newbyteorder("<")).tobytes())


def _add_frames(ds: Dataset, capture: Capture, kind: CaptureClass) -> None:
    """Multi-frame, Cine, SC Multi-frame Image and Vector modules (C.7.6.5, C.7.6.6, C.8.6.3, C.8.6.4)."""
    ds.NumberOfFrames = len(capture.frames)
    if len(capture.frames) == 1:
        pass  # nothing follows: Frame Increment Pointer is of type 1C here
    elif capture.frame_time_ms is not None:
        ds.FrameIncrementPointer = _FRAME_TIME
        ds.FrameTime = decimal(capture.frame_time_ms, 3)
        rate = max(1, round(1000 / capture.frame_time_ms))
        ds.RecommendedDisplayFrameRate = ds.CineRate = rate
    else:
        ds.FrameIncrementPointer = _PAGE_NUMBERS
        ds.PageNumberVector = list(range(1, len(capture.frames) + 1))
    if kind in _GRAYSCALE:
        ds.PresentationLUTShape = "IDENTITY"
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
        if capture.window is not None:
            ds.WindowCenter, ds.WindowWidth = (decimal(part, 4) for part in capture.window)
    if capture.planes:
        add_frame_groups(ds, capture.planes)
