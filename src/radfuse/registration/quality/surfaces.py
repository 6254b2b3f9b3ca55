"""How well two masks of one grid agree: Dice, and the distances of their surfaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Grid, Mask
from radfuse.volume import resample


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of two regions. Distances are those between the voxels of their surfaces, in both directions together."""

    dice: float
    mean_distance_mm: float
    hausdorff95_mm: float
    volumes_ml: tuple[float, float]


def agreement(one: Mask, other: Mask) -> Agreement:
    """Of two masks on one grid. Raises InvalidRegion when one is empty, or the grids differ."""
    if not one.grid.matches(other.grid, 1e-3):
        raise InvalidRegion("the two regions do not lie on the same voxels")
    if not (one.voxels and other.voxels):
        raise InvalidRegion("one of the two regions is empty")
    volumes = (one.volume_ml, other.volume_ml)
    if one.grid.is_sheared:
        straight = resample.regular_grid(one.grid)
        one, other = resample.resample_mask(one, straight), resample.resample_mask(other, straight)
    together = one.inside | other.inside
    box = _box(together)
    first, second = one.inside[box], other.inside[box]
    dice = 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))
    far = np.concatenate((_distances(first, second, one.grid), _distances(second, first, one.grid)))
    return Agreement(float(dice), float(far.mean()), float(np.percentile(far, 95)), volumes)


def _box(inside: npt.NDArray[np.bool_]) -> tuple[slice, ...]:
    box = []
    for axis in range(inside.ndim):
        hit = np.flatnonzero(inside.any(axis=tuple(other for other in range(inside.ndim) if other != axis)))
        box.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return tuple(box)


def _surface(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Voxels of a region with a face to what is outside."""
    padded = np.pad(inside, 1)
    core = padded.copy()
    for axis in range(inside.ndim):
        core &= np.roll(padded, 1, axis) & np.roll(padded, -1, axis)
    surface: npt.NDArray[np.bool_] = inside & ~core[1:-1, 1:-1, 1:-1]
    return surface


def _distances(inside: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_], grid: Grid) -> npt.NDArray[np.float64]:
    """From each surface voxel of one region to the nearest of the other, between their centres."""
    import SimpleITK

    sitk: Any = SimpleITK
    # Room around: a surface voxel at the border of the image would not be one for the filter.
    image = sitk.GetImageFromArray(np.pad(_surface(other), 1).astype(np.uint8))
    image.SetSpacing(grid.spacing_mm)
    map_mm = sitk.GetArrayFromImage(sitk.DanielssonDistanceMap(image, True, False, True))
    distances: npt.NDArray[np.float64] = map_mm[np.pad(_surface(inside), 1)].astype(np.float64)
    return distances
