"""The pyramid of the deformable engine: coarse to fine, whole blocks of voxels, sizes in mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.registration.deformable import filters
from radfuse.registration.deformable.parallel import over

Image = npt.NDArray[np.float32]

_SMALLEST_SIDE: Final = 12
_TRUNCATE: Final = 3.0
_BEFORE_HALVING: Final = 0.7


@dataclass(frozen=True, eq=False)
class Level:
    """One level: the blocks of full-resolution voxels that are one of its own (columns, rows, slices)."""

    factors: npt.NDArray[np.int64]
    shape: tuple[int, int, int]
    spacing_mm: npt.NDArray[np.float64]

    @property
    def per_mm(self) -> npt.NDArray[np.float32]:
        """Voxels in a mm."""
        return (1 / self.spacing_mm).astype(np.float32)

    @property
    def mean_spacing_mm(self) -> float:
        """The side of a cube of the same volume as a voxel."""
        return float(np.prod(self.spacing_mm) ** (1 / 3))

    def sigmas(self, voxels: float) -> npt.NDArray[np.float64]:
        """A smoothing of so many mean voxels, in voxels of each axis."""
        return voxels * self.mean_spacing_mm / self.spacing_mm

    def radius(self, voxels: int) -> npt.NDArray[np.int64]:
        """A window of about the same size in mm on each axis, one voxel at least."""
        return np.maximum(1, np.rint(voxels * self.mean_spacing_mm / self.spacing_mm)).astype(np.int64)


def level(shape: tuple[int, int, int], spacing_mm: npt.NDArray[np.float64], coarseness: int) -> Level:
    """The level whose voxels are about ``coarseness`` times the finest spacing on every axis."""
    size = np.array(shape[::-1])
    wanted = np.maximum(1, np.floor(coarseness * spacing_mm.min() / spacing_mm + 1e-6)).astype(np.int64)
    factors = np.minimum(wanted, np.maximum(1, size // _SMALLEST_SIDE))
    columns, rows, slices = (int(side) for side in size // factors)
    return Level(factors, (slices, rows, columns), spacing_mm * factors)


def reduced(image: Image, to: Level) -> Image:
    """``image`` at a coarser level: a little Gaussian, then the mean of each block."""
    if to.shape == image.shape:
        return image
    sigmas = np.where(to.factors > 1, _BEFORE_HALVING * to.factors / 2, 0)
    soft = smoothed(image, sigmas, np.empty_like(image), np.empty_like(image))
    out = np.empty(to.shape, dtype=np.float32)
    over(filters.mean_blocks, to.shape, soft, to.factors, out)
    return out


def smoothed(image: Image, sigmas: npt.NDArray[np.float64], out: Image, spare: Image) -> Image:
    """A Gaussian of ``sigmas`` voxels along columns, rows and slices, into ``out``, which may be ``image``."""
    kernels = (filters.smooth_rows, filters.smooth_columns, filters.smooth_slices)
    current = image
    for sigma, function in zip(sigmas, kernels, strict=True):
        if sigma > 0:
            target = out if current is spare else spare
            over(function, image.shape, current, _weights(float(sigma)), target)
            current = target
    if current is not out:
        np.copyto(out, current)
    return out


def _weights(sigma: float) -> Image:
    reach = max(1, round(_TRUNCATE * sigma))
    weights = np.exp(-0.5 * (np.arange(reach + 1) / sigma) ** 2)
    return (weights / (weights[0] + 2 * weights[1:].sum())).astype(np.float32)
