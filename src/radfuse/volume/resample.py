"""Resampling: the voxels of a volume or mask on another grid.

SimpleITK does the sampling on plain index coordinates, so that shear, reflection and any
orientation are part of the transform and never of an image that might not hold them. Through a
displacement field our own code does, but for cubic interpolation.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import CannotBuildVolume, InvalidGeometry
from radfuse.geometry import Affine, DisplacementField, Grid, Mask
from radfuse.volume.model import Finding, FindingKind, Unit, Volume
from radfuse.volume.toolkit import simpleitk

_THREADS: Final = os.cpu_count() or 1
_MOST_VOXELS: Final = 1 << 31
_SAME_MM: Final = 1e-6
_AIR_HU: Final = -1024
_EDGE: Final = 1e-6


class Interpolation(StrEnum):
    """How a value between voxel centres is found."""

    NEAREST = "nearest"
    LINEAR = "linear"
    CUBIC = "cubic"
    """Cubic B-spline: it may go beyond the values around it."""


def outside_value(unit: Unit) -> float:
    """What a voxel is given that nothing is known of: air (-1024) in HU, else 0."""
    return _AIR_HU if unit is Unit.HU else 0.0


def is_finite(voxels: npt.NDArray[Any]) -> bool:
    """Whether every number is one; a sum in double precision is finite exactly when all of its float32 terms are."""
    return voxels.dtype == np.int16 or bool(np.isfinite(voxels.sum(dtype=np.float64)))


def resample(
    volume: Volume,
    grid: Grid,
    transform: Affine | DisplacementField | None = None,
    interpolation: Interpolation = Interpolation.LINEAR,
    outside: float | None = None,
) -> Volume:
    """The volume on ``grid``.

    ``transform`` maps points of the grid's frame of reference to the volume's (from where a voxel
    is wanted to where its value is found); without one both frames must be the same. Voxels that
    lie outside the volume, or where a field says nothing, get ``outside`` and a finding says how
    many. int16 stays int16 (rounded). The source, and the factors of SUV, are those of the slices it
    was made of; findings name no slices any more. Raises FramesDiffer, InvalidGeometry, CannotBuildVolume.
    """
    _check(volume, grid, transform)
    fill = outside_value(volume.unit) if outside is None else outside
    if not np.isfinite(fill):
        raise InvalidGeometry("the value outside must be a finite number")
    voxels, missing = _sampled(volume.voxels, volume.grid, grid, transform, interpolation, fill)
    # Other slices than those that were found fault with: what was repaired may be anywhere.
    findings = tuple(replace(finding, slices=()) for finding in volume.findings)
    if missing:
        share = 100 * missing / voxels.size
        sentence = f"{share:.1f} % of the voxels ({missing:,}) lie outside the images and were set to {fill:g}"
        findings = (*findings, Finding(FindingKind.PIXELS, sentence, repaired=True))
    return Volume(voxels, grid, volume.unit, volume.source, findings, volume.suv)


def resample_mask(mask: Mask, grid: Grid, transform: Affine | DisplacementField | None = None) -> Mask:
    """The mask on ``grid``, by the nearest voxel; what lies outside belongs to nothing. As ``resample``."""
    _check(mask, grid, transform)
    inside, _ = _sampled(mask.inside.astype(np.int16), mask.grid, grid, transform, Interpolation.NEAREST, 0)
    return Mask(grid, inside.astype(np.bool_))


def covered(source: Grid, grid: Grid, transform: Affine | None = None) -> Mask:
    """Which voxel centres of ``grid`` lie in a voxel of ``source``; ``transform`` as in ``resample``."""
    if transform is None:
        source.frame.require_same(grid.frame, "the two grids")
    first, last = _spans(_index_map(source, grid, transform), grid.shape, source.shape, 0.5)
    at = np.arange(grid.shape[2])
    return Mask(grid, (at >= first[..., None]) & (at <= last[..., None]))


def regular_grid(grid: Grid, spacing_mm: float | tuple[float, float, float] | None = None) -> Grid:
    """A grid at right angles over the same box, with the same planes: for shear, and for cubic voxels.

    ``spacing_mm`` is that along x, y, z of the grid, or one for all; None keeps the grid's. Raises InvalidGeometry.
    """
    across, _, through = grid.to_patient.linear.T
    row = across / np.linalg.norm(across)
    normal = grid.normal * (1.0 if through @ grid.normal > 0 else -1.0)
    axes = np.stack((row, np.cross(grid.normal, row), normal), axis=1)
    return _boxed(grid, axes, grid.spacing_mm if spacing_mm is None else spacing_mm)


def axial_grid(grid: Grid, spacing_mm: float | tuple[float, float, float] | None = None) -> Grid:
    """A grid along the patient's axes around the same box; cubic voxels of the middle spacing unless one is given."""
    return _boxed(grid, np.eye(3), sorted(grid.spacing_mm)[1] if spacing_mm is None else spacing_mm)


