"""Captures read back: pictures, and the way they follow each other. Pixels must be little endian and not compressed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidGeometry, UnreadableObject
from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.objects.sc.model import Capture, CaptureClass


def read_capture(ds: Dataset) -> Capture:
    """The capture that a Secondary Capture object holds.

    Raises UnreadableObject for another class, compressed or too few pixels, and pixels that are neither
    grayscale nor RGB of 1, 8 or 16 bits.
    """
    if str(ds.get("SOPClassUID", "")) not in tuple(CaptureClass):
        raise UnreadableObject("it is no Secondary Capture")
    syntax = getattr(getattr(ds, "file_meta", None), "TransferSyntaxUID", None)
    if syntax is not None and (syntax.is_encapsulated or not syntax.is_little_endian):
        raise UnreadableObject("its pixels are compressed or big endian: transcode them to Explicit VR Little Endian")
    frames = _frames(ds)
    return Capture(
        frames,
        burned_in_annotation=str(ds.get("BurnedInAnnotation", "")) == "YES",
        frame_time_ms=_frame_time(ds),
        planes=_planes(ds, frames.shape),
        window=_window(ds),
        kind=str(ds.ImageType[2]) if len(ds.get("ImageType") or ()) > 2 else "",
        visual_features=str(ds.get("RecognizableVisualFeatures", "")) == "YES",
    )


def _frames(ds: Dataset) -> npt.NDArray[Any]:
    try:
        shape = (int(ds.get("NumberOfFrames") or 1), int(ds.Rows), int(ds.Columns))
        bits, samples = int(ds.BitsAllocated), int(ds.get("SamplesPerPixel") or 1)
        data, meaning = bytes(ds.PixelData), str(ds.PhotometricInterpretation)
    except (AttributeError, TypeError, ValueError) as error:
        raise UnreadableObject("its pixels are not described, or not there") from error
    if (samples, meaning) not in ((1, "MONOCHROME2"), (3, "RGB")) or bits not in (1, 8, 16) or samples * bits > 24:
        raise UnreadableObject(f"its pixels are {meaning} of {bits} bits, which captures are not read from")
    count = int(np.prod(shape)) * samples
    if min(shape) < 1 or len(data) < (count * bits + 7) // 8:
        raise UnreadableObject("it has fewer pixels than it says")
    if bits == 1:
        unpacked = np.unpackbits(np.frombuffer(data, np.uint8), count=count, bitorder="little")
        return unpacked.astype(np.bool_).reshape(shape)
    values: npt.NDArray[Any] = np.frombuffer(data, np.uint8 if bits == 8 else np.dtype("<u2"), count=count)
    values = values.astype(values.dtype.newbyteorder("="))
    if samples == 1:
        return values.reshape(shape)
    if int(ds.get("PlanarConfiguration") or 0) == 1:
        return np.moveaxis(values.reshape(shape[0], 3, *shape[1:]), 1, -1)
    return values.reshape(*shape, 3)


def _frame_time(ds: Dataset) -> float | None:
    try:
        time = float(ds.get("FrameTime") or 0)
    except ValueError:
        return None
    return time if time > 0 else None


def _window(ds: Dataset) -> tuple[float, float] | None:
    centre, width = ds.get("WindowCenter"), ds.get("WindowWidth")
    if centre is None or width is None or hasattr(centre, "__iter__") or hasattr(width, "__iter__"):
        return None
    return float(centre), float(width)


def _planes(ds: Dataset, shape: tuple[int, ...]) -> tuple[Grid, ...]:
    """The planes of all frames; none when one of them is not said, or makes no sense."""
    frame = FrameOfReference(str(ds.get("FrameOfReferenceUID", "") or ""))
    shared = next(iter(ds.get("SharedFunctionalGroupsSequence") or ()), Dataset())
    groups = list(ds.get("PerFrameFunctionalGroupsSequence") or ())
    try:
        if groups and len(groups) == shape[0]:
            return tuple(_grouped(group, shared, shape, frame) for group in groups)
        return (_grid(ds, ds, ds, shape, frame),) if "ImagePositionPatient" in ds and shape[0] == 1 else ()
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, InvalidGeometry):
        return ()


def _grouped(group: Dataset, shared: Dataset, shape: tuple[int, ...], frame: FrameOfReference) -> Grid:
    names = ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
    position, orientation, measures = ((group.get(name) or shared[name].value)[0] for name in names)
    return _grid(position, orientation, measures, shape, frame)


def _grid(
    position: Dataset, orientation: Dataset, measures: Dataset, shape: tuple[int, ...], frame: FrameOfReference
) -> Grid:
    cosines = np.array(orientation.ImageOrientationPatient, dtype=np.float64)
    down, across = (float(part) for part in measures.PixelSpacing)
    thickness = float(measures.get("SliceThickness") or 1.0)
    row, column = cosines[:3], cosines[3:]
    linear = np.stack((row * across, column * down, np.cross(row, column) * thickness), axis=1)
    affine = Affine.of(linear, np.array(position.ImagePositionPatient, dtype=np.float64))
    return Grid((1, shape[1], shape[2]), affine, frame)
