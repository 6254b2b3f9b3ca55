"""Pictures that show whether two images lie on each other: squares of both, edges of one on the other, difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.fusion import ColourMap, Plane, Window, blended, checkerboard, difference, rendered, reslice
from radfuse.geometry import Affine, Grid, Mask, Points
from radfuse.registration import Registration
from radfuse.registration.quality import values_at
from radfuse.services.register.registering import Registered
from radfuse.volume import Unit, Volume
from radfuse.volume.resample import outside_value

PIXELS: Final = 256
"""Rows and columns of a picture."""

_TILE: Final = 32
_EDGE_COLOUR: Final = (255, 215, 0)
_EDGE_PERCENTILE: Final = 85
_LEAST_EDGE: Final = 8.0
_SOFT_TISSUE_HU: Final = (-200.0, 300.0)
_SPREAD: Final = 0.25
_POINTS: Final = 20_000
_VIEWS: Final = (
    ("axial", ((1, 0, 0), (0, 1, 0))),
    ("coronal", ((1, 0, 0), (0, 0, -1))),
    ("sagittal", ((0, 1, 0), (0, 0, -1))),
)
"""Directions of the rows and columns: as a radiologist looks at them (PS3.3 section C.7.6.2.1.1)."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture, and where it lies in the fixed frame of reference."""

    kind: str
    view: str
    pixels: npt.NDArray[np.uint8]
    place: Grid

    @property
    def caption(self) -> str:
        """For a person."""
        return f"{self.kind}, {self.view}"


def pictures_of(found: Registered) -> tuple[Picture, ...]:
    """Three pictures in each of three planes through the middle of what was registered."""
    fixed, moving = found.fixed.volume, found.moving.volume
    windows = _window(fixed), _window(moving)
    centre, length_mm = _middle(fixed, moving, found.registration, found.region)
    made = []
    for view, axes in _VIEWS:
        place = _plane(fixed, centre, np.array(axes, dtype=np.float64), length_mm)
        below = reslice(fixed, place)
        above = _moved(moving, found.registration, place)
        made += [
            Picture(
                "fixed and moving in squares", view, checkerboard(below, windows[0], above, windows[1], _TILE), place
            ),
            Picture("edges of fixed on moving", view, _edges(below, windows[0], above, windows[1]), place),
            _third(below, windows[0], above, windows[1], (view, place)),
        ]
    return tuple(made)


def _third(below: Plane, window: Window, above: Plane, other: Window, where: tuple[str, Grid]) -> Picture:
    """The difference where both have one unit, else the moving images in colour on the fixed ones."""
    view, place = where
    if below.unit is above.unit and below.unit is not Unit.SIGNAL:
        most = _SPREAD * (window.high - window.low)
        return Picture("fixed minus moving", view, rendered(difference(below, above), Window(-most, most)), place)
    hot = Window(other.low, other.high, ColourMap.HOT_IRON)
    return Picture("moving in colour on fixed", view, blended(below, window, above, hot, 0.4), place)


def _window(volume: Volume) -> Window:
    if volume.unit is Unit.HU:
        return Window(*_SOFT_TISSUE_HU)
    low, high = np.percentile(volume.voxels[::2, ::2, ::2], (1, 99.5))
    return Window(float(low), float(high) if high > low else float(low) + 1)


def _middle(fixed: Volume, moving: Volume, registration: Registration, region: Mask | None) -> tuple[Points, float]:
    """The centre of what is shown and the length of its sides: the region, else what both images show."""
    if region is not None:
        index = np.argwhere(region.inside)[:, ::-1]
        points = region.grid.to_patient.apply(index)
        grown = 1.5
    else:
        points = _common(fixed, moving, registration)
        grown = 1.0
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, max(float((high - low).max()) * grown, 10.0)


def _common(fixed: Volume, moving: Volume, registration: Registration) -> Points:
    shape = np.array(fixed.grid.shape)
    step = max(1, int(np.cbrt(shape.prod() / _POINTS)))
    k, j, i = np.meshgrid(*(np.arange(0, size, step) for size in shape), indexing="ij")
    points = fixed.grid.to_patient.apply(np.stack((i, j, k), axis=-1).reshape(-1, 3))
    _, inside = values_at(moving, registration.transform.apply(points))
    return points[inside] if inside.any() else points


def _plane(fixed: Volume, centre: Points, axes: npt.NDArray[np.float64], length_mm: float) -> Grid:
    pixel_mm = length_mm / PIXELS
    row, column = axes
    linear = np.stack((row, column, np.cross(row, column)), axis=1) * pixel_mm
    first = centre - (PIXELS - 1) / 2 * (linear[:, 0] + linear[:, 1])
    return Grid((1, PIXELS, PIXELS), Affine.of(linear, first), fixed.grid.frame)


def _moved(moving: Volume, registration: Registration, place: Grid) -> Plane:
    points = place.slice_points_mm(0).reshape(-1, 3)
    values, inside = values_at(moving, registration.transform.apply(points))
    values[~inside] = outside_value(moving.unit)
    shape = place.shape[1:]
    return Plane(values.reshape(shape), inside.reshape(shape), place, moving.unit)


def _edges(below: Plane, window: Window, above: Plane, other: Window) -> npt.NDArray[np.uint8]:
    gray = rendered(below, window)[..., 0].astype(np.float64)
    down, across = np.gradient(gray)
    steep = np.where(_all_around(below.inside), np.hypot(down, across), 0.0)  # the border of the images is no edge
    some = steep[steep > _LEAST_EDGE]
    picture = rendered(above, other).copy()
    if some.size:
        picture[steep >= max(np.percentile(some, _EDGE_PERCENTILE), _LEAST_EDGE)] = _EDGE_COLOUR
    return picture


def _all_around(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Pixels whose neighbours along both axes are inside too."""
    padded = np.pad(inside, 1)
    around: npt.NDArray[np.bool_] = inside & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return around
