"""Resampled PET: a slope for each slice, no intercept, and everything that SUV are computed from (C.8.9).

The voxels stay what they are, decay-corrected to the same time. So Series Date and Time, which are that time
where Decay Correction is START, are the sources'. Acquisition time, frame reference time, frame duration and
decay factor belong together; they are those of the source image nearest to the slice, or of the one acquired
first where planes cannot be compared. Images that are not corrected for decay must have one acquisition time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidObject
from radfuse.objects.common import new_object
from radfuse.objects.series.copied import alike, copy_alike, copy_from, put
from radfuse.objects.series.slices import (
    Nearness,
    Order,
    along_normal,
    describe,
    numbered,
    pixels_of,
    rescale_of,
    window_of,
)
from radfuse.objects.series.stored import proportional
from radfuse.volume import Unit

SOP_CLASS: Final = "1.2.840.10008.5.1.4.1.1.128"

_UNITS: Final[Mapping[Unit, tuple[str, str]]] = {
    Unit.BQML: ("BQML", ""),
    Unit.COUNTS: ("CNTS", ""),
    Unit.SUV_BW: ("GML", "BW"),
    Unit.SUV_LBM_JAMES: ("GML", "LBMJAMES128"),
    Unit.SUV_LBM_MORGAN: ("GML", "LBM"),
    Unit.SUV_LBM_JANMA: ("GML", "LBMJANMA"),
    Unit.SUV_IBW: ("GML", "IBW"),
    Unit.SUV_BSA: ("CM2ML", "BSA"),
}
"""Unit to Units and SUV Type (sections C.8.9.1.1.3 and C.8.9.1.1.5)."""

_TYPE_2: Final = (
    "CollimatorType", "CorrectedImage", "RadiopharmaceuticalInformationSequence", "PatientOrientationCodeSequence",
    "PatientGantryRelationshipCodeSequence",
)  # fmt: skip
_FACTS: Final = (
    "BodyPartExamined", "CountsSource", "DecayCorrection", "RandomsCorrectionMethod", "AttenuationCorrectionMethod",
    "ScatterCorrectionMethod", "ReconstructionMethod", "DetectorLinesOfResponseUsed", "AcquisitionStartCondition",
    "AcquisitionStartConditionData", "AcquisitionTerminationCondition", "EnergyWindowRangeSequence", "ProtocolName",
    "ConvolutionKernel", "ReconstructionDiameter",
)  # fmt: skip
_TIMES: Final = (
    "AcquisitionDate", "AcquisitionTime", "FrameReferenceTime", "ActualFrameDuration", "DecayFactor",
    "DoseCalibrationFactor", "ScatterFractionFactor", "DeadTimeFactor",
)  # fmt: skip

_PRIVATE: Final = ((0x7053, "Philips PET Private Group", (0x00, 0x09)), (0x0009, "GEMS_PETD_01", (0x0D,)))
"""Private elements that SUV may be computed from: the Philips factors, and GE's time of the scan."""


def build(order: Order) -> Iterator[Dataset]:
    """One PET image for each slice."""
    if order.volume.unit not in _UNITS:
        raise InvalidObject((f"a PET series holds activity, counts or SUV, and the volume is in {order.volume.unit}",))
    voxels, grid = along_normal(order.volume)
    nearness = Nearness(order.sources, grid)
    base = _base(order)
    base.NumberOfSlices = grid.shape[0]
    for index, ds in numbered(base, order, grid, nearness):
        source = order.sources[nearness.nearest(index)]
        put(ds, "AcquisitionDate", "")
        put(ds, "AcquisitionTime", "")
        put(ds, "ActualFrameDuration", None)
        copy_from(ds, source, _TIMES)
        ds.ImageIndex = index + 1
        rescale = proportional(voxels[index])
        rescale_of(ds, rescale)
        window_of(ds, voxels[index])
        pixels_of(ds, rescale.store(voxels[index]), rescale)
        yield ds


def _base(order: Order) -> Dataset:
    sources = order.sources
    base = new_object(SOP_CLASS, "PT", sources[0], series=order.series, making=order.making)
    describe(base, order)
    base.ImageType = ["DERIVED", "PRIMARY"]
    copy_alike(base, sources, _FACTS, type_2=_TYPE_2)
    base.CountsSource = base.get("CountsSource") or "EMISSION"
    base.DecayCorrection = base.get("DecayCorrection") or "NONE"
    if base.DecayCorrection == "NONE" and alike(sources, "AcquisitionTime") is None and len(sources) > 1:
        raise InvalidObject(
            ("slices that are not corrected for decay were acquired at several times: convert to SUV first",)
        )
    for keyword in ("SeriesDate", "SeriesTime"):
        value = alike(sources, keyword)
        if value is None:
            raise InvalidObject(("the sources do not share a series date and time, to which decay is corrected",))
        put(base, keyword, value)
    kind = list(sources[0].get("SeriesType") or ())
    base.SeriesType = [kind[0] if kind and kind[0] in ("STATIC", "WHOLE BODY") else "STATIC", "IMAGE"]
    base.Units, suv_type = _UNITS[order.volume.unit]
    if suv_type:
        base.SUVType = suv_type
    _copy_private(base, sources[0])
    return base


def _copy_private(ds: Dataset, source: Dataset) -> None:
    for group, creator, elements in _PRIVATE:
        try:
            block = source.private_block(group, creator)
        except KeyError:
            continue
        for number in elements:
            # The Philips elements are 1000H and 1009H, GE's is 100DH: the numbers within their blocks.
            if number in block:
                found = block[number]
                ds.private_block(group, creator, create=True).add_new(number, found.VR, found.value)
