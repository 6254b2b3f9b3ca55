"""Dose in regions: histograms and the metrics that ``radfuse measure`` has, for lists and charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.archive import Archive
from radfuse.core.errors import FramesDiffer, ImagingError, InvalidRegion
from radfuse.geometry import Mask
from radfuse.roi.dose import DoseVolume, dose_in
from radfuse.services.drawing.frames import Standpoint
from radfuse.services.drawing.objects import region_of_object
from radfuse.services.drawing.rules import Given, OfObject
from radfuse.services.measure import FromObject
from radfuse.services.measure.dose_words import USUAL, DoseMetric
from radfuse.services.measure.regions import region_of
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing.showing import native_volume
from radfuse.volume import Unit, Volume

_MOST_POINTS: Final = 256
_FINEST_GY: Final = 0.01


@dataclass(frozen=True, eq=False)
class DoseAsk:
    """A dose, and where it is asked for."""

    view: SeriesView
    regions: tuple[Given | OfObject, ...]
    metrics: tuple[DoseMetric, ...] = ()
    """None named: D98, D95, D50 and D2."""
    base: str | None = None
    """Series Instance UID: regions may lie in its frame of reference as well."""


@dataclass(frozen=True, slots=True)
class RegionDose:
    """The dose in one region; without numbers where there is none: the findings say why."""

    volume_ml: float | None = None
    """Of the part that has a dose."""
    outside_ml: float | None = None
    minimum_gy: float | None = None
    mean_gy: float | None = None
    maximum_gy: float | None = None
    metrics: tuple[tuple[str, float | None, str], ...] = ()
    """Name, value and unit."""
    curve_gy: tuple[float, ...] = ()
    curve_percent: tuple[float, ...] = ()
    """How much of the volume receives at least the dose at the same place of ``curve_gy``."""
    findings: tuple[str, ...] = ()


def doses_in(archive: Archive, ask: DoseAsk) -> tuple[RegionDose, ...]:
    """The dose in each region, in the order of the asking.

    Raises what opening the series raises, and InvalidRegion for a series that is no dose.
    """
    dose = native_volume(archive, ask.view)
    if dose.unit is not Unit.GY:
        raise InvalidRegion(f"a dose is asked for, but the series is in {dose.unit}")
    stand = Standpoint(archive, ask.view, dose.grid, ask.base)
    return tuple(_dose_of(stand, dose, region, ask.metrics or USUAL) for region in ask.regions)


def _dose_of(stand: Standpoint, dose: Volume, region: Given | OfObject, metrics: tuple[DoseMetric, ...]) -> RegionDose:
    try:
        mask, fractions, notes = _placed(stand, dose, region)
        found = dose_in(dose, mask, fractions)
    except ImagingError as error:
        return RegionDose(findings=(str(error),))
    findings = [*notes, *found.notes]
    values: list[tuple[str, float | None, str]] = []
    for metric in metrics:
        try:
            values.append((metric.name, metric.value(found), metric.unit))
        except InvalidRegion as error:
            values.append((metric.name, None, metric.unit))
            findings.append(f"no {metric.name}: {error.reason}")
    doses, percents = _curve(found)
    return RegionDose(
        found.volume_ml,
        found.outside_ml,
        found.minimum_gy,
        found.mean_gy,
        found.maximum_gy,
        tuple(values),
        doses,
        percents,
        tuple(dict.fromkeys(findings)),
    )


def _placed(
    stand: Standpoint, dose: Volume, region: Given | OfObject
) -> tuple[Mask, npt.NDArray[np.float32] | None, tuple[str, ...]]:
    """A region as ``dose_in`` takes it: finer than the dose grid where it can be."""
    if isinstance(region, Given):
        if region.mask.grid.frame.is_same_as(dose.grid.frame):
            return region.mask, None, ()
        drawn = stand.region(region.mask)
        return drawn.mask, None, drawn.notes
    try:
        asked = FromObject(region.sop_instance_uid, str(region.number))
        placed = region_of(stand.archive, asked, dose.grid).for_dose(dose.grid)
        placed.mask.grid.frame.require_same(dose.grid.frame, "the structure and the dose")
    except FramesDiffer:
        drawn = region_of_object(stand, dose, region)
        return drawn.mask, None, drawn.notes
    return placed.mask, placed.fractions, placed.notes


def _curve(found: DoseVolume) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The cumulative histogram in at most some hundred steps, a round number of cGy each."""
    step = max(_FINEST_GY, np.ceil(found.maximum_gy / _MOST_POINTS / _FINEST_GY) * _FINEST_GY)
    histogram = found.histogram(float(step))
    percents = 100 * histogram.cumulative_ml / found.volume_ml
    return tuple(histogram.edges_gy.tolist()), tuple(np.clip(percents, 0, 100).tolist())
