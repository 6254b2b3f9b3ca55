"""Resampled CT: HU in 16 bits (PS3.3 section C.8.2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidObject
from radfuse.objects.common import new_object
from radfuse.objects.series.copied import alike, copy_alike, put
from radfuse.objects.series.slices import (
    Nearness,
    Order,
    along_normal,
    describe,
    numbered,
    padding_of,
    pixels_of,
    rescale_of,
    window_of,
)
from radfuse.objects.series.stored import whole
from radfuse.volume import Unit

SOP_CLASS: Final = "1.2.840.10008.5.1.4.1.1.2"

_FACTS: Final = (
    "AcquisitionDate", "AcquisitionTime", "BodyPartExamined", "PatientPosition", "ContrastBolusAgent",
    "ContrastBolusRoute", "ContrastBolusVolume", "ScanOptions", "ConvolutionKernel", "FilterType", "ExposureTime",
    "XRayTubeCurrent", "Exposure", "FocalSpots", "GeneratorPower", "DistanceSourceToDetector",
    "DistanceSourceToPatient", "RotationDirection", "ReconstructionDiameter", "DataCollectionDiameter",
    "ProtocolName", "SpiralPitchFactor", "SingleCollimationWidth", "TotalCollimationWidth",
)  # fmt: skip
_WINDOW: Final = ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation")


def build(order: Order) -> Iterator[Dataset]:
    """One CT image for each slice."""
    if order.volume.unit is not Unit.HU:
        raise InvalidObject((f"a CT series holds HU, and the volume is in {order.volume.unit}",))
    voxels, grid = along_normal(order.volume)
    rescale = whole(voxels)
    base = new_object(SOP_CLASS, "CT", order.sources[0], series=order.series, making=order.making)
    describe(base, order)
    base.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    copy_alike(base, order.sources, _FACTS, type_2=("KVP", "AcquisitionNumber", "PatientPosition"))
    rescale_of(base, rescale)
    base.RescaleType = "HU"
    padding_of(base, rescale, order.padding)
    if alike(order.sources, "WindowCenter") is not None and alike(order.sources, "WindowWidth") is not None:
        copy_alike(base, order.sources, _WINDOW)
    else:
        window_of(base, voxels)
    put(base, "SpacingBetweenSlices", f"{grid.spacing_mm[2]:.9g}")
    for index, ds in numbered(base, order, grid, Nearness(order.sources, grid)):
        pixels_of(ds, rescale.store(voxels[index]), rescale)
        yield ds
