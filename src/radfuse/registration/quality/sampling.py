"""Values of images at points, and masks carried along a transform."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Chain, Grid, Mask, Points
from radfuse.volume import Volume

Values = npt.NDArray[np.float32]
Truths = npt.NDArray[np.bool_]

_COARSE: Final = 4
_SLICES_AT_ONCE: Final = 500_000


def some_points(grid: Grid, at_most: int) -> Points:
    """The centres of every n-th voxel along each axis, at most so many; n is chosen so that steps are near-cubic."""
    shape, spacing = np.array(grid.shape), np.array(grid.spacing_mm)[::-1]
    length_mm = max(float((np.prod(shape * spacing) / at_most) ** (1 / 3)), 1e-6)
    while True:
        steps = np.maximum(1, np.ceil(length_mm / spacing - 1e-9)).astype(int)
        if np.prod(-(-shape // steps)) <= at_most:
            break
        length_mm *= 1.1
    axes = [np.arange((size - 1) % step // 2, size, step) for size, step in zip(shape, steps, strict=True)]
    k, j, i = np.meshgrid(*axes, indexing="ij")
    return grid.to_patient.apply(np.stack((i, j, k), axis=-1).reshape(-1, 3))


def values_at(volume: Volume, points_mm: Points) -> tuple[Values, Truths]:
    """Trilinear values at points (n x 3) of the volume's frame, and which lie in it; NaN points lie nowhere."""
    index = volume.grid.from_patient.apply(points_mm)
    size = np.array(volume.grid.shape[::-1])
    with np.errstate(invalid="ignore"):
        inside = np.all((index >= -0.5) & (index <= size - 0.5), axis=-1)
    values = np.zeros(len(index), dtype=np.float32)
    place = np.clip(index[inside], 0, size - 1)
    low = np.minimum(place.astype(np.int64), np.maximum(size - 2, 0))
    high = np.minimum(low + 1, size - 1)
    part = place - low
    total = np.zeros(len(place))
    for corner in np.ndindex(2, 2, 2):
        at = np.where(corner, high, low)
        weight = np.prod(np.where(corner, part, 1 - part), axis=1)
        total += weight * volume.voxels[at[:, 2], at[:, 1], at[:, 0]]
    values[inside] = total
    return values, inside


def within(mask: Mask, points_mm: Points) -> Truths:
    """Which points (n x 3) of the mask's frame lie in one of its voxels."""
    index = mask.grid.from_patient.apply(points_mm)
    size = np.array(mask.grid.shape[::-1])
    with np.errstate(invalid="ignore"):
        there = np.all((index >= -0.5) & (index < size - 0.5), axis=-1)
    found = np.zeros(len(index), dtype=np.bool_)
    at = np.rint(index[there]).astype(np.int64)
    found[there] = mask.inside[at[:, 2], at[:, 1], at[:, 0]]
    return found


def carried(mask: Mask, transform: Chain, grid: Grid) -> Mask:
    """A mask of the moving images on a grid of the fixed ones, by the nearest voxel.

    ``transform`` maps points of the grid's frame to the mask's. Looked for on every fourth voxel first.
    """
    made = np.zeros(grid.shape, dtype=np.bool_)
    box = _box_of(mask, transform, grid)
    if box is not None:
        begin, end = box
        rows, columns = np.arange(begin[1], end[1]), np.arange(begin[2], end[2])
        at_once = max(1, _SLICES_AT_ONCE // (len(rows) * len(columns)))
        for first in range(begin[0], end[0], at_once):
            slices = np.arange(first, min(first + at_once, end[0]))
            k, j, i = np.meshgrid(slices, rows, columns, indexing="ij")
            points = grid.to_patient.apply(np.stack((i, j, k), axis=-1).reshape(-1, 3))
            made[k, j, i] = within(mask, transform.apply(points)).reshape(k.shape)
    return Mask(grid, made)


def _box_of(mask: Mask, transform: Chain, grid: Grid) -> tuple[list[int], list[int]] | None:
    """First and last+1 index (slice, row, column) of all that may belong to the mask; None: nothing does."""
    steps = [_COARSE if size > 2 * _COARSE else 1 for size in grid.shape]
    axes = [np.arange(0, size, step) for size, step in zip(grid.shape, steps, strict=True)]
    k, j, i = np.meshgrid(*axes, indexing="ij")
    moved = transform.apply(grid.to_patient.apply(np.stack((i, j, k), axis=-1).reshape(-1, 3)))
    found = _near(mask, moved, np.array(grid.spacing_mm)[::-1] * steps).reshape(k.shape)
    if not found.any():
        return None
    hit = np.argwhere(found)
    begin = [max(0, (low - 1) * step) for low, step in zip(hit.min(axis=0), steps, strict=True)]
    end = [
        min(size, int(high + 1) * step + 1) for high, step, size in zip(hit.max(axis=0), steps, grid.shape, strict=True)
    ]
    return begin, end


def _near(mask: Mask, points_mm: Points, reach_mm: npt.NDArray[np.float64]) -> Truths:
    """Which points lie in the box of the mask, or within reach of it."""
    index = np.argwhere(mask.inside)
    if not len(index):
        return np.zeros(len(points_mm), dtype=np.bool_)
    margin = float(reach_mm.max()) / np.array(mask.grid.spacing_mm) + 1
    low, high = index.min(axis=0)[::-1] - margin, index.max(axis=0)[::-1] + margin
    at = mask.grid.from_patient.apply(points_mm)
    with np.errstate(invalid="ignore"):
        near: Truths = np.all((at >= low) & (at <= high), axis=-1)
    return near
