"""Images that are functions of the point, and smooth deformations between them: the truth is exact on any grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from radfuse.geometry import Affine, FrameOfReference, Grid, Mask, Points
from radfuse.registration.deform import DeformableResult
from radfuse.volume import Source, Unit, Volume

FIXED: Final = FrameOfReference("1.2.3")
MOVING: Final = FrameOfReference("1.2.4")
SOURCE: Final = Source("MR", "", "", "", ())

_RANDOM: Final = np.random.default_rng(11)
_DIRECTIONS: Final = _RANDOM.normal(size=(30, 3))
_LENGTHS_MM: Final = _RANDOM.uniform(14, 45, size=(30, 1))
_WAVES: Final = 2 * np.pi / _LENGTHS_MM * _DIRECTIONS / np.linalg.norm(_DIRECTIONS, axis=1, keepdims=True)
_PHASES: Final = _RANDOM.uniform(0, 2 * np.pi, 30)
_RADIUS_MM: Final = 42.0


def brightness(points_mm: Points) -> Points:
    """A textured ball about the origin, 0..1000."""
    texture = np.cos(points_mm @ _WAVES.T + _PHASES).sum(axis=-1) / 8
    edge = 1 / (1 + np.exp((np.linalg.norm(points_mm, axis=-1) - _RADIUS_MM) / 1.5))
    values: Points = 1000 * edge * np.clip(0.5 + 0.4 * texture, 0, 1)
    return values


def other_contrast(values: Points) -> Points:
    """What another modality shows: neither a line nor monotone."""
    share = values / 1000
    return 1000 * np.where(share < 0.35, 2.2 * share, np.clip(1.3 - 1.5 * share, 0, 1))


def displacement(points_mm: Points, size_mm: float) -> Points:
    """Smooth, up to about ``size_mm`` along each axis."""
    x, y, z = np.moveaxis(points_mm / 22, -1, 0)
    return size_mm * np.stack((np.sin(y + 0.5) * np.cos(z), np.sin(z - 0.3) * np.cos(x), np.sin(x + 1) * np.cos(y)), -1)


def points_of(grid: Grid) -> Points:
    """The voxel centres, slices x rows x columns x 3."""
    return np.stack([grid.slice_points_mm(index) for index in range(grid.shape[0])])


def box(side: int = 48, mm: tuple[float, float, float] = (2, 2, 2), frame: FrameOfReference = FIXED) -> Grid:
    """An axial grid about the origin, ``side`` voxels of 2 mm long whatever the voxels are."""
    columns, rows, slices = (round(side * 2 / each) for each in mm)
    first = -(np.array((columns, rows, slices)) - 1) * mm / 2
    return Grid.of((slices, rows, columns), mm, first, frame)


@dataclass(frozen=True)
class Made:
    """A pair: the fixed images show at x what the moving ones show at ``start(x + displacement(x))``."""

    fixed: Volume
    moving: Volume
    start: Affine
    size_mm: float

    def truth(self, points_mm: Points) -> Points:
        """From points of the fixed frame to the moving one."""
        return self.start.apply(points_mm + displacement(points_mm, self.size_mm))

    def inner_points(self) -> Points:
        """Of the fixed grid, well inside the ball."""
        points = points_of(self.fixed.grid).reshape(-1, 3)
        inner: Points = points[np.linalg.norm(points, axis=1) < _RADIUS_MM - 8][::5]
        return inner

    def errors_mm(self, result: DeformableResult, points_mm: Points | None = None) -> Points:
        """Distances between where the registration and the truth send inner points."""
        points = self.inner_points() if points_mm is None else points_mm
        distances: Points = np.linalg.norm(result.registration.transform.apply(points) - self.truth(points), axis=1)
        return distances


def volume(grid: Grid, values: Points, seed: int, noise: float = 10) -> Volume:
    """With noise."""
    noisy = values + np.random.default_rng(seed).normal(0, noise, grid.shape)
    return Volume(noisy.astype(np.float32), grid, Unit.SIGNAL, SOURCE)


def make(
    fixed: Grid | None = None,
    moving: Grid | None = None,
    start: Affine | None = None,
    size_mm: float = 2.5,
    *,
    contrast: bool = False,
) -> Made:
    """A pair on two grids; ``start`` leads to the moving frame, where the ball lies elsewhere."""
    fixed = fixed or box()
    moving = moving or Grid(fixed.shape, fixed.to_patient, MOVING)
    start = start or Affine.identity()
    points = points_of(fixed)
    shown = brightness(points + displacement(points, size_mm))
    there = brightness(start.inverse().apply(points_of(moving)))
    return Made(
        volume(fixed, shown, 1), volume(moving, other_contrast(there) if contrast else there, 2), start, size_mm
    )


def ball(grid: Grid, centre_mm: tuple[float, float, float], radius_mm: float) -> Mask:
    """The voxels within a ball."""
    return Mask(grid, np.linalg.norm(points_of(grid) - np.array(centre_mm), axis=-1) <= radius_mm)