def _boxed(grid: Grid, axes: npt.NDArray[np.float64], spacing_mm: float | tuple[float, float, float]) -> Grid:
    """The grid along ``axes`` (columns) that holds every corner of ``grid``."""
    spacing = np.broadcast_to(np.asarray(spacing_mm, dtype=np.float64), (3,))
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        raise InvalidGeometry("the spacing must be more than 0 mm")
    corners = grid.corners_mm @ axes
    low, high = corners.min(axis=0), corners.max(axis=0)
    # A box that holds its last voxel but for rounding needs no further one.
    size = np.maximum(np.ceil((high - low) / spacing - 1e-4), 1)
    if np.prod(size) > _MOST_VOXELS:
        raise InvalidGeometry(f"a grid of {' x '.join(f'{n:.0f}' for n in size)} voxels is too large; use more mm")
    columns, rows, slices = (int(n) for n in size)
    start = axes @ (low + spacing / 2)
    made = Grid((slices, rows, columns), Affine.of(axes * spacing, start), grid.frame)
    same = made.shape == grid.shape and np.abs(made.corners_mm - grid.corners_mm).max() < _SAME_MM
    return grid if same else made


# --- sampling --------------------------------------------------------------------------------


def _check(source: Volume | Mask, grid: Grid, transform: Affine | DisplacementField | None) -> None:
    if transform is None:
        source.grid.frame.require_same(grid.frame, "the images and the grid")
    elif isinstance(transform, DisplacementField):
        transform.grid.frame.require_same(grid.frame, "the displacement field and the grid")
    if isinstance(source, Volume) and not is_finite(source.voxels):
        raise CannotBuildVolume("some voxels are no finite numbers; they would spread by interpolation")


def _sampled(
    voxels: npt.NDArray[Any],
    source: Grid,
    grid: Grid,
    transform: Affine | DisplacementField | None,
    interpolation: Interpolation,
    fill: float,
) -> tuple[npt.NDArray[Any], int]:
    """The voxels on the grid, and how many of them got ``fill``."""
    if isinstance(transform, DisplacementField):
        return _deformed(voxels, source, grid, transform, interpolation, fill)
    index_map = _index_map(source, grid, transform)
    made = _run(voxels, grid.shape, _affine(index_map), interpolation, fill)
    first, last = _spans(index_map, grid.shape, source.shape, 0.5)
    return made, made.size - int(np.maximum(last - first + 1, 0).sum())


def _index_map(source: Grid, grid: Grid, transform: Affine | None) -> Affine:
    """From an index of ``grid`` to an index of ``source``, both in the order column, row, slice."""
    to_source = grid.to_patient if transform is None else transform.after(grid.to_patient)
    return source.from_patient.after(to_source)


def _deformed(
    voxels: npt.NDArray[Any],
    source: Grid,
    grid: Grid,
    field: DisplacementField,
    interpolation: Interpolation,
    fill: float,
) -> tuple[npt.NDArray[Any], int]:
    if interpolation is Interpolation.CUBIC:
        return _deformed_cubic(voxels, source, grid, field, fill)
    # Loads numba, which no other resampling needs.
    from radfuse.volume.deforming import deform_slices

    # The moves in index coordinates of the source, whose geometry may then be anything.
    moves = np.empty(field.vectors_mm.shape, np.float32)
    for index, vectors in enumerate(field.vectors_mm):
        moves[index] = vectors @ source.from_patient.linear.T
    maps = np.stack([_index_map(of, grid, None).matrix[:3] for of in (field.grid, source)])
    made = np.empty(grid.shape, voxels.dtype)
    flat = np.ascontiguousarray(voxels)[..., None]

    def run(index: int) -> int:
        return deform_slices(flat, moves, maps, interpolation is Interpolation.LINEAR, fill, made, (index, index + 1))

    with ThreadPoolExecutor(_THREADS, "resample") as threads:
        return made, sum(threads.map(run, range(grid.shape[0])))


