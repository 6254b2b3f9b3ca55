"""Contours filled on the voxels of a series."""

from __future__ import annotations

from typing import Final

import numpy as np

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Structure
from radfuse.roi import brushes, filling
from radfuse.roi.boxes import Drawn, box_around, trimmed
from radfuse.volume import Volume

_PLANES_MM: Final = 12.0
"""So far beyond its outermost contour a region reaches at most: half way between planes 10 mm apart, and some."""


def fill_outlines(volume: Volume, structure: Structure, interpolate: bool) -> Drawn:
    """Outlines that somebody draws: each one slice thick, and between them, on demand, shapes between them.

    Raises FramesDiffer and InvalidRegion, also where outlines across the slices are to be interpolated.
    """
    drawn = fill_structure(volume, structure, filling.Between.NOTHING)
    if not interpolate:
        return drawn
    between = fill_structure(volume, structure, filling.Between.SHAPE)  # says what cannot be interpolated
    if np.count_nonzero(drawn.inside.any(axis=(1, 2))) == 1:
        return drawn
    return trimmed(volume.grid, drawn.box, brushes.interpolated(drawn.mask).inside, between.notes)


def fill_structure(volume: Volume, structure: Structure, between: filling.Between) -> Drawn:
    """A structure of the frame of a volume, on its voxels. Raises FramesDiffer and InvalidRegion."""
    if not structure.contours:
        raise InvalidRegion("it has no contours")
    structure.frame.require_same(volume.grid.frame, "the structure and the image")
    points = np.concatenate([contour.points_mm for contour in structure.contours])
    box = box_around(volume.grid, points, max(_PLANES_MM, 2 * volume.grid.spacing_mm[2]))
    filled = filling.fill(structure, volume.grid.cropped(box.first, box.shape), between)
    return trimmed(volume.grid, box, filled.mask.inside, filled.notes)
