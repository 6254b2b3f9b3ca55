"""Contours: the outlines of regions in planes (PS3.3 section C.8.8.6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radfuse.core.errors import InvalidGeometry
from radfuse.geometry.affine import Points
from radfuse.geometry.frame import FrameOfReference


@dataclass(frozen=True, eq=False)
class Contour:
    """A closed outline in one plane: its corners in mm, in order, n x 3; the last joins the first.

    Raises InvalidGeometry for fewer than three points, or numbers that are not finite. ``image_uid``
    is the SOP Instance UID of the image it was drawn on, if one is named.
    """

    points_mm: Points
    image_uid: str = ""

    def __post_init__(self) -> None:
        """Check the points and freeze a copy of them."""
        points = np.array(self.points_mm, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 3 or len(points) < 3 or not np.isfinite(points).all():
            raise InvalidGeometry("a contour needs three points or more, three finite numbers each")
        points.flags.writeable = False
        object.__setattr__(self, "points_mm", points)


@dataclass(frozen=True, eq=False)
class Structure:
    """A named region as contours in parallel planes of one frame of reference.

    Contours of one plane combine by exclusive or: one inside another is a hole; a hole may also be
    joined to the outer outline by a keyhole (PS3.3 section C.8.8.6.3).
    """

    name: str
    frame: FrameOfReference
    contours: tuple[Contour, ...]
    colour: tuple[int, int, int] = (255, 0, 0)
    """Red, green, blue, 0 to 255."""
    number: int = 1
    """ROI Number in its structure set."""
    kind: str = ""
    """RT ROI Interpreted Type (PS3.3 section C.8.8.8.1), as GTV or ORGAN; empty when not said."""
