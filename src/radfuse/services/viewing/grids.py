"""Where the voxels of a series lie in the frame of reference of another: carried there, or made anew."""

from __future__ import annotations

from typing import Final

import numpy as np

from radfuse.geometry import Affine, FrameOfReference, Grid, Points
from radfuse.services.registrations import RegistrationPath
from radfuse.services.registrations.applying import points_to_fixed
from radfuse.volume.resample import regular_grid

_MOST_VOXELS: Final = 64 << 20
_MARGIN_MM: Final = 10.0
_STEP_MM: Final = 5.0
_PLACES: Final = 9


def carried(grid: Grid, to_fixed: Affine, frame: FrameOfReference) -> Grid | None:
    """The same voxels in another frame; None where they are no box at right angles there, or mirrored."""
    moved = Grid(grid.shape, to_fixed.after(grid.to_patient), frame)
    if moved.is_sheared or np.linalg.det(moved.to_patient.linear) < 0:
        return None
    return moved


def made_anew(base: Grid, moving: Grid, path: RegistrationPath) -> Grid:
    """A grid in the base's frame over its box, with about the moving images' voxels, at most 64 million.

    Where the box would need more, it is that part of it in which the moving images lie.
    """
    straight = regular_grid(base)
    spacing = _spacing(straight, moving, path)
    if _voxels(straight, spacing) > _MOST_VOXELS:
        straight = _common_part(straight, moving, path)
    growth = max(1.0, (_voxels(straight, spacing) / _MOST_VOXELS) ** (1 / 3))
    x, y, z = (each * growth for each in spacing)
    return regular_grid(straight, (x, y, z))


def _spacing(base: Grid, moving: Grid, path: RegistrationPath) -> tuple[float, float, float]:
    """The moving images' spacing along each axis of the base: that of the axis which lies along it most."""
    centre = moving.to_patient.apply((np.array(moving.shape[::-1]) - 1) / 2)
    ends = points_to_fixed(path, np.stack((centre, *(centre + _STEP_MM * moving.directions.T))))
    axes = (ends[1:] - ends[0]).T
    if not np.isfinite(axes).all():
        axes = moving.directions
    nearest = np.abs(base.directions.T @ axes).argmax(axis=1)
    x, y, z = (moving.spacing_mm[int(axis)] for axis in nearest)
    return x, y, z


def _voxels(grid: Grid, spacing_mm: tuple[float, float, float]) -> float:
    size_mm = np.array(grid.shape[::-1]) * grid.spacing_mm
    return float(np.prod(np.maximum(size_mm / spacing_mm, 1)))


def _common_part(base: Grid, moving: Grid, path: RegistrationPath) -> Grid:
    """The voxels of the base around the moving images; all of them where nobody knows."""
    arrived = points_to_fixed(path, _lattice(moving))
    arrived = arrived[np.isfinite(arrived).all(axis=1)]
    if len(arrived) < _PLACES**3 // 2:
        return base
    index = base.from_patient.apply(arrived)
    margin, last = _MARGIN_MM / np.array(base.spacing_mm), np.array(base.shape[::-1]) - 1
    low = np.clip(np.floor(index.min(axis=0) - margin), 0, last).astype(int)
    high = np.clip(np.ceil(index.max(axis=0) + margin), 0, last).astype(int)
    (x, y, z), (columns, rows, slices) = low.tolist(), (high - low + 1).tolist()
    return base.cropped((z, y, x), (slices, rows, columns))


def _lattice(grid: Grid) -> Points:
    ends = [np.linspace(-0.5, size - 0.5, _PLACES) for size in grid.shape[::-1]]
    return grid.to_patient.apply(np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3))
