"""The rotating maximum intensity projection: a volume seen from all sides."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidGeometry
from radfuse.fusion.planes import Plane
from radfuse.geometry import Affine, Grid
from radfuse.volume import Source, Unit, Volume
from radfuse.volume.resample import axial_grid, is_finite, outside_value, resample

_AXES: Final = {"x": 0, "y": 1, "z": 2}
_FIRST_VIEWS: Final = {"x": (0.0, 1.0, 0.0), "y": (0.0, 0.0, 1.0), "z": (0.0, 1.0, 0.0)}
_PARALLEL: Final = 1e-3
_THREADS: Final = os.cpu_count() or 1
_MOST_FRAMES: Final = 720
_NOTHING: Final = np.iinfo(np.int32).min


@dataclass(frozen=True, eq=False)
class RotatingProjection:
    """Maximum intensity projections from ``angles_deg`` around an axis through the middle of the volume.

    ``pictures``: frames x rows x columns in ``unit``, of the volume's own type. Rows run against
    the axis (for z: from head to foot).
    """

    pictures: npt.NDArray[Any]
    inside: npt.NDArray[np.bool_]
    """Of ``pictures``' shape: where the volume was met."""
    grids: tuple[Grid, ...]
    """Where each picture lies: one slice through the axis, as thick as what was projected."""
    angles_deg: tuple[float, ...]
    unit: Unit

    @staticmethod
    def size_of(grid: Grid, axis: str = "z") -> tuple[int, int, tuple[float, float]]:
        """Rows and columns of the pictures of volumes on ``grid``, and the width and height of their pixels in mm.

        Raises InvalidGeometry.
        """
        if _axis_across(grid, axis) is None:
            grid = axial_grid(grid)
        nothing = np.broadcast_to(np.int16(0), grid.shape)
        rotation = _rotation(Volume(nothing, grid, Unit.SIGNAL, Source("", "", "", "", ())), 1, axis)
        return rotation.rows, rotation.columns, rotation.pixel_mm

    def plane(self, frame: int) -> Plane:
        """One picture, from 0."""
        values = self.pictures[frame].astype(np.float32)
        return Plane(values, self.inside[frame], self.grids[frame], self.unit)


def rotating_mip(volume: Volume, frames: int = 36, axis: str = "z") -> RotatingProjection:
    """``frames`` projections over 360 degrees around a patient axis, each looked at from outside.

    For z (foot to head) the first is seen from the front, and the observer walks to the patient's
    left: 90 degrees is seen from the left. Each voxel counts in the pixel that its centre falls
    into, with its own value: the highest value of a picture is that of the volume. A volume that
    does not lie along the axis is resampled first (linear); voxels that are no finite numbers count as
    what lies outside does. Raises InvalidGeometry.
    """
    if axis not in _AXES or not 1 <= frames <= _MOST_FRAMES:
        raise InvalidGeometry(f"the axis is x, y or z, and there are 1 to {_MOST_FRAMES} frames")
    if not is_finite(volume.voxels):
        # What is no number is not known, as outside of the images: it must not hide what lies beside it.
        known = np.where(np.isfinite(volume.voxels), volume.voxels, np.float32(outside_value(volume.unit)))
        volume = replace(volume, voxels=known.astype(volume.voxels.dtype))
    if _axis_across(volume.grid, axis) is None:
        volume = resample(volume, axial_grid(volume.grid), Affine.identity())
    return _rotation(volume, frames, axis).made()


def _axis_across(grid: Grid, axis: str) -> int | None:
    """The axis of the array whose layers lie across a patient axis; None when there is none."""
    return _array_axis(grid, np.eye(3)[_AXES[axis]])


def _rotation(volume: Volume, frames: int, axis: str) -> _Rotation:
    """The run for a volume whose layers lie across the axis."""
    around, along = np.eye(3)[_AXES[axis]], _axis_across(volume.grid, axis)
    if along is None:  # of an axial grid, but for rounding
        along = 2 - _AXES[axis]
    voxels = np.moveaxis(volume.voxels, along, 0)
    kept = [each for each in range(3) if each != 2 - along]  # x before y before z
    linear = volume.grid.to_patient.linear
    # Columns and rows of a slice across the axis, then from slice to slice.
    moves = np.stack((linear[:, kept[0]], linear[:, kept[1]], linear[:, 2 - along]), axis=1)
    return _Rotation(voxels, moves, volume, around, np.array(_FIRST_VIEWS[axis]), frames)


