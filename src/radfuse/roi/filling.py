"""Contours to masks: even-odd at voxel centres, on grids of any orientation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Affine, Grid, Mask, Points, Structure
from radfuse.roi.planes import MISSING, PARALLEL, Planes, nearest_plane, planes_of, sine
from radfuse.roi.polygons import ON_LINE, filled

_FINER: Final = 4
_PIXELS_ACROSS: Final = 1000
_MOST_PIXELS: Final = 1 << 31


class Between(StrEnum):
    """What a slice between two contoured planes gets."""

    NOTHING = "nothing"
    """Nothing: a plane is as thick as a slice. Gives any mask back that was traced on the same grid."""
    NEAREST = "nearest"
    """The contours of the nearest plane: a plane is as thick as its distance from the next."""
    SHAPE = "shape"
    """A shape between those of the planes, by interpolated distances from their outlines."""


@dataclass(frozen=True, eq=False)
class Filled:
    """A mask, and what became of the contours."""

    mask: Mask
    used: int
    """Contours whose plane was the nearest of at least one slice."""
    beside: int
    """Contours of planes beyond the first or the last slice."""
    repeated: int
    """Contours that say the same as another one and were left out: by even-odd the two would make nothing."""
    step_mm: float
    """The usual distance of its planes, which is how thick each was taken to be."""
    gaps: int
    """Places where planes lie more than 1.5 times that apart: nothing is filled in there."""
    is_whole: bool
    """Whether all contours lie within the grid."""
    on_centres: bool = False
    """Whether the contours run through voxel centres: then the voxels on their lines belong to the region."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of it, in sentences."""
        notes = []
        if self.beside:
            notes.append(f"{self.beside} contours lie beyond the first or last slice")
        elif not self.is_whole:
            notes.append("part of its contours lies beyond the edge of the image")
        if self.gaps:
            notes.append(f"contours are missing at {self.gaps} places: nothing is filled in there")
        if self.repeated:
            notes.append(f"{self.repeated} contours are there twice and were taken once")
        if self.on_centres:
            notes.append("its contours run through voxel centres, and the voxels on them belong to it")
        return tuple(notes)


@dataclass(frozen=True, slots=True)
class _Rules:
    """How to fill; ``slice_mm`` is the thickness that a single plane gets at least."""

    between: Between = Between.NEAREST
    slice_mm: float = 0.0
    with_lines: bool = True


def mask_of(structure: Structure, grid: Grid, between: Between = Between.NEAREST) -> Mask:
    """The voxels of ``grid`` whose centres lie in the structure. Raises as ``fill``."""
    return fill(structure, grid, between).mask


def fill(structure: Structure, grid: Grid, between: Between = Between.NEAREST, *, on_image: bool = True) -> Filled:
    """The voxels of ``grid`` whose centres lie in the structure.

    Of centres that lie on a line half belong, as volumes need it; all do where the contours were plainly drawn
    through voxel centres: every corner is one, and they are not all an even number of voxels apart (which
    edges of voxels twice as large would be). ``on_image`` False: nobody can have drawn on this grid, and half do.

    A slice takes the contours of the nearest plane: up to half way to the next one, and half the usual
    distance of planes beyond the outermost and beside missing ones (half a slice where there is only
    one). Contours in planes of another orientation are filled in their own planes, four times
    finer than the grid, and looked up at voxel centres.

    Raises FramesDiffer, and InvalidRegion for contours that are not flat, or not parallel to one another.
    """
    return _fill(structure, grid, _Rules(between, grid.spacing_mm[2], on_image))


def fractions(structure: Structure, grid: Grid, finer: int = 4) -> npt.NDArray[np.float32]:
    """How much of each voxel lies in the structure, 0 to 1: the mean over ``finer`` points along each axis.

    Between planes the nearest one decides. For small regions and dose-volume histograms. Raises as ``fill``.
    """
    structure.frame.require_same(grid.frame, "the structure and the image")
    first, last = _reach(structure, grid)
    fraction = np.zeros(grid.shape, dtype=np.float32)
    if (last < first).any():
        return fraction
    shape = last - first + 1
    corner = (int(first[2]), int(first[1]), int(first[0]))
    part = grid.cropped(corner, (int(shape[2]), int(shape[1]), int(shape[0])))
    rules = _Rules(slice_mm=grid.spacing_mm[2], with_lines=False)
    inside = _fill(structure, finer_grid(part, finer), rules).mask.inside
    mean = inside.reshape(shape[2], finer, shape[1], finer, shape[0], finer).mean(axis=(1, 3, 5), dtype=np.float32)
    fraction[tuple(slice(at, at + size) for at, size in zip(corner, part.shape, strict=True))] = mean
    return fraction


