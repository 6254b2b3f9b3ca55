"""Grids: where the voxels of a volume lie (PS3.3 section C.7.6.2.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidGeometry
from radfuse.geometry.affine import Affine, Points
from radfuse.geometry.frame import FrameOfReference

_SHEAR_TOLERANCE: Final = 1e-3
_MOST_VOXELS: Final = 1 << 40


@dataclass(frozen=True, eq=False)
class Grid:
    """A box of voxels in a frame of reference.

    ``shape`` is that of the arrays: slices, rows, columns. ``to_patient`` maps an index in the order
    column, row, slice (x, y, z) to the centre of that voxel in mm of the patient's coordinate system
    (x to the left, y to the back, z to the head); half indices are the voxels' edges. It may be
    sheared (gantry tilt) and left-handed.
    """

    shape: tuple[int, int, int]
    to_patient: Affine
    frame: FrameOfReference

    def __post_init__(self) -> None:
        """Check the shape. Raises InvalidGeometry."""
        if len(self.shape) != 3 or min(self.shape) < 1 or np.prod(self.shape, dtype=float) > _MOST_VOXELS:
            raise InvalidGeometry("a grid needs slices, rows and columns")

    @classmethod
    def of(
        cls, shape: tuple[int, int, int], spacing_mm: npt.ArrayLike, origin_mm: npt.ArrayLike, frame: FrameOfReference
    ) -> Grid:
        """An axial grid: spacing along x, y, z, and the centre of its first voxel."""
        return cls(shape, Affine.of(np.diag(np.asarray(spacing_mm, dtype=np.float64)), origin_mm), frame)

    @cached_property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxel centres along a row, along a column, and of neighbouring slice planes.

        In a sheared grid the last is the distance of the planes, not of the slices' first voxels.
        """
        across, down, through = self.to_patient.linear.T
        return float(np.linalg.norm(across)), float(np.linalg.norm(down)), float(abs(through @ self.normal))

    @cached_property
    def origin_mm(self) -> npt.NDArray[np.float64]:
        """Centre of the first voxel."""
        return self.to_patient.translation

    @cached_property
    def directions(self) -> npt.NDArray[np.float64]:
        """Unit vectors along a row, along a column, and from slice to slice, as the columns of a matrix."""
        linear = self.to_patient.linear
        unit: npt.NDArray[np.float64] = linear / np.linalg.norm(linear, axis=0)
        return unit

    @cached_property
    def normal(self) -> npt.NDArray[np.float64]:
        """Unit vector across the slices: row direction x column direction (PS3.3 section C.7.6.2.1.1)."""
        cross = np.cross(self.to_patient.linear[:, 0], self.to_patient.linear[:, 1])
        unit: npt.NDArray[np.float64] = cross / np.linalg.norm(cross)
        return unit

    @cached_property
    def is_sheared(self) -> bool:
        """Whether its axes are not at right angles."""
        product = self.directions.T @ self.directions
        return bool(np.abs(product - np.eye(3)).max() > _SHEAR_TOLERANCE)

    @cached_property
    def voxel_volume_mm3(self) -> float:
        """Volume of a voxel."""
        return float(abs(np.linalg.det(self.to_patient.linear)))

    @cached_property
    def from_patient(self) -> Affine:
        """From mm to indices in the order column, row, slice."""
        return self.to_patient.inverse()

    @cached_property
    def corners_mm(self) -> Points:
        """The eight outer corners, at the voxels' edges."""
        slices, rows, columns = self.shape
        ends = [(-0.5, size - 0.5) for size in (columns, rows, slices)]
        return self.to_patient.apply(np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(8, 3))

    def slice_points_mm(self, index: int) -> Points:
        """The voxel centres of one slice, rows x columns x 3."""
        _, rows, columns = self.shape
        down, across = np.mgrid[0:rows, 0:columns]
        return self.to_patient.apply(np.stack((across, down, np.full_like(across, index)), axis=-1))

    def contains(self, points_mm: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which points lie in a voxel."""
        index = self.from_patient.apply(points_mm)
        size = np.array(self.shape[::-1])
        inside: npt.NDArray[np.bool_] = np.all((index >= -0.5) & (index < size - 0.5), axis=-1)
        return inside

    def matches(self, other: Grid, tolerance_mm: float = 1e-3) -> bool:
        """Whether both have the same voxels: frame, shape, and the corners within ``tolerance_mm``."""
        return (
            self.frame.is_same_as(other.frame)
            and self.shape == other.shape
            and bool(np.abs(self.corners_mm - other.corners_mm).max() <= tolerance_mm)
        )

    def cropped(self, first: tuple[int, int, int], shape: tuple[int, int, int]) -> Grid:
        """The part of ``shape`` that begins at the voxel ``first`` (slice, row, column)."""
        shift = np.eye(4)
        shift[:3, 3] = first[::-1]
        return Grid(shape, self.to_patient.after(Affine(shift)), self.frame)
