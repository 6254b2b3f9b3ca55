"""Masks to contours: outlines along the edges of voxels, slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Contour, Mask, Points, Structure

_RIGHT, _DOWN, _LEFT, _UP = range(4)
_STEPS: Final = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])
"""Column and row from the start to the end of an edge; the region lies on its right hand, seen with rows downwards."""

_ASIDE: Final = 0.004

_INNER: Final = np.array([(0, 0), (-1, 0), (-1, -1), (0, -1)])
"""From an edge's first corner to the voxel it belongs to; corner (x, y) is the upper left one of voxel (x, y)."""


class Holes(StrEnum):
    """How a hole is written."""

    KEYHOLE = "keyhole"
    """Joined to the outline around it by a line of no width (PS3.3 section C.8.8.6.3)."""
    XOR = "xor"
    """A contour of its own in the other one."""


class Outline(StrEnum):
    """Where the lines run."""

    VOXEL_EDGE = "voxel-edge"
    """Along the edges of the voxels: encloses their volume."""
    VOXEL_CENTRE = "voxel-centre"
    """Through the centres of the outermost voxels: half a voxel smaller, for readers that round to voxels."""


@dataclass(frozen=True, slots=True)
class Tracing:
    """How contours are made from a mask."""

    holes: Holes = Holes.KEYHOLE
    outline: Outline = Outline.VOXEL_EDGE
    simplify_mm: float = 0.0
    """Leave out corners as long as the outline stays this near to them; 0 keeps the region exactly."""


def trace(mask: Mask, name: str, how: Tracing | None = None, image_uids: Sequence[str] = ()) -> Structure:
    """The outlines of a region. ``image_uids`` are those of the grid's slices, in their order, if known.

    Voxels that touch at a corner only are outlined apart; filling gives the same mask again.
    Raises InvalidRegion for an empty region.
    """
    how = how or Tracing()
    contours = []
    for number in np.flatnonzero(mask.inside.any(axis=(1, 2))).tolist():
        for corners in outlines(mask.inside[number], how.holes, how.outline):
            index = np.column_stack((corners, np.full(len(corners), number)))
            points = mask.grid.to_patient.apply(index)
            if how.simplify_mm > 0:
                points = simplified(points, how.simplify_mm)
            contours.append(Contour(points, image_uids[number] if image_uids else ""))
    if not contours:
        raise InvalidRegion("it is empty, and has no outline")
    return Structure(name, mask.grid.frame, tuple(contours))


