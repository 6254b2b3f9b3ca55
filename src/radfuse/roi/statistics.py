"""Statistics of the voxels of a region, with exact definitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Mask
from radfuse.roi.sampling import RegionVoxels, voxels_of
from radfuse.volume import Unit, Volume

PERCENTILES: Final = (5.0, 10.0, 25.0, 75.0, 90.0, 95.0)

Position = tuple[float, float, float]
"""x, y, z in mm."""


@dataclass(frozen=True, slots=True)
class RegionStatistics:
    """What the voxels of a region are, all in ``unit``; every voxel counts once, nothing is interpolated.

    ``sd`` is the population's standard deviation (the sum of squares divided by the number of voxels, as
    IBSI and most workstations do). ``percentiles`` are pairs of per cent and value, linear between the
    sorted voxels (0 % the smallest, 100 % the largest). Of several equal extremes the first in the order
    slice, row, column is named.
    """

    unit: Unit
    voxels: int
    volume_ml: float
    """Volume of the image's voxels that were counted."""
    region_ml: float
    """Volume of the region on the grid it was drawn on."""
    mean: float
    sd: float
    minimum: float
    maximum: float
    minimum_position_mm: Position
    maximum_position_mm: Position
    median: float
    percentiles: tuple[tuple[float, float], ...]
    sum: float
    centre_mm: Position
    """Centre of gravity of the counted voxels, each of the same weight."""
    notes: tuple[str, ...] = ()


def statistics_of(volume: Volume, mask: Mask, percentiles: Sequence[float] = PERCENTILES) -> RegionStatistics:
    """The statistics of ``volume`` within ``mask``. Raises InvalidRegion and FramesDiffer as ``voxels_of``."""
    return statistics_of_voxels(voxels_of(volume, mask), percentiles)


def statistics_of_voxels(region: RegionVoxels, percentiles: Sequence[float] = PERCENTILES) -> RegionStatistics:
    """The same, of voxels that were already picked."""
    if any(not 0 <= percent <= 100 for percent in percentiles):
        raise InvalidRegion("a percentile lies between 0 and 100 per cent")
    values = region.values
    median, *asked = np.percentile(values, (50, *percentiles)).tolist()
    lowest, highest = int(np.argmin(values)), int(np.argmax(values))
    return RegionStatistics(
        unit=region.unit,
        voxels=len(values),
        volume_ml=region.volume_ml,
        region_ml=region.region_ml,
        mean=float(values.mean()),
        sd=float(values.std()),
        minimum=float(values[lowest]),
        maximum=float(values[highest]),
        minimum_position_mm=as_position(region.position_mm(lowest)),
        maximum_position_mm=as_position(region.position_mm(highest)),
        median=median,
        percentiles=tuple(zip(percentiles, asked, strict=True)),
        sum=float(values.sum()),
        centre_mm=as_position(region.centre_mm),
        notes=region.notes,
    )


def as_position(point: object) -> Position:
    """Three plain numbers."""
    x, y, z = np.asarray(point, dtype=np.float64).tolist()
    return x, y, z
