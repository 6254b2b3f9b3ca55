"""Everything in a PET above a threshold, as regions with their totals (total metabolic tumour volume)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from radfuse.archive import Archive
from radfuse.geometry import Mask
from radfuse.roi import combining, sampling, tumour
from radfuse.roi.boxes import Box, Drawn, put, trimmed, whole
from radfuse.services.drawing.asking import MadeRegion, measured
from radfuse.services.drawing.finding import threshold_of
from radfuse.services.drawing.frames import Standpoint
from radfuse.services.drawing.rules import Limit
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing.showing import native_volume
from radfuse.volume import Volume


@dataclass(frozen=True, eq=False)
class BurdenAsk:
    """Which lesions to look for."""

    view: SeriesView
    limit: Limit
    minimum_ml: float = tumour.MINIMUM_ML
    within: Mask | None = None
    exclude: tuple[Mask, ...] = ()
    also: tuple[SeriesView, ...] = ()
    base: str | None = None


@dataclass(frozen=True, eq=False)
class Burden:
    """The lesions, the largest first, and their totals."""

    regions: tuple[MadeRegion, ...]
    totals: tumour.TotalMetabolicVolume


def tumour_burden(archive: Archive, ask: BurdenAsk) -> Burden:
    """All connected parts of a series from a threshold on, outside what is excluded, that are large enough.

    Raises what opening the series raises, InvalidRegion, FramesDiffer and NotOverlaid.
    """
    volume = native_volume(archive, ask.view)
    stand = Standpoint(archive, ask.view, volume.grid, ask.base)
    excluded = {f"{number}": _whole(volume, stand.region(mask)) for number, mask in enumerate(ask.exclude, 1)}
    found = tumour.total_metabolic_volume(
        volume,
        threshold_of(stand, volume, ask.limit),
        minimum_ml=ask.minimum_ml,
        exclusions=excluded,
        within=None if ask.within is None else _whole(volume, stand.region(ask.within)),
    )
    regions = tuple(measured(stand, volume, drawn, ask.also) for drawn in _lesions(volume, found))
    return Burden(regions, found)


def _whole(volume: Volume, drawn: Drawn) -> Mask:
    return Mask(volume.grid, put(drawn.mask, volume.grid, whole(volume.grid)))


def _lesions(volume: Volume, found: tumour.TotalMetabolicVolume) -> Iterator[Drawn]:
    """The lesions one by one, in the order of their numbers."""
    if not found.lesions:
        return
    held = sampling.bounds_of(found.mask.inside)
    inside = found.mask.inside[held]
    first = held[0].start, held[1].start, held[2].start
    slices, rows, columns = inside.shape
    box = Box(first, (slices, rows, columns))
    for part in combining.components(Mask(volume.grid.cropped(box.first, box.shape), np.ascontiguousarray(inside))):
        yield trimmed(volume.grid, box, part.inside)
