"""Total metabolic tumour volume: everything in a PET above a threshold, as a table of lesions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Grid, Mask
from radfuse.roi.lengths import Length, distance_mm, feret_of
from radfuse.roi.metabolic import Threshold
from radfuse.roi.peak import PeakFinder
from radfuse.roi.sampling import RegionVoxels, carried
from radfuse.roi.statistics import Position, statistics_of_voxels
from radfuse.volume import Unit, Volume

MINIMUM_ML: Final = 1.0
"""Smaller components are left out by default, and counted."""

_MOST_LESIONS: Final = 2000

Index = npt.NDArray[np.int64]
"""Voxels: a row (column, row, slice) for each."""
Inside = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Lesion:
    """One connected part; ``number`` counts from 1, the largest volume first."""

    number: int
    voxels: int
    volume_ml: float
    maximum: float
    maximum_position_mm: Position
    peak: float
    mean: float
    tlg: float
    centre_mm: Position
    """Centre of gravity of its voxels, each of the same weight."""
    diameter_mm: float
    """The largest diameter in three dimensions, as ``feret_of``."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What a named region took away from the voxels above the threshold."""

    name: str
    removed_ml: float
    region_ml: float


@dataclass(frozen=True, eq=False)
class TotalMetabolicVolume:
    """All lesions of a PET with their totals; ``mask`` holds the voxels of the lesions on the image's grid."""

    threshold: Threshold
    level: float
    unit: Unit
    minimum_ml: float
    lesions: tuple[Lesion, ...]
    mtv_ml: float
    tlg: float
    maximum: float | None
    peak: float | None
    dmax: Length | None
    """Between the centres of the two lesions that are farthest apart; None for fewer than two."""
    exclusions: tuple[Exclusion, ...]
    too_small: int
    """How many connected parts are smaller than ``minimum_ml``,"""
    too_small_ml: float
    """and how much they are together."""
    mask: Mask
    notes: tuple[str, ...] = ()


