"""Masks to contours and back: the same voxels, whatever the shape, the grid and the way holes are written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Mask
from radfuse.roi.filling import Between, fill, mask_of
from radfuse.roi.tracing import Holes, Outline, Tracing, outlines, simplified, trace
from tests.support.measuring import grid_of
from tests.support.shapes import PLACEMENTS, as_written, dice, noise, placed, research_shapes

EVERY_WAY = [Tracing(holes, outline) for holes in Holes for outline in Outline]


def area(corners: np.ndarray) -> float:
    x, y = corners.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


@settings(max_examples=40, deadline=None)
@given(
    inside=arrays.arrays(np.bool_, st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7))),
    placement=st.sampled_from(sorted(PLACEMENTS)),
    how=st.sampled_from([Tracing(holes) for holes in Holes]),
)
def test_any_mask_comes_back_from_its_contours(inside: np.ndarray, placement: str, how: Tracing) -> None:
    grid = placed(inside.shape, placement)
    if not inside.any():
        return
    back = fill(as_written(trace(Mask(grid, inside), "x", how)), grid, Between.NOTHING)
    assert np.array_equal(back.mask.inside, inside)
    assert back.is_whole
    assert back.beside == 0


@pytest.mark.parametrize("how", EVERY_WAY, ids=lambda how: f"{how.holes} {how.outline}")
@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_noise_comes_back_from_its_contours(how: Tracing, placement: str, share: float) -> None:
    mask = noise(placed((3, 25, 31), placement), share, seed=3)
    assert np.array_equal(mask_of(as_written(trace(mask, "x", how)), mask.grid).inside, mask.inside)


@pytest.mark.parametrize("name", research_shapes())
def test_the_shapes_of_the_comparison_come_back(name: str) -> None:
    mask = research_shapes()[name]
    assert dice(mask_of(as_written(trace(mask, name)), mask.grid), mask) == 1


def test_an_outline_runs_along_the_voxels_edges_and_has_their_area() -> None:
    inside = np.zeros((6, 8), dtype=np.bool_)
    inside[2:4, 3:6] = True
    (square,) = outlines(inside, Holes.KEYHOLE, Outline.VOXEL_EDGE)
    assert sorted(map(tuple, square)) == [(2.5, 1.5), (2.5, 3.5), (5.5, 1.5), (5.5, 3.5)]
    assert area(square) == 6


def test_a_voxel_centre_outline_runs_through_the_outermost_centres() -> None:
    inside = np.zeros((6, 8), dtype=np.bool_)
    inside[2:5, 3:6] = True
    (square,) = outlines(inside, Holes.KEYHOLE, Outline.VOXEL_CENTRE)
    assert sorted(map(tuple, square)) == [(3, 2), (3, 4), (5, 2), (5, 4)]


@pytest.mark.parametrize("outline", Outline)
def test_a_single_voxel_is_a_contour_of_three_points_or_more(outline: Outline) -> None:
    inside = np.zeros((1, 3, 3), dtype=np.bool_)
    inside[0, 1, 1] = True
    mask = Mask(grid_of((1, 3, 3)), inside)
    structure = trace(mask, "x", Tracing(outline=outline))
    assert len(structure.contours[0].points_mm) >= 3
    assert np.array_equal(mask_of(structure, mask.grid).inside, inside)


def test_a_hole_is_joined_by_a_keyhole_or_is_a_contour_of_its_own() -> None:
    inside = np.ones((9, 9), dtype=np.bool_)
    inside[3:5, 3:5] = inside[6, 6] = False
    keyhole = outlines(inside, Holes.KEYHOLE, Outline.VOXEL_EDGE)
    assert len(keyhole) == 1
    assert area(keyhole[0]) == 81 - 5  # the lines to and fro enclose nothing
    assert sorted(area(each) for each in outlines(inside, Holes.XOR, Outline.VOXEL_EDGE)) == [1, 4, 81]


def test_an_island_in_a_hole_is_a_contour_of_its_own() -> None:
    inside = np.ones((9, 9), dtype=np.bool_)
    inside[2:7, 2:7] = False
    inside[4, 4] = True
    assert sorted(area(each) for each in outlines(inside, Holes.KEYHOLE, Outline.VOXEL_EDGE)) == [1, 81 - 25]


def test_voxels_that_touch_at_a_corner_are_outlined_apart() -> None:
    inside = np.eye(4, dtype=np.bool_)
    found = outlines(inside, Holes.XOR, Outline.VOXEL_EDGE)
    assert [area(each) for each in found] == [1] * 4
    assert [len(each) for each in found] == [4] * 4


def test_points_on_straight_lines_are_left_out_and_others_on_request() -> None:
    circle = research_shapes()["sphere of 60 mm"]
    exact, coarse = trace(circle, "x"), trace(circle, "x", Tracing(simplify_mm=1.0))
    middle = len(exact.contours) // 2
    corners = exact.contours[middle].points_mm
    steps = np.diff(corners, axis=0)
    assert not (np.linalg.norm(np.cross(steps[:-1], steps[1:]), axis=1) == 0).any()
    assert len(coarse.contours[middle].points_mm) < 0.6 * len(corners)
    assert dice(mask_of(coarse, circle.grid), circle) > 0.98


def test_a_simplified_outline_stays_within_the_tolerance() -> None:
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = np.stack((20 * np.cos(angle), 20 * np.sin(angle), np.zeros_like(angle)), axis=1)
    simple = simplified(circle, 0.5)
    middles = (simple + np.roll(simple, -1, axis=0)) / 2
    assert 8 <= len(simple) <= 40
    assert np.linalg.norm(middles, axis=1).min() >= 19.5


def test_contours_name_the_images_of_their_slices() -> None:
    inside = np.zeros((3, 4, 4), dtype=np.bool_)
    inside[1:, 1, 1] = True
    structure = trace(Mask(grid_of((3, 4, 4)), inside), "x", image_uids=("2.25.1", "2.25.2", "2.25.3"))
    assert [contour.image_uid for contour in structure.contours] == ["2.25.2", "2.25.3"]


def test_an_empty_region_has_no_outline() -> None:
    with pytest.raises(InvalidRegion, match="empty"):
        trace(Mask(grid_of((2, 2, 2)), np.zeros((2, 2, 2), dtype=np.bool_)), "x")