def volume_ml(structure: Structure) -> float | None:
    """The volume of the contours alone, on no image: their area by the usual distance of their planes.

    None for contours in a single plane, or so far apart that they are no stack. Raises InvalidRegion.
    """
    if not structure.contours:
        return 0.0
    stack = planes_of(structure.contours, np.array((0.0, 0.0, 1.0)), 0.0)
    if not stack.step_mm:
        return None
    along = np.cross(stack.normal, np.eye(3)[int(np.abs(stack.normal).argmin())])
    axes = np.stack((along / np.linalg.norm(along), np.cross(stack.normal, along / np.linalg.norm(along))))
    flat = stack.points_mm @ axes.T
    low, pixel = flat.min(axis=0), max(float(np.ptp(flat, axis=0).max()) / _PIXELS_ACROSS, 1e-6)
    columns, rows = (int(size) + 1 for size in np.ceil(np.ptp(flat, axis=0) / pixel))
    pixels = 0
    for contours in stack.contours:
        polygons = [(0, (contour.points_mm @ axes.T - low) / pixel - 0.5) for contour in contours]
        pixels += int(np.count_nonzero(filled(polygons, (1, rows, columns))))
    return pixels * pixel * pixel * stack.step_mm / 1000


def finer_grid(grid: Grid, times: int) -> Grid:
    """The same box with each voxel divided by ``times`` along each axis."""
    if times < 1:
        raise InvalidRegion("a voxel is divided into one part or more")
    shift = Affine.of(np.eye(3) / times, np.full(3, 0.5 / times - 0.5))
    slices, rows, columns = grid.shape
    return Grid((slices * times, rows * times, columns * times), grid.to_patient.after(shift), grid.frame)


def _reach(structure: Structure, grid: Grid) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First and last index (column, row, slice) that the structure can touch, a plane's thickness more each side."""
    if not structure.contours:
        return np.zeros(3, dtype=np.int64), np.full(3, -1)
    step = max(planes_of(structure.contours, grid.normal, grid.spacing_mm[2]).step_mm, *grid.spacing_mm)
    index = grid.from_patient.apply(np.concatenate([contour.points_mm for contour in structure.contours]))
    margin = np.linalg.norm(grid.from_patient.linear, axis=1) * step + 1
    size = np.array(grid.shape[::-1])
    low, high = np.floor(index.min(axis=0) - margin), np.ceil(index.max(axis=0) + margin)
    return np.clip(low, 0, size).astype(np.int64), np.clip(high, -1, size - 1).astype(np.int64)


def _fill(structure: Structure, grid: Grid, rules: _Rules) -> Filled:
    structure.frame.require_same(grid.frame, "the structure and the image")
    if not structure.contours:
        return Filled(Mask(grid, np.zeros(grid.shape, dtype=np.bool_)), 0, 0, 0, 0.0, 0, True)
    is_slice_thick = rules.between is Between.NOTHING
    stack = planes_of(structure.contours, grid.normal, rules.slice_mm, is_slice_thick)
    if sine(stack.normal, grid.normal) <= PARALLEL:
        return _fill_slices(stack, grid, rules)
    if rules.between is Between.SHAPE:
        raise InvalidRegion("contours across the slices cannot be interpolated; fill them as they are")
    return _fill_across(stack, grid, rules)


# --- slices parallel to the contours ---------------------------------------------------------


def _fill_slices(stack: Planes, grid: Grid, rules: _Rules) -> Filled:
    if stack.normal @ grid.normal < 0:
        stack = replace(
            stack, normal=-stack.normal, positions_mm=-stack.positions_mm[::-1], contours=stack.contours[::-1]
        )
    slices = (grid.origin_mm + np.arange(grid.shape[0])[:, None] * grid.to_patient.linear[:, 2]) @ grid.normal
    decides = nearest_plane(slices, stack)
    inside, on_centres = np.zeros(grid.shape, dtype=np.bool_), False
    touched = np.flatnonzero(decides >= 0)
    if len(touched):
        flat = [_in_slice(stack, plane, grid, float(slices[number])) for number, plane in _pairs(touched, decides)]
        polygons = [(place, corners) for place, plane in enumerate(flat) for corners in plane]
        on_centres = rules.with_lines and _through_centres([corners for _, corners in polygons])
        inside[touched] = filled(polygons, (len(touched), *grid.shape[1:]), on_centres)
    if rules.between is Between.SHAPE:
        _interpolate(inside, stack, grid, slices, on_centres)
    return replace(_judged(inside, stack, grid, decides), on_centres=on_centres)


def _through_centres(polygons: list[npt.NDArray[np.float64]]) -> bool:
    """Whether contours were drawn through the centres of voxels of this size."""
    corners = np.concatenate(polygons)
    whole = np.rint(corners)
    if np.abs(corners - whole).max() > ON_LINE:
        return False
    apart = np.gcd.reduce(np.abs(whole - whole[0]).astype(np.int64), axis=0)
    return bool((apart % 2).any() or not apart.any())


