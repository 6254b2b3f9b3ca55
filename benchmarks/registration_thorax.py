"""CT of a thorax (LUNG1, 31 slices of 3 mm) and the same deformed by a known field."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.registration_data import Array, Case, Warp, softened
from radfuse.geometry import DisplacementField, FrameOfReference, Grid, Mask
from radfuse.services.volumes import open_files
from radfuse.volume import Volume, resample

DATA_VARIABLE: Final = "RADFUSE_TEST_DATA"
THORAX_WARPS: Final = (Warp("thorax, 3 mm", 18, 3.0, 4), Warp("thorax, 8 mm", 24, 8.0, 5))
"""How smooth they are is in mm."""

_IN_PLANE: Final = 2
_ALONG_Z: Final = 0.4
"""What is left of the displacement through the slices: there are few."""
_CUT: Final = (4, 16, 16)
"""The fixed images show so many voxels less on every side, and nothing that the moving images do not show."""
_AIR_HU: Final = -500
_NOISE_HU: Final = 10.0


def thorax() -> Volume | None:
    """The CT with voxels of 2 x 2 x 3 mm; None when it is not there."""
    named = os.environ.get(DATA_VARIABLE)
    folder = Path(named) / "ct-rtstruct" / "lung1-001" / "ct" if named else None
    if folder is None or not folder.is_dir():
        return None
    volume = open_files(folder).volume
    slices, rows, columns = (side // by for side, by in zip(volume.grid.shape, (1, _IN_PLANE, _IN_PLANE), strict=True))
    whole = volume.voxels.astype(np.float32)[:slices, : rows * _IN_PLANE, : columns * _IN_PLANE]
    voxels = whole.reshape(slices, rows, _IN_PLANE, columns, _IN_PLANE).mean(axis=(2, 4))
    x, y, z = volume.grid.spacing_mm
    grid = Grid.of(voxels.shape, (x * _IN_PLANE, y * _IN_PLANE, z), (0, 0, 0), FrameOfReference("2.25.2"))
    return replace(volume, voxels=np.ascontiguousarray(voxels), grid=grid)


def thorax_case(still: Volume, warp: Warp) -> Case:
    """The same deformed, both with noise; judged inside the patient."""
    grid = still.grid
    body = _patient(still)
    vectors = _smooth_vectors(grid, warp)
    vectors[2] *= _ALONG_Z
    vectors *= warp.mean_mm / np.linalg.norm(vectors, axis=0)[body].mean()
    field = DisplacementField(grid, np.ascontiguousarray(np.moveaxis(vectors, 0, -1), np.float32))
    bent = resample.resample(still, grid, field, resample.Interpolation.CUBIC).voxels
    noises = [np.random.default_rng(seed).normal(0, _NOISE_HU, grid.shape) for seed in (99, 98)]
    inner = tuple(slice(cut, side - cut) for cut, side in zip(_CUT, grid.shape, strict=True))
    shape = (grid.shape[0] - 2 * _CUT[0], grid.shape[1] - 2 * _CUT[1], grid.shape[2] - 2 * _CUT[2])
    part = replace(grid.cropped(_CUT, shape), frame=FrameOfReference("2.25.1"))
    return Case(
        warp.name,
        replace(still, voxels=np.ascontiguousarray((bent + noises[0])[inner], np.float32), grid=part),
        replace(still, voxels=(still.voxels + noises[1]).astype(np.float32)),
        vectors[(slice(None), *inner)],
        Mask(part, np.ascontiguousarray(body[inner])),
    )


def _patient(still: Volume) -> Array:
    """Without the couch, with the lungs, from 6 mm below the skin: outside nothing tells how far air moved."""
    import SimpleITK

    sitk: Any = SimpleITK
    slices = []
    for one in still.voxels:
        solid = sitk.BinaryMorphologicalOpening(sitk.GetImageFromArray((one > _AIR_HU).astype(np.uint8)), (3, 3))
        slices.append(sitk.GetArrayFromImage(sitk.BinaryErode(sitk.BinaryFillhole(solid), (3, 3))))
    inside: Array = np.stack(slices) > 0
    return inside


def _smooth_vectors(grid: Grid, warp: Warp) -> Array:
    """Noise at the spacing of the rows, smoothed, and taken on the grid: as smooth in mm along every axis."""
    random = np.random.default_rng(warp.seed)
    mm = grid.spacing_mm[0]
    more = round(3 * warp.sigma / mm)
    depth = round(grid.shape[0] * grid.spacing_mm[2] / mm) + 1
    wide = (depth + 2 * more, grid.shape[1] + 2 * more, grid.shape[2] + 2 * more)
    at = np.minimum(np.rint(np.arange(grid.shape[0]) * grid.spacing_mm[2] / mm).astype(int), depth - 1)
    fields = (softened(random.normal(size=wide), warp.sigma / mm)[more:-more, more:-more, more:-more] for _ in range(3))
    return np.stack([each[at] for each in fields])
