"""The planes of a cine: from one position to another along an axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from radfuse.core.errors import ConfigurationError
from radfuse.services.exporting.model import Shot
from radfuse.services.viewing import Place

MOST_FRAMES: Final = 2000

# Along which axis of the patient (L, P, H), and what is to the right and down there.
_AXES: Final = {
    "axial": (2, (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "coronal": (1, (1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "sagittal": (0, (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}


def planes_of(shot: Shot, *, axis: str, from_mm: float, to_mm: float, step_mm: float) -> Iterator[Shot]:
    """The pictures from one position to another, both included; ``normal``: along the picture's own normal, from it.

    Raises ConfigurationError for more than 2,000.
    """
    count = int(np.floor(abs(to_mm - from_mm) / step_mm + 1e-6)) + 1
    if count > MOST_FRAMES:
        raise ConfigurationError("range", f"it has {count} planes, and a cine at most {MOST_FRAMES}: take larger steps")
    for position in from_mm + np.sign(to_mm - from_mm) * step_mm * np.arange(count):
        yield replace(shot, place=_moved(shot, axis, float(position)))


def _moved(shot: Shot, axis: str, position: float) -> Place:
    place = shot.place
    centre = np.array(place.centre_mm)
    if axis in _AXES:
        along, right, down = _AXES[axis]
        centre[along] = position
        return replace(place, centre_mm=tuple(centre.tolist()), right=right, down=down)
    normal = np.cross(place.right, place.down)
    moved = centre + position * normal / np.linalg.norm(normal)
    return replace(place, centre_mm=tuple(moved.tolist()))
