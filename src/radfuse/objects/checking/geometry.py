"""Whether positions, orientations, spacings and pixel data make sense together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from radfuse.objects.checking.model import Fault, Path, is_empty

_TOLERANCE: Final = 1e-3
"""As much as an orientation of 16 characters a number may be off, and more."""

_SPACINGS: Final = ("PixelSpacing", "SliceThickness", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
_FLOATS: Final = (("FloatPixelData", 4), ("DoubleFloatPixelData", 8))


def wrong_geometry(ds: Dataset) -> Iterator[Fault]:
    """Faults of planes at the top level, in functional groups and detectors, of contours and of pixel data."""
    yield from _planes(ds, ())
    for sequence in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for number, group in enumerate(ds.get(sequence) or (), start=1):
            for inner in ("PixelMeasuresSequence", "PlaneOrientationSequence"):
                for item in group.get(inner) or ():
                    yield from _planes(item, (_tag(sequence), f"[{number}]", _tag(inner), "[1]"))
    for number, detector in enumerate(ds.get("DetectorInformationSequence") or (), start=1):
        yield from _planes(detector, (_tag("DetectorInformationSequence"), f"[{number}]"))
    yield from _contours(ds)
    if "Rows" in ds:
        yield from _pixels(ds)


def _tag(keyword: str) -> int:
    return tag_for_keyword(keyword) or 0


def _numbers(ds: Dataset, keyword: str) -> Sequence[float]:
    value: Any = ds.get(keyword)
    if is_empty(value):
        return ()
    many = hasattr(value, "__iter__") and not isinstance(value, str)
    try:
        return [float(part) for part in (value if many else [value])]
    except ValueError:  # values.py says so
        return ()


def _planes(ds: Dataset, path: Path) -> Iterator[Fault]:
    orientation = _numbers(ds, "ImageOrientationPatient")
    if len(orientation) == 6:
        row, column = orientation[:3], orientation[3:]
        lengths = [math.sqrt(sum(part * part for part in vector)) for vector in (row, column)]
        angle = sum(a * b for a, b in zip(row, column, strict=True))
        if not (max(abs(length - 1) for length in lengths) < _TOLERANCE and abs(angle) < _TOLERANCE):
            sentence = "its two directions must be unit vectors at a right angle"
            yield Fault((*path, _tag("ImageOrientationPatient")), "geometry", sentence)
    for keyword in _SPACINGS:
        if any(not (math.isfinite(part) and part > 0) for part in _numbers(ds, keyword)):
            yield Fault((*path, _tag(keyword)), "geometry", "a distance must be more than 0")
    if not all(map(math.isfinite, _numbers(ds, "ImagePositionPatient"))):
        yield Fault((*path, _tag("ImagePositionPatient")), "geometry", "a position must be finite")


def _contours(ds: Dataset) -> Iterator[Fault]:
    for roi, item in enumerate(ds.get("ROIContourSequence") or (), start=1):
        for number, contour in enumerate(item.get("ContourSequence") or (), start=1):
            data = contour.get("ContourData")
            if data is None or len(data) != 3 * int(contour.get("NumberOfContourPoints", 0) or 0):
                path = (_tag("ROIContourSequence"), f"[{roi}]", _tag("ContourSequence"), f"[{number}]")
                sentence = "it needs three numbers for each of its points"
                yield Fault((*path, _tag("ContourData")), "geometry", sentence)


def _int(ds: Dataset, keyword: str, default: int = 0) -> int:
    value = ds.get(keyword)
    return default if is_empty(value) else int(value)


def _pixels(ds: Dataset) -> Iterator[Fault]:
    allocated, stored = _int(ds, "BitsAllocated"), _int(ds, "BitsStored")
    if stored > allocated or (stored and _int(ds, "HighBit") != stored - 1):
        yield Fault((_tag("BitsStored"),), "pixels", "bits allocated, bits stored and high bit do not fit together")
    for keyword in ("Rows", "Columns"):
        if keyword in ds and _int(ds, keyword) < 1:
            yield Fault((_tag(keyword),), "pixels", "it must be more than 0")
    if any(slope == 0 for slope in _numbers(ds, "RescaleSlope")):
        yield Fault((_tag("RescaleSlope"),), "pixels", "a slope of 0 loses every value")
    if any(width < 1 for width in _numbers(ds, "WindowWidth")) and ds.get("VOILUTFunction", "LINEAR") == "LINEAR":
        yield Fault((_tag("WindowWidth"),), "pixels", "a linear window must be 1 or more wide (C.11.2.1.2)")
    values = _int(ds, "Rows") * _int(ds, "Columns") * _int(ds, "SamplesPerPixel", 1) * _int(ds, "NumberOfFrames", 1)
    yield from _length(ds, "PixelData", values, allocated)
    for keyword, size in _FLOATS:
        yield from _length(ds, keyword, values, 8 * size)


def _length(ds: Dataset, keyword: str, values: int, bits: int) -> Iterator[Fault]:
    data = ds.get(keyword)
    if is_empty(data) or _is_encapsulated(ds):
        return
    needed = (values * bits + 7) // 8
    if len(data) not in (needed, needed + needed % 2):
        sentence = f"it has {len(data)} bytes, and the image needs {needed}"
        yield Fault((_tag(keyword),), "pixels", sentence)


def _is_encapsulated(ds: Dataset) -> bool:
    syntax = getattr(getattr(ds, "file_meta", None), "TransferSyntaxUID", None)
    return bool(syntax is not None and syntax.is_encapsulated)
