"""Pictures of what a viewer shows, made by the service itself: for bookmarks and exports, and to judge viewers by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidGeometry
from radfuse.fusion import (
    Colours,
    Plane,
    Projection,
    Slab,
    Window,
    blended,
    checkerboard,
    difference,
    rendered,
    reslice,
)
from radfuse.geometry import Affine, FrameOfReference, Grid, Mask
from radfuse.volume import Volume
from radfuse.volume.resample import Interpolation

_TILE: Final = 32
_THIN_SHARE: Final = 1e-3
_AT_RIGHT_ANGLES: Final = 1e-3


class Mode(StrEnum):
    """How two series are shown in one picture."""

    BLEND = "blend"
    CHECKERBOARD = "checkerboard"
    DIFFERENCE = "difference"
    BASE = "base"
    OVERLAY = "overlay"


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle in the frame of the base: ``right`` and ``down`` are the directions of its rows and columns."""

    centre_mm: tuple[float, float, float]
    right: tuple[float, float, float]
    down: tuple[float, float, float]
    spacing_mm: float
    rows: int
    columns: int

    def grid(self, frame: FrameOfReference) -> Grid:
        """As a grid of one slice. Raises InvalidGeometry for directions that are not at right angles."""
        right, down = (np.array(each, np.float64) for each in (self.right, self.down))
        lengths = np.linalg.norm(right), np.linalg.norm(down)
        if min(lengths) < _THIN_SHARE:
            raise InvalidGeometry("the directions of a picture have a length")
        right, down = right / lengths[0], down / lengths[1]
        if abs(right @ down) > _AT_RIGHT_ANGLES:
            raise InvalidGeometry("the directions of a picture are at right angles")
        linear = np.stack((right, down, np.cross(right, down)), axis=1) * self.spacing_mm
        first = np.array(self.centre_mm) - linear @ ((self.columns - 1) / 2, (self.rows - 1) / 2, 0)
        return Grid((1, self.rows, self.columns), Affine.of(linear, first), frame)


_PROJECTIONS: Final = {
    "thin": None,
    "mip": Projection.MAXIMUM,
    "minip": Projection.MINIMUM,
    "mean": Projection.MEAN,
}


@dataclass(frozen=True, eq=False)
class Look:
    """How the series are put together."""

    slab_mm: float = 0.0
    projection: Projection | None = None
    """None: one thin plane."""
    mode: Mode = Mode.BLEND
    blend: float = 0.5
    """0: the base alone, 1: the overlay alone."""

    @classmethod
    def named(cls, slab_mm: float, projection: str, mode: str, blend: float) -> Look:
        """By the names that viewers use."""
        return cls(slab_mm, _PROJECTIONS[projection], Mode(mode), blend)


@dataclass(frozen=True, eq=False)
class Outlined:
    """A region as an outline in a colour."""

    mask: Mask
    colour: tuple[int, int, int]


Layer = tuple[Volume, Window]


def picture(place: Place, base: Layer, over: Layer | None, look: Look, regions: Sequence[Outlined] = ()) -> Colours:
    """The picture, rows x columns x 3. All lie in the frame of the base. Raises InvalidGeometry, FramesDiffer."""
    plane = place.grid(base[0].grid.frame)
    below = _cut(base[0], plane, look)
    if over is None or look.mode is Mode.BASE:
        made = rendered(below, base[1])
    else:
        made = _together(below, base[1], _cut(over[0], plane, look), over[1], look)
    for region in regions:
        made[outline(region.mask, plane)] = region.colour
    return made


def outline(mask: Mask, plane: Grid) -> npt.NDArray[np.bool_]:
    """The pixels of a region that have a neighbour which is none of it. Raises FramesDiffer."""
    mask.grid.frame.require_same(plane.frame, "the region and the picture")
    index = np.floor(mask.grid.from_patient.apply(plane.slice_points_mm(0)) + 0.5).astype(np.int64)
    size = np.array(mask.grid.shape[::-1])
    met = ((index >= 0) & (index < size)).all(axis=-1)
    column, row, at = np.moveaxis(np.clip(index, 0, size - 1), -1, 0)
    inside = met & mask.inside[at, row, column]
    wide = np.pad(inside, 1)
    surrounded = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    edge: npt.NDArray[np.bool_] = inside & ~surrounded
    return edge


def _together(below: Plane, window: Window, above: Plane, other: Window, look: Look) -> Colours:
    if look.mode is Mode.OVERLAY:
        return rendered(above, other)
    if look.mode is Mode.CHECKERBOARD:
        return checkerboard(below, window, above, other, _TILE)
    if look.mode is Mode.DIFFERENCE:
        most = (window.high - window.low) / 2
        return rendered(difference(below, above), Window(-most, most))
    return blended(below, window, above, other, look.blend)


def _cut(volume: Volume, plane: Grid, look: Look) -> Plane:
    if look.projection is None or not look.slab_mm:
        return reslice(volume, plane, interpolation=Interpolation.LINEAR)
    return reslice(volume, plane, slab=Slab(look.slab_mm, look.projection))
