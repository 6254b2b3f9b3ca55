"""A deformation on the grid that stores it: how coarse it may be, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidObject
from radfuse.geometry import Affine, Chain, DisplacementField, Grid
from radfuse.objects.reg.model import FieldLoss, FieldStorage

_FINER: Final = (1.0, 0.75, 0.5, 0.25)
"""Parts of the asked spacing that are tried in turn before the field is stored as it is."""

Vectors = npt.NDArray[np.float32]
Shape = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class StoredField:
    """p_moving = after(p_fixed + d(p_fixed)): the vectors d on a right-handed grid without shear."""

    grid: Grid
    vectors_mm: Vectors
    after: Affine
    loss: FieldLoss


def stored_field(transform: Chain, storage: FieldStorage) -> StoredField:
    """The field that stands for ``transform``, coarse as its loss allows. Raises InvalidObject.

    The matrices of the transform go to ``after``, so that the vectors stay small.
    """
    domain = right_handed(_domain(transform, storage))
    vectors, after = _full(transform, domain)
    box = defined_box(vectors)
    if box is None:
        raise InvalidObject(("the transform is undefined all over the grid it is to be stored on",))
    whole = int(np.prod(domain.shape))
    domain, vectors = cropped(domain, vectors, box)
    coarse, losses = _coarsened(domain, vectors, storage)
    grid = _with_shape(domain, coarse.shape[:3])
    loss = FieldLoss(*losses, spacing_mm=grid.spacing_mm, covered=float(np.prod(domain.shape)) / whole)
    return StoredField(grid, coarse, after, loss)


def _domain(transform: Chain, storage: FieldStorage) -> Grid:
    if storage.grid is not None:
        return storage.grid
    first = transform.steps[0] if transform.steps else None
    if not isinstance(first, DisplacementField):
        raise InvalidObject(("the grid of the deformation is not said, and its first step has none",))
    return first.grid


def right_handed(grid: Grid) -> Grid:
    """The same points in the order that Image Orientation (Patient) implies, slices along row x column.

    A sheared grid becomes the upright one over its extent.
    """
    if grid.is_sheared:
        return _upright(grid)
    linear, origin = grid.to_patient.linear.copy(), grid.to_patient.translation.copy()
    if np.linalg.det(linear) < 0:
        origin += linear[:, 2] * (grid.shape[0] - 1)
        linear[:, 2] *= -1
    return Grid(grid.shape, Affine.of(linear, origin), grid.frame)


def _upright(grid: Grid) -> Grid:
    """A grid of the same rows, with slices at right angles, over all voxel centres of a sheared one."""
    row, normal = grid.directions[:, 0], grid.normal
    axes = np.column_stack((row, np.cross(normal, row), normal))
    steps = np.array(grid.spacing_mm)
    last = np.array(grid.shape[::-1]) - 1
    corners = grid.to_patient.apply(np.array(list(np.ndindex(2, 2, 2))) * last) @ axes
    low, high = corners.min(axis=0), corners.max(axis=0)
    counts = np.ceil((high - low) / steps - 1e-6).astype(int) + 1
    columns, rows, slices = (int(count) for count in counts)
    return Grid((slices, rows, columns), Affine.of(axes * steps, axes @ low), grid.frame)


def _full(transform: Chain, domain: Grid) -> tuple[Vectors, Affine]:
    """The vectors at all points of the domain, NaN where there are none, and the matrix after them."""
    matrices = tuple(step for step in transform.steps if isinstance(step, Affine))
    after = Chain(matrices).affine()
    field = transform.steps[0] if transform.steps else None
    if isinstance(field, DisplacementField) and len(matrices) == len(transform.steps) - 1 and _holds(field, domain):
        turned = np.linalg.det(field.grid.to_patient.linear) < 0
        return (field.vectors_mm[::-1] if turned else field.vectors_mm), after
    back = after.inverse()
    found = np.empty((*domain.shape, 3), np.float32)
    for index in range(domain.shape[0]):
        points = domain.slice_points_mm(index)
        found[index] = back.apply(transform.apply(points)) - points
    return found, after


def _holds(field: DisplacementField, domain: Grid) -> bool:
    """Whether the field has its vectors at the points of the domain."""
    return not field.grid.is_sheared and right_handed(field.grid).matches(domain, 1e-6)


Box = tuple[slice, slice, slice]


def defined_box(vectors: Vectors) -> Box | None:
    """A box of vectors that are all finite: faces with the largest share of others are taken off in turn."""
    good: npt.NDArray[np.bool_] = np.asarray(np.isfinite(vectors).all(axis=-1))
    low, high = [0, 0, 0], list(good.shape)
    while min(after - before for before, after in zip(low, high, strict=True)) > 0:
        part = good[tuple(slice(*ends) for ends in zip(low, high, strict=True))]
        if part.all():
            first, second, third = (slice(*ends) for ends in zip(low, high, strict=True))
            return first, second, third
        faces = [(float(part.take(end, axis).mean()), axis, end) for axis in range(3) for end in (0, -1)]
        _, axis, end = min(faces)
        if end:
            high[axis] -= 1
        else:
            low[axis] += 1
    return None


def cropped(grid: Grid, vectors: Vectors, box: Box) -> tuple[Grid, Vectors]:
    """The part of a field in a box."""
    part = vectors[box]
    slices, rows, columns = part.shape[:3]
    return grid.cropped((box[0].start, box[1].start, box[2].start), (slices, rows, columns)), part


def _coarsened(domain: Grid, vectors: Vectors, storage: FieldStorage) -> tuple[Vectors, tuple[float, float, float]]:
    """The coarsest vectors that keep the stated loss, and their mean, 95 % and largest loss."""
    for part in _FINER:
        shape = _shape(domain, storage.spacing_mm * part)
        if shape == domain.shape:
            break
        coarse = _resampled(vectors, shape)
        losses = _losses(vectors, coarse)
        if losses[2] <= storage.stated_loss_mm:
            return coarse, losses
    return np.ascontiguousarray(vectors, dtype=np.float32), (0.0, 0.0, 0.0)


def _shape(domain: Grid, spacing_mm: float) -> Shape:
    across, down, through = domain.spacing_mm
    slices, rows, columns = (
        min(count, int(np.ceil((count - 1) * own / spacing_mm - 1e-6)) + 1)
        for count, own in zip(domain.shape, (through, down, across), strict=True)
    )
    return slices, rows, columns


def _with_shape(domain: Grid, shape: tuple[int, ...]) -> Grid:
    """A grid over the same extent, from first to last point."""
    slices, rows, columns = shape
    steps = [(own - 1) / (new - 1) if new > 1 else 1.0 for own, new in zip(domain.shape, shape, strict=True)]
    linear = domain.to_patient.linear * np.array(steps[::-1])
    return Grid((slices, rows, columns), Affine.of(linear, domain.origin_mm), domain.frame)


def _weights(own: int, new: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Vectors]:
    """Which two of ``own`` points stand beside each of ``new`` ones over the same extent, and the second's weight."""
    places = np.linspace(0, own - 1, new)
    low = np.minimum(places.astype(np.int64), max(own - 2, 0))
    return low, np.minimum(low + 1, own - 1), (places - low).astype(np.float32)


