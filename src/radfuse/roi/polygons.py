"""Closed polygons of pixel planes filled: even-odd at pixel centres, by scan lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

ON_LINE: Final = 0.01
"""A centre nearer to a line than this, in pixels, lies on it: decimal text in millimetres is often no better."""

_DECIMALS: Final = 3
"""Corners are rounded to so many, so that rounding in millimetres makes no ragged edges."""


@dataclass(frozen=True, eq=False)
class Edges:
    """The sides of closed polygons in pixel coordinates, with the plane (from 0) of each."""

    plane: Integers
    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats

    @classmethod
    def of(cls, polygons: Sequence[tuple[int, Floats]]) -> Edges:
        """From (plane, corners n x 2 as x, y); the last corner joins the first."""
        if not polygons:
            nothing = np.zeros(0)
            return cls(np.zeros(0, dtype=np.int64), nothing, nothing, nothing, nothing)
        starts = np.concatenate([corners for _, corners in polygons])
        ends = np.concatenate([np.roll(corners, -1, axis=0) for _, corners in polygons])
        plane = np.repeat([number for number, _ in polygons], [len(corners) for _, corners in polygons])
        return cls(plane.astype(np.int64), starts[:, 0], starts[:, 1], ends[:, 0], ends[:, 1])

    def shifted(self, x: int, y: int) -> Edges:
        """The same seen from the pixel ``x``, ``y``."""
        return Edges(self.plane, self.x0 - x, self.y0 - y, self.x1 - x, self.y1 - y)


def filled(
    polygons: Sequence[tuple[int, Floats]], shape: tuple[int, int, int], with_lines: bool = False
) -> npt.NDArray[np.bool_]:
    """Which pixel centres of the planes (planes, rows, columns) lie inside the polygons of their plane.

    Polygons of one plane combine by even-odd: a polygon in another is a hole, and a line that is gone
    to and fro (a keyhole) divides nothing. A centre on a line belongs to what is below and to the right
    of the line. With ``with_lines`` it always belongs to the region, also on a hole's line: so contours
    through the centres of the outermost pixels are read as they were meant.
    """
    inside = np.zeros(shape, dtype=np.bool_)
    edges = Edges.of([(plane, corners.round(_DECIMALS)) for plane, corners in polygons])
    if not len(edges.plane):
        return inside
    left, right = _span(np.concatenate((edges.x0, edges.x1)), shape[2])
    top, bottom = _span(np.concatenate((edges.y0, edges.y1)), shape[1])
    if left > right or top > bottom:
        return inside
    part = (shape[0], bottom - top + 1, right - left + 1)
    local = edges.shifted(left, top)
    found = _odd(local, part)
    if with_lines:
        _add_lines(found, local)
    inside[:, top : bottom + 1, left : right + 1] = found
    return inside


def _span(positions: Floats, size: int) -> tuple[int, int]:
    """The first and last pixel centre that can lie inside."""
    low, high = np.ceil(positions.min() - ON_LINE), np.floor(positions.max() + ON_LINE)
    return int(max(low, 0)), int(min(high, size - 1))


def _odd(edges: Edges, shape: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    """Pixels with an odd number of lines above them; a line has its left end and not its right one.

    Scanned by columns: whole rows are summed at once, which is much faster than along them.
    """
    _, rows, columns = shape
    low, high = np.minimum(edges.x0, edges.x1), np.maximum(edges.x0, edges.x1)
    first = np.clip(np.ceil(low), 0, columns).astype(np.int64)
    last = np.clip(np.ceil(high), 0, columns).astype(np.int64)  # one past it
    which, column = _spread(first, last - first)
    x0, y0 = edges.x0[which], edges.y0[which]
    y = y0 + (column - x0) * (edges.y1[which] - y0) / (edges.x1[which] - x0)
    row = np.clip(np.ceil(y), 0, rows).astype(np.int64)
    crossings = np.zeros((shape[0], rows + 1, columns), dtype=np.uint8)
    np.bitwise_xor.at(crossings.reshape(-1), (edges.plane[which] * (rows + 1) + row) * columns + column, np.uint8(1))
    for number in range(1, rows):
        np.bitwise_xor(crossings[:, number], crossings[:, number - 1], out=crossings[:, number])
    return crossings[:, :rows].view(np.bool_)


def _spread(first: Integers, counts: Integers) -> tuple[Integers, Integers]:
    """For items with ``counts`` rows from ``first``: the item and the row of each."""
    which = np.repeat(np.arange(len(counts)), counts)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    return which, first[which] + np.arange(len(which)) - before


def _add_lines(found: npt.NDArray[np.bool_], edges: Edges) -> None:
    """Add the pixels whose centres lie on a line."""
    _, rows, columns = found.shape
    low, high = np.minimum(edges.y0, edges.y1), np.maximum(edges.y0, edges.y1)
    first = np.clip(np.ceil(low - ON_LINE), 0, rows).astype(np.int64)
    last = np.clip(np.floor(high + ON_LINE), -1, rows - 1).astype(np.int64)
    which, row = _spread(first, np.maximum(last - first + 1, 0))
    x0, y0, x1 = edges.x0[which], edges.y0[which], edges.x1[which]
    height = edges.y1[which] - y0
    level = np.abs(height) < ON_LINE
    safe = np.where(level, 1.0, height)
    # The part of the line that passes within the tolerance of the row of centres.
    ends = [np.where(level, at, np.clip((row + side - y0) / safe, 0, 1)) for at, side in ((0, -ON_LINE), (1, ON_LINE))]
    across = [x0 + end * (x1 - x0) for end in ends]
    start = np.clip(np.ceil(np.minimum(*across) - ON_LINE), 0, columns).astype(np.int64)
    stop = np.clip(np.floor(np.maximum(*across) + ON_LINE), -1, columns - 1).astype(np.int64)
    hit = stop >= start
    if hit.any():
        item, column = _spread(start[hit], (stop - start + 1)[hit])
        found[edges.plane[which][hit][item], row[hit][item], column] = True
