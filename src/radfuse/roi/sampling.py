"""Which voxels of an image a region holds, also when the region was drawn on another grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Grid, Mask, Points
from radfuse.volume import Unit, Volume

_TOUCHES_THE_EDGE: Final = 1e-9
_SAME_VOXELS: Final = 1e-3
_AT_ONCE: Final = 1 << 20

Block = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class RegionVoxels:
    """The voxels of an image that belong to a region, in the order slice, row, column.

    ``values`` are float64 in ``unit``; ``places`` say which voxels they are, counted through the whole grid.
    ``region_ml`` is the region's volume on the grid it was drawn on; ``notes`` are sentences for people
    on what the numbers of these voxels do not say by themselves.
    """

    grid: Grid
    unit: Unit
    values: npt.NDArray[np.float64]
    places: npt.NDArray[np.int64]
    region_ml: float
    notes: tuple[str, ...] = ()

    @cached_property
    def index(self) -> npt.NDArray[np.int64]:
        """Column, row and slice of each, n x 3."""
        return np.stack(np.unravel_index(self.places, self.grid.shape)[::-1], axis=1)

    def position_mm(self, number: int) -> Points:
        """The centre of one of them."""
        return self.grid.to_patient.apply(np.unravel_index(int(self.places[number]), self.grid.shape)[::-1])

    @property
    def centre_mm(self) -> Points:
        """Their centre of gravity, each of the same weight."""
        total = np.zeros(3)
        for start in range(0, len(self.places), _AT_ONCE):
            some = np.unravel_index(self.places[start : start + _AT_ONCE], self.grid.shape)
            total += [float(axis.sum()) for axis in some[::-1]]
        return self.grid.to_patient.apply(total / len(self.places))

    @property
    def volume_ml(self) -> float:
        """Their volume."""
        return len(self.values) * self.grid.voxel_volume_mm3 / 1000


def voxels_of(volume: Volume, mask: Mask) -> RegionVoxels:
    """The voxels of ``volume`` that belong to ``mask``.

    A mask on another grid of the same frame of reference is carried over by nearest neighbour: a voxel
    belongs to it if its centre lies in a voxel of the mask. Voxels without a value (NaN) are left out.
    What was carried, lies outside the image, has no value or was repaired is said in the notes.

    Raises InvalidRegion when nothing is left, FramesDiffer when the two cannot be compared.
    """
    if not mask.voxels:
        raise InvalidRegion("it is empty")
    on_image, notes = carried(mask, volume.grid)
    places = np.flatnonzero(on_image.inside)
    if not len(places):
        raise InvalidRegion(
            "no voxel centre of the image lies in it: it is outside the image, or smaller than the image's voxels"
        )
    values = volume.voxels[on_image.inside].astype(np.float64)
    has_value = np.isfinite(values)
    if not has_value.any():
        raise InvalidRegion("the image has no value in any voxel of it")
    if missing := int(np.count_nonzero(~has_value)):
        notes = (*notes, f"{missing} of its {len(values)} voxels have no value in the image and are left out")
        places, values = places[has_value], values[has_value]
    notes = (*notes, *_repairs(volume, on_image))
    return RegionVoxels(volume.grid, volume.unit, values, places, mask.volume_ml, notes)


def carried(mask: Mask, grid: Grid) -> tuple[Mask, tuple[str, ...]]:
    """``mask`` on another grid of the same frame of reference, by nearest neighbour, and what has to be said of it.

    Raises FramesDiffer.
    """
    if mask.grid is grid or mask.grid.matches(grid):
        return Mask(grid, mask.inside), ()
    mask.grid.frame.require_same(grid.frame, "The region and the image")
    if not mask.inside.any():
        return Mask(grid, np.zeros(grid.shape, dtype=np.bool_)), ("it is empty",)
    notes = []
    if not _has_same_voxels(mask.grid, grid):
        notes.append("the region was drawn on another grid and carried to the image's by nearest neighbour")
    if outside := _outside(mask, grid):
        outside_ml = outside * mask.grid.voxel_volume_mm3 / 1000
        notes.append(f"{outside_ml:.4g} ml of {mask.volume_ml:.4g} ml of the region lie outside the image")
    inside = np.zeros(grid.shape, dtype=np.bool_)
    slices, rows, columns = _block_of(mask, grid)
    limits = np.array(mask.grid.shape[::-1])
    to_mask = mask.grid.from_patient
    for number in range(slices.start, slices.stop):
        down, across = np.mgrid[rows, columns]
        points = grid.to_patient.apply(np.stack((across, down, np.full_like(across, number)), axis=-1))
        index = np.floor(to_mask.apply(points) + 0.5).astype(np.int64)
        exists = np.all((index >= 0) & (index < limits), axis=-1)
        index[~exists] = 0
        inside[number, rows, columns] = exists & mask.inside[index[..., 2], index[..., 1], index[..., 0]]
    return Mask(grid, inside), tuple(notes)


def bounds_of(inside: npt.NDArray[np.bool_]) -> Block:
    """The smallest block that holds all that is true, as slices; there must be something."""
    ends = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        used = np.flatnonzero(inside.any(axis=others))
        ends.append(slice(int(used[0]), int(used[-1]) + 1))
    return ends[0], ends[1], ends[2]


def _block_of(mask: Mask, grid: Grid) -> Block:
    """The part of ``grid`` outside of which no voxel can belong to ``mask``."""
    block = bounds_of(mask.inside)
    ends = [(part.start - 0.5, part.stop - 0.5) for part in block[::-1]]
    corners = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(8, 3)
    index = grid.from_patient.apply(mask.grid.to_patient.apply(corners))
    size = np.array(grid.shape[::-1])
    first = np.clip(np.ceil(index.min(axis=0) - _TOUCHES_THE_EDGE), 0, size).astype(int)
    last = np.clip(np.floor(index.max(axis=0) + _TOUCHES_THE_EDGE) + 1, first, size).astype(int)
    x, y, z = (slice(int(low), int(high)) for low, high in zip(first, last, strict=True))
    return z, y, x


def _has_same_voxels(one: Grid, other: Grid) -> bool:
    """Whether both are parts of one lattice, so that nothing is lost between them."""
    shift = other.from_patient.after(one.to_patient)
    ends = shift.apply([(0, 0, 0), [size - 1 for size in one.shape[::-1]]])
    steps = ends[1] - ends[0] - (np.array(one.shape[::-1]) - 1)
    off_voxel = np.abs(ends - np.round(ends)).max()
    is_straight = np.abs(shift.linear - np.eye(3)).max() < _SAME_VOXELS
    return bool(is_straight and off_voxel < _SAME_VOXELS and np.abs(steps).max() < _SAME_VOXELS)


def _outside(mask: Mask, grid: Grid) -> int:
    """How many voxel centres of the mask lie outside ``grid``."""
    count = 0
    for number in range(*bounds_of(mask.inside)[0].indices(mask.grid.shape[0])):
        rows, columns = np.nonzero(mask.inside[number])
        index = np.stack((columns, rows, np.full_like(rows, number)), axis=-1)
        count += int(np.count_nonzero(~grid.contains(mask.grid.to_patient.apply(index))))
    return count


def _repairs(volume: Volume, mask: Mask) -> tuple[str, ...]:
    """A sentence for each repair of the volume that the region touches."""
    touched = set(np.flatnonzero(mask.inside.any(axis=(1, 2))).tolist())
    return tuple(
        f"the region touches what was repaired: {finding.sentence}"
        for finding in volume.findings
        if finding.repaired and (not finding.slices or touched.intersection(finding.slices))
    )
