"""Measurements in words and numbers that people read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from radfuse.cli.console import Row

if TYPE_CHECKING:
    from radfuse.roi.metabolic import MetabolicVolume
    from radfuse.roi.peak import Peak
    from radfuse.roi.statistics import RegionStatistics
    from radfuse.roi.tumour import TotalMetabolicVolume
    from radfuse.services.measure import DoseNumbers, ImageNumbers
    from radfuse.volume import Unit

Pair = tuple[str, str]


def image_rows(numbers: ImageNumbers) -> Iterator[Pair]:
    """What is said of one image, as names and values."""
    yield "Image", " ".join(filter(None, (numbers.modality, numbers.series_uid))) or "file"
    if numbers.suv is not None:
        yield "SUV", numbers.suv.formula
    if numbers.statistics is not None:
        yield from _statistics(numbers.statistics)
    if numbers.peak is not None:
        yield from _peak(numbers.peak)
    if numbers.reference is not None:
        reference = numbers.reference
        mean, sd = shown(reference.mean), shown(reference.sd)
        yield f"{reference.threshold.kind} reference", f"mean {mean}, SD {sd} in {reference.volume_ml:.2f} ml"
    if numbers.above is not None:
        yield from _above(numbers.above)
    if numbers.feret is not None:
        yield "Largest diameter", f"{numbers.feret.length_mm:.1f} mm"
    if numbers.diameters is not None:
        long, short = numbers.diameters.long_axis, numbers.diameters.short_axis
        where = f"slice {numbers.diameters.slice + 1}"
        yield "Long and short axis", f"{long.length_mm:.1f} x {short.length_mm:.1f} mm in {where}"
    if numbers.tumour is not None:
        yield from _tumour(numbers.tumour)
    if numbers.dose is not None:
        yield from _dose(numbers.dose)


def notes_of(numbers: ImageNumbers) -> list[str]:
    """Everything that has to be said beside the numbers, each once."""
    parts: Sequence[object] = (
        numbers.statistics,
        numbers.peak,
        numbers.reference,
        numbers.above,
        numbers.tumour,
        numbers.dose,
    )
    notes = [*numbers.notes]
    for part in parts:
        notes += getattr(part, "notes", ())
    return list(dict.fromkeys([*notes, *numbers.findings]))


def lesion_rows(tumour: TotalMetabolicVolume) -> Iterator[Row]:
    """The table of lesions."""
    for lesion in tumour.lesions:
        yield {
            "Lesion": lesion.number,
            "Volume ml": f"{lesion.volume_ml:.2f}",
            "Max": shown(lesion.maximum),
            "Peak": shown(lesion.peak),
            "Mean": shown(lesion.mean),
            "TLG": shown(lesion.tlg),
            "Diameter mm": f"{lesion.diameter_mm:.1f}",
            "Centre mm": point(lesion.centre_mm),
        }


def shown(value: float) -> str:
    """A number with the digits that mean something."""
    return f"{value:.2f}" if 0.1 <= abs(value) < 10_000 else f"{value:.4g}"


def point(position: Sequence[float]) -> str:
    """x, y, z in mm."""
    return ", ".join(f"{each:.1f}" for each in position)


def _statistics(numbers: RegionStatistics) -> Iterator[Pair]:
    unit = numbers.unit.value
    yield "Volume", f"{numbers.volume_ml:.2f} ml in {numbers.voxels} voxels"
    yield "Mean", f"{shown(numbers.mean)} {unit}"
    yield "SD", f"{shown(numbers.sd)} {unit}"
    yield "Median", f"{shown(numbers.median)} {unit}"
    yield "Minimum", f"{shown(numbers.minimum)} {unit}"
    yield "Maximum", f"{shown(numbers.maximum)} {unit} at {point(numbers.maximum_position_mm)} mm"
    words = "; ".join(f"{percent:g} %: {shown(value)}" for percent, value in numbers.percentiles)
    yield "Percentiles", words


def _peak(peak: Peak) -> Iterator[Pair]:
    name = _called("peak", peak.unit)
    where = f"ball of {peak.volume_ml:.2f} ml at {point(peak.centre_mm)} mm"
    yield name, f"{shown(peak.value)} {peak.unit.value}, {where}"
    yield f"{name} (voxel centres)", f"{shown(peak.value_at_voxels)} {peak.unit.value}"


def _called(word: str, unit: Unit) -> str:
    return f"SUV{word}" if unit.is_suv else word.capitalize()


def _threshold(found: MetabolicVolume | TotalMetabolicVolume) -> str:
    level = f" = {shown(found.level)} {found.unit.value}" if found.threshold.is_relative else ""
    return f"{found.threshold}{level}"


def _above(above: MetabolicVolume) -> Iterator[Pair]:
    is_suv = above.unit.is_suv
    yield "Threshold", _threshold(above)
    yield "MTV" if is_suv else "Volume above", f"{above.mtv_ml:.2f} ml in {above.voxels} voxels"
    yield "Mean above", f"{shown(above.mean)} {above.unit.value}"
    if is_suv:
        yield "TLG", shown(above.tlg)


def _tumour(tumour: TotalMetabolicVolume) -> Iterator[Pair]:
    yield "Threshold", _threshold(tumour)
    yield "Lesions", str(len(tumour.lesions))
    yield "Total MTV", f"{tumour.mtv_ml:.2f} ml"
    yield "Total TLG", shown(tumour.tlg)
    if tumour.maximum is not None and tumour.peak is not None:
        names = ", ".join(_called(word, tumour.unit) for word in ("max", "peak"))
        yield names, f"{shown(tumour.maximum)}, {shown(tumour.peak)} {tumour.unit.value}"
    if tumour.dmax is not None:
        yield "Dmax", f"{tumour.dmax.length_mm:.1f} mm"
    if tumour.too_small:
        small = f"{tumour.too_small} parts below {tumour.minimum_ml:g} ml"
        yield "Left out", f"{small}, {tumour.too_small_ml:.2f} ml together"
    for each in tumour.exclusions:
        yield f"Excluded: {each.name}", f"{each.removed_ml:.2f} ml above the threshold"


def _dose(dose: DoseNumbers) -> Iterator[Pair]:
    yield "Volume", f"{dose.volume_ml:.2f} ml"
    yield "Minimum", f"{dose.minimum_gy:.2f} Gy"
    yield "Mean", f"{dose.mean_gy:.2f} Gy"
    yield "Maximum", f"{dose.maximum_gy:.2f} Gy"
    for metric in dose.metrics:
        yield metric.name, f"{metric.value:.2f} {metric.unit}" if metric.value is not None else metric.reason
    if dose.outside_ml > 0:
        yield "Without dose", f"{dose.outside_ml:.2f} ml"
