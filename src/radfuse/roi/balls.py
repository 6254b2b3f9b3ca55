"""Balls on grids: how much of each voxel lies in one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Grid

_RAY_STEP_MM: Final = 0.3
"""Distance of the rays along which the overlap is computed exactly; the volume is right to 0.1 %."""


@dataclass(frozen=True, eq=False)
class Ball:
    """Voxels around a voxel (column, row, slice: n x 3 steps from it) and which part of each lies in the ball."""

    steps: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]


class Balls:
    """Balls of one radius on one grid, by where their centres lie in a voxel: the same all over the grid."""

    def __init__(self, grid: Grid, radius_mm: float) -> None:
        """Prepare for ``grid``; it may be oblique, anisotropic and sheared."""
        self._linear = grid.to_patient.linear
        self.radius_mm = radius_mm
        # Reach of the ball along each index axis: rows of the inverse are the gradients of the indices.
        self._reach = radius_mm * np.linalg.norm(grid.from_patient.linear, axis=1)
        self.at = lru_cache(maxsize=4096)(self._at)

    def _at(self, x: float, y: float, z: float) -> Ball:
        """The ball whose centre lies x columns, y rows and z slices from the centre of a voxel."""
        spacing = np.linalg.norm(self._linear, axis=0)
        first = np.floor(np.array((x, y, z)) - self._reach + 0.5).astype(np.int64)
        last = np.floor(np.array((x, y, z)) + self._reach + 0.5).astype(np.int64)
        rays = [max(1, int(np.ceil(step / _RAY_STEP_MM))) for step in spacing[:2]]
        across, down = (
            first[axis] - 0.5 - centre + (np.arange((last[axis] - first[axis] + 1) * rays[axis]) + 0.5) / rays[axis]
            for axis, centre in enumerate((x, y))
        )
        enters, leaves = self._chords(across, down)
        weights = np.zeros(tuple((last - first + 1)[::-1]))
        for number in range(len(weights)):
            middle = first[2] + number - z
            length = np.minimum(leaves, middle + 0.5) - np.maximum(enters, middle - 0.5)
            by_voxel = np.maximum(length, 0).reshape(weights.shape[1], rays[1], weights.shape[2], rays[0])
            weights[number] = by_voxel.mean(axis=(1, 3))
        at = np.argwhere(weights > 0)
        return Ball(at[:, ::-1] + first, weights[at[:, 0], at[:, 1], at[:, 2]])

    def _chords(
        self, across: npt.NDArray[np.float64], down: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Where rays along the slice axis enter and leave, in slices from the ball's centre; equal where they miss."""
        right, back, up = self._linear.T
        start = across[None, :, None] * right + down[:, None, None] * back
        a = up @ up
        b = start @ up
        c = np.einsum("...i,...i", start, start) - self.radius_mm**2
        half = np.sqrt(np.maximum(b * b - a * c, 0)) / a
        return -b / a - half, -b / a + half