def _deformed_cubic(
    voxels: npt.NDArray[Any], source: Grid, grid: Grid, field: DisplacementField, fill: float
) -> tuple[npt.NDArray[Any], int]:
    sitk = simpleitk()
    # The field in index coordinates of its own grid.
    vectors = field.vectors_mm.astype(np.float64) @ field.grid.from_patient.linear.T
    moves = sitk.DisplacementFieldTransform(sitk.GetImageFromArray(vectors, isVector=True))
    to_field = _index_map(field.grid, grid, None)
    from_field = source.from_patient.after(field.grid.to_patient)
    whole = sitk.CompositeTransform([_affine(from_field), moves, _affine(to_field)])
    made = _run(voxels.astype(np.float32, copy=False), grid.shape, whole, Interpolation.CUBIC, np.nan)
    first, last = _spans(to_field, grid.shape, field.grid.shape, _EDGE)
    at = np.arange(grid.shape[2])
    made[(at < first[..., None]) | (at > last[..., None])] = np.nan
    unknown = np.isnan(made)
    made[unknown] = fill
    return _rounded(made) if voxels.dtype == np.int16 else made, int(np.count_nonzero(unknown))


def _run(
    voxels: npt.NDArray[Any],
    shape: tuple[int, int, int],
    transform: Any,
    interpolation: Interpolation,
    fill: float,
) -> npt.NDArray[Any]:
    sitk = simpleitk()
    kinds = {
        Interpolation.NEAREST: sitk.sitkNearestNeighbor,
        Interpolation.LINEAR: sitk.sitkLinear,
        Interpolation.CUBIC: sitk.sitkBSpline,
    }
    image = sitk.GetImageFromArray(voxels)
    resampler = sitk.ResampleImageFilter()
    resampler.SetNumberOfThreads(_THREADS)
    resampler.SetSize(shape[::-1])
    resampler.SetTransform(transform)
    resampler.SetInterpolator(kinds[interpolation])
    resampler.SetDefaultPixelValue(fill)
    if voxels.dtype == np.int16 and interpolation is not Interpolation.NEAREST:
        # Whole numbers would be cut off toward zero, not rounded.
        resampler.SetOutputPixelType(sitk.sitkFloat32)
        done = resampler.Execute(image)
        return _rounded(sitk.GetArrayViewFromImage(done))
    made: npt.NDArray[Any] = sitk.GetArrayFromImage(resampler.Execute(image))
    return made


def _rounded(values: npt.NDArray[Any]) -> npt.NDArray[np.int16]:
    limits = np.iinfo(np.int16)
    made = np.empty(values.shape, dtype=np.int16)
    for layer, rounded in zip(values, made, strict=True):
        rounded[...] = np.clip(np.rint(layer), limits.min, limits.max)
    return made


def _affine(affine: Affine) -> Any:
    sitk = simpleitk()
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(affine.linear.ravel().tolist())
    transform.SetTranslation(affine.translation.tolist())
    return transform


def _spans(
    index_map: Affine, shape: tuple[int, int, int], source_shape: tuple[int, int, int], margin: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First and last column of each line (slices x rows) whose image under ``index_map`` lies within the source.

    Within: from ``-margin`` to ``size - 1 + margin``; the last column is less than the first where none does.
    """
    slices, rows, columns = shape
    at_slice, at_row = np.mgrid[0:slices, 0:rows]
    low = np.zeros((slices, rows))
    high = np.full((slices, rows), float(columns - 1))
    for axis, size in enumerate(source_shape[::-1]):
        step, *others = index_map.linear[axis]
        begin = index_map.translation[axis] + others[0] * at_row + others[1] * at_slice
        least, most = -margin - begin, size - 1 + margin - begin
        if abs(step) < 1e-12:
            high[(least > _EDGE) | (most < -_EDGE)] = -1.0
            continue
        ends = np.sort(np.stack((least / step, most / step)), axis=0)
        low, high = np.maximum(low, ends[0]), np.minimum(high, ends[1])
    return np.ceil(low - _EDGE).astype(np.int64), np.floor(high + _EDGE).astype(np.int64)