def _judged(inside: npt.NDArray[np.bool_], stack: Planes, grid: Grid, decides: npt.NDArray[np.int64]) -> Filled:
    """The mask with what became of the contours."""
    used = np.isin(np.arange(len(stack.contours)), decides)
    index = grid.from_patient.apply(stack.points_mm)
    within = (index >= -0.5 - 1e-3) & (index <= np.array(grid.shape[::-1]) - 0.5 + 1e-3)
    ends = np.cumsum([len(contour.points_mm) for contours in stack.contours for contour in contours])
    slices_within = np.split(within[:, 2], ends[:-1])
    beside = sum(1 for part in slices_within if not part.any())
    return Filled(
        Mask(grid, inside), stack.count(used), beside, stack.repeated, stack.step_mm, stack.gaps, bool(within.all())
    )


def _pairs(touched: npt.NDArray[np.int64], decides: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    return [(int(number), int(decides[number])) for number in touched]


def _in_slice(stack: Planes, plane: int, grid: Grid, position_mm: float) -> list[npt.NDArray[np.float64]]:
    """The contours of a plane moved along the normal into a slice, as columns and rows."""
    flat = []
    for contour in stack.contours[plane]:
        away = position_mm - contour.points_mm @ grid.normal
        flat.append(grid.from_patient.apply(contour.points_mm + away[:, None] * grid.normal)[:, :2])
    return flat


def _interpolate(
    inside: npt.NDArray[np.bool_], stack: Planes, grid: Grid, slices_mm: npt.NDArray[np.float64], on_centres: bool
) -> None:
    """Put shapes between those of neighbouring planes into the slices between them."""
    from radfuse.roi.shapes_between import shape_between

    planes, reach = stack.positions_mm, MISSING * stack.step_mm
    for lower in range(len(planes) - 1):
        gap = planes[lower + 1] - planes[lower]
        numbers = np.flatnonzero((slices_mm > planes[lower] + 1e-3) & (slices_mm < planes[lower + 1] - 1e-3))
        if gap > reach or not len(numbers):
            continue
        polygons = [
            (side, corners)
            for side in (0, 1)
            for corners in _in_slice(stack, lower + side, grid, float(slices_mm[numbers[0]]))
        ]
        ends = filled(polygons, (2, *grid.shape[1:]), on_centres)
        for number in numbers:
            part = float((slices_mm[number] - planes[lower]) / gap)
            inside[number] = shape_between(ends[0], ends[1], part, grid.spacing_mm[:2])


# --- contours across the slices --------------------------------------------------------------


def _fill_across(stack: Planes, grid: Grid, rules: _Rules) -> Filled:
    """Fill the contours in their own planes, and look the voxels' centres up there."""
    raster = _raster(stack, grid)
    polygons = [
        (number, raster.from_patient.apply(contour.points_mm)[:, :2])
        for number, contours in enumerate(stack.contours)
        for contour in contours
    ]
    planes = filled(polygons, raster.shape)
    inside = np.zeros(grid.shape, dtype=np.bool_)
    reached = np.zeros(len(stack.contours), dtype=np.bool_)
    size = np.array(raster.shape[:0:-1])
    for number in range(grid.shape[0]):
        points = grid.slice_points_mm(number)
        decides = nearest_plane((points @ stack.normal).reshape(-1), stack).reshape(grid.shape[1:])
        index = np.rint(raster.from_patient.apply(points)[..., :2]).astype(np.int64)
        known = (decides >= 0) & (index >= 0).all(axis=-1) & (index < size).all(axis=-1)
        reached[decides[known]] = True
        inside[number][known] = planes[decides[known], index[known][:, 1], index[known][:, 0]]
    return _judged(inside, stack, grid, np.flatnonzero(reached))


def _raster(stack: Planes, grid: Grid) -> Grid:
    """Pixels in the contours' planes, finer than the grid; the third axis counts millimetres and is not used.

    Where the planes lie along axes of the grid, voxel centres are pixel centres.
    """
    axes, pixel = _plane_axes(stack.normal, grid)
    points, start = stack.points_mm @ axes.T, axes @ grid.origin_mm
    low = start + np.floor((points.min(axis=0) - start) / pixel - 1) * pixel
    columns, rows = (int(size) for size in np.ceil((points.max(axis=0) - low) / pixel) + 2)
    if columns * rows * len(stack.contours) > _MOST_PIXELS:
        raise InvalidRegion("its contours are too large to be filled on so fine a grid; use a coarser one")
    linear = np.stack((axes[0] * pixel[0], axes[1] * pixel[1], stack.normal), axis=1)
    return Grid((len(stack.contours), rows, columns), Affine.of(linear, low @ axes), grid.frame)


def _plane_axes(normal: Points, grid: Grid) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Two directions in the contours' planes, and the pixels' size along them."""
    along = int(np.abs(grid.directions.T @ normal).argmax())
    if not grid.is_sheared and sine(grid.directions[:, along], normal) <= PARALLEL:
        others = [axis for axis in range(3) if axis != along]
        return grid.directions[:, others].T, np.array(grid.spacing_mm)[others] / _FINER
    across = np.cross(normal, np.eye(3)[int(np.abs(normal).argmin())])
    across /= np.linalg.norm(across)
    return np.stack((across, np.cross(normal, across))), np.full(2, min(grid.spacing_mm) / _FINER)
