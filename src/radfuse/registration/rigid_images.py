"""Images made ready to be compared: at right angles, right-handed, smoothed and reduced to a voxel size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Affine, Grid, Mask, Points
from radfuse.volume import Volume, resample

_EXTREMES_PERCENT: Final = (0.1, 99.9)
_SMOOTH_SHARE: Final = 0.5


@dataclass(frozen=True, eq=False)
class Ready:
    """An image of a level: float32 voxels on a grid whose axes are at right angles, in a right-handed order."""

    voxels: npt.NDArray[np.float32]
    grid: Grid
    inside: npt.NDArray[np.bool_] | None = None
    """The voxels that are compared; None means all."""

    def points_mm(self, most: int, seed: int) -> tuple[Points, npt.NDArray[np.float32]]:
        """Centres of at most ``most`` compared voxels, drawn evenly and the same each time, and their values."""
        flat = np.arange(self.voxels.size) if self.inside is None else np.flatnonzero(self.inside)
        if flat.size > most:
            flat = np.sort(np.random.default_rng(seed).choice(flat, most, replace=False))
        index = np.stack(np.unravel_index(flat, self.grid.shape)[::-1], axis=-1)
        return self.grid.to_patient.apply(index), self.voxels.reshape(-1)[flat]

    def image(self) -> Any:
        """As an image of SimpleITK, which keeps a copy."""
        return _image(self.voxels, self.grid)

    def mask_image(self) -> Any:
        """The compared voxels as an image of SimpleITK; None when all are."""
        return None if self.inside is None else _image(self.inside.astype(np.uint8), self.grid)


def straight(volume: Volume) -> Ready:
    """The volume at right angles, right-handed, without its brightest and darkest thousandth."""
    grid = resample.regular_grid(volume.grid) if volume.grid.is_sheared else volume.grid
    voxels = (volume if grid is volume.grid else resample.resample(volume, grid)).voxels.astype(np.float32)
    low, high = np.percentile(voxels[::2, ::2, ::2], _EXTREMES_PERCENT)
    if low == high:
        low, high = voxels.min(), voxels.max()
    return Ready(*_right_handed(np.clip(voxels, low, high), grid))


def within(ready: Ready, region: Mask, margin_mm: float) -> Ready:
    """The part of the image around a region, of which only the region is compared."""
    inside = resample.resample_mask(region, ready.grid).inside
    index = np.argwhere(inside)
    if not len(index):
        return Ready(ready.voxels, ready.grid, inside)
    margin = np.ceil(margin_mm / np.array(ready.grid.spacing_mm[::-1])).astype(int)
    first = np.maximum(index.min(axis=0) - margin, 0)
    last = np.minimum(index.max(axis=0) + margin, np.array(ready.grid.shape) - 1)
    return _cropped(Ready(ready.voxels, ready.grid, inside), first, last + 1)


def part(ready: Ready, axis: int, half: int) -> Ready:
    """The first (0) or second (1) half of an image along an axis of its arrays."""
    size = ready.grid.shape[axis]
    first, end = np.zeros(3, dtype=int), np.array(ready.grid.shape)
    first[axis], end[axis] = (0, (size + 1) // 2) if half == 0 else (size // 2, size)
    return _cropped(ready, first, end)


def reduced(ready: Ready, spacing_mm: float) -> Ready:
    """The image smoothed and with voxels of about ``spacing_mm``; coarser ones stay."""
    import SimpleITK as sitk

    factors = [max(1, int(spacing_mm / each + 0.5)) for each in ready.grid.spacing_mm]
    factors = [min(factor, max(1, size // 4)) for factor, size in zip(factors, ready.grid.shape[::-1], strict=True)]
    if max(factors) == 1:
        return ready
    variances = [
        max(1e-3, _SMOOTH_SHARE * each * factor * (factor > 1)) ** 2
        for each, factor in zip(ready.grid.spacing_mm, factors, strict=True)
    ]
    made: Any = sitk.Shrink(sitk.DiscreteGaussian(ready.image(), variances), factors)
    shape = made.GetSize()[::-1]
    grid = Grid(
        shape,
        Affine.of(ready.grid.to_patient.linear * np.array(factors), np.array(made.GetOrigin())),
        ready.grid.frame,
    )
    mask = ready.mask_image()
    inside = None if mask is None else sitk.GetArrayFromImage(sitk.Shrink(mask, factors)).astype(np.bool_)
    return Ready(sitk.GetArrayFromImage(made), grid, inside)


def volume_mm3(ready: Ready) -> float:
    """What is compared."""
    voxels = ready.voxels.size if ready.inside is None else int(np.count_nonzero(ready.inside))
    return voxels * ready.grid.voxel_volume_mm3


def _cropped(ready: Ready, first: npt.NDArray[np.int_], end: npt.NDArray[np.int_]) -> Ready:
    box = tuple(slice(int(a), int(b)) for a, b in zip(first, end, strict=True))
    slices, rows, columns = (int(n) for n in end - first)
    origin = ready.grid.to_patient.apply(first[::-1])
    grid = Grid((slices, rows, columns), Affine.of(ready.grid.to_patient.linear, origin), ready.grid.frame)
    return Ready(ready.voxels[box], grid, None if ready.inside is None else ready.inside[box])


def _right_handed(voxels: npt.NDArray[np.float32], grid: Grid) -> tuple[npt.NDArray[np.float32], Grid]:
    """SimpleITK wants a rotation as direction."""
    if np.linalg.det(grid.directions) > 0:
        return np.ascontiguousarray(voxels), grid
    last = grid.to_patient.apply((0, 0, grid.shape[0] - 1))
    turned = Grid(grid.shape, Affine.of(grid.to_patient.linear * (1, 1, -1), last), grid.frame)
    return np.ascontiguousarray(voxels[::-1]), turned


def _image(array: npt.NDArray[Any], grid: Grid) -> Any:
    import SimpleITK as sitk

    image: Any = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_mm.tolist())
    left, _, right = np.linalg.svd(grid.directions)
    image.SetDirection((left @ right).ravel().tolist())
    return image
