"""Two pictures in one: windowed, coloured, blended, side by side in squares, or their difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from radfuse.core.errors import InvalidGeometry
from radfuse.fusion.colours import ColourMap, Colours, colours
from radfuse.fusion.planes import Plane

_STEPS: Final = 256
_SAME_MM: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Window:
    """Values from ``low`` to ``high`` take the colours of a map, those beyond its first and last."""

    low: float
    high: float
    colour_map: ColourMap = ColourMap.GRAY

    def __post_init__(self) -> None:
        """Check that there is a range. Raises InvalidGeometry."""
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise InvalidGeometry("a window needs a lower and a higher value")

    @classmethod
    def of(cls, centre: float, width: float, colour_map: ColourMap = ColourMap.GRAY) -> Window:
        """As Window Center and Width say with LINEAR_EXACT (PS3.3 section C.11.2.1.3.2)."""
        return cls(centre - width / 2, centre + width / 2, colour_map)


def rendered(plane: Plane, window: Window) -> Colours:
    """The picture in colour, rows x columns x 3; black outside the volume."""
    share = (plane.values - window.low) / (window.high - window.low)
    # 256 equal steps of the window, the last of which holds its upper end.
    step = np.clip(np.floor(share * _STEPS), 0, _STEPS - 1).astype(np.uint8)
    picture: Colours = colours(window.colour_map)[step]
    picture[~plane.inside] = 0
    return picture


def blended(below: Plane, below_window: Window, above: Plane, above_window: Window, opacity: float = 0.5) -> Colours:
    """``above`` over ``below`` with an opacity of 0 to 1; where only one of them is, that one alone.

    Raises InvalidGeometry for pictures of different places, or another opacity.
    """
    _require_same_place(below, above)
    if not 0 <= opacity <= 1:
        raise InvalidGeometry("an opacity is 0 to 1")
    share = np.where(above.inside, np.where(below.inside, opacity, 1.0), 0.0)[..., None]
    mixed = rendered(below, below_window) * (1 - share) + rendered(above, above_window) * share
    picture: Colours = np.round(mixed).astype(np.uint8)
    return picture


def checkerboard(first: Plane, first_window: Window, second: Plane, second_window: Window, tile: int = 32) -> Colours:
    """Squares of ``tile`` pixels in turn from each; the upper left one is of ``first``."""
    _require_same_place(first, second)
    if tile < 1:
        raise InvalidGeometry("a tile has 1 pixel or more")
    rows, columns = np.indices(first.values.shape) // tile
    is_first = (rows + columns) % 2 == 0
    return np.where(is_first[..., None], rendered(first, first_window), rendered(second, second_window))


def difference(first: Plane, second: Plane) -> Plane:
    """``first`` minus ``second``, in their unit, inside both; 0 elsewhere. Raises InvalidGeometry."""
    _require_same_place(first, second)
    if first.unit is not second.unit:
        raise InvalidGeometry(f"{first.unit} and {second.unit} cannot be subtracted")
    inside = first.inside & second.inside
    values = np.where(inside, first.values - second.values, 0).astype(np.float32)
    return Plane(values, inside, first.grid, first.unit)


def _require_same_place(first: Plane, second: Plane) -> None:
    """A registered picture lies in the plane of the other one, and says so: its frame is that of the plane."""
    first.grid.frame.require_same(second.grid.frame, "the two pictures")
    if not first.grid.matches(second.grid, _SAME_MM):
        raise InvalidGeometry("the two pictures do not lie in the same place")