def _along(vectors: Vectors, axis: int, new: int) -> Vectors:
    own = vectors.shape[axis]
    if own == new:
        return vectors
    low, high, part = _weights(own, new)
    weight = part.reshape([-1 if one == axis else 1 for one in range(vectors.ndim)])
    mixed: Vectors = vectors.take(low, axis) * (1 - weight) + vectors.take(high, axis) * weight
    return mixed


def _resampled(vectors: Vectors, shape: Shape) -> Vectors:
    for axis, new in enumerate(shape):
        vectors = _along(vectors, axis, new)
    return np.ascontiguousarray(vectors, dtype=np.float32)


def _losses(full: Vectors, coarse: Vectors) -> tuple[float, float, float]:
    """Mean, 95 % and largest distance of the coarse field from the full one, a slice at a time."""
    slices, rows, columns = full.shape[:3]
    low, high, part = _weights(coarse.shape[0], slices)
    off = np.empty((slices, rows, columns), np.float32)
    for index in range(slices):
        plane = coarse[low[index]] * (1 - part[index]) + coarse[high[index]] * part[index]
        off[index] = np.linalg.norm(_along(_along(plane, 0, rows), 1, columns) - full[index], axis=-1)
    return float(off.mean(dtype=np.float64)), float(np.percentile(off, 95)), float(off.max())
