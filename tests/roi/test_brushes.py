"""Brush strokes, polygons, and shapes between drawn slices."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Grid, Mask
from radfuse.roi.brushes import interpolated, polygon, stroke
from tests.support.measuring import ball_mask, grid_of, points_of
from tests.support.shapes import PLACEMENTS, noise, placed


def blank(grid: Grid) -> Mask:
    return Mask(grid, np.zeros(grid.shape, dtype=np.bool_))


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_ball_brush_paints_all_voxels_near_its_line(placement: str) -> None:
    grid = placed((8, 22, 24), placement)
    line = grid.to_patient.apply([(4, 5, 2), (16, 9, 5), (18, 18, 3)])
    painted = stroke(blank(grid), line, 4, flat=False)
    points = points_of(grid).reshape(-1, 3)
    near = np.zeros(len(points), dtype=np.bool_)
    for start, end in pairwise(line):
        for part in np.linspace(0, 1, 200):
            near |= np.linalg.norm(points - (start + part * (end - start)), axis=1) <= 4
    differing = painted.inside.ravel() != near
    assert np.count_nonzero(differing) <= 0.005 * np.count_nonzero(near)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_flat_brush_paints_a_disc_in_one_slice(placement: str) -> None:
    grid = placed((5, 20, 20), placement)
    centre = grid.to_patient.apply((10, 9, 2.3))
    painted = stroke(blank(grid), centre, 5)
    assert np.flatnonzero(painted.inside.any(axis=(1, 2))).tolist() == [2]
    flat = centre - ((centre - grid.to_patient.apply((0, 0, 2))) @ grid.normal) * grid.normal
    near = np.linalg.norm(grid.slice_points_mm(2) - flat, axis=-1) <= 5
    assert np.array_equal(painted.inside[2], near)


def test_what_was_painted_can_be_wiped_away() -> None:
    grid = grid_of((3, 15, 15))
    full = noise(grid, 2, 0)
    wiped = stroke(full, np.array([(3, 7, 1), (11, 7, 1)]), 2, erase=True)
    assert np.array_equal(wiped.inside, ~stroke(blank(grid), np.array([(3, 7, 1), (11, 7, 1)]), 2).inside)
    assert full.voxels == 3 * 15 * 15


def test_a_stroke_beside_the_image_paints_nothing_or_is_refused() -> None:
    grid = grid_of((3, 15, 15))
    assert stroke(blank(grid), np.array((50.0, 50, 1)), 2).voxels == 0
    with pytest.raises(InvalidRegion, match="none of the image's slices"):
        stroke(blank(grid), np.array((5.0, 5, 9)), 2)
    with pytest.raises(InvalidRegion, match="radius"):
        stroke(blank(grid), np.array((5.0, 5, 1)), 0)


def test_a_polygon_is_drawn_in_its_slice_and_wiped_away() -> None:
    grid = grid_of((4, 12, 12), (1, 1, 3))
    corners = np.array([(1.5, 1.5, 6.4), (6.5, 1.5, 6.4), (6.5, 4.5, 6.4), (1.5, 4.5, 6.4)])
    drawn = polygon(blank(grid), corners)
    assert np.flatnonzero(drawn.inside.any(axis=(1, 2))).tolist() == [2]
    assert drawn.voxels == 15
    assert polygon(drawn, corners, erase=True).voxels == 0
    with pytest.raises(InvalidRegion, match="none of the image's slices"):
        polygon(blank(grid), corners + np.array((0, 0, 50)))


def test_a_ball_drawn_on_some_slices_is_completed_between_them() -> None:
    grid = grid_of((25, 41, 41), (1, 1, 1), (-20, -20, -12))
    ball = ball_mask(grid, (0, 0, 0), 16)
    drawn = ball.inside.copy()
    drawn[[number for number in range(25) if number % 4]] = False
    completed = interpolated(Mask(grid, drawn))
    assert np.array_equal(completed.inside[::4], ball.inside[::4])
    common = np.count_nonzero(completed.inside & ball.inside)
    assert 2 * common / (completed.voxels + ball.voxels) > 0.97
    with pytest.raises(InvalidRegion, match="two slices"):
        interpolated(Mask(grid, np.where(np.arange(25)[:, None, None] == 3, drawn | True, False)))
