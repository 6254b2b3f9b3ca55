"""Volumes made for tests: a smooth pattern whose value at any point is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.volume import Source, Unit, Volume

FRAME = FrameOfReference("2.25.4711")
OTHER_FRAME = FrameOfReference("2.25.4712")
SOURCE = Source("CT", "1.2.840.10008.5.1.4.1.1.2", "2.25.1", "2.25.2", ("2.25.3",))


def ramp(points_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A linear function of the place, which linear interpolation keeps exactly."""
    values: npt.NDArray[np.float64] = 100 + points_mm @ np.array((3.0, -2.0, 5.0))
    return values


def points_of(grid: Grid) -> npt.NDArray[np.float64]:
    """The centres of all voxels, slices x rows x columns x 3."""
    return np.stack([grid.slice_points_mm(at) for at in range(grid.shape[0])])


def ramp_volume(grid: Grid, unit: Unit = Unit.SIGNAL) -> Volume:
    """The ramp on a grid, float32."""
    return Volume(ramp(points_of(grid)).astype(np.float32), grid, unit, SOURCE)


def volume_of(voxels: npt.NDArray[Any], spacing_mm: tuple[float, float, float] = (1, 1, 1), **more: Any) -> Volume:
    """An axial volume of these voxels, with its first at the origin."""
    grid = Grid.of(voxels.shape, spacing_mm, more.pop("origin_mm", (0, 0, 0)), more.pop("frame", FRAME))
    return Volume(voxels, grid, more.pop("unit", Unit.HU), SOURCE, **more)


def turned(degrees: float, axis: int = 2) -> npt.NDArray[np.float64]:
    """A rotation about a patient axis."""
    angle = np.deg2rad(degrees)
    first, second = [each for each in range(3) if each != axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
    return matrix


def tilted_grid(shape: tuple[int, int, int] = (6, 20, 24)) -> Grid:
    """A gantry tilt: each slice is shifted along the columns."""
    linear = np.array([[0.8, 0.0, 0.0], [0.0, 0.9, 1.2], [0.0, 0.0, 3.0]])
    return Grid(shape, Affine.of(linear, (-10, -9, 40)), FRAME)
