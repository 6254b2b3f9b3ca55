"""Planes through volumes: oblique slices, thick slabs, projections along an axis; all know where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidGeometry
from radfuse.geometry import Affine, DisplacementField, Grid
from radfuse.volume import Unit, Volume
from radfuse.volume.resample import Interpolation, outside_value

_MOST_SAMPLES: Final = 4096
Offsets: TypeAlias = npt.NDArray[np.float64]
"""Distances of the samples of a slab from its plane, in mm."""


class Projection(IntEnum):
    """What becomes of the samples behind each other."""

    MAXIMUM = 0
    MINIMUM = 1
    MEAN = 2


@dataclass(frozen=True, eq=False)
class Plane:
    """A picture of a volume, in its unit: ``values`` (rows x columns, float32, all finite)."""

    values: npt.NDArray[np.float32]
    inside: npt.NDArray[np.bool_]
    """Where the volume was met; elsewhere ``values`` are a filling."""
    grid: Grid
    """Where the picture lies: a grid of one slice, whose thickness is that of the slab."""
    unit: Unit


@dataclass(frozen=True, slots=True)
class Slab:
    """How thick a plane is, centred on it, and what becomes of the samples in it."""

    thickness_mm: float
    projection: Projection = Projection.MAXIMUM


_THIN: Final = Slab(0.0, Projection.MEAN)


def reslice(
    volume: Volume,
    plane: Grid,
    transform: Affine | DisplacementField | None = None,
    slab: Slab = _THIN,
    interpolation: Interpolation = Interpolation.LINEAR,
) -> Plane:
    """The volume in the plane of ``plane``, a grid of one slice anywhere; a slab's samples are one voxel apart or less.

    ``transform`` maps points of the plane's frame of reference to the volume's, as in
    ``radfuse.volume.resample``; without one both frames must be the same. Raises FramesDiffer, InvalidGeometry.
    """
    if plane.shape[0] != 1 or interpolation is Interpolation.CUBIC or slab.thickness_mm < 0:
        raise InvalidGeometry("a plane has one slice, a thickness of 0 mm or more, and no cubic interpolation")
    if transform is None:
        volume.grid.frame.require_same(plane.frame, "the images and the plane")
    count, step_mm = _samples(volume.grid, slab.thickness_mm)
    offsets: Offsets = (np.arange(count, dtype=np.float64) - (count - 1) / 2) * step_mm
    values = np.full(plane.shape[1:], outside_value(volume.unit), dtype=np.float32)
    inside = np.zeros(plane.shape[1:], dtype=np.bool_)
    linear = interpolation is Interpolation.LINEAR
    if isinstance(transform, DisplacementField):
        transform.grid.frame.require_same(plane.frame, "the displacement field and the plane")
        layers, known = _layers(volume, plane, transform, offsets, linear)
        inside |= known.any(axis=0)
        values[inside] = _combined(layers, known, slab.projection)[inside]
    else:
        from radfuse.fusion import kernels

        steps = _steps(volume.grid, plane, transform, offsets)
        kernels.sample_slab(volume.voxels, steps, count, int(slab.projection), linear, values, inside)
    if not np.isfinite(values).all():
        raise InvalidGeometry("some voxels in the plane are no finite numbers")
    return Plane(values, inside, thick(plane, slab.thickness_mm), volume.unit)


def project(volume: Volume, axis: int, projection: Projection = Projection.MAXIMUM) -> Plane:
    """All voxels along an axis of the array (0 slices, 1 rows, 2 columns), without interpolation.

    The picture's columns and rows are the remaining axes, x before y before z, the latter downwards
    in the order of the array. It lies in the middle of the volume.
    """
    if axis not in (0, 1, 2):
        raise InvalidGeometry("a volume has the axes 0, 1 and 2")
    voxels = volume.voxels
    if projection is Projection.MEAN:
        values = voxels.mean(axis=axis, dtype=np.float64)
    else:
        values = voxels.max(axis=axis) if projection is Projection.MAXIMUM else voxels.min(axis=axis)
    gone = 2 - axis
    column, row = (each for each in range(3) if each != gone)
    linear = volume.grid.to_patient.linear
    index = np.zeros(3)
    index[gone] = (volume.voxels.shape[axis] - 1) / 2
    through = linear[:, gone] * volume.voxels.shape[axis]
    matrix = np.stack((linear[:, column], linear[:, row], through), axis=1)
    grid = Grid((1, *values.shape), Affine.of(matrix, volume.grid.to_patient.apply(index)), volume.grid.frame)
    return Plane(values.astype(np.float32), np.ones(values.shape, dtype=np.bool_), grid, volume.unit)


def thick(plane: Grid, thickness_mm: float) -> Grid:
    """The same plane with another thickness; 0 keeps that it has."""
    if not thickness_mm:
        return plane
    linear = plane.to_patient.linear.copy()
    linear[:, 2] = plane.normal * thickness_mm
    return Grid(plane.shape, Affine.of(linear, plane.origin_mm), plane.frame)


def _samples(grid: Grid, thickness_mm: float) -> tuple[int, float]:
    """How many samples through a slab, and how far apart they are."""
    if not thickness_mm:
        return 1, 0.0
    count = max(int(np.ceil(thickness_mm / min(grid.spacing_mm))), 1)
    if count > _MOST_SAMPLES:
        raise InvalidGeometry(f"a slab of {thickness_mm:g} mm is too thick")
    return count, thickness_mm / count


def _steps(source: Grid, plane: Grid, transform: Affine | None, offsets: Offsets) -> npt.NDArray[np.float64]:
    """From pixels to indices of the source: first sample, column step, row step, sample step."""
    to_source = source.from_patient if transform is None else source.from_patient.after(transform)
    across, down, _ = plane.to_patient.linear.T
    first = to_source.apply(plane.origin_mm + offsets[0] * plane.normal)
    through = plane.normal * (offsets[1] - offsets[0] if len(offsets) > 1 else 0.0)
    moves = np.stack((across, down, through)) @ to_source.linear.T
    return np.concatenate((first[None], moves))


def _layers(
    volume: Volume, plane: Grid, field: DisplacementField, offsets: Offsets, linear: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Samples x rows x columns through a field, and where there are any."""
    from radfuse.fusion import kernels

    shape = (len(offsets), *plane.shape[1:])
    layers, known = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    for at, offset in enumerate(offsets):
        moved = field.apply(plane.slice_points_mm(0) + offset * plane.normal)
        points = volume.grid.from_patient.apply(moved).reshape(-1, 3)
        kernels.sample_points(volume.voxels, points, linear, layers[at].reshape(-1), known[at].reshape(-1))
    return layers, known


def _combined(layers: npt.NDArray[Any], known: npt.NDArray[np.bool_], projection: Projection) -> npt.NDArray[Any]:
    combined: npt.NDArray[Any]
    if projection is Projection.MEAN:
        combined = (layers * known).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    elif projection is Projection.MAXIMUM:
        combined = np.where(known, layers, -np.inf).max(axis=0)
    else:
        combined = np.where(known, layers, np.inf).min(axis=0)
    return combined
