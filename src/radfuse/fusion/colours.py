"""Colour maps: 256 colours from the lowest to the highest value of a window.

Hot Iron is the palette of PS3.6 Annex B, made here from what it is: three straight lines. The others are
straight lines between a few colours.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

Colours = npt.NDArray[np.uint8]
_SIZE: Final = 256


class ColourMap(StrEnum):
    """A colour for each of 256 steps."""

    GRAY = "gray"
    INVERTED = "inverted"
    """Dark is high, as PET is read."""
    HOT_IRON = "hot-iron"
    """Black, red, orange, yellow, white (PS3.6 section B.1.1)."""
    FIRE = "fire"
    """Black, blue, magenta, red, yellow, white."""
    SPECTRUM = "spectrum"
    """Blue, green, yellow, red: lowest and highest are as bright as the middle."""
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


_POINTS: Final[dict[ColourMap, tuple[tuple[int, int, int, int], ...]]] = {
    ColourMap.GRAY: ((0, 0, 0, 0), (255, 255, 255, 255)),
    ColourMap.INVERTED: ((0, 255, 255, 255), (255, 0, 0, 0)),
    ColourMap.FIRE: (
        (0, 0, 0, 0), (51, 0, 0, 160), (102, 180, 0, 160), (153, 255, 40, 0), (204, 255, 220, 0), (255, 255, 255, 255),
    ),
    ColourMap.SPECTRUM: ((0, 0, 0, 255), (85, 0, 255, 255), (128, 0, 255, 0), (170, 255, 255, 0), (255, 255, 0, 0)),
    ColourMap.RED: ((0, 0, 0, 0), (255, 255, 0, 0)),
    ColourMap.GREEN: ((0, 0, 0, 0), (255, 0, 255, 0)),
    ColourMap.BLUE: ((0, 0, 0, 0), (255, 0, 0, 255)),
}  # fmt: skip
"""Step, red, green, blue; straight lines between them."""


@cache
def colours(colour_map: ColourMap) -> Colours:
    """The table, 256 x 3 (red, green, blue), which nobody may write to."""
    step = np.arange(_SIZE)
    if colour_map is ColourMap.HOT_IRON:
        red = np.minimum(2 * step, _SIZE - 1)
        green = np.clip(2 * (step - 128), 0, _SIZE - 1)
        blue = np.clip(4 * (step - 192), 0, _SIZE - 1)
        table = np.stack((red, green, blue), axis=1)
    else:
        points = np.array(_POINTS[colour_map])
        table = np.stack([np.interp(step, points[:, 0], points[:, part]) for part in (1, 2, 3)], axis=1)
    made: Colours = np.round(table).astype(np.uint8)
    made.flags.writeable = False
    return made
