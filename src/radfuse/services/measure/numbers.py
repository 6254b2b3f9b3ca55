"""Numbers of regions as measurements of a structured report: coded names, UCUM units, how they were found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from radfuse.core.errors import InvalidRegion
from radfuse.objects.common import Code
from radfuse.objects.sr import Algorithm, Detail, Measurement, Quantity, codes
from radfuse.volume import Unit

if TYPE_CHECKING:
    from radfuse.roi.metabolic import Threshold
    from radfuse.roi.tumour import Lesion, TotalMetabolicVolume
    from radfuse.services.measure.results import ImageNumbers

_LONG_AXIS = Code("103339001", "SCT", "Long Axis")
_SHORT_AXIS = Code("103340004", "SCT", "Short Axis")

_NAMES = {
    Unit.HU: (codes.ATTENUATION, codes.HOUNSFIELD),
    Unit.SUV_BW: (codes.SUV_BW, codes.G_PER_ML_BW),
    Unit.SUV_LBM_JAMES: (codes.SUV_LBM_JAMES128, codes.G_PER_ML_LBM_JAMES128),
    Unit.SUV_LBM_MORGAN: (codes.SUV_LBM, codes.G_PER_ML_LBM),
    Unit.SUV_LBM_JANMA: (codes.SUV_LBM_JANMA, codes.G_PER_ML_LBM_JANMA),
    Unit.SUV_BSA: (codes.SUV_BSA, codes.CM2_PER_ML_BSA),
    Unit.SUV_IBW: (codes.SUV_IBW, codes.G_PER_ML_IBW),
    Unit.GY: (codes.ABSORBED_DOSE, codes.GRAY),
    Unit.SIGNAL: (codes.MR_SIGNAL, codes.ONE),
}
"""What is measured and its unit (CID 7466, 7469; CID 84, 85)."""


def coded(unit: Unit) -> tuple[Code, Code]:
    """The codes of a quantity and its unit. Raises InvalidRegion for a unit that has none."""
    if unit not in _NAMES:
        raise InvalidRegion(f"a report has no code for {unit}; measure in another unit")
    return _NAMES[unit]


def region_numbers(numbers: ImageNumbers) -> Iterator[Measurement]:
    """Statistics, peak and diameters of a region."""
    found = numbers.statistics
    if found is None:
        return
    name, unit = coded(numbers.unit)
    yield Measurement(codes.VOLUME, found.volume_ml, codes.MILLILITRE, method=codes.SUM_OF_VOXELS)
    for derivation, value in (
        (codes.MEAN, found.mean),
        (codes.STANDARD_DEVIATION, found.sd),
        (codes.MINIMUM, found.minimum),
        (codes.MAXIMUM, found.maximum),
        (codes.MEDIAN, found.median),
    ):
        yield Measurement(name, value, unit, derivation)
    if (peak := numbers.peak) is not None:
        how = (
            f"radius = {peak.radius_mm:.4f} mm",
            f"centre = {_point(peak.centre_mm)} mm",
            f"volume = {peak.volume_ml:.4f} ml",
            f"step = {peak.step_mm:.4g} mm",
        )
        yield Measurement(name, peak.value, unit, codes.PEAK, algorithm=_algorithm("peak", *how))
    if numbers.feret is not None:
        yield Measurement(codes.LENGTH, numbers.feret.length_mm, codes.MILLIMETRE, codes.MAXIMUM)
    if (axes := numbers.diameters) is not None:
        yield Measurement(_LONG_AXIS, axes.long_axis.length_mm, codes.MILLIMETRE)
        yield Measurement(_SHORT_AXIS, axes.short_axis.length_mm, codes.MILLIMETRE)


def threshold_numbers(numbers: ImageNumbers) -> Iterator[Measurement]:
    """Volume above a threshold and TLG, of a region or of all lesions, with the threshold."""
    found = numbers.tumour or numbers.above
    if found is None:
        return
    details, how = _threshold(found.threshold, found.level, numbers.unit)
    is_suv = numbers.unit.is_suv
    volume = codes.METABOLIC_VOLUME if is_suv else codes.VOLUME
    yield Measurement(volume, found.mtv_ml, codes.MILLILITRE, None, codes.SUM_OF_VOXELS, details, how)
    if is_suv:
        yield Measurement(codes.TOTAL_LESION_GLYCOLYSIS, found.tlg, codes.GRAM, details=details, algorithm=how)
    name, unit = coded(numbers.unit)
    if numbers.above is not None:
        yield Measurement(name, numbers.above.mean, unit, codes.MEAN, details=details, algorithm=how)
    if numbers.tumour is not None and numbers.tumour.dmax is not None:
        how = _algorithm("Dmax", "between the centres of the two lesions that are farthest apart")
        yield Measurement(codes.DISTANCE, numbers.tumour.dmax.length_mm, codes.MILLIMETRE, codes.MAXIMUM, algorithm=how)


def lesion_numbers(lesion: Lesion, tumour: TotalMetabolicVolume) -> Iterator[Measurement]:
    """The numbers of one lesion, with the place of its centre."""
    name, unit = coded(tumour.unit)
    details, _ = _threshold(tumour.threshold, tumour.level, tumour.unit)
    how = _algorithm("lesion", f"centre = {_point(lesion.centre_mm)} mm", f"threshold = {tumour.threshold}")
    yield Measurement(codes.METABOLIC_VOLUME, lesion.volume_ml, codes.MILLILITRE, None, None, details, how)
    yield Measurement(codes.TOTAL_LESION_GLYCOLYSIS, lesion.tlg, codes.GRAM, details=details, algorithm=how)
    for derivation, value in ((codes.MAXIMUM, lesion.maximum), (codes.PEAK, lesion.peak), (codes.MEAN, lesion.mean)):
        yield Measurement(name, value, unit, derivation)
    yield Measurement(codes.LENGTH, lesion.diameter_mm, codes.MILLIMETRE, codes.MAXIMUM)


def dose_numbers(numbers: ImageNumbers) -> Iterator[Measurement]:
    """The dose in a region: volume, extremes, mean, and each metric by its name."""
    found = numbers.dose
    if found is None:
        return
    name, unit = coded(Unit.GY)
    yield Measurement(codes.VOLUME, found.volume_ml, codes.MILLILITRE)
    for derivation, value in (
        (codes.MINIMUM, found.minimum_gy),
        (codes.MEAN, found.mean_gy),
        (codes.MAXIMUM, found.maximum_gy),
    ):
        yield Measurement(name, value, unit, derivation)
    for metric in found.metrics:
        how = _algorithm("dose-volume histogram", f"metric = {metric.name}")
        units = {"Gy": codes.GRAY, "ml": codes.MILLILITRE, "%": codes.PERCENT}
        kind = name if metric.unit == "Gy" else codes.VOLUME
        if metric.value is not None:
            yield Measurement(kind, metric.value, units[metric.unit], algorithm=how)


def _threshold(threshold: Threshold, level: float, unit: Unit) -> tuple[tuple[Detail, ...], Algorithm]:
    """The threshold as a number in the image's unit, and as it was asked for."""
    _, code = coded(unit)
    how = _algorithm("threshold", f"threshold = {threshold}", f"kind = {threshold.kind.value}")
    return (Detail(codes.THRESHOLD, Quantity(level, code)),), how


def _algorithm(name: str, *parameters: str) -> Algorithm:
    from radfuse import __version__

    return Algorithm(f"Radfuse {name}", __version__, parameters)


def _point(position: tuple[float, float, float]) -> str:
    return ", ".join(f"{each:.2f}" for each in position)
