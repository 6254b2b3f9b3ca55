"""Resampling through a displacement field, as machine code."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.core.compiling import compiled

Array = npt.NDArray[Any]

_EDGE: Final = 1e-6
"""How many points beyond the border of the field still count as on it."""


_X: Final = np.uint64(0)
_Y: Final = np.uint64(1)
_Z: Final = np.uint64(2)


@compiled
def _cell(at: float, last: int) -> Any:
    """The point before a place from 0 to ``last``, the one after it, and the share of the latter.

    Unsigned: with signed numbers each access would first ask whether it counts from the end.
    """
    at = min(max(at, 0.0), np.float64(last))
    low = np.uint64(at)
    return low, min(low + np.uint64(1), np.uint64(last)), at - np.float64(low)


@compiled
def _between(values: Array, at: Any, x: Any, y: Any, z: Any) -> Any:
    """A value between eight points, the last index of which is ``at``; x, y and z are cells."""
    (i, i1, p), (j, j1, q), (k, k1, r) = x, y, z
    a, b = np.float64(values[k, j, i, at]), np.float64(values[k, j1, i, at])
    c, d = np.float64(values[k1, j, i, at]), np.float64(values[k1, j1, i, at])
    a += (values[k, j, i1, at] - a) * p
    b += (values[k, j1, i1, at] - b) * p
    c += (values[k1, j, i1, at] - c) * p
    d += (values[k1, j1, i1, at] - d) * p
    a += (b - a) * q
    c += (d - c) * q
    return a + (c - a) * r


@compiled
def _is_within(x: float, y: float, z: float, values: Array, margin: float) -> Any:
    """Whether an index lies between the outermost centres, or less than ``margin`` beyond."""
    return (
        x >= -margin
        and y >= -margin
        and z >= -margin
        and x < values.shape[2] - 1 + margin
        and y < values.shape[1] - 1 + margin
        and z < values.shape[0] - 1 + margin
    )


@compiled
def deform_slices(
    voxels: Array, moves: Array, maps: Array, linear: bool, fill: float, made: Array, part: tuple[int, int]
) -> int:
    """Fill the slices ``part`` (first, and after the last) of ``made``; how many of their voxels got ``fill``.

    ``maps`` (2 x 3 x 4) take an index x, y, z of the wanted grid to one of the field, and to one of the source
    where nothing moves; ``moves`` (3 x slices x rows x columns) then move it, in voxels of the source. What lies
    outside the field, or outside the source by half a voxel, gets ``fill``. Whole numbers are rounded.
    """
    f, g = maps[0], maps[1]
    slices, rows, columns, _ = voxels.shape
    last_x, last_y, last_z = moves.shape[2] - 1, moves.shape[1] - 1, moves.shape[0] - 1
    missing = 0
    for k in range(part[0], part[1]):
        for j in range(made.shape[1]):
            for i in range(made.shape[2]):
                x = f[0, 0] * i + f[0, 1] * j + f[0, 2] * k + f[0, 3]
                y = f[1, 0] * i + f[1, 1] * j + f[1, 2] * k + f[1, 3]
                z = f[2, 0] * i + f[2, 1] * j + f[2, 2] * k + f[2, 3]
                value = fill
                is_known = _is_within(x, y, z, moves, _EDGE)
                if is_known:
                    at_x, at_y, at_z = _cell(x, last_x), _cell(y, last_y), _cell(z, last_z)
                    x = g[0, 0] * i + g[0, 1] * j + g[0, 2] * k + g[0, 3] + _between(moves, _X, at_x, at_y, at_z)
                    y = g[1, 0] * i + g[1, 1] * j + g[1, 2] * k + g[1, 3] + _between(moves, _Y, at_x, at_y, at_z)
                    z = g[2, 0] * i + g[2, 1] * j + g[2, 2] * k + g[2, 3] + _between(moves, _Z, at_x, at_y, at_z)
                    is_known = _is_within(x, y, z, voxels, 0.5)
                if not is_known:
                    missing += 1
                elif linear:
                    at_x, at_y, at_z = _cell(x, columns - 1), _cell(y, rows - 1), _cell(z, slices - 1)
                    value = _between(voxels, _X, at_x, at_y, at_z)
                else:
                    value = np.float64(voxels[np.uint64(z + 0.5), np.uint64(y + 0.5), np.uint64(x + 0.5), _X])
                if made.itemsize == 2:
                    value = min(max(np.rint(value), -32768.0), 32767.0)
                made[k, j, i] = value
    return missing
