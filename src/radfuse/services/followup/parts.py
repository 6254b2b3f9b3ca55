"""Parts: regions that are kept, and worked on, only where they are; a lesion is small, its images are large."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Grid, Mask
from radfuse.roi.sampling import bounds_of
from radfuse.volume import Volume

Box: TypeAlias = tuple[slice, slice, slice]
"""Slices, rows, columns."""

_NOTHING: Box = (slice(0, 1), slice(0, 1), slice(0, 1))


@dataclass(frozen=True, eq=False)
class Part:
    """Voxels of ``grid`` that belong to a region: ``inside`` says it for those of ``box``, all others are outside."""

    grid: Grid
    box: Box
    inside: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, mask: Mask) -> Part:
        """A mask on the whole grid."""
        box = bounds_of(mask.inside) if mask.inside.any() else _NOTHING
        return cls(mask.grid, box, mask.inside[box].copy())

    @classmethod
    def nothing(cls, grid: Grid) -> Part:
        """No voxel."""
        return cls(grid, _NOTHING, np.zeros((1, 1, 1), dtype=np.bool_))

    @classmethod
    def together(cls, parts: Iterable[Part]) -> Part:
        """The voxels of any of some parts of one grid; there must be one."""
        every = list(parts)
        box = _around([part.box for part in every])
        inside = np.zeros([one.stop - one.start for one in box], dtype=np.bool_)
        for part in every:
            inside |= part.cut(box)
        return cls(every[0].grid, box, inside)

    @property
    def voxels(self) -> int:
        """How many."""
        return int(np.count_nonzero(self.inside))

    @property
    def volume_ml(self) -> float:
        """Their volume."""
        return self.voxels * self.grid.voxel_volume_mm3 / 1000

    @property
    def local(self) -> Mask:
        """On the part of the grid that the box is."""
        return Mask(part_of(self.grid, self.box), self.inside)

    @property
    def mask(self) -> Mask:
        """On the whole grid."""
        inside = np.zeros(self.grid.shape, dtype=np.bool_)
        inside[self.box] = self.inside
        return Mask(self.grid, inside)

    def cut(self, box: Box) -> npt.NDArray[np.bool_]:
        """Which voxels of a box belong to it."""
        found = np.zeros([one.stop - one.start for one in box], dtype=np.bool_)
        here, there = [], []
        for own, other in zip(self.box, box, strict=True):
            first, last = max(own.start, other.start), min(own.stop, other.stop)
            if first >= last:
                return found
            here.append(slice(first - own.start, last - own.start))
            there.append(slice(first - other.start, last - other.start))
        found[tuple(there)] = self.inside[tuple(here)]
        return found

    def common(self, other: Part) -> int:
        """How many voxels both have."""
        return int(np.count_nonzero(self.inside & other.cut(self.box)))

    def padded(self, around_mm: float) -> Box:
        """Its box and so much more, at least two voxels, as far as the grid goes."""
        return padded(self.box, self.grid, around_mm)


def padded(box: Box, grid: Grid, around_mm: float) -> Box:
    """A box and so much more, at least two voxels, as far as the grid goes."""
    more = [int(np.ceil(around_mm / spacing)) + 2 for spacing in grid.spacing_mm[::-1]]
    slices, rows, columns = (
        slice(max(one.start - add, 0), min(one.stop + add, size))
        for one, add, size in zip(box, more, grid.shape, strict=True)
    )
    return slices, rows, columns


def part_of(grid: Grid, box: Box) -> Grid:
    """The grid of a box."""
    first = box[0].start, box[1].start, box[2].start
    return grid.cropped(first, (box[0].stop - first[0], box[1].stop - first[1], box[2].stop - first[2]))


def cropped(volume: Volume, box: Box) -> Volume:
    """The images of a box, without what is said of all of them."""
    return Volume(volume.voxels[box], part_of(volume.grid, box), volume.unit, volume.source)


def _around(boxes: list[Box]) -> Box:
    slices, rows, columns = (
        slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes)) for axis in range(3)
    )
    return slices, rows, columns
