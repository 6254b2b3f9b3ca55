"""Where an ultrasound picture shows echoes: Sequence of Ultrasound Regions (PS3.3 section C.8.5.5)."""

from __future__ import annotations

import struct
from typing import Final

from radfuse.core.transfer_syntaxes import EXPLICIT_BIG
from radfuse.deid.pixels.picture import Picture
from radfuse.deid.pixels.rectangles import Rectangle, outside
from radfuse.dicom.tree import Tree

_REGIONS: Final = 0x0018_6011
_SPATIAL_FORMAT: Final = 0x0018_6012
_CORNERS: Final = (0x0018_6018, 0x0018_601A, 0x0018_601C, 0x0018_601E)
"""Region Location Min X0, Min Y0, Max X1 and Max Y1."""
_OF_ECHOES: Final = frozenset((1, 2, 3, 4))
"""Region Spatial Format: 2D, M-mode, spectral, wave form; 5, graphics, may be anything."""
_LARGEST_PART: Final = 0.98
"""Regions of more than this part of the picture tell nothing: it has no border to write in."""


def outside_regions(tree: Tree, picture: Picture, transfer_syntax_uid: str) -> tuple[tuple[Rectangle, ...], str]:
    """What is beside the regions; nothing, and why, when they cannot be used."""
    node = tree.get(_REGIONS)
    if node is None or not node.items:
        return (), "it has no ultrasound regions"
    order = ">" if transfer_syntax_uid == EXPLICIT_BIG else "<"
    kept = []
    for item in node.items:
        region = _region(item, order)
        if region is None:
            return (), "its ultrasound regions cannot be read"
        spatial_format, rectangle = region
        # Some devices count the last pixel in, some do not: only what is beyond either is of another picture.
        rectangle = rectangle._replace(
            right=min(rectangle.right, picture.columns) if rectangle.right == picture.columns + 1 else rectangle.right,
            bottom=min(rectangle.bottom, picture.rows) if rectangle.bottom == picture.rows + 1 else rectangle.bottom,
        )
        if not rectangle.is_within(picture.rows, picture.columns):
            return (), "its ultrasound regions reach beyond the picture: they were meant for another one"
        if spatial_format in _OF_ECHOES:
            kept.append(rectangle)
    blanked = outside(kept, picture.rows, picture.columns)
    if not kept:
        return (), "none of its ultrasound regions shows echoes"
    if sum(each.area for each in blanked) < (1 - _LARGEST_PART) * picture.rows * picture.columns:
        return (), "its ultrasound regions are the whole picture"
    return blanked, ""


def _region(item: Tree, order: str) -> tuple[int, Rectangle] | None:
    raw = item.raw(_SPATIAL_FORMAT)
    corners = [item.raw(tag) for tag in _CORNERS]
    if len(raw) != 2 or any(len(corner) != 4 for corner in corners):
        return None
    left, top, right, bottom = (struct.unpack(f"{order}I", corner)[0] for corner in corners)
    return struct.unpack(f"{order}H", raw)[0], Rectangle(left, top, right + 1, bottom + 1)
