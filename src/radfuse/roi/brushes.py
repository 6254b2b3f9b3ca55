"""Drawing by hand: brushes along a line, polygons in one slice, shapes between drawn slices."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Contour, Grid, Mask, Points, Structure
from radfuse.roi.filling import fill
from radfuse.roi.shapes_between import shape_between

_EXACT_MM: Final = 1e-6


def stroke(mask: Mask, line_mm: Points, radius_mm: float, *, flat: bool = True, erase: bool = False) -> Mask:
    """The mask with every voxel whose centre lies within ``radius_mm`` of a line added, or taken away.

    ``line_mm`` is one point or more (n x 3). A ``flat`` brush is a disc that paints in the one slice
    nearest to its first point; otherwise it is a ball. Raises InvalidRegion.
    """
    line = np.atleast_2d(np.asarray(line_mm, dtype=np.float64))
    if line.shape[1] != 3 or not len(line) or not np.isfinite(line).all() or not radius_mm > 0:
        raise InvalidRegion("a brush needs points in mm, and a radius greater than zero")
    number = _slice_of(mask.grid, line[0]) if flat else None
    if number is not None:
        centre = mask.grid.to_patient.apply((0, 0, number))
        line = line + ((centre - line) @ mask.grid.normal)[:, None] * mask.grid.normal
    inside = mask.inside.copy()
    for start, end in zip(line, line[1:] if len(line) > 1 else line, strict=False):
        _dab(inside, mask.grid, (start, end, radius_mm), number, not erase)
    return Mask(mask.grid, inside)


def polygon(mask: Mask, corners_mm: Points, *, erase: bool = False) -> Mask:
    """The mask with a polygon drawn in one of its slices added, or taken away. Raises InvalidRegion."""
    drawn = fill(Structure("", mask.grid.frame, (Contour(corners_mm),)), mask.grid)
    if not drawn.used:
        raise InvalidRegion("the polygon lies in none of the image's slices")
    return Mask(mask.grid, mask.inside & ~drawn.mask.inside if erase else mask.inside | drawn.mask.inside)


def interpolated(mask: Mask) -> Mask:
    """The mask with its empty slices between drawn ones filled by shapes between those.

    Raises InvalidRegion when fewer than two slices are drawn.
    """
    drawn = np.flatnonzero(mask.inside.any(axis=(1, 2)))
    if len(drawn) < 2:
        raise InvalidRegion("draw on two slices or more; between them it can be interpolated")
    inside = mask.inside.copy()
    for lower, upper in pairwise(drawn):
        for number in range(lower + 1, upper):
            part = (number - lower) / (upper - lower)
            inside[number] = shape_between(mask.inside[lower], mask.inside[upper], part, mask.grid.spacing_mm[:2])
    return Mask(mask.grid, inside)


def _slice_of(grid: Grid, point_mm: Points) -> int:
    away = float((point_mm - grid.origin_mm) @ grid.normal) / float(grid.to_patient.linear[:, 2] @ grid.normal)
    number = int(np.floor(away + 0.5))
    if not 0 <= number < grid.shape[0]:
        raise InvalidRegion("the brush lies in none of the image's slices")
    return number


def _dab(
    inside: npt.NDArray[np.bool_],
    grid: Grid,
    capsule: tuple[Points, Points, float],
    number: int | None,
    value: bool,
) -> None:
    """Set the voxels around one segment."""
    start, end, radius = capsule
    reach = np.linalg.norm(grid.from_patient.linear, axis=1) * radius
    ends = grid.from_patient.apply(np.stack((start, end)))
    size = np.array(grid.shape[::-1])
    first = np.clip(np.ceil(ends.min(axis=0) - reach), 0, size).astype(int)
    last = np.clip(np.floor(ends.max(axis=0) + reach), -1, size - 1).astype(int)
    if number is not None:
        first[2] = last[2] = number
    if (last < first).any():
        return
    columns, rows, slices = (np.arange(low, high + 1) for low, high in zip(first, last, strict=True))
    index = np.stack(np.meshgrid(slices, rows, columns, indexing="ij")[::-1], axis=-1)
    points = grid.to_patient.apply(index)
    along = end - start
    length = float(along @ along)
    part = np.clip((points - start) @ along / length, 0, 1)[..., None] if length > 0 else 0.0
    near = np.linalg.norm(points - start - part * along, axis=-1) <= radius + _EXACT_MM
    inside[np.ix_(slices, rows, columns)] = np.where(near, value, inside[np.ix_(slices, rows, columns)])
