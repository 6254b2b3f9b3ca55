"""Connected parts of masks: runs of voxels along rows, joined to those that they touch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion

Connectivity: TypeAlias = Literal[6, 18, 26]
"""Which voxels are neighbours: those that share a face, or also an edge, or also a corner."""

Integers: TypeAlias = npt.NDArray[np.int64]

_NEIGHBOURS: Final[dict[int, tuple[tuple[int, int, int], ...]]] = {
    6: ((0, 1, 0), (1, 0, 0)),
    18: ((0, 1, 1), (1, 0, 1), (1, 1, 0), (1, -1, 0)),
    26: ((0, 1, 1), (1, 0, 1), (1, 1, 1), (1, -1, 1)),
}
"""Slice and row of the rows after a row that touch it, and how far columns may differ."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The connected parts of a set of voxels, numbered from 0 by their first voxel."""

    shape: tuple[int, int, int]
    starts: Integers
    """First voxel of each run, counted through the array."""
    stops: Integers
    """One past the last voxel of each run."""
    part: Integers
    """The part that each run belongs to."""

    @cached_property
    def voxels(self) -> Integers:
        """How many voxels each part has."""
        return np.bincount(self.part, weights=self.stops - self.starts).astype(np.int64)

    def mask(self, numbers: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """The voxels of some parts."""
        wanted = np.zeros(len(self.voxels), dtype=np.bool_)
        wanted[np.asarray(numbers, dtype=np.int64)] = True
        runs = wanted[self.part]
        change = np.zeros(int(np.prod(self.shape)) + 1, dtype=np.int8)
        change[self.starts[runs]] = 1
        # Runs do not touch along a row, but one may end where the next row's begins.
        change[self.stops[runs]] -= 1
        return np.cumsum(change[:-1], dtype=np.int8).astype(np.bool_).reshape(self.shape)

    def at(self, index: tuple[int, int, int]) -> int | None:
        """The part of a voxel (slice, row, column); None where it belongs to none."""
        place = int(np.ravel_multi_index(index, self.shape))
        run = int(np.searchsorted(self.starts, place, side="right")) - 1
        return int(self.part[run]) if run >= 0 and place < self.stops[run] else None


def parts_of(inside: npt.NDArray[np.bool_], connectivity: Connectivity = 26, within_slices: bool = False) -> Parts:
    """The connected parts; ``within_slices`` parts of each slice alone (by faces for 6, by corners too for others)."""
    if connectivity not in _NEIGHBOURS:
        raise InvalidRegion("voxels have 6, 18 or 26 neighbours")
    slices, rows, columns = inside.shape
    starts, stops = _runs(inside)
    ones, others = [], []
    row_of = starts // columns
    for over, down, aside in _NEIGHBOURS[connectivity]:
        if within_slices and over:
            continue
        fits = (row_of // rows + over < slices) & (row_of % rows + down >= 0) & (row_of % rows + down < rows)
        near = np.flatnonzero(fits)
        one, other = _touching(starts, stops, near, ((over * rows + down) * columns, aside, columns))
        ones.append(one)
        others.append(other)
    part = _joined(len(starts), np.concatenate(ones), np.concatenate(others))
    return Parts((slices, rows, columns), starts, stops, part)


def _runs(inside: npt.NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """First and one past the last voxel of each run along a row, counted through the array."""
    columns = inside.shape[2]
    flat = np.ascontiguousarray(inside).reshape(-1, columns)
    begins, ends = flat.copy(), flat.copy()
    begins[:, 1:] &= ~flat[:, :-1]
    ends[:, :-1] &= ~flat[:, 1:]
    return np.flatnonzero(begins), np.flatnonzero(ends) + 1


def _touching(
    starts: Integers, stops: Integers, near: Integers, there: tuple[int, int, int]
) -> tuple[Integers, Integers]:
    """The pairs of runs that touch, where the second lies in the row ``there`` voxels on."""
    shift, aside, columns = there
    begin, end = starts[near] + shift, stops[near] + shift
    row = begin - begin % columns
    low, high = np.maximum(begin - aside, row), np.minimum(end + aside, row + columns)
    first = np.searchsorted(stops, low, side="right")
    last = np.searchsorted(starts, high, side="left")
    counts = np.maximum(last - first, 0)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    other = np.repeat(first, counts) + np.arange(len(before)) - before
    return np.repeat(near, counts), other


def _joined(number: int, ones: Integers, others: Integers) -> Integers:
    """Groups of items joined by pairs, numbered by their first item."""
    lowest = np.arange(number)
    while len(ones):
        # Hook the higher root of each pair to the lower one, then let all look at their root.
        one, other = lowest[ones], lowest[others]
        np.minimum.at(lowest, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(lowest[lowest], lowest):
            lowest = lowest[lowest]
        apart = lowest[ones] != lowest[others]
        ones, others = ones[apart], others[apart]
    return np.unique(lowest, return_inverse=True)[1].reshape(-1).astype(np.int64)
