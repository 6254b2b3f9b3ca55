"""Quantities: SUV of known balls, their volumes and distances, contours of known volume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from radfuse.geometry import Grid, Mask, Points
from radfuse.roi import drawing, filling, lengths, metabolic, peak, statistics
from radfuse.services.commission.bench import Bench, Series
from radfuse.services.commission.model import Row
from radfuse.services.commission.scans import CT, PT, Scan, Voxels, frame_of
from radfuse.services.commission.sizes import Size

PART: Final = "quantities"
BALLS: Final = "PET, balls"

_BACKGROUND_SUV: Final = 1.0
_BALL_SUV: Final = 8.0
_RING_MM: Final = 57.2
"""How far the balls lie from the middle, as in the NEMA image quality phantom."""
_FEW_VOXELS_MM: Final = 8.0
"""Balls below this radius have too few voxels for a volume of whole voxels within 3 %."""


def quantity_rows(bench: Bench, size: Size) -> Iterator[Row]:
    """SUV, volumes and distances of balls of known activity; volumes of contours."""
    centres = _centres(len(size.spheres_mm))
    grid = _grid(size.sphere_voxel_mm, "balls")
    pet = bench.scanned(Scan(BALLS, PT, grid, _nowhere), _activity(grid, centres, size))
    middles = []
    for centre, radius_mm in zip(centres, size.spheres_mm, strict=True):
        yield from _ball_rows(pet, centre, radius_mm)
        middles.append(_middle(pet, centre, radius_mm))
    yield Row(PART, BALLS, "largest error of a distance", "mm", size.sphere_voxel_mm / 2, _apart(middles, centres))
    yield from _contour_rows(bench, size, centres)


def _nowhere(points_mm: Points) -> Points:
    return points_mm


def _centres(count: int) -> list[Points]:
    """On a ring, a little beside the centres of voxels."""
    turns = np.arange(count) * 2 * np.pi / count
    return [np.array((_RING_MM * np.cos(turn) + 0.3, _RING_MM * np.sin(turn) - 0.4, 0.7)) for turn in turns.tolist()]


def _grid(voxel_mm: float, name: str) -> Grid:
    half = int(np.ceil(82 / voxel_mm))
    slices = int(np.ceil(32 / voxel_mm))
    origin = (-half * voxel_mm, -half * voxel_mm, -slices * voxel_mm)
    return Grid.of((2 * slices + 1, 2 * half + 1, 2 * half + 1), (voxel_mm,) * 3, origin, frame_of(name))


def _activity(grid: Grid, centres: list[Points], size: Size) -> Voxels:
    """SUV: each voxel by its part in the ball; nothing is blurred, so that what is right is known exactly."""
    voxels = np.full(grid.shape, _BACKGROUND_SUV, np.float32)
    for centre, radius_mm in zip(centres, size.spheres_mm, strict=True):
        part = drawing.sphere_weights(grid, centre, radius_mm)
        voxels[part.where] += ((_BALL_SUV - _BACKGROUND_SUV) * part.values).astype(np.float32)
    return voxels


def _around(pet: Series, centre: Points, radius_mm: float) -> Mask:
    return drawing.mask_of(pet.volume.grid, drawing.sphere(centre, radius_mm + 6))


def _ball_rows(pet: Series, centre: Points, radius_mm: float) -> Iterator[Row]:
    name = f"ball of {2 * radius_mm:g} mm"
    step_mm = max(pet.volume.grid.spacing_mm)
    around = _around(pet, centre, radius_mm)
    most = statistics.statistics_of(pet.volume, around).maximum
    yield Row(PART, name, "error of SUVmax", "%", 0.5, _percent(most, _BALL_SUV))
    if radius_mm > peak.PEAK_RADIUS_MM + step_mm:
        highest = peak.peak_of(pet.volume, around)
        yield Row(PART, name, "error of SUVpeak", "%", 0.5, _percent(highest.value, _BALL_SUV))
    core = drawing.mask_of(pet.volume.grid, drawing.sphere(centre, radius_mm - step_mm))
    mean = statistics.statistics_of(pet.volume, core).mean
    yield Row(PART, name, "error of SUVmean", "%", 0.5, _percent(mean, _BALL_SUV))
    if radius_mm > _FEW_VOXELS_MM:
        middle = (_BALL_SUV + _BACKGROUND_SUV) / 2
        threshold = metabolic.Threshold(metabolic.ThresholdKind.ABSOLUTE, middle)
        volume_ml = metabolic.metabolic_volume(pet.volume, around, threshold).mtv_ml
        yield Row(PART, name, "error of the metabolic volume", "%", 3, _percent(volume_ml, _ball_ml(radius_mm)))


def _ball_ml(radius_mm: float) -> float:
    return 4 / 3 * np.pi * radius_mm**3 / 1000


def _percent(measured: float, truth: float) -> float:
    return 100 * abs(measured / truth - 1)


def _middle(pet: Series, centre: Points, radius_mm: float) -> Points:
    """The centre of gravity of a ball, above its background."""
    around = _around(pet, centre, radius_mm)
    index = np.argwhere(around.inside)
    weights = pet.volume.voxels[around.inside].astype(np.float64) - _BACKGROUND_SUV
    return pet.volume.grid.to_patient.apply((index * weights[:, None]).sum(axis=0)[::-1] / weights.sum())


def _apart(middles: list[Points], centres: list[Points]) -> float:
    pairs = [(one, other) for one in range(len(centres)) for other in range(one)]
    return max(
        abs(lengths.distance_mm(middles[one], middles[other]) - lengths.distance_mm(centres[one], centres[other]))
        for one, other in pairs
    )


def _contour_rows(bench: Bench, size: Size, centres: list[Points]) -> Iterator[Row]:
    """Balls as masks of CT, as contours in an RT Structure Set, and back."""
    grid = _grid(1.25 * size.sphere_voxel_mm, "contours")
    ct = bench.scanned(Scan("CT, balls", CT, grid, _nowhere), np.zeros(grid.shape, np.float32))
    known = {
        f"ball {2 * radius_mm:g} mm": drawing.mask_of(grid, drawing.sphere(centre, radius_mm))
        for centre, radius_mm in zip(centres, size.spheres_mm, strict=True)
    }
    structures = bench.contoured(ct, known)
    for name, radius_mm in zip(known, size.spheres_mm, strict=True):
        structure, mask = structures[name], known[name]
        back = filling.mask_of(structure, ct.volume.grid)
        test = f"contour of a {name}"
        yield Row(PART, test, "voxels that differ", "1", 0, float(np.count_nonzero(back.inside ^ mask.inside)))
        volume_ml = filling.volume_ml(structure) or 0.0
        if radius_mm > _FEW_VOXELS_MM:
            yield Row(PART, test, "error of the volume", "%", 5, _percent(volume_ml, _ball_ml(radius_mm)))
