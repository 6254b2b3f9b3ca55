"""Small series with a bright ball in them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from tests.support.volumes import Shape, put_pixels, write_series

SHAPE: Final = Shape(28, 30, (2.0, 2.0, 3.0), first_mm=(-29.0, -27.0, -18.0))
"""13 slices around the origin."""

SLICES: Final = 13
RADIUS_MM: Final = 12.0


def inside_ball() -> np.ndarray:
    """The voxels of the ball: slices, rows, columns."""
    z, y, x = np.ogrid[0:SLICES, 0 : SHAPE.rows, 0 : SHAPE.columns]
    squared = (x * 2.0 - 29) ** 2 + (y * 2.0 - 27) ** 2 + (z * 3.0 - 18) ** 2
    found: np.ndarray = squared <= RADIUS_MM**2
    return found


def write_ball(folder: Path, modality: str = "CT") -> list[Path]:
    """A CT of -1000 HU with a ball of 100 HU, or a PET of counts, as files."""
    ball = inside_ball()

    def draw(ds: Dataset, number: int) -> None:
        put_pixels(ds, np.where(ball[number], 1124, 24).astype(np.uint16))

    return write_series(folder, SLICES, SHAPE, modality, draw)
