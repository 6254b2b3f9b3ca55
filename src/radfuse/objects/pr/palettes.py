"""Colour tables for fused images, computed here: 256 entries of 16 bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from radfuse.objects.pr.model import Palette

_ENTRIES: Final = 256


def _between(name: str, *stops: tuple[float, tuple[int, int, int]]) -> Palette:
    """Colours (0 to 255) at places from 0 to 1, straight lines between them."""
    at = np.linspace(0.0, 1.0, _ENTRIES)
    places: Sequence[float] = [place for place, _ in stops]
    channels = [np.interp(at, places, [colour[channel] for _, colour in stops]) for channel in range(3)]
    return Palette(name, np.round(np.stack(channels, axis=1) * 257).astype(np.uint16))


GRAY: Final = _between("Gray", (0, (0, 0, 0)), (1, (255, 255, 255)))
INVERTED_GRAY: Final = _between("Inverted gray", (0, (255, 255, 255)), (1, (0, 0, 0)))
HOT_IRON: Final = _between("Hot iron", (0, (0, 0, 0)), (0.5, (255, 0, 0)), (0.75, (255, 128, 0)), (1, (255, 255, 255)))
HOT_BLUE: Final = _between(
    "Hot blue", (0, (0, 0, 0)), (0.3, (30, 30, 140)), (0.6, (200, 40, 90)), (0.85, (255, 190, 60)), (1, (255, 255, 255))
)
RAINBOW: Final = _between(
    "Rainbow",
    *((0.0, (0, 0, 0)), (0.15, (80, 0, 160)), (0.35, (0, 60, 255)), (0.5, (0, 200, 120))),
    *((0.7, (240, 240, 0)), (0.85, (255, 120, 0)), (1.0, (255, 0, 0))),
)

PALETTES: Final = {palette.name: palette for palette in (GRAY, INVERTED_GRAY, HOT_IRON, HOT_BLUE, RAINBOW)}
