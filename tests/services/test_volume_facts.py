"""A grid in words."""

from __future__ import annotations

import numpy as np
import pytest

from radfuse.geometry import Affine, FrameOfReference, Grid
from radfuse.services.volume_facts import orientation_words, shear_deg


def grid(*columns: tuple[float, float, float]) -> Grid:
    """A small grid of these columns."""
    return Grid((2, 3, 4), Affine.of(np.array(columns).T, (0, 0, 0)), FrameOfReference("2.25.1"))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (grid((1, 0, 0), (0, 1, 0), (0, 0, 3)), "axial: columns to the left, rows to the back, slices to the head"),
        (grid((1, 0, 0), (0, 0, -1), (0, 3, 0)), "coronal: columns to the left, rows to the foot, slices to the back"),
        (
            grid((0, 1, 0), (0, 0, -1), (-3, 0, 0)),
            "sagittal: columns to the back, rows to the foot, slices to the right",
        ),
        (
            grid((1, 0, 0), (0, 0.9848, -0.1736), (0, 0.1736, 0.9848)),
            "axial, oblique 10.0°: columns to the left, rows to the back, slices to the head",
        ),
        (
            grid((1, 0, 0), (0, 1, 0), (0, 1, 1)),
            "axial: columns to the left, rows to the back, slices to the back; sheared 45.0°",
        ),
    ],
)
def test_a_grid_is_told_by_its_plane_and_where_its_axes_lead(made: Grid, words: str) -> None:
    assert orientation_words(made) == words


def test_shear_is_the_angle_to_the_normal() -> None:
    assert shear_deg(grid((1, 0, 0), (0, 1, 0), (0, np.tan(np.deg2rad(20)), 1))) == pytest.approx(20)