def _array_axis(grid: Grid, around: npt.NDArray[np.float64]) -> int | None:
    """The axis of the array whose layers lie across ``around``; None when there is none."""
    sides = np.abs(grid.directions.T @ around)
    for along in range(3):
        if all(sides[2 - other] < _PARALLEL for other in range(3) if other != along):
            return along
    return None


class _Rotation:
    """One run: voxels as layers across the axis."""

    @property
    def rows(self) -> int:
        """Of a picture."""
        return len(self._voxels)

    @property
    def columns(self) -> int:
        """Of a picture."""
        return self._columns

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """Width and height of a pixel."""
        return self._pixel_mm, abs(self._layer_mm)

    def __init__(
        self,
        voxels: npt.NDArray[Any],
        moves: npt.NDArray[np.float64],
        volume: Volume,
        around: npt.NDArray[np.float64],
        first_view: npt.NDArray[np.float64],
        frames: int,
    ) -> None:
        self._voxels, self._moves, self._volume = voxels, moves, volume
        self._angles = 360.0 * np.arange(frames) / frames
        self._down = -around
        layers, rows, columns = voxels.shape
        self._extent = np.array((columns, rows, layers))
        self._centre = volume.grid.to_patient.apply((np.array(volume.grid.shape[::-1]) - 1) / 2)
        # No column or row may step over a pixel, or there would be holes.
        across = moves[:, :2] - np.outer(around, around @ moves[:, :2])
        self._pixel_mm = float(np.linalg.norm(across, axis=0).max())
        self._layer_mm = float(around @ moves[:, 2])
        radians = np.deg2rad(self._angles)
        side = np.cross(around, first_view)
        self._views = np.outer(np.cos(radians), first_view) + np.outer(np.sin(radians), side)
        self._rights = np.cross(self._down, self._views)
        corner = (self._moves - np.outer(around, around @ self._moves)) * self._extent / 2
        reach = max(float(np.linalg.norm(corner @ signs)) for signs in ((1, 1, 1), (1, -1, 1), (-1, 1, 1), (-1, -1, 1)))
        self._columns = 2 * int(np.ceil(reach / self._pixel_mm)) + 1
        self._depth_mm = 2 * reach

    def made(self) -> RotatingProjection:
        self._voxels = np.ascontiguousarray(self._voxels)
        pictures = self._maxima()
        if self._layer_mm > 0:  # layers go along the axis, rows against it
            pictures = pictures[:, ::-1]
        inside = pictures != _nothing(pictures)
        filled = np.where(inside, pictures, np.asarray(outside_value(self._volume.unit), pictures.dtype))
        grids = tuple(self._grid(frame) for frame in range(len(self._angles)))
        return RotatingProjection(
            filled.astype(self._voxels.dtype), inside, grids, tuple(self._angles.tolist()), self._volume.unit
        )

    def _maxima(self) -> npt.NDArray[Any]:
        """Frames x layers x columns."""
        from radfuse.fusion import kernels

        frames, layers = len(self._angles), len(self._voxels)
        # Seen from behind every picture is its own mirror image.
        count = frames // 2 if frames % 2 == 0 else frames
        kind = np.int32 if self._voxels.dtype == np.int16 else np.float32
        pictures = np.empty((frames, layers, self._columns), dtype=kind)
        pictures.fill(_nothing(pictures))
        steps = self._rights[:count] @ self._moves / self._pixel_mm
        first = self._columns / 2 - steps @ ((self._extent - 1) / 2)
        fixed = kernels.fixed_point(np.concatenate((first[:, None], steps), axis=1))
        bounds = np.linspace(0, layers, min(_THREADS, layers) + 1).astype(int).tolist()
        with ThreadPoolExecutor(len(bounds) - 1) as threads:
            parts = [
                threads.submit(kernels.splat_maxima, self._voxels, begin, end, fixed, pictures[:count])
                for begin, end in pairwise(bounds)
            ]
            for part in parts:
                part.result()
        if count < frames:
            pictures[count:] = pictures[:count, :, ::-1]
        return pictures

    def _grid(self, frame: int) -> Grid:
        layers = len(self._voxels)
        right, view = self._rights[frame] * self._pixel_mm, self._views[frame] * self._depth_mm
        down = self._down * abs(self._layer_mm)
        origin = self._centre - right * (self._columns - 1) / 2 - down * (layers - 1) / 2
        linear = np.stack((right, down, view), axis=1)
        return Grid((1, layers, self._columns), Affine.of(linear, origin), self._volume.grid.frame)


def _nothing(pictures: npt.NDArray[Any]) -> float:
    return _NOTHING if pictures.dtype == np.int32 else -np.inf