def total_metabolic_volume(
    volume: Volume,
    threshold: Threshold,
    *,
    minimum_ml: float = MINIMUM_ML,
    exclusions: Mapping[str, Mask] | None = None,
    within: Mask | None = None,
) -> TotalMetabolicVolume:
    """All connected parts of ``volume`` at or above ``threshold``, outside the exclusions, that are large enough.

    Voxels belong together when they share a face, an edge or a corner (26 neighbours). The voxels of
    ``exclusions`` (brain, heart, kidneys, bladder) are taken away before; each says how much it took.
    ``within`` limits the search. A relative threshold refers to the highest voxel that is left.
    Raises InvalidRegion when the threshold is meant for another unit or gives thousands of parts, FramesDiffer.
    """
    threshold.require(volume.unit)
    search = _search(volume, exclusions or {}, within)
    level = threshold.level(float(volume.voxels[search.allowed].max()))
    voxel_ml = volume.grid.voxel_volume_mm3 / 1000
    above = volume.voxels >= np.float64(level)  # not rounded to float32
    removed = tuple(
        Exclusion(name, np.count_nonzero(above & taken) * voxel_ml, mask.volume_ml)
        for name, mask, taken in search.excluded
    )
    found = _found(volume, Mask(volume.grid, above & search.allowed), minimum_ml)
    lesions = found.lesions
    return TotalMetabolicVolume(
        threshold=threshold,
        level=level,
        unit=volume.unit,
        minimum_ml=minimum_ml,
        lesions=lesions,
        mtv_ml=sum(lesion.volume_ml for lesion in lesions),
        tlg=sum(lesion.tlg for lesion in lesions),
        maximum=max((lesion.maximum for lesion in lesions), default=None),
        peak=max((lesion.peak for lesion in lesions), default=None),
        dmax=_farthest(lesions),
        exclusions=removed,
        too_small=found.too_small,
        too_small_ml=found.too_small_ml,
        mask=found.mask,
        notes=(*search.notes, *_repairs(volume)),
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """The lesions, and what is too small to be one."""

    lesions: tuple[Lesion, ...]
    mask: Mask
    too_small: int
    too_small_ml: float


def _found(volume: Volume, above: Mask, minimum_ml: float) -> _Found:
    voxel_ml = volume.grid.voxel_volume_mm3 / 1000
    parts = _parts(above)
    # A part of exactly the minimum stays, whatever the last bit of the product is.
    large = [index for index in parts if len(index) * voxel_ml >= minimum_ml * (1 - 1e-9)]
    if len(large) > _MOST_LESIONS:
        raise InvalidRegion(f"the threshold gives {len(large)} parts; raise it, or the minimum volume")
    finder = PeakFinder(volume)
    lesions = tuple(_lesion(number, volume, index, finder) for number, index in enumerate(large, 1))
    inside = np.zeros(volume.grid.shape, dtype=np.bool_)
    for index in large:
        inside[tuple(index.T[::-1])] = True
    small = parts[len(large) :]
    return _Found(lesions, Mask(volume.grid, inside), len(small), sum(map(len, small)) * voxel_ml)


def _repairs(volume: Volume) -> list[str]:
    return [f"the image was repaired: {finding.sentence}" for finding in volume.findings if finding.repaired]


@dataclass(frozen=True, eq=False)
class _Search:
    """Where lesions may be, and what each exclusion took away from that."""

    allowed: Inside
    excluded: tuple[tuple[str, Mask, Inside], ...]
    notes: tuple[str, ...]


def _search(volume: Volume, exclusions: Mapping[str, Mask], within: Mask | None) -> _Search:
    notes: list[str] = []
    allowed: Inside = np.isfinite(volume.voxels)
    if within is not None:
        inside, said = carried(within, volume.grid)
        allowed &= inside.inside
        notes += [f"search region: {note}" for note in said]
    excluded = []
    for name, mask in exclusions.items():
        inside, said = carried(mask, volume.grid)
        notes += [f"exclusion {name}: {note}" for note in said]
        excluded.append((name, mask, allowed & inside.inside))
        allowed &= ~inside.inside
    if not allowed.any():
        raise InvalidRegion("the exclusions leave no voxel to search")
    return _Search(allowed, tuple(excluded), tuple(notes))


def _parts(mask: Mask) -> list[Index]:
    """The voxels of each connected part, the largest first."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(mask.inside.astype(np.uint8))
    components: Any = sitk.ConnectedComponent
    labels = sitk.GetArrayFromImage(components(image, True))
    at = np.argwhere(labels)
    which = labels[at[:, 0], at[:, 1], at[:, 2]]
    order = np.argsort(which, kind="stable")
    index = at[order, ::-1]
    parts = np.split(index, np.flatnonzero(np.diff(which[order])) + 1) if len(index) else []
    # The sort is stable: of equal size, the part that begins first.
    return sorted(parts, key=len, reverse=True)


def _lesion(number: int, volume: Volume, index: Index, finder: PeakFinder) -> Lesion:
    values = volume.voxels[index[:, 2], index[:, 1], index[:, 0]].astype(np.float64)
    volume_ml = len(values) * volume.grid.voxel_volume_mm3 / 1000
    places = np.ravel_multi_index(tuple(index.T[::-1]), volume.grid.shape)
    region = RegionVoxels(volume.grid, volume.unit, values, places, volume_ml)
    numbers = statistics_of_voxels(region, ())
    return Lesion(
        number=number,
        voxels=numbers.voxels,
        volume_ml=volume_ml,
        maximum=numbers.maximum,
        maximum_position_mm=numbers.maximum_position_mm,
        peak=finder.find(region).value,
        mean=numbers.mean,
        tlg=volume_ml * numbers.mean,
        centre_mm=numbers.centre_mm,
        diameter_mm=feret_of(_mask_of(volume.grid, index)).length_mm,
    )


def _mask_of(grid: Grid, index: Index) -> Mask:
    """Voxels as a mask on the part of the grid that holds them."""
    first = index.min(axis=0)
    columns, rows, slices = (index.max(axis=0) - first + 1).tolist()
    inside = np.zeros((slices, rows, columns), dtype=np.bool_)
    inside[tuple((index - first).T[::-1])] = True
    column, row, slice_ = first.tolist()
    return Mask(grid.cropped((slice_, row, column), inside.shape), inside)


def _farthest(lesions: Sequence[Lesion]) -> Length | None:
    """The line between the centres of the two lesions that are farthest apart."""
    pairs = [(one.centre_mm, other.centre_mm) for one, other in combinations(lesions, 2)]
    lines = [Length(distance_mm(one, other), one, other) for one, other in pairs]
    return max(lines, key=lambda line: line.length_mm, default=None)
