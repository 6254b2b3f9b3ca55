"""Rectangles of pixels, and what is left of an image beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple


class Rectangle(NamedTuple):
    """Columns from ``left`` up to ``right``, rows from ``top`` up to ``bottom``, the last two not included."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """In pixels."""
        return (self.right - self.left) * (self.bottom - self.top)

    def is_within(self, rows: int, columns: int) -> bool:
        """Whether it has pixels and all of them are of the image."""
        return 0 <= self.left < self.right <= columns and 0 <= self.top < self.bottom <= rows


def outside(kept: Iterable[Rectangle], rows: int, columns: int) -> tuple[Rectangle, ...]:
    """Everything of an image but what is kept, as rectangles that do not overlap."""
    rectangles = tuple(kept)
    edges = sorted({0, rows, *(each.top for each in rectangles), *(each.bottom for each in rectangles)})
    found: list[Rectangle] = []
    for top, bottom in pairwise(edges):
        spans = sorted((each.left, each.right) for each in rectangles if each.top <= top and each.bottom >= bottom)
        found += (Rectangle(left, top, right, bottom) for left, right in _gaps(spans, columns))
    return tuple(found)


def _gaps(spans: list[tuple[int, int]], columns: int) -> Iterator[tuple[int, int]]:
    at = 0
    for left, right in spans:
        if left > at:
            yield at, left
        at = max(at, right)
    if at < columns:
        yield at, columns
