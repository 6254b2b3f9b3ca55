"""The numbers of a region in a series: those of ``radfuse measure``, from the box of the region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Mask
from radfuse.roi import lengths, peak, sampling, statistics
from radfuse.roi.boxes import Box, Drawn, grown, part_of, put
from radfuse.services.drawing.rules import Vector
from radfuse.volume import Unit, Volume

_ACTIVITY: Final = frozenset({Unit.BQML, Unit.COUNTS})
_MOST_WITH_PEAK: Final = 500_000
"""Voxels: in more the search takes seconds, and such a region is no lesion."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of one region in one series; None where it means nothing, or cannot be computed: the findings say why."""

    series_uid: str
    unit: str = ""
    voxels: int = 0
    volume_ml: float | None = None
    max: float | None = None
    max_at_mm: Vector | None = None
    mean: float | None = None
    sd: float | None = None
    min: float | None = None
    median: float | None = None
    peak: float | None = None
    peak_at_mm: Vector | None = None
    peak_volume_ml: float | None = None
    tlg: float | None = None
    longest_mm: float | None = None
    perpendicular_mm: float | None = None
    findings: tuple[str, ...] = ()
    """Doubts, and why numbers are missing."""
    remarks: tuple[str, ...] = ()
    """How the region came about, without a doubt."""


def numbers_of(series_uid: str, volume: Volume, drawn: Drawn) -> Numbers:
    """The numbers of a region on the voxels of the volume.

    A peak is for images of activity: its ball reaches out of the region, and so does the part that is looked at.
    Raises InvalidRegion where no voxel has a value.
    """
    part, mask = _surroundings(volume, drawn)
    region = sampling.voxels_of(part, mask)
    found = statistics.statistics_of_voxels(region, ())
    findings = [*drawn.notes, *region.notes]
    hottest = _peak(part, region, findings)
    longest, across = _diameters(mask, findings)
    return Numbers(
        series_uid=series_uid,
        unit=volume.unit.value,
        voxels=found.voxels,
        volume_ml=found.volume_ml,
        max=found.maximum,
        max_at_mm=found.maximum_position_mm,
        mean=found.mean,
        sd=found.sd,
        min=found.minimum,
        median=found.median,
        peak=hottest.value if hottest else None,
        peak_at_mm=hottest.centre_mm if hottest else None,
        peak_volume_ml=hottest.volume_ml if hottest else None,
        tlg=found.volume_ml * found.mean if volume.unit.is_suv else None,
        longest_mm=longest,
        perpendicular_mm=across,
        findings=tuple(dict.fromkeys(findings)),
        remarks=drawn.remarks,
    )


def _peak(part: Volume, region: sampling.RegionVoxels, findings: list[str]) -> peak.Peak | None:
    if not (part.unit.is_suv or part.unit in _ACTIVITY):
        return None
    if len(region.values) > _MOST_WITH_PEAK:
        findings.append(f"no peak: it is looked for in at most {_MOST_WITH_PEAK} voxels")
        return None
    found = peak.PeakFinder(part).find(region)
    findings += found.notes
    return found


def _surroundings(volume: Volume, drawn: Drawn) -> tuple[Volume, Mask]:
    """The part of a volume that a peak in the region can see, and the region on it."""
    reach = np.ceil(np.linalg.norm(volume.grid.from_patient.linear, axis=1) * peak.PEAK_RADIUS_MM) + 1
    box: Box = grown(volume.grid, drawn.box, reach)
    part = part_of(volume, box)
    return part, Mask(part.grid, put(drawn.mask, volume.grid, box))


def _diameters(mask: Mask, findings: list[str]) -> tuple[float | None, float | None]:
    try:
        found = lengths.diameters_of(mask)
    except InvalidRegion as error:
        findings.append(f"no diameter: {error.reason}")
        return None, None
    return found.long_axis.length_mm, found.short_axis.length_mm
