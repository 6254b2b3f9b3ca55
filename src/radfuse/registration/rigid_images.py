"""Images made ready to be compared: at right angles, right-handed, reduced to a voxel size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Affine, Grid, Mask, Points
from radfuse.registration.rigid_toolkit import simpleitk
from radfuse.volume import Volume, resample

_EXTREMES_PERCENT: Final = (0.1, 99.9)
_LIKE: Final = 0.8
_MORE_DETAIL: Final = 1.5


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

    @cached_property
    def corners_mm(self) -> Points:
        """The corners of the box that holds what is compared."""
        if self.inside is None:
            return self.grid.corners_mm
        index = np.argwhere(self.inside)[:, ::-1]
        ends = np.stack((index.min(axis=0) - 0.5, index.max(axis=0) + 0.5))
        return self.grid.to_patient.apply([[ends[i, 0], ends[j, 1], ends[k, 2]] for i, j, k in np.ndindex(2, 2, 2)])

    @cached_property
    def middle_mm(self) -> Points:
        """The middle of that box."""
        middle: Points = self.corners_mm.mean(axis=0)
        return middle

    @cached_property
    def half_mm(self) -> float:
        """Half the edge of the cube at whose corners results are compared: 50 mm, less where the images are smaller."""
        along = self.corners_mm @ self.grid.directions
        return float(min(50.0, (along.max(axis=0) - along.min(axis=0)).min() / 2))

    def around(self, points_mm: Points) -> Ready:
        """The part of the image that lies within the box around points; all of it where that is nothing."""
        index = self.grid.from_patient.apply(points_mm)[:, ::-1]
        first = np.clip(np.floor(index.min(axis=0)), 0, np.array(self.grid.shape) - 1).astype(int)
        end = np.clip(np.ceil(index.max(axis=0)) + 1, 0, np.array(self.grid.shape)).astype(int)
        return _cropped(self, first, end) if (end - first >= 2).all() else self

    def image(self, unit_mm: float) -> Any:
        """As an image of SimpleITK, which keeps a copy; its lengths are in units of ``unit_mm``."""
        return _image(self.voxels, self.grid, unit_mm)

    def mask_image(self, unit_mm: float) -> Any:
        """The compared voxels as such an image; None when all are."""
        return None if self.inside is None else _image(self.inside.astype(np.uint8), self.grid, unit_mm)


def straight(volume: Volume) -> Ready:
    """The volume at right angles, right-handed, without its brightest and darkest thousandth."""
    grid = resample.regular_grid(volume.grid) if volume.grid.is_sheared else volume.grid
    voxels = (volume if grid is volume.grid else resample.resample(volume, grid)).voxels.astype(np.float32)
    low, high = np.percentile(voxels[::2, ::2, ::2], _EXTREMES_PERCENT)
    if low == high:
        low, high = voxels.min(), voxels.max()
    return Ready(*_right_handed(np.clip(voxels, np.float32(low), np.float32(high)), grid))


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
    """The image with voxels of about ``spacing_mm``, each the mean of whole ones; coarser ones stay."""
    factors = [max(1, int(spacing_mm / each + 0.5)) for each in ready.grid.spacing_mm]
    factors = [min(factor, max(1, size // 4)) for factor, size in zip(factors, ready.grid.shape[::-1], strict=True)]
    if max(factors) == 1:
        return ready
    voxels = _block_means(ready.voxels, factors[::-1])
    origin = ready.grid.to_patient.apply((np.array(factors) - 1) / 2)
    slices, rows, columns = voxels.shape
    to_patient = Affine.of(ready.grid.to_patient.linear * np.array(factors), origin)
    inside = None
    if ready.inside is not None:
        share = _block_means(ready.inside.astype(np.float32), factors[::-1])
        inside = share >= min(0.5, float(share.max()))  # of a region thinner than half a voxel something is left
    return Ready(voxels, Grid((slices, rows, columns), to_patient, ready.grid.frame), inside)


def volume_mm3(ready: Ready) -> float:
    """What is compared."""
    voxels = ready.voxels.size if ready.inside is None else int(np.count_nonzero(ready.inside))
    return voxels * ready.grid.voxel_volume_mm3


def is_rather_sampled(other: Ready, one: Ready) -> bool:
    """Whether the points to compare are rather those of ``other``, which has more detail and about the same voxels.

    Noise that is interpolated becomes less between the voxels, and mutual information likes that better than the
    right place, at which voxels lie on voxels (Pluim 2000). So the image with more noise is the one that is sampled.
    """
    share = volume_mm3(other) / volume_mm3(one)
    sizes = np.array(other.grid.spacing_mm) / one.grid.spacing_mm
    if one.inside is not None or not _LIKE <= min(share, sizes.min()) <= max(share, sizes.max()) <= 1 / _LIKE:
        return False
    return _detail(other) > _MORE_DETAIL * _detail(one)


def _detail(ready: Ready) -> float:
    """How much neighbouring voxels differ, per mm and in units of the whole image's spread: noise and edges alike."""
    spread = float(ready.voxels.var())
    slopes = (
        float(np.mean(np.square(np.diff(ready.voxels, axis=axis)))) / spacing**2
        for axis, spacing in enumerate(reversed(ready.grid.spacing_mm))
    )
    return sum(slopes) / spread if spread > 0 else 0.0


def _block_means(voxels: npt.NDArray[np.float32], factors: Sequence[int]) -> npt.NDArray[np.float32]:
    """Means of blocks; what does not fill a block at the end is left out."""
    for axis, factor in enumerate(factors):
        count = voxels.shape[axis] // factor
        shape = (*voxels.shape[:axis], count, factor, *voxels.shape[axis + 1 :])
        voxels = np.take(voxels, range(count * factor), axis=axis).reshape(shape).mean(axis=axis + 1)
    return np.ascontiguousarray(voxels, dtype=np.float32)


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


def _image(array: npt.NDArray[Any], grid: Grid, unit_mm: float) -> Any:
    sitk = simpleitk()
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing([each / unit_mm for each in grid.spacing_mm])
    image.SetOrigin((grid.origin_mm / unit_mm).tolist())
    left, _, right = np.linalg.svd(grid.directions)
    image.SetDirection((left @ right).ravel().tolist())
    return image
