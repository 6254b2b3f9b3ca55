"""Resampled MR: signal in 16 bits (PS3.3 section C.8.3.1).

The MR Image IOD has no rescale. Whole numbers that fit are stored as they are. Others are scaled, which is
said twice: by a real world value map without unit (section C.7.6.1, what readers that keep to the IOD use),
and by Rescale Slope and Intercept, which scanners write as well and most readers apply.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from radfuse.core.errors import InvalidObject
from radfuse.objects.common import Code, code_sequence, new_object
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
from radfuse.objects.series.stored import Rescale, scaled
from radfuse.volume import Unit

SOP_CLASS: Final = "1.2.840.10008.5.1.4.1.1.4"

_NO_UNITS: Final = Code("1", "UCUM", "no units")
_TYPE_2: Final = (
    "ScanOptions", "MRAcquisitionType", "RepetitionTime", "EchoTime", "EchoTrainLength", "PatientPosition",
)  # fmt: skip
_FACTS: Final = (
    "AcquisitionDate", "AcquisitionTime", "AcquisitionNumber", "BodyPartExamined", "ContrastBolusAgent",
    "ContrastBolusRoute", "SequenceName", "AngioFlag", "NumberOfAverages", "ImagingFrequency", "ImagedNucleus",
    "EchoNumbers", "MagneticFieldStrength", "NumberOfPhaseEncodingSteps", "PercentSampling",
    "PercentPhaseFieldOfView", "PixelBandwidth", "FlipAngle", "VariableFlipAngleFlag", "SAR", "ReceiveCoilName",
    "TransmitCoilName", "ProtocolName", "TemporalPositionIdentifier", "NumberOfTemporalPositions",
    "DiffusionBValue",
)  # fmt: skip


def build(order: Order) -> Iterator[Dataset]:
    """One MR image for each slice."""
    if order.volume.unit not in (Unit.SIGNAL, Unit.STORED):
        raise InvalidObject((f"an MR series holds a signal, and the volume is in {order.volume.unit}",))
    voxels, grid = along_normal(order.volume)
    rescale = scaled(voxels)
    base = new_object(SOP_CLASS, "MR", order.sources[0], series=order.series, making=order.making)
    describe(base, order)
    base.ImageType = ["DERIVED", "SECONDARY", _kind(order)]
    copy_alike(base, order.sources, _FACTS, type_2=_TYPE_2)
    base.ScanningSequence = alike(order.sources, "ScanningSequence") or "RM"
    base.SequenceVariant = alike(order.sources, "SequenceVariant") or "NONE"
    if "IR" in str(base.ScanningSequence):  # in other sequences it must not be there
        copy_alike(base, order.sources, (), type_2=("InversionTime",))
    padding_of(base, rescale, order.padding)
    window_of(base, voxels)
    put(base, "SpacingBetweenSlices", f"{grid.spacing_mm[2]:.9g}")
    if rescale != Rescale():
        rescale_of(base, rescale)
        base.RescaleType = "US"
        base.RealWorldValueMappingSequence = Items([_map(rescale)])
    for index, ds in numbered(base, order, grid, Nearness(order.sources, grid)):
        pixels_of(ds, rescale.store(voxels[index]), rescale)
        yield ds


def _kind(order: Order) -> str:
    """Value 3 of Image Type: the sources' (section C.8.3.1.1.1)."""
    kinds = {str(source.ImageType[2]) for source in order.sources if len(source.get("ImageType") or ()) > 2}
    return kinds.pop() if len(kinds) == 1 else "OTHER"


def _map(rescale: Rescale) -> Dataset:
    item = Dataset()
    put(item, "RealWorldValueFirstValueMapped", -(1 << 15), "SS")
    put(item, "RealWorldValueLastValueMapped", (1 << 15) - 1, "SS")
    item.RealWorldValueSlope = rescale.slope
    item.RealWorldValueIntercept = rescale.intercept
    item.LUTExplanation = "signal"
    item.LUTLabel = "SIGNAL"
    item.MeasurementUnitsCodeSequence = code_sequence(_NO_UNITS)
    return item
