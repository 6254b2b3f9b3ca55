"""Regions found in images: thresholds, isocontours, growing from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Grid, Mask, Points
from radfuse.roi.components import Connectivity, parts_of
from radfuse.roi.drawing import mask_of, sphere
from radfuse.roi.margins import Margin, with_margin
from radfuse.volume import Unit, Volume

_SHELL_MM: Final = (5.0, 15.0)
"""The background of a lesion: this far around it. Nearer is blurred, farther is another organ."""

_FIRST_GUESS: Final = 0.5
_ROUNDS: Final = 20
_SETTLED: Final = 1e-4


@dataclass(frozen=True, eq=False)
class Found:
    """A region found in an image, and the numbers that decided, in the image's unit."""

    mask: Mask
    low: float
    """The lowest value that belongs to it."""
    high: float
    """The highest value that belongs to it; infinite where there is no limit."""
    unit: Unit
    maximum: float | None = None
    """The highest value of the start region, where the threshold is a part of it."""
    background: float | None = None
    """The mean of the surroundings, where the threshold was corrected by it."""


def threshold(volume: Volume, low: float, high: float = np.inf, within: Mask | None = None) -> Found:
    """All voxels from ``low`` to ``high``, both included; ``within`` a region only. Raises InvalidRegion."""
    _check_range(low, high)
    region, box = _region(volume, within)
    inside = np.zeros(volume.grid.shape, dtype=np.bool_)
    inside[box] = region & _from_to(volume.voxels[box], low, high)
    return _found(volume, inside, low, high)


def isocontour(volume: Volume, percent: float, start: Mask, connected: bool = True) -> Found:
    """Voxels of the start region with at least ``percent`` of its highest value (41, 42, 50 are usual).

    ``connected`` keeps only those that hang together (26 neighbours) with the hottest voxel.
    Raises InvalidRegion where the highest value is not greater than zero.
    """
    if not 0 < percent <= 100:
        raise InvalidRegion("an isocontour is more than 0 and at most 100 percent")
    maximum = _maximum(volume, start)
    return _around_hottest(volume, start, percent / 100 * maximum, connected, maximum)


def adaptive(volume: Volume, start: Mask, fraction: float = 0.5, background: Mask | None = None) -> Found:
    """Voxels of the start region above the background plus ``fraction`` of the way to its highest value.

    The background is the mean of a region, or else of what lies 5 to 15 mm around the result and is not
    itself above the threshold; then threshold and background are found in turns until they agree.
    Raises InvalidRegion where they do not settle, or the region is no hotter than its surroundings.
    """
    if not 0 < fraction < 1:
        raise InvalidRegion("the part between background and maximum is more than 0 and less than 1")
    maximum = _maximum(volume, start)
    low, mean = maximum * _FIRST_GUESS, 0.0
    for _ in range(_ROUNDS):
        found = _around_hottest(volume, start, low, True, maximum)
        mean = _mean(volume, background if background is not None else _shell(volume, found))
        if not mean < maximum:
            raise InvalidRegion("it is no hotter than its surroundings")
        before, low = low, mean + fraction * (maximum - mean)
        if abs(low - before) <= _SETTLED * maximum:
            found = _around_hottest(volume, start, low, True, maximum)
            return Found(found.mask, low, np.inf, volume.unit, maximum, mean)
    raise InvalidRegion("its threshold does not settle; give the background as a region")


def grow(
    volume: Volume,
    seed_mm: Points,
    limits: tuple[float, float],
    connectivity: Connectivity = 6,
    radius_mm: float | None = None,
    within: Mask | None = None,
) -> Found:
    """The voxels from the lower to the upper limit that hang together with the seed's voxel.

    ``radius_mm`` bounds the region by a ball around the seed, ``within`` by another region.
    Raises InvalidRegion for a seed outside the image or the limits.
    """
    _check_range(*limits)
    seed = _voxel_of(volume.grid, seed_mm)
    ball = None if radius_mm is None else mask_of(volume.grid, sphere(np.asarray(seed_mm), radius_mm))
    region, box = _region(volume, ball)
    if within is not None:
        region = region & _on_grid(volume, within).inside[box]
    candidates = region & _from_to(volume.voxels[box], *limits)
    at = tuple(index - part.start for index, part in zip(seed, box, strict=True))
    parts = parts_of(candidates, connectivity)
    number = parts.at((at[0], at[1], at[2]))
    if number is None:
        raise InvalidRegion(f"the seed's value {float(volume.voxels[seed]):g} {volume.unit} lies outside the limits")
    inside = np.zeros(volume.grid.shape, dtype=np.bool_)
    inside[box] = parts.mask([number])
    return _found(volume, inside, *limits)


