"""Resampled NM: one multi-frame RECON TOMO image (PS3.3 section C.8.4).

Slices lie along row x column, so Spacing Between Slices is positive (section C.8.4.15); where the first lies is
said by the detector (section C.8.4.11). Whole counts that fit are stored as they are. Others are scaled by
Rescale Slope, which the IOD does not have but scanners write and readers apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from radfuse.core.errors import InvalidObject
from radfuse.geometry import Grid
from radfuse.objects.common import decimal, new_object
from radfuse.objects.series.copied import copy_alike, put
from radfuse.objects.series.slices import (
    Nearness,
    Order,
    along_normal,
    cosines_of,
    describe,
    pixels_of,
    rescale_of,
    window_of,
)
from radfuse.objects.series.stored import Rescale, counts
from radfuse.volume import Unit

SOP_CLASS: Final = "1.2.840.10008.5.1.4.1.1.20"

_SLICE_VECTOR: Final = 0x0054_0080
_TYPE_2: Final = (
    "PatientOrientationCodeSequence", "PatientGantryRelationshipCodeSequence", "EnergyWindowInformationSequence",
    "RadiopharmaceuticalInformationSequence", "RotationInformationSequence", "CountsAccumulated",
)  # fmt: skip
_FACTS: Final = (
    "AcquisitionDate", "AcquisitionTime", "BodyPartExamined", "ProtocolName",
    "ReconstructionMethod", "CorrectedImage", "ConvolutionKernel", "AcquisitionContextSequence",
)  # fmt: skip
_OF_ROTATION: Final = (
    "RotationDirection", "ScanArc", "AngularStep", "ActualFrameDuration", "NumberOfFramesInRotation", "StartAngle",
)  # fmt: skip
_OF_DETECTOR: Final = ("CollimatorGridName", "CollimatorType", "FieldOfViewShape", "FieldOfViewDimensions")


def build(order: Order) -> Iterator[Dataset]:
    """The one image of all slices."""
    if order.volume.unit not in (Unit.COUNTS, Unit.STORED, Unit.BQML):
        raise InvalidObject((f"an NM image holds counts, and the volume is in {order.volume.unit}",))
    voxels, grid = along_normal(order.volume)
    rescale = counts(voxels)
    ds = new_object(SOP_CLASS, "NM", order.sources[0], series=order.series, making=order.making)
    describe(ds, order)
    ds.SourceImageSequence = Nearness(order.sources, grid).everything
    ds.ImageType = ["DERIVED", "PRIMARY", "RECON TOMO", "EMISSION"]
    copy_alike(ds, order.sources, _FACTS, type_2=_TYPE_2)
    _rotations(ds)
    _frames(ds, grid)
    ds.DetectorInformationSequence = Items([_detector(order.sources, grid)])
    if rescale != Rescale(signed=False):
        rescale_of(ds, rescale)
    window_of(ds, voxels)
    pixels_of(ds, rescale.store(voxels), rescale)
    yield ds


def _frames(ds: Dataset, grid: Grid) -> None:
    """Multi-frame, NM Multi-frame and NM Reconstruction modules (C.7.6.6, C.8.4.8, C.8.4.15)."""
    across, down, through = grid.spacing_mm
    ds.NumberOfFrames = ds.NumberOfSlices = grid.shape[0]
    ds.FrameIncrementPointer = _SLICE_VECTOR
    ds.NumberOfEnergyWindows = ds.NumberOfDetectors = 1
    ds.SliceVector = list(range(1, grid.shape[0] + 1))
    ds.PixelSpacing = [decimal(down, 9), decimal(across, 9)]
    put(ds, "SliceThickness", decimal(through, 9))
    put(ds, "SpacingBetweenSlices", decimal(through, 9))


def _rotations(ds: Dataset) -> None:
    """NM TOMO Acquisition module (C.8.4.10): items that say how the detectors moved; none where one is incomplete."""
    items = list(ds.RotationInformationSequence or ())
    if not all(keyword in item for item in items for keyword in _OF_ROTATION):
        items = []
    ds.RotationInformationSequence = Items(items)
    ds.NumberOfRotations = max(1, len(items))


def _detector(sources: Sequence[Dataset], grid: Grid) -> Dataset:
    """NM Detector module (C.8.4.11): of the first source's detector what still holds, and our plane."""
    found: Any = sources[0].get("DetectorInformationSequence") or (Dataset(),)
    item = Dataset()
    copy_alike(item, (found[0],), _OF_DETECTOR, type_2=("CollimatorType", "FocalDistance"))
    item.ImagePositionPatient = [decimal(part) for part in grid.to_patient.apply(np.zeros(3))]
    item.ImageOrientationPatient = cosines_of(grid)
    return item
