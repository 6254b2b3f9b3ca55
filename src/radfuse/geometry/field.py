"""Displacement fields: deformations sampled on a grid (PS3.3 section C.20.3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidGeometry
from radfuse.geometry.affine import Points
from radfuse.geometry.grid import Grid


@dataclass(frozen=True, eq=False)
class DisplacementField:
    """Displacements in mm along x, y, z at the points of ``grid``: slices x rows x columns x 3.

    Raises InvalidGeometry for another shape or numbers that are not finite.
    """

    grid: Grid
    vectors_mm: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check the vectors, and let nobody write."""
        if self.vectors_mm.shape != (*self.grid.shape, 3) or not np.isfinite(self.vectors_mm).all():
            raise InvalidGeometry("a displacement field needs three finite numbers for each point of its grid")
        view = self.vectors_mm.view()
        view.flags.writeable = False
        object.__setattr__(self, "vectors_mm", view)

    def apply(self, points_mm: npt.ArrayLike) -> Points:
        """Where points go, trilinear between grid points; NaN outside the grid, where nothing is known."""
        points = np.asarray(points_mm, dtype=np.float64)
        index = self.grid.from_patient.apply(points).reshape(-1, 3)
        size = np.array(self.grid.shape[::-1])
        inside = np.all((index >= -1e-6) & (index <= size - 1 + 1e-6), axis=1)
        moved = np.full_like(index, np.nan)
        moved[inside] = points.reshape(-1, 3)[inside] + self._at(np.clip(index[inside], 0, size - 1))
        return moved.reshape(points.shape)

    def _at(self, index: Points) -> Points:
        size = np.array(self.grid.shape[::-1])
        low = np.minimum(index.astype(np.int64), np.maximum(size - 2, 0))
        high = np.minimum(low + 1, size - 1)
        part = index - low
        total = np.zeros_like(index)
        for corner in np.ndindex(2, 2, 2):
            at = np.where(corner, high, low)
            weight = np.prod(np.where(corner, part, 1 - part), axis=1)
            total += weight[:, None] * self.vectors_mm[at[:, 2], at[:, 1], at[:, 0]]
        return total
