"""The inner loops of sampling and projecting, as machine code. Import this only where something is computed."""

from __future__ import annotations

from math import floor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.core.compiling import compiled

MAXIMUM: Final = 0
MINIMUM: Final = 1
MEAN: Final = 2

Array = npt.NDArray[Any]


@compiled
def nearest(voxels: Array, x: float, y: float, z: float) -> float:
    """The value of the voxel that holds the point; the point lies in the volume."""
    slices, rows, columns = voxels.shape
    column = min(max(floor(x + 0.5), 0), columns - 1)
    row = min(max(floor(y + 0.5), 0), rows - 1)
    at = min(max(floor(z + 0.5), 0), slices - 1)
    return float(voxels[at, row, column])


@compiled
def trilinear(voxels: Array, x: float, y: float, z: float) -> float:
    """The value between eight voxel centres; between the outermost centres and the edge that of the centres."""
    slices, rows, columns = voxels.shape
    x = min(max(x, 0.0), columns - 1.0)
    y = min(max(y, 0.0), rows - 1.0)
    z = min(max(z, 0.0), slices - 1.0)
    left, top, below = int(x), int(y), int(z)
    right = min(left + 1, columns - 1)
    bottom = min(top + 1, rows - 1)
    above = min(below + 1, slices - 1)
    fx, fy, fz = x - left, y - top, z - below
    low = (voxels[below, top, left] * (1 - fx) + voxels[below, top, right] * fx) * (1 - fy)
    low += (voxels[below, bottom, left] * (1 - fx) + voxels[below, bottom, right] * fx) * fy
    high = (voxels[above, top, left] * (1 - fx) + voxels[above, top, right] * fx) * (1 - fy)
    high += (voxels[above, bottom, left] * (1 - fx) + voxels[above, bottom, right] * fx) * fy
    return float(low * (1 - fz) + high * fz)


@compiled
def sample_slab(voxels: Array, steps: Array, count: int, kind: int, linear: bool, values: Array, inside: Array) -> None:
    """Fill ``values`` and ``inside`` (rows x columns): each the maximum, minimum or mean of ``count`` samples.

    ``steps`` (4 x 3) are indices x, y, z: of the first sample of the first pixel, and from column
    to column, row to row, sample to sample.
    """
    slices, rows, columns = voxels.shape
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            found = 0
            result = 0.0
            for step in range(count):
                x = steps[0, 0] + column * steps[1, 0] + row * steps[2, 0] + step * steps[3, 0]
                y = steps[0, 1] + column * steps[1, 1] + row * steps[2, 1] + step * steps[3, 1]
                z = steps[0, 2] + column * steps[1, 2] + row * steps[2, 2] + step * steps[3, 2]
                if not (-0.5 <= x < columns - 0.5 and -0.5 <= y < rows - 0.5 and -0.5 <= z < slices - 0.5):
                    continue
                value = trilinear(voxels, x, y, z) if linear else nearest(voxels, x, y, z)
                if found == 0:
                    result = value
                elif kind == 0:
                    result = max(result, value)
                elif kind == 1:
                    result = min(result, value)
                else:
                    result += value
                found += 1
            if found > 0:
                inside[row, column] = True
                values[row, column] = result / found if kind == 2 else result


@compiled
def sample_points(voxels: Array, points: Array, linear: bool, values: Array, inside: Array) -> None:
    """Fill ``values`` and ``inside`` at ``points`` (n x 3 indices x, y, z); a point that is no number is outside."""
    slices, rows, columns = voxels.shape
    for at in range(points.shape[0]):
        x, y, z = points[at, 0], points[at, 1], points[at, 2]
        if -0.5 <= x < columns - 0.5 and -0.5 <= y < rows - 0.5 and -0.5 <= z < slices - 0.5:
            inside[at] = True
            values[at] = trilinear(voxels, x, y, z) if linear else nearest(voxels, x, y, z)


@compiled
def splat_maxima(voxels: Array, first: int, last: int, steps: Array, pictures: Array) -> None:
    """Maximum of every voxel of the slices ``first`` to ``last`` (exclusive) into the bin that its centre falls into.

    ``pictures`` are angles x slices x bins. ``steps`` (angles x 4) are 2**32 times the bin of the
    first voxel and what column, row and slice add to it. A slice stays in the processor's cache
    while all angles are made of it. No voxel is lost, whatever the angle.
    """
    _, rows, columns = voxels.shape
    for at in range(first, last):
        for angle in range(steps.shape[0]):
            line = pictures[angle, at]
            across, down = steps[angle, 1], steps[angle, 2]
            begin = steps[angle, 0] + at * steps[angle, 3]
            for row in range(rows):
                place = begin + row * down
                for column in range(columns):
                    value = voxels[at, row, column]
                    bin_ = place >> 32
                    if value > line[bin_]:  # noqa: PLR1730 - stores only what changes: twice as fast
                        line[bin_] = value
                    place += across


def fixed_point(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """2**32 times the numbers, as whole numbers."""
    whole: npt.NDArray[np.int64] = np.round(numbers * 2.0**32).astype(np.int64)
    return whole
