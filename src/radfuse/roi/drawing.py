"""Solids drawn by numbers: spheres, ellipsoids, boxes, cylinders; as masks, and as fractions of voxels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Grid, Mask, Points

_LINES_ACROSS_SOLID: Final = 160
"""A solid is cut by at least this many lines in each direction: keeps its volume exact to better than 1e-3."""

_MOST_LINES: Final = 64
_FEWEST_LINES: Final = 8
_LINES_AT_ONCE: Final = 1 << 18


class Shape(Enum):
    """The unit solid, of half-axes 1, that a Solid is an image of."""

    ELLIPSOID = "ellipsoid"
    BOX = "box"
    CYLINDER = "cylinder"
    """Round in its first two half-axes, straight along the third."""


@dataclass(frozen=True, eq=False)
class Solid:
    """A convex body in mm: a unit solid, its centre, and its three half-axes as the columns of a matrix.

    Raises InvalidRegion where it has no volume.
    """

    shape: Shape
    centre_mm: Points
    half_axes_mm: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check and freeze copies of the numbers."""
        centre, axes = np.array(self.centre_mm, dtype=np.float64), np.array(self.half_axes_mm, dtype=np.float64)
        finite = centre.shape == (3,) and axes.shape == (3, 3) and np.isfinite(centre).all() and np.isfinite(axes).all()
        if not finite or abs(np.linalg.det(axes)) < 1e-9:
            raise InvalidRegion("a solid needs a centre and three half-axes greater than zero, all in mm")
        object.__setattr__(self, "centre_mm", centre)
        object.__setattr__(self, "half_axes_mm", axes)

    @property
    def volume_mm3(self) -> float:
        """The exact volume."""
        unit = {Shape.ELLIPSOID: 4 / 3 * np.pi, Shape.BOX: 8.0, Shape.CYLINDER: 2 * np.pi}[self.shape]
        return float(unit * abs(np.linalg.det(self.half_axes_mm)))

    def reach(self, directions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """How far it reaches from its centre along each row of ``directions`` (n x 3), in units of that row."""
        along = directions @ self.half_axes_mm
        match self.shape:
            case Shape.ELLIPSOID:
                return np.asarray(np.linalg.norm(along, axis=1))
            case Shape.BOX:
                return np.asarray(np.abs(along).sum(axis=1))
            case Shape.CYLINDER:
                return np.asarray(np.hypot(along[:, 0], along[:, 1]) + np.abs(along[:, 2]))

    def chords(
        self, starts_mm: Points, step_mm: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Where the lines ``start + t * step`` enter and leave it, as t; entering after leaving where they miss it."""
        to_unit = np.linalg.inv(self.half_axes_mm)
        start, step = (starts_mm - self.centre_mm) @ to_unit.T, to_unit @ step_mm
        match self.shape:
            case Shape.ELLIPSOID:
                return _round(start, step)
            case Shape.BOX:
                return _straight(start, step)
            case Shape.CYLINDER:
                enter, leave = _round(start[..., :2], step[:2])
                first, last = _straight(start[..., 2:], step[2:])
                return np.maximum(enter, first), np.minimum(leave, last)


def _round(start: Points, step: Points) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Chords of the unit ball or disc."""
    square, half = step @ step, start @ step
    excess = (start * start).sum(axis=-1) - 1
    if square < 1e-24:
        return np.where(excess <= 0, -np.inf, np.inf), np.where(excess <= 0, np.inf, -np.inf)
    root = half * half - square * excess
    width = np.sqrt(np.maximum(root, 0))
    missed = root < 0
    return np.where(missed, np.inf, (-half - width) / square), np.where(missed, -np.inf, (-half + width) / square)


def _straight(start: Points, step: Points) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Chords of the cube from -1 to 1."""
    enter, leave = np.full(start.shape[:-1], -np.inf), np.full(start.shape[:-1], np.inf)
    for at, slope in zip(np.moveaxis(start, -1, 0), step, strict=True):
        if abs(slope) < 1e-12:
            missed = np.abs(at) > 1
            enter, leave = np.where(missed, np.inf, enter), np.where(missed, -np.inf, leave)
            continue
        one, other = (-1 - at) / slope, (1 - at) / slope
        enter, leave = np.maximum(enter, np.minimum(one, other)), np.minimum(leave, np.maximum(one, other))
    return enter, leave


def sphere(centre_mm: npt.ArrayLike, radius_mm: float) -> Solid:
    """A ball. Raises InvalidRegion for a radius that is not greater than zero."""
    return ellipsoid(centre_mm, np.full(3, radius_mm))


def ellipsoid(centre_mm: npt.ArrayLike, radii_mm: npt.ArrayLike) -> Solid:
    """An ellipsoid whose axes are those of the patient: radii to the left, to the back, to the head."""
    return Solid(Shape.ELLIPSOID, _point(centre_mm), np.diag(_positive(radii_mm)))


def box(centre_mm: npt.ArrayLike, size_mm: npt.ArrayLike) -> Solid:
    """A box along the patient's axes: its whole lengths left to right, front to back, feet to head."""
    return Solid(Shape.BOX, _point(centre_mm), np.diag(_positive(size_mm) / 2))


def cylinder(start_mm: npt.ArrayLike, end_mm: npt.ArrayLike, radius_mm: float) -> Solid:
    """A cylinder from the middle of one end to the middle of the other."""
    start, end = _point(start_mm), _point(end_mm)
    along = (end - start) / 2
    length = float(np.linalg.norm(along))
    if not length > 0:
        raise InvalidRegion("a cylinder needs two different ends")
    across = np.cross(along, np.eye(3)[int(np.abs(along).argmin())])
    first = across / np.linalg.norm(across) * _positive(radius_mm)
    return Solid(Shape.CYLINDER, (start + end) / 2, np.stack((first, np.cross(along / length, first), along), axis=1))


def _point(numbers: npt.ArrayLike) -> Points:
    return np.asarray(numbers, dtype=np.float64)


def _positive(lengths_mm: npt.ArrayLike) -> npt.NDArray[np.float64]:
    lengths = np.asarray(lengths_mm, dtype=np.float64)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise InvalidRegion("radii and lengths are greater than zero, in mm")
    return lengths


@dataclass(frozen=True, eq=False)
class Weights:
    """How much of each voxel lies within a solid, 0 to 1: for the part of ``grid`` that the solid touches.

    ``first`` is the first voxel of that part (slice, row, column). Empty where the solid lies beside the grid.
    """

    grid: Grid
    first: tuple[int, int, int]
    values: npt.NDArray[np.float64]
    is_whole: bool
    """Whether the solid lies within the grid; otherwise what is beyond it is missing here."""

    @property
    def where(self) -> tuple[slice, slice, slice]:
        """The part as an index of arrays on the grid: ``voxels[weights.where] * weights.values``."""
        one, two, three = (slice(at, at + size) for at, size in zip(self.first, self.values.shape, strict=True))
        return one, two, three

    @property
    def volume_ml(self) -> float:
        """Volume of what is within the grid."""
        return float(self.values.sum()) * self.grid.voxel_volume_mm3 / 1000


def sphere_weights(grid: Grid, centre_mm: npt.ArrayLike, radius_mm: float) -> Weights:
    """How much of each voxel lies within a ball: exact along the slice axis, sampled finely across it."""
    return weights(grid, sphere(centre_mm, radius_mm))


def weights(grid: Grid, solid: Solid) -> Weights:
    """How much of each voxel lies within the solid; on any grid, also oblique or sheared.

    Each voxel is cut by lines from slice to slice (8 x 8 at least, 160 across the solid); the length
    of each line within the solid and the voxel is exact. The total is right within 1e-3 for balls and
    ellipsoids, within 1e-2 where flat sides lie along the grid.
    """
    first, last, is_whole = _part(grid, solid)
    shape = np.maximum(last - first + 1, 0)
    if not shape.all():
        return Weights(grid, (0, 0, 0), np.zeros((0, 0, 0)), False)
    per_voxel = [int(np.clip(np.ceil(_LINES_ACROSS_SOLID / size), _FEWEST_LINES, _MOST_LINES)) for size in shape[:2]]
    values = np.empty(tuple(shape[::-1]), dtype=np.float64)
    rows = max(1, _LINES_AT_ONCE // int(shape[0] * per_voxel[0] * per_voxel[1] * shape[2]))
    for row in range(0, int(shape[1]), rows):
        down = np.arange(row, min(row + rows, int(shape[1])))
        values[:, down] = _lengths(grid, solid, (first, shape, down), per_voxel)
    return Weights(grid, (int(first[2]), int(first[1]), int(first[0])), values, is_whole)


def _lengths(
    grid: Grid,
    solid: Solid,
    part: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]],
    per_voxel: list[int],
) -> npt.NDArray[np.float64]:
    """The mean length of the lines through each voxel of some rows that lies within the solid, in voxels."""
    first, shape, down = part
    columns, rows = ((np.arange(number) + 0.5) / number - 0.5 for number in per_voxel)
    y = (first[1] + down[:, None] + rows).reshape(-1)
    x = (first[0] + np.arange(shape[0])[:, None] + columns).reshape(-1)
    index = np.zeros((len(y), len(x), 3))
    index[..., 0], index[..., 1] = x, y[:, None]
    enter, leave = solid.chords(grid.to_patient.apply(index), grid.to_patient.linear[:, 2])
    edges = first[2] - 0.5 + np.arange(shape[2])[:, None, None]
    length = np.minimum(leave, edges + 1) - np.maximum(enter, edges)
    blocks = np.maximum(length, 0).reshape(shape[2], len(down), len(rows), shape[0], len(columns))
    mean: npt.NDArray[np.float64] = blocks.mean(axis=(2, 4))
    return mean


def mask_of(grid: Grid, solid: Solid) -> Mask:
    """The voxels whose centres lie within the solid."""
    inside = np.zeros(grid.shape, dtype=np.bool_)
    first, last, _ = _part(grid, solid)
    if (last >= first).all():
        columns, rows, slices = (np.arange(low, high + 1) for low, high in zip(first, last, strict=True))
        index = np.zeros((len(rows), len(columns), 3))
        index[..., 0], index[..., 1] = columns, rows[:, None]
        enter, leave = solid.chords(grid.to_patient.apply(index), grid.to_patient.linear[:, 2])
        at = slices[:, None, None]
        part = np.ix_(slices, rows, columns)
        inside[part] = (at >= enter - 1e-9) & (at <= leave + 1e-9)
    return Mask(grid, inside)


def lies_within(grid: Grid, solid: Solid) -> bool:
    """Whether all of it lies in voxels of the grid."""
    return _part(grid, solid)[2]


def _part(grid: Grid, solid: Solid) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], bool]:
    """First and last index (column, row, slice) of the voxels it touches, and whether it lies within the grid."""
    centre, reach = grid.from_patient.apply(solid.centre_mm), solid.reach(grid.from_patient.linear)
    low, high, size = centre - reach, centre + reach, np.array(grid.shape[::-1])
    is_whole = bool((low >= -0.5 - 1e-6).all() and (high <= size - 0.5 + 1e-6).all())
    first, last = np.clip(np.floor(low + 0.5), 0, size), np.clip(np.ceil(high - 0.5), -1, size - 1)
    return first.astype(np.int64), last.astype(np.int64), is_whole
