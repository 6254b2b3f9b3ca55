"""Regions by their boxes: kept, worked on and measured only where they are; a lesion is small, its images are large."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Grid, Mask, Points
from radfuse.roi import sampling
from radfuse.volume import Volume

_SAME_VOXELS: Final = 1e-3
"""In voxels: what is nearer to each other is the same voxel."""


@dataclass(frozen=True, slots=True)
class Box:
    """Some voxels of a grid: the first one and how many, in the order slice, row, column."""

    first: tuple[int, int, int]
    shape: tuple[int, int, int]

    @property
    def where(self) -> tuple[slice, slice, slice]:
        """As an index of arrays on the grid."""
        one, two, three = (slice(at, at + size) for at, size in zip(self.first, self.shape, strict=True))
        return one, two, three

    @property
    def bounds(self) -> list[int]:
        """First and one past the last column, row and slice."""
        return [end for part in reversed(self.where) for end in (part.start, part.stop)]

    @classmethod
    def around(cls, inside: npt.NDArray[np.bool_]) -> Box:
        """The smallest that holds what is true; one voxel where nothing is."""
        if not inside.any():
            return cls((0, 0, 0), (1, 1, 1))
        slices, rows, columns = sampling.bounds_of(inside)
        sizes = slices.stop - slices.start, rows.stop - rows.start, columns.stop - columns.start
        return cls((slices.start, rows.start, columns.start), sizes)

    def of(self, grid: Grid) -> Grid:
        """The part of a grid that it is."""
        return grid.cropped(self.first, self.shape)

    def padded(self, grid: Grid, around_mm: float) -> Box:
        """It and so much more, at least two voxels, as far as the grid goes."""
        return grown(grid, self, np.ceil(around_mm / np.array(grid.spacing_mm)) + 2)


@dataclass(frozen=True, eq=False)
class Part:
    """Voxels of ``grid`` that belong to a region: ``inside`` says it for those of ``box``, all others are outside."""

    grid: Grid
    box: Box
    inside: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, mask: Mask) -> Part:
        """A mask on the whole grid."""
        box = Box.around(mask.inside)
        return Part(mask.grid, box, mask.inside[box.where].copy())

    @classmethod
    def nothing(cls, grid: Grid) -> Part:
        """No voxel."""
        return Part(grid, Box((0, 0, 0), (1, 1, 1)), np.zeros((1, 1, 1), dtype=np.bool_))

    @classmethod
    def together(cls, parts: Iterable[Part]) -> Part:
        """The voxels of any of some parts of one grid; there must be one."""
        every = list(parts)
        box = every[0].box
        for part in every[1:]:
            box = union(box, part.box)
        inside = np.zeros(box.shape, dtype=np.bool_)
        for part in every:
            inside |= part.cut(box)
        return Part(every[0].grid, box, inside)

    @property
    def mask(self) -> Mask:
        """On the part of the grid that the box is."""
        return Mask(self.box.of(self.grid), self.inside)

    @property
    def whole_mask(self) -> Mask:
        """On the whole grid."""
        inside = np.zeros(self.grid.shape, dtype=np.bool_)
        inside[self.box.where] = self.inside
        return Mask(self.grid, inside)

    @property
    def voxels(self) -> int:
        """How many belong to it."""
        return int(np.count_nonzero(self.inside))

    @property
    def volume_ml(self) -> float:
        """Their volume."""
        return self.voxels * self.grid.voxel_volume_mm3 / 1000

    def cut(self, box: Box) -> npt.NDArray[np.bool_]:
        """Which voxels of a box belong to it."""
        found = np.zeros(box.shape, dtype=np.bool_)
        here, there = [], []
        for own, other in zip(self.box.where, box.where, strict=True):
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
        return self.box.padded(self.grid, around_mm)


@dataclass(frozen=True, eq=False)
class Drawn(Part):
    """A region that was drawn, and what is to be said of it."""

    notes: tuple[str, ...] = ()
    """What makes one doubt it."""
    remarks: tuple[str, ...] = ()
    """How it came about, without a doubt."""

    def noting(self, *notes: str) -> Drawn:
        """The same with more doubts."""
        return replace(self, notes=tuple(dict.fromkeys((*self.notes, *notes))))

    def remarking(self, *remarks: str) -> Drawn:
        """The same with more to be said of how it came about."""
        return replace(self, remarks=tuple(dict.fromkeys((*self.remarks, *remarks))))


def trimmed(grid: Grid, box: Box, inside: npt.NDArray[np.bool_], notes: tuple[str, ...] = ()) -> Drawn:
    """The region with the smallest box that holds it. Raises InvalidRegion where it is empty."""
    if not inside.any():
        raise InvalidRegion("no voxel belongs to it")
    smallest = sampling.bounds_of(inside)
    first = (
        box.first[0] + smallest[0].start,
        box.first[1] + smallest[1].start,
        box.first[2] + smallest[2].start,
    )
    part = np.ascontiguousarray(inside[smallest])
    slices, rows, columns = part.shape
    return Drawn(grid, Box(first, (slices, rows, columns)), part, notes)


def whole(grid: Grid) -> Box:
    """All of a grid."""
    return Box((0, 0, 0), grid.shape)


def box_around(grid: Grid, points_mm: Points, margin_mm: float = 0.0) -> Box:
    """The voxels within ``margin_mm`` (and one more) of some points. Raises InvalidRegion beside the grid."""
    index = grid.from_patient.apply(np.atleast_2d(points_mm))
    reach = np.linalg.norm(grid.from_patient.linear, axis=1) * margin_mm + 1
    size = np.array(grid.shape[::-1])
    low = np.clip(np.floor(index.min(axis=0) - reach), 0, size).astype(int)
    high = np.clip(np.ceil(index.max(axis=0) + reach) + 1, 0, size).astype(int)
    if (high <= low).any():
        raise InvalidRegion("it lies beside the image")
    return _box(low, high)


def grown(grid: Grid, box: Box, voxels: npt.ArrayLike) -> Box:
    """The box with some more columns, rows and slices on each side, as far as there are any."""
    more = np.broadcast_to(np.asarray(voxels, dtype=int), (3,))
    low = np.array(box.first[::-1])
    high = low + box.shape[::-1]
    return _box(np.maximum(low - more, 0), np.minimum(high + more, grid.shape[::-1]))


def union(one: Box, other: Box) -> Box:
    """The smallest box that holds both."""
    low = np.minimum(one.first, other.first)[::-1]
    high = np.maximum(np.add(one.first, one.shape), np.add(other.first, other.shape))[::-1]
    return _box(low, high)


def _box(low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> Box:
    column, row, slice_ = (int(each) for each in low)
    columns, rows, slices = (int(each) for each in high - low)
    return Box((slice_, row, column), (slices, rows, columns))


def part_of(volume: Volume, box: Box) -> Volume:
    """The voxels of a box as a volume of its own, with what was found of its slices."""
    start, stop = box.first[0], box.first[0] + box.shape[0]
    findings = []
    for finding in volume.findings:
        here = tuple(number - start for number in finding.slices if start <= number < stop)
        if here or not finding.slices:
            findings.append(replace(finding, slices=here))
    source = replace(
        volume.source,
        instance_uids=volume.source.instance_uids[start:stop],
        frame_numbers=volume.source.frame_numbers[start:stop],
    )
    return replace(
        volume,
        voxels=volume.voxels[box.where],
        grid=volume.grid.cropped(box.first, box.shape),
        source=source,
        findings=tuple(findings),
    )


def put(mask: Mask, grid: Grid, box: Box) -> npt.NDArray[np.bool_]:
    """A mask of voxels of ``grid`` in a box that holds all of it."""
    first, inside = _offset(mask.grid, grid), np.zeros(box.shape, dtype=np.bool_)
    if first is None:
        raise InvalidRegion("it lies on other voxels")
    at = np.subtract(first, box.first)
    inside[tuple(slice(int(start), int(start) + size) for start, size in zip(at, mask.inside.shape, strict=True))] = (
        mask.inside
    )
    return inside


def drawn_on(grid: Grid, mask: Mask) -> Drawn:
    """A mask of the same frame of reference on the voxels of a grid; by the nearest voxel where it has others.

    Raises FramesDiffer, and InvalidRegion where no voxel of the grid belongs to it.
    """
    mask.grid.frame.require_same(grid.frame, "the region and the image")
    first = _offset(mask.grid, grid)
    if first is not None and (np.array(first) >= 0).all() and (np.add(first, mask.grid.shape) <= grid.shape).all():
        return trimmed(grid, Box(first, mask.grid.shape), mask.inside)
    if not mask.inside.any():
        raise InvalidRegion("no voxel belongs to it")
    held = sampling.bounds_of(mask.inside)
    part = Mask(mask.grid.cropped(_starts(held), mask.inside[held].shape), mask.inside[held])
    box = box_around(grid, part.grid.corners_mm)
    carried, notes = sampling.carried(part, grid.cropped(box.first, box.shape))
    if not carried.inside.any():
        raise InvalidRegion("no voxel centre of the image lies in it: it is outside the image, or smaller than a voxel")
    return trimmed(grid, box, carried.inside, notes)


def _starts(parts: tuple[slice, slice, slice]) -> tuple[int, int, int]:
    return parts[0].start, parts[1].start, parts[2].start


def _offset(part: Grid, grid: Grid) -> tuple[int, int, int] | None:
    """Where the first voxel of a grid lies in another one of the same voxels; None where they are others."""
    corners = grid.from_patient.apply(part.corners_mm) + 0.5
    whole_ = np.rint(corners)
    size = np.ptp(whole_, axis=0)
    if np.abs(corners - whole_).max() > _SAME_VOXELS or not np.array_equal(size, part.shape[::-1]):
        return None
    if (np.diag(grid.from_patient.linear @ part.to_patient.linear) <= 0).any():
        return None
    column, row, slice_ = (int(each) for each in whole_.min(axis=0))
    return slice_, row, column
