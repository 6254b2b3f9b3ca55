"""A volume's place in words."""

from __future__ import annotations

from typing import Final

import numpy as np

from radfuse.geometry import Grid

_WORDS: Final = (("left", "right"), ("back", "front"), ("head", "foot"))
"""Where the patient's x, y and z axes lead, forwards and backwards (PS3.3 section C.7.6.2.1.1)."""

_PLANES: Final = ("sagittal", "coronal", "axial")
_STRAIGHT_DEG: Final = 0.1


def plane_words(grid: Grid) -> str:
    """The plane of the slices, and how oblique it is."""
    tilts = np.rad2deg(np.arccos(np.clip(np.abs(grid.normal), 0, 1)))
    nearest = int(np.argmin(tilts))
    return _PLANES[nearest] if tilts[nearest] < _STRAIGHT_DEG else f"{_PLANES[nearest]}, oblique {tilts[nearest]:.1f}°"


def orientation_words(grid: Grid) -> str:
    """The plane of the slices, where columns, rows and slices lead, and how far they are sheared."""
    leads = ", ".join(
        f"{name} to the {_lead(direction)}"
        for name, direction in zip(("columns", "rows", "slices"), grid.directions.T, strict=True)
    )
    shear = f"; sheared {shear_deg(grid):.1f}°" if grid.is_sheared else ""
    return f"{plane_words(grid)}: {leads}{shear}"


def shear_deg(grid: Grid) -> float:
    """The angle between the way from slice to slice and the normal of the slices."""
    return float(np.rad2deg(np.arccos(np.clip(abs(grid.directions[:, 2] @ grid.normal), 0, 1))))


def _lead(direction: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> str:
    axis = int(np.argmax(np.abs(direction)))
    return _WORDS[axis][0 if direction[axis] > 0 else 1]
