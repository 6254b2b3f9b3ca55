"""Pairs of images with a known deformation: the MNI head that nilearn ships (sets O, A, B), or a made-up one."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Affine, DisplacementField, FrameOfReference, Grid, Mask
from radfuse.registration.deformable.levels import level, smoothed
from radfuse.volume import Source, Unit, Volume, resample

FOLDER_VARIABLE: Final = "RADFUSE_BENCH_NILEARN"
_TEMPLATE: Final = "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
_FRAMES: Final = (FrameOfReference("2.25.1"), FrameOfReference("2.25.2"))
_NOISE: Final = 15.0

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Warp:
    """A random deformation: how smooth (voxels) and how large on average (mm)."""

    name: str
    sigma: float
    mean_mm: float
    seed: int


WARPS: Final = (Warp("O", 9, 2.04, 1), Warp("A", 5, 2.81, 2), Warp("B", 12, 8.6, 3))


@dataclass(frozen=True, eq=False)
class Case:
    """Two volumes, the field that makes the moving one like the fixed one, and where it is judged."""

    name: str
    fixed: Volume
    moving: Volume
    truth_mm: Array
    judged: Mask
    is_across: bool = False
    """Whether the moving image has another contrast."""


def template() -> Volume | None:
    """The head at 2 mm, 0..1000; None when nilearn is neither installed nor named by the variable."""
    path = template_path()
    if path is None:
        return None
    import nibabel

    voxels = np.asarray(nibabel.load(path).dataobj, np.float32)[:196, :232, :188]  # type: ignore[attr-defined]
    halved = voxels.reshape(98, 2, 116, 2, 94, 2).mean((1, 3, 5))
    return _volume(halved / halved.max() * 1000, 0)


def phantom(shape: tuple[int, int, int]) -> Volume:
    """A head of random tissue of several sizes."""
    random = np.random.default_rng(5)
    texture = sum(_smooth_noise(random, shape, sigma) * 6 * sigma**1.5 for sigma in (1.5, 3, 6))
    at = np.stack(np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij"))
    inside = softened((np.sum(at**2, axis=0) < 0.75).astype(np.float64), 1)
    return _volume(inside * np.clip(500 + 220 * texture, 50, 1000), 0)


def case(name: str, still: Volume, warp: Warp, *, other_contrast: bool = False) -> Case:
    """A pair of ``still`` and the same deformed, both with noise."""
    random = np.random.default_rng(warp.seed)
    judged = softened((still.voxels > 200).astype(np.float64), 1) > 0.95
    vectors = np.stack([_smooth_noise(random, still.grid.shape, warp.sigma) for _ in range(3)])
    vectors *= warp.mean_mm / np.linalg.norm(vectors, axis=0)[judged].mean()
    field = DisplacementField(still.grid, np.ascontiguousarray(np.moveaxis(vectors, 0, -1), np.float32))
    bent = resample.resample(still, still.grid, field, resample.Interpolation.CUBIC).voxels
    share = still.voxels / 1000
    shown = 1000 * np.where(share < 0.35, 2.2 * share, np.clip(1.3 - 1.5 * share, 0, 1))
    moving = shown if other_contrast else still.voxels
    noises = [np.random.default_rng(seed).normal(0, _NOISE, still.grid.shape) for seed in (99, 98)]
    mask = Mask(still.grid, judged)
    return Case(name, _volume(bent + noises[0], 0), _volume(moving + noises[1], 1), vectors, mask, other_contrast)


def errors_mm(of: Case, field_mm: Array) -> tuple[float, float]:
    """Mean and 95th percentile of the distance to the truth; the field is 3 x slices x rows x columns."""
    lengths = np.linalg.norm(field_mm - of.truth_mm, axis=0)[of.judged.inside]
    return float(lengths.mean()), float(np.percentile(lengths, 95))


def template_path() -> Path | None:
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder is None:
        found = importlib.util.find_spec("nilearn")
        folder = str(Path(found.origin).parent) if found and found.origin else None
    path = Path(folder) / _TEMPLATE if folder else None
    return path if path and path.is_file() else None


def _volume(voxels: Array, frame: int) -> Volume:
    slices, rows, columns = voxels.shape
    grid = Grid((slices, rows, columns), Affine.of(2 * np.eye(3), np.zeros(3)), _FRAMES[frame])
    return Volume(np.ascontiguousarray(voxels, np.float32), grid, Unit.SIGNAL, Source("MR", "", "", "", ()))


def _smooth_noise(random: np.random.Generator, shape: tuple[int, ...], sigma: float) -> Array:
    """Without a border: beyond it the noise goes on."""
    more = round(3 * sigma)
    wide = softened(random.normal(size=tuple(side + 2 * more for side in shape)), sigma)
    return np.ascontiguousarray(wide[more:-more, more:-more, more:-more])


def softened(values: Array, sigma: float) -> Array:
    """A Gaussian of ``sigma`` voxels."""
    at = level(values.shape, np.ones(3), 1)
    image = values.astype(np.float32)
    return smoothed(image, at.sigmas(sigma), image, np.empty_like(image))
