"""Distances, angles, diameters and areas in mm of the patient, right on oblique and anisotropic grids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Contour, Mask, Points
from radfuse.roi.sampling import bounds_of
from radfuse.roi.statistics import Position, as_position

_PAIRS_AT_ONCE: Final = 2_000_000
_SHORTEST_MM: Final = 1e-9

Halves = npt.NDArray[np.int64]
"""Points in half indices (twice the index) in the order column, row, slice: exact whole numbers."""


@dataclass(frozen=True, slots=True)
class Length:
    """A straight line between two points, in mm."""

    length_mm: float
    start_mm: Position
    end_mm: Position


@dataclass(frozen=True, slots=True)
class Diameters:
    """The longest diameter in one slice, and the longest one at right angles to it in the same slice."""

    slice: int
    long_axis: Length
    short_axis: Length


def distance_mm(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """The distance of two points in mm."""
    return float(np.linalg.norm(np.subtract(_point(second), _point(first))))


def angle_degrees(first: npt.ArrayLike, vertex: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """The angle at ``vertex``, 0 to 180 degrees. Raises InvalidRegion when a leg has no length."""
    return angle_of_lines_degrees((vertex, first), (vertex, second))


def angle_of_lines_degrees(
    first: tuple[npt.ArrayLike, npt.ArrayLike], second: tuple[npt.ArrayLike, npt.ArrayLike]
) -> float:
    """The angle between two lines in the sense in which they are drawn, 0 to 180 degrees.

    Drawn both from one side to the other along two end plates this is the Cobb angle; the lines need not meet.
    Raises InvalidRegion when one has no length.
    """
    one, other = (np.subtract(_point(end), _point(start)) for start, end in (first, second))
    if min(np.linalg.norm(one), np.linalg.norm(other)) < _SHORTEST_MM:
        raise InvalidRegion("a line of an angle has no length")
    # More exact than the arc cosine for small and flat angles.
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(one, other)), one @ other)))


def area_mm2(contour: Contour) -> float:
    """The area that a contour encloses in its plane; a hole joined by a keyhole does not count."""
    points = contour.points_mm - contour.points_mm[0]
    return float(np.linalg.norm(np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)) / 2)


def perimeter_mm(contour: Contour) -> float:
    """The length of a contour, closed."""
    return float(np.linalg.norm(np.roll(contour.points_mm, -1, axis=0) - contour.points_mm, axis=1).sum())


def feret_of(mask: Mask) -> Length:
    """The largest diameter of a region in three dimensions.

    It joins two of the midpoints of the outer faces of the region's voxels, as a mesh halfway between the
    voxels inside and those outside does. Raises InvalidRegion when the region is empty.
    """
    points = _outermost(_face_midpoints(mask))
    return _longest(mask.grid.to_patient.apply(points / 2))


def diameters_of(mask: Mask, number: int | None = None) -> Diameters:
    """Long and short axis of a region in slice ``number``; without it in the slice with the longest diameter.

    Both are measured on the convex outline through the midpoints of the outer edges of the voxels. Raises
    InvalidRegion when nothing of the region lies in the slice.
    """
    _check(mask)
    if number is not None and not (0 <= number < len(mask.inside) and mask.inside[number].any()):
        raise InvalidRegion(f"nothing of it lies in slice {number}")
    slices = np.flatnonzero(mask.inside.any(axis=(1, 2))).tolist() if number is None else [number]
    outlines = {each: _outline(mask, each) for each in slices}
    chosen = max(outlines, key=lambda each: (_longest(outlines[each]).length_mm, -each))
    long_axis = _longest(outlines[chosen])
    return Diameters(chosen, long_axis, _across(outlines[chosen], long_axis))


def _check(mask: Mask) -> None:
    if not mask.inside.any():
        raise InvalidRegion("it is empty")


def _point(value: npt.ArrayLike) -> Points:
    point = np.asarray(value, dtype=np.float64)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise InvalidRegion("a point needs three finite numbers: x, y and z in mm")
    return point


# --- outlines --------------------------------------------------------------------------------


def _face_midpoints(mask: Mask, axes: tuple[int, ...] = (0, 1, 2)) -> Halves:
    """The midpoints of the faces across ``axes`` (of the array) between inside and outside."""
    _check(mask)
    block = bounds_of(mask.inside)
    inside = np.pad(mask.inside[block], 1)
    first = np.array([part.start for part in block]) - 1
    found = []
    for axis in axes:
        low = np.argwhere(np.diff(inside, axis=axis))
        halves = 2 * (low + first)
        halves[:, axis] += 1
        found.append(halves)
    return np.concatenate(found)[:, ::-1]


def _outline(mask: Mask, number: int) -> Points:
    """The convex outline of a region in one slice, in mm, in order."""
    one = Mask(mask.grid.cropped((number, 0, 0), (1, *mask.grid.shape[1:])), mask.inside[number : number + 1])
    points = _face_midpoints(one, (1, 2))
    return one.grid.to_patient.apply(points[_hull(points[:, :2])] / 2)


def _outermost(points: Halves) -> Halves:
    """What can be a corner of the convex hull: it is one of the hull in its slice, its row and its column plane."""
    for axis, across in ((2, (0, 1)), (1, (0, 2)), (0, (1, 2))):
        points = points[np.argsort(points[:, axis], kind="stable")]
        starts = np.flatnonzero(np.diff(points[:, axis])) + 1
        planes = np.split(points, starts)
        points = np.concatenate([plane[_hull(plane[:, across])] for plane in planes])
    return points


def _hull(points: npt.NDArray[np.int64]) -> list[int]:
    """Which of some points in a plane are corners of their convex hull, in order around it."""
    order = _ends_of_rows(points)
    if len(order) <= 2:
        return order
    turns: list[list[int]] = []
    plain = points.tolist()
    for way in (order, order[::-1]):
        chain: list[int] = []
        for number in way:
            while len(chain) >= 2 and _turn(plain[chain[-2]], plain[chain[-1]], plain[number]) <= 0:
                chain.pop()
            chain.append(number)
        turns.append(chain[:-1])
    return turns[0] + turns[1]


def _ends_of_rows(points: npt.NDArray[np.int64]) -> list[int]:
    """The first and last point of every row of equal first coordinate, sorted; only they can be corners."""
    order = np.lexsort((points[:, 1], points[:, 0]))
    rows = points[order, 0]
    begins = np.flatnonzero(np.r_[True, np.diff(rows) != 0])
    ends = np.r_[begins[1:] - 1, len(rows) - 1]
    found: list[int] = order[np.unique(np.r_[begins, ends])].tolist()
    return found


def _turn(a: list[int], b: list[int], c: list[int]) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


# --- diameters -------------------------------------------------------------------------------


def _longest(points: Points) -> Length:
    """The longest line between two of some points; the first of several."""
    best, ends = -1.0, (0, 0)
    for start, rows in _blocks(points):
        lengths = np.linalg.norm(rows[:, None] - points[None], axis=2)
        number = int(np.argmax(lengths))
        if lengths.flat[number] > best:
            row, column = divmod(number, len(points))
            best, ends = float(lengths.flat[number]), (start + row, column)
    first, last = points[ends[0]], points[ends[1]]
    return Length(best, as_position(first), as_position(last))


def _blocks(points: Points) -> Iterator[tuple[int, Points]]:
    at_once = max(1, _PAIRS_AT_ONCE // len(points))
    for start in range(0, len(points), at_once):
        yield start, points[start : start + at_once]


def _across(outline: Points, long_axis: Length) -> Length:
    """The longest chord of a convex outline at right angles to its long axis.

    Its length along the long axis is concave and piecewise linear, so that it is longest at a corner.
    """
    along = np.subtract(long_axis.end_mm, long_axis.start_mm) / max(long_axis.length_mm, _SHORTEST_MM)
    places = (outline - outline[0]) @ along
    best = Length(0.0, long_axis.start_mm, long_axis.start_mm)
    for place in places:
        chord = _longest(_crossings(outline, places, place))
        if chord.length_mm > best.length_mm:
            best = chord
    return best


def _crossings(outline: Points, places: npt.NDArray[np.float64], place: float) -> Points:
    """Where a closed outline crosses the line at ``place`` along an axis."""
    found = []
    for number, (here, following) in enumerate(zip(places, np.roll(places, -1), strict=True)):
        start, end = outline[number], outline[(number + 1) % len(outline)]
        if min(here, following) <= place <= max(here, following):
            if here == following:
                found += [start, end]
            else:
                found.append(start + (end - start) * ((place - here) / (following - here)))
    return np.array(found)