def outlines(inside: npt.NDArray[np.bool_], holes: Holes, outline: Outline) -> list[npt.NDArray[np.float64]]:
    """Closed polygons around the pixels of one slice, corners n x 2 as column and row; centres are whole numbers."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    part = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    loops = _Loops(part)
    if holes is Holes.KEYHOLE:
        loops.join_holes()
    offset = np.array((columns[0], rows[0]), dtype=np.float64)
    return [polygon + offset for polygon in loops.polygons(outline)]


class _Loops:
    """The edges between inside and outside, each with the one that follows it.

    An edge goes from a corner one step; the region is on its right. Corners are numbered row by row.
    """

    def __init__(self, inside: npt.NDArray[np.bool_]) -> None:
        padded = np.pad(inside, 1)
        here, above, left = padded[1:, 1:], padded[:-1, 1:], padded[1:, :-1]
        self._width = here.shape[1]
        # At corner (x, y): the edge above voxel (x, y) goes right, that of its left side up, and so on.
        starts = {
            _RIGHT: here & ~above,
            _DOWN: left & ~here,
            _LEFT: padded[:-1, :-1] & ~left,
            _UP: above & ~padded[:-1, :-1],
        }
        found = [(np.flatnonzero(starts[direction]), direction) for direction in range(4)]
        self._corner = np.concatenate([corners for corners, _ in found])
        self._direction = np.repeat([direction for _, direction in found], [len(corners) for corners, _ in found])
        self._next = self._followers().tolist()
        self._first = self._firsts()

    def _followers(self) -> npt.NDArray[np.int64]:
        """The edge that follows each: the sharpest turn around its own voxel first, so that corners do not join."""
        at = np.full((int(self._corner.max()) + self._width + 2, 4), -1, dtype=np.int64)
        at[self._corner, self._direction] = np.arange(len(self._corner))
        step = _STEPS[:, 0] + _STEPS[:, 1] * self._width
        end = self._corner + step[self._direction]
        following = np.full(len(self._corner), -1, dtype=np.int64)
        for turn in (1, 0, 3):
            candidate = at[end, (self._direction + turn) % 4]
            following = np.where(following < 0, candidate, following)
        return following

    def _firsts(self) -> list[int]:
        """The topmost of the leftmost edges of each loop."""
        seen, firsts = [False] * len(self._next), []
        for start in np.lexsort((self._corner // self._width, self._corner % self._width)).tolist():
            if seen[start]:
                continue
            firsts.append(start)
            edge = start
            while not seen[edge]:
                seen[edge] = True
                edge = self._next[edge]
        return firsts

    def join_holes(self) -> None:
        """Join each hole to the outline on its left by a keyhole, so that only outer outlines remain."""
        corners, directions = self._corner.tolist(), self._direction.tolist()
        by_corner = {corner: edge for edge, corner in enumerate(corners)}
        previous = np.argsort(self._next).tolist()
        on_outline = np.unique(self._corner)
        kept, twins = [], list(range(len(corners)))
        for first in self._first:
            # Around a hole the region lies outside: its topmost leftmost corner is left downwards.
            if directions[first] == _RIGHT:
                kept.append(first)
                continue
            outer = by_corner[int(on_outline[np.searchsorted(on_outline, corners[first]) - 1])]
            # Go to the hole, around it, and back by the same line: both ends are passed twice.
            around, back = len(twins), len(twins) + 1
            twins += [first, outer]
            self._next += [back, self._next[outer]]
            self._next[previous[first]], self._next[outer] = around, first
            previous += [previous[first], around]
            previous[self._next[back]], previous[first] = back, outer
        self._first = kept
        self._corner, self._direction = self._corner[twins], self._direction[twins]

    def polygons(self, outline: Outline) -> list[npt.NDArray[np.float64]]:
        """The corners of each loop, without those on straight lines."""
        result = []
        for first in self._first:
            edges, edge = [first], self._next[first]
            while edge != first:
                edges.append(edge)
                edge = self._next[edge]
            result.append(self._points(np.array(edges), outline))
        return result

    def _points(self, edges: npt.NDArray[np.int64], outline: Outline) -> npt.NDArray[np.float64]:
        corner = self._corner[edges]
        points = np.column_stack((corner % self._width, corner // self._width))
        if outline is Outline.VOXEL_EDGE:
            return _without_straight(points) - 0.5
        centres = points + _INNER[self._direction[edges]]
        moves = (centres != np.roll(centres, 1, axis=0)).any(axis=1)
        centres = _without_straight(centres[moves]) if moves.any() else centres[:1]
        return _with_area(centres.astype(np.float64))


def _with_area(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A point, or a line there and back, with a corner a little aside: programs leave out what has no three points."""
    corners = np.unique(points, axis=0)
    if len(corners) == 1:
        return np.asarray(np.add(points[0], ((0, 0), (_ASIDE, 0), (0, _ASIDE))))
    if len(corners) == 2:
        along = (corners[1] - corners[0]) / np.linalg.norm(corners[1] - corners[0])
        return np.stack((corners[0], corners[1], corners[1] + _ASIDE * along[::-1] * (-1, 1)))
    return points


def _without_straight(points: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The corners at which the direction changes."""
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turns = (cross != 0) | ((before * after).sum(axis=1) < 0)
    corners: npt.NDArray[np.float64] = points[turns].astype(np.float64)
    return corners


def simplified(points_mm: Points, tolerance_mm: float) -> Points:
    """The corners of a closed outline that are needed to stay within ``tolerance_mm`` of all (Douglas and Peucker)."""
    ring = np.concatenate((points_mm, points_mm[:1]))
    keep = np.zeros(len(ring), dtype=np.bool_)
    far = int(np.linalg.norm(ring - ring[0], axis=1).argmax())
    keep[[0, far, len(ring) - 1]] = True
    parts = [(0, far), (far, len(ring) - 1)]
    while parts:
        start, end = parts.pop()
        if end - start < 2:
            continue
        distances = _from_line(ring[start + 1 : end], ring[start], ring[end])
        worst = int(distances.argmax())
        if distances[worst] > tolerance_mm:
            middle = start + 1 + worst
            keep[middle] = True
            parts += [(start, middle), (middle, end)]
    simple: Points = ring[:-1][keep[:-1]]
    return simple if len(simple) >= 3 else points_mm


def _from_line(points: Points, start: Points, end: Points) -> npt.NDArray[np.float64]:
    """Distances of points from a line segment."""
    along = end - start
    length = float(along @ along)
    part = np.clip((points - start) @ along / length, 0, 1) if length > 0 else np.zeros(len(points))
    return np.asarray(np.linalg.norm(points - start - part[:, None] * along, axis=1))
