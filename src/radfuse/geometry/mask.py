"""Masks: which voxels of a grid belong to a region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidGeometry
from radfuse.geometry.grid import Grid


@dataclass(frozen=True, eq=False)
class Mask:
    """Voxels of ``grid`` that belong to a region: ``inside`` has its shape (slices, rows, columns).

    Raises InvalidGeometry for another shape or type.
    """

    grid: Grid
    inside: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Check the shape, and let nobody write."""
        if self.inside.dtype != np.bool_ or self.inside.shape != self.grid.shape:
            raise InvalidGeometry("a mask needs one truth value for each voxel of its grid")
        view = self.inside.view()
        view.flags.writeable = False
        object.__setattr__(self, "inside", view)

    @property
    def voxels(self) -> int:
        """How many voxels belong to it."""
        return int(np.count_nonzero(self.inside))

    @property
    def volume_ml(self) -> float:
        """Volume of the voxels that belong to it."""
        return self.voxels * self.grid.voxel_volume_mm3 / 1000
