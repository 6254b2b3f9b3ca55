"""One body in two modalities, as formulas: volumes of it on any grid, moved by any transform."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.volume import Source, Unit, Volume
from tests.volume.made import SOURCE, points_of, turned

FIXED = FrameOfReference("2.25.8101")
MOVING = FrameOfReference("2.25.8102")
MIDDLE = np.array((12.0, -30.0, 400.0))

_WAVES = np.random.default_rng(11).normal(size=(16, 3))
_WAVES *= (2 * np.pi / np.linspace(28, 60, 16) / np.linalg.norm(_WAVES, axis=1))[:, None]


def anatomy(points_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What lies at points of the fixed frame, 0 to about 1: an ellipsoid with soft edges, full of waves."""
    about = points_mm - MIDDLE
    waves = np.zeros(points_mm.shape[:-1])
    for number, wave in enumerate(_WAVES):
        waves += np.cos(about @ wave + number)
    radius = np.linalg.norm(about / (62, 48, 75), axis=-1)
    found: npt.NDArray[np.float64] = (0.55 + 0.09 * waves) / (1 + np.exp((radius - 1) * 20))
    return found


def fixed_volume(spacing_mm: float = 4.0, grid: Grid | None = None) -> Volume:
    """Its contrast is the anatomy's."""
    return _volume(grid or _grid(spacing_mm, MIDDLE, FIXED), Affine.identity(), 1, lambda values: 1000 * values)


def moving_volume(transform: Affine, spacing_mm: float = 4.0, grid: Grid | None = None) -> Volume:
    """Another modality: bright where the other is in its middle range. ``transform`` is fixed to moving."""
    at = grid or _grid(spacing_mm, transform.apply(MIDDLE), MOVING)
    return _volume(at, transform.inverse(), 2, lambda values: 800 * np.exp(-(((values - 0.55) / 0.25) ** 2)))


def motion(degrees: float, shift_mm: tuple[float, float, float]) -> Affine:
    """A turn about the middle of the body (x and z axes), then a shift."""
    turn = turned(degrees) @ turned(degrees / 2, 0)
    return Affine.of(turn, MIDDLE - turn @ MIDDLE + shift_mm)


def largest_error_mm(found: Affine, truth: Affine, half_mm: float = 50.0) -> float:
    """At the corners of a cube in the middle of the body."""
    signs = np.stack(np.meshgrid((-1, 1), (-1, 1), (-1, 1), indexing="ij"), axis=-1).reshape(8, 3)
    box = MIDDLE + half_mm * signs
    return float(np.linalg.norm(found.apply(box) - truth.apply(box), axis=1).max())


def _grid(spacing_mm: float, middle: npt.NDArray[np.float64], frame: FrameOfReference) -> Grid:
    size = tuple(round(extent / spacing_mm) for extent in (180, 130, 160))
    shape = (size[0], size[1], size[2])
    return Grid.of(shape, [spacing_mm] * 3, middle - spacing_mm * (np.array(shape[::-1]) - 1) / 2, frame)


def _volume(grid: Grid, to_fixed: Affine, seed: int, contrast: object) -> Volume:
    assert callable(contrast)
    values = contrast(anatomy(to_fixed.apply(points_of(grid))))
    noise = np.random.default_rng(seed).normal(0, 15, grid.shape)
    source = Source("MR", SOURCE.sop_class_uid, "", "", ())
    return Volume((values + noise).astype(np.float32), grid, Unit.SIGNAL, source)
