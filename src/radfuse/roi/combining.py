"""Masks made from masks: boolean operations, parts, holes, walls, smoothing."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import FramesDiffer, InvalidRegion
from radfuse.geometry import Mask
from radfuse.roi.components import Connectivity, parts_of
from radfuse.roi.margins import Margin, with_margin

_SIGMAS: Final = 3.0


def union(one: Mask, *others: Mask) -> Mask:
    """Voxels of any. This and the next three raise FramesDiffer or InvalidRegion for masks on different grids."""
    inside = one.inside.copy()
    for other in others:
        inside |= _on_same_grid(one, other)
    return Mask(one.grid, inside)


def intersection(one: Mask, *others: Mask) -> Mask:
    """Voxels of all."""
    inside = one.inside.copy()
    for other in others:
        inside &= _on_same_grid(one, other)
    return Mask(one.grid, inside)


def difference(one: Mask, *others: Mask) -> Mask:
    """Voxels of the first and of none of the others."""
    inside = one.inside.copy()
    for other in others:
        inside &= ~_on_same_grid(one, other)
    return Mask(one.grid, inside)


def exclusive(one: Mask, other: Mask) -> Mask:
    """Voxels of one of the two, not of both."""
    return Mask(one.grid, one.inside ^ _on_same_grid(one, other))


def _on_same_grid(one: Mask, other: Mask) -> npt.NDArray[np.bool_]:
    if one.grid is not other.grid and not one.grid.matches(other.grid):
        if not one.grid.frame.is_same_as(other.grid.frame):
            raise FramesDiffer("the two regions")
        raise InvalidRegion("the two regions lie on different voxels; fill both on one image first")
    return other.inside


def components(mask: Mask, connectivity: Connectivity = 26, smallest_ml: float = 0.0) -> tuple[Mask, ...]:
    """The connected parts, the largest first; of equal ones that with the first voxel."""
    parts = parts_of(mask.inside, connectivity)
    order = np.argsort(-parts.voxels, kind="stable")
    enough = parts.voxels * mask.grid.voxel_volume_mm3 / 1000 >= smallest_ml
    return tuple(Mask(mask.grid, parts.mask([number])) for number in order if enough[number])


def largest_component(mask: Mask, connectivity: Connectivity = 26) -> Mask:
    """The largest connected part. Raises InvalidRegion for an empty mask."""
    parts = parts_of(mask.inside, connectivity)
    if not len(parts.voxels):
        raise InvalidRegion("it is empty")
    return Mask(mask.grid, parts.mask([int(parts.voxels.argmax())]))


def without_holes(mask: Mask, within_slices: bool = False) -> Mask:
    """The region and all that it encloses: in space, or in each slice alone. Only faces let the outside in."""
    parts = parts_of(~mask.inside, 6, within_slices)
    shape = mask.inside.shape
    index = np.stack(np.unravel_index(parts.starts, shape))
    last = np.stack(np.unravel_index(np.maximum(parts.stops - 1, 0), shape))
    axes = (1, 2) if within_slices else (0, 1, 2)
    at_edge = np.zeros(len(parts.starts), dtype=np.bool_)
    for axis in axes:
        at_edge |= (index[axis] == 0) | (last[axis] == shape[axis] - 1)
    outside = np.unique(parts.part[at_edge])
    return Mask(mask.grid, ~parts.mask(outside))


def wall(mask: Mask, thickness_mm: float) -> Mask:
    """The outermost layer of the region, ``thickness_mm`` thick: what shrinking takes away."""
    if not thickness_mm > 0:
        raise InvalidRegion("a wall is thicker than nothing")
    return difference(mask, with_margin(mask, Margin.all_round(-thickness_mm)))


def smoothed(mask: Mask, sigma_mm: float) -> Mask:
    """The region with its edges rounded: a Gaussian of ``sigma_mm``, and what is more than a half of it."""
    if not sigma_mm > 0:
        raise InvalidRegion("smooth by more than nothing")
    blurred = mask.inside.astype(np.float32)
    for axis, spacing in zip((2, 1, 0), mask.grid.spacing_mm, strict=True):
        reach = int(_SIGMAS * sigma_mm / spacing + 0.5)
        if reach:
            blurred = _blurred(blurred, axis, np.exp(-0.5 * (np.arange(-reach, reach + 1) * spacing / sigma_mm) ** 2))
    return Mask(mask.grid, blurred > 0.5)


def _blurred(values: npt.NDArray[np.float32], axis: int, kernel: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Convolved along one axis; at the edges the outermost voxels go on."""
    reach, size = len(kernel) // 2, values.shape[axis]
    padded = np.pad(values, [(reach, reach) if number == axis else (0, 0) for number in range(3)], mode="edge")
    total = np.zeros_like(values)
    for start, weight in enumerate(kernel / kernel.sum()):
        total += np.float32(weight) * padded[(slice(None),) * axis + (slice(start, start + size),)]
    return total
