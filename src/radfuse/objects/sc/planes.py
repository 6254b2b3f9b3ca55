"""Where captured frames lie in the patient (PS3.3 sections C.7.6.2 and C.7.6.16)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from radfuse.core.errors import InvalidGeometry, InvalidObject
from radfuse.geometry import Grid
from radfuse.objects.common import decimal

_LETTERS: Final = (("R", "L"), ("A", "P"), ("F", "H"))
_LEAST_COSINE: Final = 1e-4


def add_plane(ds: Dataset, plane: Grid) -> None:
    """The Image Plane and Frame of Reference modules of a single frame."""
    _add_frame_of_reference(ds, plane)
    ds.ImagePositionPatient = _position(plane)
    ds.ImageOrientationPatient = _orientation(plane)
    ds.PixelSpacing = _spacing(plane)
    ds.SliceThickness = decimal(plane.spacing_mm[2], 9)


def add_frame_groups(ds: Dataset, planes: Sequence[Grid]) -> None:
    """Functional groups with the plane of each frame."""
    if any(plane.frame.uid != planes[0].frame.uid for plane in planes):
        raise InvalidObject(("the frames of a capture lie in one frame of reference",))
    _add_frame_of_reference(ds, planes[0])
    shared = Dataset()
    spacings = {(tuple(_spacing(plane)), decimal(plane.spacing_mm[2], 9)) for plane in planes}
    if len(spacings) == 1:
        shared.PixelMeasuresSequence = Items([_measures(planes[0])])
    ds.SharedFunctionalGroupsSequence = Items([shared])
    frames = []
    for plane in planes:
        frame = Dataset()
        position, orientation = Dataset(), Dataset()
        position.ImagePositionPatient = _position(plane)
        orientation.ImageOrientationPatient = _orientation(plane)
        frame.PlanePositionSequence = Items([position])
        frame.PlaneOrientationSequence = Items([orientation])
        if len(spacings) > 1:
            frame.PixelMeasuresSequence = Items([_measures(plane)])
        frames.append(frame)
    ds.PerFrameFunctionalGroupsSequence = Items(frames)


def _add_frame_of_reference(ds: Dataset, plane: Grid) -> None:
    if not plane.frame.is_known:
        raise InvalidGeometry("the plane has no frame of reference: write the capture without a geometry")
    if plane.is_sheared:
        raise InvalidGeometry("the plane of a capture must have its axes at right angles")
    ds.FrameOfReferenceUID = plane.frame.uid
    ds.PositionReferenceIndicator = ""
    ds.PatientOrientation = [_letters(plane.directions[:, 0]), _letters(plane.directions[:, 1])]


def _letters(direction: npt.NDArray[np.float64]) -> str:
    """Where a direction points, by letters, the nearest first (C.7.6.1.1.1)."""
    order = sorted(range(3), key=lambda axis: -abs(float(direction[axis])))
    return "".join(_LETTERS[axis][int(direction[axis] > 0)] for axis in order if abs(direction[axis]) > _LEAST_COSINE)


def _position(plane: Grid) -> list[str]:
    return [decimal(float(part)) for part in plane.origin_mm]


def _orientation(plane: Grid) -> list[str]:
    return [decimal(float(part), 13) for part in (*plane.directions[:, 0], *plane.directions[:, 1])]


def _spacing(plane: Grid) -> list[str]:
    across, down, _ = plane.spacing_mm
    return [decimal(down, 9), decimal(across, 9)]


def _measures(plane: Grid) -> Dataset:
    measures = Dataset()
    measures.PixelSpacing = _spacing(plane)
    measures.SliceThickness = decimal(plane.spacing_mm[2], 9)
    return measures
