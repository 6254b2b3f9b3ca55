"""Metabolic volume: how much of a region is above a threshold, and which threshold that is (MTV, TLG, PERCIST)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Mask
from radfuse.roi.sampling import RegionVoxels, voxels_of
from radfuse.volume import Unit, Volume

SUL_UNITS: Final = frozenset({Unit.SUV_LBM_JAMES, Unit.SUV_LBM_MORGAN, Unit.SUV_LBM_JANMA})
"""Normalised to lean body mass, as PERCIST asks."""


class ThresholdKind(StrEnum):
    """How a threshold was found. The value is what people read."""

    ABSOLUTE = "absolute"
    PERCENT_OF_MAXIMUM = "percent of maximum"
    PERCENT_OF_PEAK = "percent of peak"
    PERCIST_LIVER = "PERCIST liver"
    PERCIST_BLOOD_POOL = "PERCIST blood pool"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold as it is asked for: ``value`` in ``unit``, or in per cent of what the kind says.

    ``unit`` is that of the image it is meant for: one in SUV is refused on an image in Bq/ml.
    Raises InvalidRegion for a value that is none.
    """

    kind: ThresholdKind
    value: float
    unit: Unit = Unit.SUV_BW

    def __post_init__(self) -> None:
        """Check the value."""
        if not np.isfinite(self.value):
            raise InvalidRegion("a threshold is a finite number")
        if self.is_relative and not 0 < self.value <= 100:
            raise InvalidRegion("a relative threshold lies above 0 and up to 100 per cent")

    @property
    def is_relative(self) -> bool:
        """Whether the value is in per cent."""
        return self.kind in (ThresholdKind.PERCENT_OF_MAXIMUM, ThresholdKind.PERCENT_OF_PEAK)

    def level(self, maximum: float, peak: float | None = None) -> float:
        """The level in the image's unit, in a region of this maximum and peak."""
        if not self.is_relative:
            return self.value
        of = maximum if self.kind is ThresholdKind.PERCENT_OF_MAXIMUM else peak
        if of is None:
            raise InvalidRegion("a threshold in per cent of the peak needs the peak")
        return self.value / 100 * of

    def __str__(self) -> str:
        """As people write it."""
        if self.is_relative:
            return f"{self.value:g} % of the {'maximum' if self.kind is ThresholdKind.PERCENT_OF_MAXIMUM else 'peak'}"
        plain = f"{self.unit} {self.value:.4g}"
        return plain if self.kind is ThresholdKind.ABSOLUTE else f"{plain} ({self.kind})"

    def require(self, unit: Unit) -> None:
        """Raise InvalidRegion unless it is meant for images in ``unit``."""
        if unit is not self.unit:
            raise InvalidRegion(
                f"the threshold is meant for {self.unit}, the image is in {unit}; "
                f"open the image in {self.unit}, or give a threshold for {unit}"
            )


@dataclass(frozen=True, slots=True)
class MetabolicVolume:
    """The voxels of a region at or above a threshold: MTV, their mean, and TLG = MTV x mean.

    Nothing connects them: a region may hold several parts. ``share`` is their part of the region's
    counted voxels, 0 to 1.
    """

    threshold: Threshold
    level: float
    unit: Unit
    mtv_ml: float
    tlg: float
    """In ml times ``unit``; with SUV by body weight this is in gram."""
    mean: float
    maximum: float
    voxels: int
    share: float
    notes: tuple[str, ...] = ()


def metabolic_volume(volume: Volume, mask: Mask, threshold: Threshold, peak: float | None = None) -> MetabolicVolume:
    """MTV and TLG of a region; ``peak`` is needed for thresholds in per cent of it.

    Raises InvalidRegion when nothing reaches the threshold or it is meant for another unit, and as ``voxels_of``.
    """
    return metabolic_volume_of(voxels_of(volume, mask), threshold, peak)


def metabolic_volume_of(region: RegionVoxels, threshold: Threshold, peak: float | None = None) -> MetabolicVolume:
    """The same, of voxels that were already picked."""
    threshold.require(region.unit)
    level = threshold.level(float(region.values.max()), peak)
    above = region.values[region.values >= level]
    if not len(above):
        raise InvalidRegion(
            f"no voxel of it reaches {threshold}; its maximum is {region.values.max():.4g} {region.unit}"
        )
    mtv_ml = len(above) * region.grid.voxel_volume_mm3 / 1000
    mean = float(above.mean())
    share = len(above) / len(region.values)
    notes = region.notes
    if len(above) == len(region.values):
        notes = (*notes, "the whole region is above the threshold: it may be cut off by the region's edge")
    return MetabolicVolume(
        threshold, level, region.unit, mtv_ml, mtv_ml * mean, mean, float(above.max()), len(above), share, notes
    )


@dataclass(frozen=True, slots=True)
class PercistReference:
    """What PERCIST 1.0 measures in normal tissue, and the threshold for lesions that follows from it."""

    threshold: Threshold
    mean: float
    sd: float
    voxels: int
    volume_ml: float
    notes: tuple[str, ...] = ()


_FACTORS: Final = {ThresholdKind.PERCIST_LIVER: (1.5, 2.0), ThresholdKind.PERCIST_BLOOD_POOL: (2.0, 2.0)}
"""PERCIST 1.0 (Wahl 2009): how many means and standard deviations make the threshold."""

LIVER_SPHERE_RADIUS_MM: Final = 15.0
"""A sphere of 3 cm in the right lobe of the liver."""


def percist_reference(
    volume: Volume, mask: Mask, kind: ThresholdKind = ThresholdKind.PERCIST_LIVER
) -> PercistReference:
    """The reference region of PERCIST: a sphere of 3 cm in the liver, or 1 x 2 cm of the descending aorta.

    Liver: 1.5 x mean + 2 SD; blood pool, where the liver is diseased: 2 x mean + 2 SD (population SD).
    Raises InvalidRegion for an image that is no SUV or another kind of threshold, and as ``voxels_of``.
    """
    if kind not in _FACTORS:
        raise InvalidRegion("a PERCIST reference is the liver or the blood pool")
    if not volume.unit.is_suv:
        raise InvalidRegion(f"a PERCIST reference needs SUV, the image is in {volume.unit}")
    region = voxels_of(volume, mask)
    mean, sd = float(region.values.mean()), float(region.values.std())
    notes = region.notes
    if volume.unit not in SUL_UNITS:
        notes = (*notes, f"PERCIST is defined on SUV by lean body mass (SUL), this image is in {volume.unit}")
    of_mean, of_sd = _FACTORS[kind]
    threshold = Threshold(kind, of_mean * mean + of_sd * sd, volume.unit)
    return PercistReference(threshold, mean, sd, len(region.values), region.volume_ml, notes)