Box = tuple[slice, slice, slice]


def _around_hottest(volume: Volume, start: Mask, low: float, connected: bool, maximum: float) -> Found:
    region, box = _region(volume, start)
    values = volume.voxels[box]
    hot = region & _from_to(values, low, np.inf)
    if connected:
        parts = parts_of(hot, 26)
        hottest = np.unravel_index(int(np.where(region, values, -np.inf).argmax()), values.shape)
        number = parts.at((int(hottest[0]), int(hottest[1]), int(hottest[2])))
        hot = parts.mask([] if number is None else [number])
    inside = np.zeros(volume.grid.shape, dtype=np.bool_)
    inside[box] = hot
    return _found(volume, inside, low, np.inf, maximum)


def _found(
    volume: Volume, inside: npt.NDArray[np.bool_], low: float, high: float, maximum: float | None = None
) -> Found:
    return Found(Mask(volume.grid, inside), float(low), float(high), volume.unit, maximum)


def _maximum(volume: Volume, start: Mask) -> float:
    region, box = _region(volume, start)
    values = volume.voxels[box][region]
    maximum = float(values.max()) if len(values) else 0.0
    if not maximum > 0:
        raise InvalidRegion("the start region has no value above zero")
    return maximum


def _mean(volume: Volume, region: Mask) -> float:
    values = volume.voxels[_on_grid(volume, region).inside]
    if not len(values):
        raise InvalidRegion("there is no background around it; give one as a region")
    return float(values.mean(dtype=np.float64))


def _shell(volume: Volume, found: Found) -> Mask:
    near, far = (with_margin(found.mask, Margin.all_round(mm)).inside for mm in _SHELL_MM)
    shell = far & ~near
    return Mask(volume.grid, shell & (volume.voxels < np.float64(found.low)))


def _region(volume: Volume, within: Mask | None) -> tuple[npt.NDArray[np.bool_] | np.bool_, Box]:
    """The region, cut to the part of the grid that it takes up."""
    if within is None:
        return np.True_, (slice(0, None), slice(0, None), slice(0, None))
    inside = _on_grid(volume, within).inside
    box = []
    for axis in range(3):
        used = np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis)))
        if not len(used):
            raise InvalidRegion("the region to search in is empty, or lies beside the image")
        box.append(slice(int(used[0]), int(used[-1]) + 1))
    return inside[box[0], box[1], box[2]], (box[0], box[1], box[2])


def _on_grid(volume: Volume, mask: Mask) -> Mask:
    if mask.grid is not volume.grid and not mask.grid.matches(volume.grid):
        mask.grid.frame.require_same(volume.grid.frame, "the region and the image")
        raise InvalidRegion("the region lies on other voxels than the image; fill it on the image first")
    return mask


def _check_range(low: float, high: float) -> None:
    if np.isnan(low) or np.isnan(high) or low > high:
        raise InvalidRegion("the lower limit lies above the upper one")


def _from_to(values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.bool_]:
    # Limits of double precision: rounded to that of the voxels they would let in what lies below them.
    above: npt.NDArray[np.bool_] = np.asarray(values >= np.float64(low))
    return above if high == np.inf else above & (values <= np.float64(high))


def _voxel_of(grid: Grid, point_mm: Points) -> tuple[int, int, int]:
    """The voxel (slice, row, column) that holds a point."""
    point = np.asarray(point_mm, dtype=np.float64)
    if not grid.contains(point):
        raise InvalidRegion("the seed lies outside the image")
    column, row, number = np.minimum(np.floor(grid.from_patient.apply(point) + 0.5), np.array(grid.shape[::-1]) - 1)
    return int(number), int(row), int(column)
