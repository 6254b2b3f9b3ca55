"""The grid a deformable registration works on, and the two volumes and what counts of them on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import CannotRegister
from radfuse.geometry import Affine, DisplacementField, Grid, Mask
from radfuse.registration.deformable.pair import Image, Pair
from radfuse.registration.deformable.recipe import DeformableRecipe
from radfuse.volume import Volume, resample

_MARGIN_MM: Final = 20.0
"""How far the grid goes beyond what both images show, or beyond the region."""
_LEAST_SIDE: Final = 4
_LEAST_COUNTING: Final = 1000
_SOFT_VOXELS: Final = 3.0


@dataclass(frozen=True, eq=False)
class Focus:
    """What is to be deformed and what is to be looked at; nothing said is everything.

    ``region`` and ``fixed_mask`` lie in the fixed frame of reference, ``moving_mask`` in the moving one. The field
    covers the region and a margin; masks only say which voxels are compared.
    """

    region: Mask | None = None
    fixed_mask: Mask | None = None
    moving_mask: Mask | None = None


def working_grid(fixed: Volume, moving: Volume, start: Affine, focus: Focus, recipe: DeformableRecipe) -> Grid:
    """A grid at right angles over what both images show (and the region), along the axes of the fixed images.

    Its voxels are those of the fixed images, or larger where there would be too many: the shorter
    sides grow first. Raises CannotRegister where the images do not overlap.
    """
    whole = resample.regular_grid(fixed.grid)
    box = _Box.of(whole, moving.grid, start.inverse())
    if focus.region is not None:
        focus.region.grid.frame.require_same(fixed.grid.frame, "the region and the fixed images")
        if not focus.region.voxels:
            raise CannotRegister("the region is empty")
        box = box.within(_Box.of(whole, _cropped(focus.region).grid, None))
    grid = box.cut(whole)
    spacing = _spacing(grid, recipe)
    made = resample.regular_grid(grid, spacing)
    if min(made.shape) < _LEAST_SIDE:
        raise CannotRegister(
            f"what both images show is {' x '.join(str(n) for n in made.shape)} voxels of "
            f"{' x '.join(f'{mm:.3g}' for mm in spacing)} mm; at least {_LEAST_SIDE} along each side are needed"
        )
    return made


def pair_on(grid: Grid, fixed: Volume, moving: Volume, start: Affine, focus: Focus) -> Pair:
    """Both volumes on ``grid``, the moving one through ``start``, and what counts of them. Raises CannotRegister."""
    fixed_weight = resample.covered(fixed.grid, grid).inside.astype(np.float32)
    moving_weight = resample.covered(moving.grid, grid, start).inside.astype(np.float32)
    if focus.fixed_mask is not None:
        focus.fixed_mask.grid.frame.require_same(fixed.grid.frame, "the mask and the fixed images")
        fixed_weight *= resample.resample_mask(focus.fixed_mask, grid).inside
    if focus.moving_mask is not None:
        focus.moving_mask.grid.frame.require_same(moving.grid.frame, "the mask and the moving images")
        moving_weight *= resample.resample_mask(focus.moving_mask, grid, start).inside
    looked_at = None
    if focus.region is not None:
        looked_at = _softened(resample.resample_mask(focus.region, grid).inside, grid)
    together = fixed_weight * moving_weight
    counting = int(np.count_nonzero(together if looked_at is None else together * looked_at))
    if counting < _LEAST_COUNTING:
        raise CannotRegister(f"only {counting} voxels of the images lie on each other and count")
    return Pair(
        _on(grid, fixed, None),
        _on(grid, moving, start),
        np.array(grid.spacing_mm),
        None if fixed_weight.min() == 1 else fixed_weight,
        None if moving_weight.min() == 1 else moving_weight,
        looked_at,
    )


def field_of(grid: Grid, along_axes_mm: Image) -> DisplacementField:
    """A field along the axes of ``grid`` as one along those of the patient, one voxel further on every side.

    Without that margin nothing would be known between the outermost voxel centres and the images' edge.
    """
    inner = np.einsum("ab,bkji->kjia", grid.directions, along_axes_mm, optimize=False)
    vectors = np.pad(inner, ((1, 1), (1, 1), (1, 1), (0, 0)), mode="edge").astype(np.float32)
    slices, rows, columns = (side + 2 for side in grid.shape)
    return DisplacementField(grid.cropped((-1, -1, -1), (slices, rows, columns)), vectors)


@dataclass(frozen=True, eq=False)
class _Box:
    """Part of a grid as its lowest and highest indices (column, row, slice), at the voxels' edges."""

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    @classmethod
    def of(cls, whole: Grid, other: Grid, transform: Affine | None) -> _Box:
        """Where the corners of ``other`` lie in ``whole``, and a margin."""
        corners = other.corners_mm if transform is None else transform.apply(other.corners_mm)
        index = whole.from_patient.apply(corners)
        margin = _MARGIN_MM / np.array(whole.spacing_mm)
        size = np.array(whole.shape[::-1])
        if (index.max(axis=0) < -0.5).any() or (index.min(axis=0) > size - 0.5).any():
            raise CannotRegister("the images do not overlap from where the registration starts")
        return cls(index.min(axis=0) - margin, index.max(axis=0) + margin)

    def within(self, other: _Box) -> _Box:
        return _Box(np.maximum(self.low, other.low), np.minimum(self.high, other.high))

    def cut(self, whole: Grid) -> Grid:
        size = np.array(whole.shape[::-1])
        first = np.clip(np.floor(self.low + 0.5), 0, size - 1).astype(int)
        last = np.clip(np.ceil(self.high - 0.5), 0, size - 1).astype(int)
        if (last < first).any():
            raise CannotRegister("the region does not lie where both images do")
        columns, rows, slices = (int(n) for n in last - first + 1)
        i, j, k = (int(n) for n in first)
        return whole.cropped((k, j, i), (slices, rows, columns))


