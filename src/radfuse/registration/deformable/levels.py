"""The pyramid of the deformable engine: coarse to fine, whole blocks of voxels, sizes in mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.registration.deformable import filters
from radfuse.registration.deformable.pair import Image
from radfuse.registration.deformable.parallel import over

_SMALLEST_SIDE: Final = 12
_TRUNCATE: Final = 3.0
_BEFORE_HALVING: Final = 0.7
_CONTINUED: Final = 3.0


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
    def voxels(self) -> float:
        """How many it has."""
        return float(np.prod(self.shape))

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


def level(shape: tuple[int, ...], spacing_mm: npt.NDArray[np.float64], coarseness: int) -> Level:
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


def continued(image: Image, weight: Image | None, at: Level) -> Image:
    """What does not count is replaced by what lies around it: no edge where the images, or a mask, end."""
    if weight is None:
        return image
    known, share, spare = (np.empty(at.shape, np.float32) for _ in range(3))
    sigmas = at.sigmas(_CONTINUED)
    smoothed(image * weight, sigmas, known, spare)
    smoothed(weight, sigmas, share, spare)
    mean = float(np.mean(image, where=weight > 0, dtype=np.float64))
    around = (known + np.float32(1e-3 * mean)) / (share + np.float32(1e-3))
    whole: Image = weight * image + (1 - weight) * around
    return whole


def smoothed(image: Image, sigmas: npt.NDArray[np.float64], out: Image, spare: Image) -> Image:
    """A Gaussian of ``sigmas`` voxels along columns, rows and slices, into ``out``, which may be ``image``."""
    return _filtered(image, [gaussian(float(sigma)) for sigma in sigmas], out, spare)


def stiffened(image: Image, sigmas: npt.NDArray[np.float64], out: Image, spare: Image) -> Image:
    """As ``smoothed`` by ``2 G - G G`` along each axis: what is long against the Gaussian passes unchanged.

    A Gaussian that is as strong against noise takes more of a true deformation away at every step.
    """
    return _filtered(image, [_flat(float(sigma)) for sigma in sigmas], out, spare)


def gaussian(sigma: float) -> npt.NDArray[np.float64]:
    """The weights of a Gaussian from its centre outwards; their sum over both sides is 1."""
    reach = max(1, round(_TRUNCATE * sigma)) if sigma > 0 else 0
    weights = np.exp(-0.5 * (np.arange(reach + 1) / (sigma or 1.0)) ** 2)
    share: npt.NDArray[np.float64] = weights / (weights[0] + 2 * weights[1:].sum())
    return share


def _flat(sigma: float) -> npt.NDArray[np.float64]:
    half = gaussian(sigma)
    whole = np.concatenate((half[:0:-1], half))
    twice = -np.convolve(whole, whole)
    twice[len(half) - 1 : len(half) - 1 + len(whole)] += 2 * whole
    reach = round(np.sqrt(2) * len(half))  # where a Gaussian twice as wide in variance ends
    kept = twice[len(twice) // 2 :][:reach]
    share: npt.NDArray[np.float64] = kept / (kept[0] + 2 * kept[1:].sum())
    return share


def _filtered(image: Image, weights: list[npt.NDArray[np.float64]], out: Image, spare: Image) -> Image:
    current = image
    for each, kernel in zip(weights, (filters.smooth_rows, filters.smooth_columns, filters.smooth_slices), strict=True):
        if len(each) > 1:
            target = out if current is spare else spare
            over(kernel, image.shape, current, each.astype(np.float32), target)
            current = target
    if current is not out:
        np.copyto(out, current)
    return out
