"""How far two transforms between the same series are apart, where it counts: in what the series have in common."""

from __future__ import annotations

from typing import Final

import numpy as np

from radfuse.archive import Archive
from radfuse.core.errors import RadfuseError
from radfuse.geometry import Chain, Grid, Points
from radfuse.services.contours import grid_of, images_of

_ENDS: Final = (0.0, 0.5, 1.0)


def common_places(archive: Archive, fixed_series: str, moving_series: str, chain: Chain) -> Points:
    """Corners, middles of edges and faces, and centre of the box that both series fill, in the fixed frame.

    None at all (0 x 3) where one of them makes no volume, or they have nothing in common.
    """
    fixed, moving = _grid(archive, fixed_series), _grid(archive, moving_series)
    if fixed is None or moving is None:
        return np.empty((0, 3))
    carried = chain.inverse().apply(_lattice(*_box(moving.corners_mm)))
    carried = carried[np.isfinite(carried).all(axis=1)]
    low, high = _box(fixed.corners_mm)
    if len(carried):
        low, high = np.maximum(low, carried.min(axis=0)), np.minimum(high, carried.max(axis=0))
    return _lattice(low, high) if (low < high).all() else np.empty((0, 3))


def largest_difference_mm(first: Chain, second: Chain, places: Points) -> float | None:
    """The largest distance at these places; None where none of them is known to both."""
    off = np.linalg.norm(first.apply(places) - second.apply(places), axis=-1)
    known = off[np.isfinite(off)]
    return float(known.max()) if len(known) else None


def _grid(archive: Archive, series_uid: str) -> Grid | None:
    try:
        return grid_of(images_of(archive, series_uid))
    except RadfuseError:  # no images, several volumes, or damaged ones
        return None


def _box(points: Points) -> tuple[Points, Points]:
    return points.min(axis=0), points.max(axis=0)


def _lattice(low: Points, high: Points) -> Points:
    parts = np.stack(np.meshgrid(_ENDS, _ENDS, _ENDS, indexing="ij"), axis=-1).reshape(-1, 3)
    return low + parts * (high - low)