def _spacing(grid: Grid, recipe: DeformableRecipe) -> tuple[float, float, float]:
    own = np.array(grid.spacing_mm)
    if recipe.spacing_mm is not None:
        return (recipe.spacing_mm,) * 3
    sides = own * grid.shape[::-1]
    least = float(own.min())
    while np.prod(np.ceil(sides / np.maximum(own, least) - 1e-4)) > recipe.most_voxels:
        least *= 1.02
    x, y, z = (float(mm) for mm in np.maximum(own, least))
    return x, y, z


def _cropped(region: Mask) -> Mask:
    index = np.argwhere(region.inside)
    k, j, i = (int(n) for n in index.min(axis=0))
    slices, rows, columns = (int(n) for n in np.ptp(index, axis=0) + 1)
    inside = region.inside[k : k + slices, j : j + rows, i : i + columns]
    return Mask(region.grid.cropped((k, j, i), (slices, rows, columns)), inside)


def _softened(inside: npt.NDArray[np.bool_], grid: Grid) -> Image:
    """1 in the region, falling to 0 over a few voxels around it: its border is to be seen, too."""
    from radfuse.registration.deformable.levels import level, smoothed

    at = level(grid.shape, np.array(grid.spacing_mm), 1)
    out, spare = (np.empty(grid.shape, np.float32) for _ in range(2))
    soft = smoothed(inside.astype(np.float32), at.sigmas(_SOFT_VOXELS), out, spare)
    weight: Image = np.clip(2 * soft, inside, 1).astype(np.float32)
    weight[weight < 0.05] = 0
    return weight


def _on(grid: Grid, volume: Volume, transform: Affine | None) -> Image:
    """The voxels on the grid; averaged first where that has much larger ones."""
    voxels: Image = resample.resample(_coarser(volume, grid), grid, transform).voxels.astype(np.float32)
    return voxels


def _coarser(volume: Volume, grid: Grid) -> Volume:
    """The means of as many whole voxels as go into one of ``grid``."""
    from radfuse.registration.deformable.filters import mean_blocks
    from radfuse.registration.deformable.parallel import over

    size = np.array(volume.grid.shape[::-1])
    wanted = np.floor(np.min(grid.spacing_mm) / np.array(volume.grid.spacing_mm) + 1e-3).astype(np.int64)
    factors = np.clip(wanted, 1, size)
    if factors.max() == 1:
        return volume
    columns, rows, slices = (int(n) for n in size // factors)
    out = np.empty((slices, rows, columns), np.float32)
    over(mean_blocks, out.shape, volume.voxels.astype(np.float32), factors, out)
    first = volume.grid.to_patient.apply((factors - 1) / 2)
    to_patient = Affine.of(volume.grid.to_patient.linear * factors, first)
    return Volume(out, Grid(out.shape, to_patient, volume.grid.frame), volume.unit, volume.source)
