"""Contours sorted into parallel planes, and which plane decides between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Contour, Points

_SAME_PLANE_MM: Final = 0.2
_SAME_PLANE_PART: Final = 0.1
"""Contours this near to each other, in mm and in parts of a slice, lie in one plane."""

_FLAT_MM: Final = 0.5
"""Points of one contour may lie this far from its plane: positions are rounded."""

PARALLEL: Final = 1e-3
"""Sine of the angle up to which planes are parallel, where the contour is large enough to tell."""

MISSING: Final = 1.5
"""Planes farther apart than this many usual distances have something between them that is not the region."""

_THICKEST_MM: Final = 10.0
"""Planes farther apart than this are no stack: each is as thick as a slice."""


@dataclass(frozen=True, eq=False)
class Planes:
    """Contours sorted into parallel planes: positions along the normal, rising, and the contours of each."""

    normal: Points
    positions_mm: npt.NDArray[np.float64]
    contours: tuple[tuple[Contour, ...], ...]
    step_mm: float
    """The usual distance of neighbouring planes."""
    repeated: int

    @property
    def gaps(self) -> int:
        """How many pairs of neighbouring planes have something missing between them."""
        return int(np.count_nonzero(np.diff(self.positions_mm) > MISSING * self.step_mm))

    @property
    def points_mm(self) -> Points:
        """All corners."""
        return np.concatenate([contour.points_mm for contours in self.contours for contour in contours])

    def count(self, planes: npt.NDArray[np.bool_]) -> int:
        """How many contours some planes have."""
        return sum(len(contours) for contours, is_one in zip(self.contours, planes, strict=True) if is_one)


def planes_of(
    contours: Sequence[Contour], likely_normal: Points, slice_mm: float, is_slice_thick: bool = False
) -> Planes:
    """The contours by plane: across the normal of the slices, which most contours were drawn on, or their own.

    A single plane is ``slice_mm`` thick (0 where there are no slices), and with ``is_slice_thick`` every one is.
    Raises InvalidRegion for contours that are not flat, or not parallel to one another.
    """
    different = {(contour.points_mm.round(3) + 0.0).tobytes(): contour for contour in contours}
    repeated, contours = len(contours) - len(different), list(different.values())
    normal = likely_normal if _all_flat(contours, likely_normal) else _own_normal(contours)
    positions = np.array([float((contour.points_mm @ normal).mean()) for contour in contours])
    order = np.argsort(positions, kind="stable")
    apart = min(_SAME_PLANE_MM, _SAME_PLANE_PART * slice_mm) if slice_mm else _SAME_PLANE_MM
    starts = np.flatnonzero(np.diff(positions[order], prepend=-np.inf) > apart)
    groups = np.split(order, starts[1:])
    planes = np.array([positions[group].mean() for group in groups])
    in_planes = tuple(tuple(contours[number] for number in sorted(group)) for group in groups)
    step = slice_mm if is_slice_thick else _usual_step(planes, slice_mm)
    return Planes(normal, planes, in_planes, step, repeated)


def _all_flat(contours: Sequence[Contour], normal: Points) -> bool:
    points = np.concatenate([contour.points_mm for contour in contours])
    starts = np.cumsum([0, *(len(contour.points_mm) for contour in contours[:-1])])
    along = points @ normal
    spread = np.maximum.reduceat(along, starts) - np.minimum.reduceat(along, starts)
    return bool(spread.max() <= _FLAT_MM)


def _own_normal(contours: Sequence[Contour]) -> Points:
    """The common normal of contours, from the one with the largest area. Raises InvalidRegion."""
    areas = np.stack([_area_vector(contour.points_mm) for contour in contours])
    largest = areas[int(np.linalg.norm(areas, axis=1).argmax())]
    length = float(np.linalg.norm(largest))
    if length < 1e-6:
        raise InvalidRegion("its contours enclose nothing")
    normal: Points = largest / length
    if not _all_flat(contours, normal):
        raise InvalidRegion("its contours are not flat, or do not lie in parallel planes")
    return normal


def _area_vector(points_mm: Points) -> Points:
    """A vector across the contour, as long as its area."""
    from_first = points_mm - points_mm[0]
    total: Points = np.cross(from_first, np.roll(from_first, -1, axis=0)).sum(axis=0) / 2
    return total


def sine(one: Points, other: Points) -> float:
    """The sine of the angle between two unit vectors."""
    return float(np.linalg.norm(np.cross(one, other)))


def _usual_step(positions_mm: npt.NDArray[np.float64], slice_mm: float) -> float:
    """The usual distance of neighbouring planes: of those that are at most twice the smallest, the middle one.

    That of the slices where there is only one plane, or all are farther apart than any stack's.
    """
    steps = np.diff(positions_mm)
    if not len(steps) or steps.min() > max(_THICKEST_MM, slice_mm):
        return slice_mm
    return float(np.median(steps[steps <= 2 * steps.min()]))


def nearest_plane(at_mm: npt.NDArray[np.float64], stack: Planes) -> npt.NDArray[np.int64]:
    """The plane that decides at each position; -1 where there is none."""
    planes, slack = stack.positions_mm, 1e-3
    above = np.clip(np.searchsorted(planes, at_mm), 0, len(planes) - 1)
    below = np.maximum(above - 1, 0)
    # Half way between two planes the lower one decides; half a step beyond the upper end is still inside.
    nearest = np.where(at_mm - planes[below] <= planes[above] - at_mm + slack, below, above)
    nearest = np.where(at_mm >= planes[-1], len(planes) - 1, nearest)
    away, reach = at_mm - planes[nearest], stack.step_mm / 2
    between = (planes[below] < at_mm) & (at_mm < planes[above])
    covered = between & (planes[above] - planes[below] <= MISSING * stack.step_mm)
    return np.where(covered | ((away > -reach + slack) & (away <= reach + slack)), nearest, -1)
