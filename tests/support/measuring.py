"""Small volumes and regions whose numbers are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Affine, FrameOfReference, Grid, Mask, Points
from radfuse.volume import Finding, Source, Unit, Volume

FRAME = FrameOfReference("2.25.4711")
SOURCE = Source("PT", "1.2.840.10008.5.1.4.1.1.128", "2.25.1", "2.25.2", ())


def grid_of(
    shape: tuple[int, int, int],
    spacing_mm: Sequence[float] = (1, 1, 1),
    origin_mm: Sequence[float] = (0, 0, 0),
    frame: FrameOfReference = FRAME,
) -> Grid:
    """An axial grid; spacing and origin along x, y, z."""
    return Grid.of(shape, spacing_mm, origin_mm, frame)


def oblique_grid(shape: tuple[int, int, int], spacing_mm: Sequence[float] = (1, 1, 1)) -> Grid:
    """A grid turned about two axes."""
    a, b = np.radians(25), np.radians(-40)
    turn_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    turn_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return Grid(shape, Affine.of(turn_z @ turn_x @ np.diag(spacing_mm), (-31.5, 12.25, 480.0)), FRAME)


def points_of(grid: Grid) -> Points:
    """The voxel centres: slices x rows x columns x 3."""
    return np.stack([grid.slice_points_mm(number) for number in range(grid.shape[0])])


def volume_of(
    grid: Grid,
    values: npt.ArrayLike | Callable[[Points], npt.ArrayLike],
    unit: Unit = Unit.SUV_BW,
    findings: tuple[Finding, ...] = (),
) -> Volume:
    """A volume of these values, or of a function of the voxel centres."""
    voxels = values(points_of(grid)) if callable(values) else values
    return Volume(np.broadcast_to(voxels, grid.shape).astype(np.float32), grid, unit, SOURCE, findings)


def ball_mask(grid: Grid, centre_mm: Sequence[float], radius_mm: float) -> Mask:
    """The voxels whose centres lie in a ball."""
    return Mask(grid, np.linalg.norm(points_of(grid) - np.asarray(centre_mm), axis=-1) <= radius_mm)


def box_mask(grid: Grid, first: tuple[int, int, int], last: tuple[int, int, int]) -> Mask:
    """The voxels from ``first`` up to and without ``last`` (slice, row, column)."""
    inside = np.zeros(grid.shape, dtype=np.bool_)
    inside[first[0] : last[0], first[1] : last[1], first[2] : last[2]] = True
    return Mask(grid, inside)


def everything(grid: Grid) -> Mask:
    """All voxels."""
    return Mask(grid, np.ones(grid.shape, dtype=np.bool_))
