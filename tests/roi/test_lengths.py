"""Distances, angles, diameters and areas, against geometry and the published diameter of the IBSI phantom."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Contour, Grid, Mask
from radfuse.roi.lengths import (
    angle_degrees,
    angle_of_lines_degrees,
    area_mm2,
    diameters_of,
    distance_mm,
    feret_of,
    perimeter_mm,
)
from tests.roi.test_statistics import IBSI
from tests.support.measuring import ball_mask, box_mask, grid_of, oblique_grid


def test_a_distance_is_that_of_pythagoras() -> None:
    assert distance_mm((1, 2, 3), (4, 6, 15)) == pytest.approx(13)


@pytest.mark.parametrize(
    ("first", "second", "degrees"),
    [((1, 0, 0), (0, 5, 0), 90), ((1, 0, 0), (1, 1, 0), 45), ((2, 0, 0), (-1, 0, 0), 180), ((1, 1, 1), (3, 3, 3), 0)],
)
def test_an_angle_is_measured_at_its_vertex(
    first: tuple[float, ...], second: tuple[float, ...], degrees: float
) -> None:
    vertex = np.array((10.0, -20.0, 30.0))
    assert angle_degrees(vertex + first, vertex, vertex + second) == pytest.approx(degrees)


def test_small_angles_are_exact() -> None:
    assert angle_degrees((1, 0, 0), (0, 0, 0), (1, 1e-7, 0)) == pytest.approx(np.degrees(1e-7), rel=1e-9)


def test_a_cobb_angle_needs_no_common_point_and_follows_the_sense_of_drawing() -> None:
    level, tilted = ((0, 0, 100), (40, 0, 100)), ((0, 0, 0), (40, 0, 40 * np.tan(np.radians(28))))
    assert angle_of_lines_degrees(level, tilted) == pytest.approx(28)
    assert angle_of_lines_degrees(level, tilted[::-1]) == pytest.approx(152)


@pytest.mark.parametrize("point", [(0, 0), (0, 0, np.nan), ((0, 0, 0), (1, 1, 1))])
def test_what_is_no_point_is_refused(point: object) -> None:
    with pytest.raises(InvalidRegion, match="three finite numbers"):
        distance_mm((0, 0, 0), point)  # type: ignore[arg-type]


def test_a_line_without_length_has_no_angle() -> None:
    with pytest.raises(InvalidRegion, match="no length"):
        angle_degrees((1, 1, 1), (1, 1, 1), (2, 2, 2))


def test_the_diameter_of_the_digital_phantom_is_the_published_one() -> None:
    # IBSI: maximum 3D diameter 13.1 mm, of a mesh halfway between the voxels inside and outside.
    mask = Mask(grid_of((4, 4, 5), (2, 2, 2)), IBSI > 0)
    assert feret_of(mask).length_mm == pytest.approx(13.1, abs=0.05)


def all_pairs(mask: Mask) -> float:
    """The largest distance of two midpoints of outer faces, by looking at all of them."""
    inside = np.pad(mask.inside, 1)
    points = []
    for at in np.argwhere(mask.inside):
        for axis, way in ((0, 1), (0, -1), (1, 1), (1, -1), (2, 1), (2, -1)):
            step = np.zeros(3, dtype=int)
            step[axis] = way
            if not inside[tuple(at + 1 + step)]:
                points.append((at + step / 2)[::-1])
    places = mask.grid.to_patient.apply(np.array(points))
    return float(max(np.linalg.norm(one - other) for one, other in combinations(places, 2)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.9))
def test_the_diameter_of_any_region_is_that_of_all_pairs(seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    grid = oblique_grid((4, 5, 3), (1.1, 2.3, 3.7))
    inside = random.random(grid.shape) < share
    inside[2, 2, 1] = True
    mask = Mask(grid, inside)
    assert feret_of(mask).length_mm == pytest.approx(all_pairs(mask))


@pytest.mark.parametrize("grid", [grid_of((40, 40, 40)), oblique_grid((20, 40, 30), (1.4, 1, 2))])
def test_the_diameter_of_a_ball_is_its_own(grid: Grid) -> None:
    centre = grid.to_patient.apply((np.array(grid.shape[::-1]) - 1) / 2)
    length = feret_of(ball_mask(grid, centre.tolist(), 12))
    assert length.length_mm == pytest.approx(24, abs=max(grid.spacing_mm))
    assert distance_mm(length.start_mm, length.end_mm) == pytest.approx(length.length_mm)


def test_the_axes_of_an_ellipse_are_found_in_the_slice_where_it_is_largest() -> None:
    grid = oblique_grid((5, 80, 100), (0.8, 0.8, 3))
    down, across = np.mgrid[:80, :100]
    turn = np.radians(30)
    x, y = (across - 50) * 0.8, (down - 40) * 0.8
    u, v = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    inside = np.stack([(u / (20 * f)) ** 2 + (v / (11 * f)) ** 2 <= 1 for f in (0.3, 0.7, 1.0, 0.8, 0.1)])
    found = diameters_of(Mask(grid, inside))
    assert found.slice == 2
    assert found.long_axis.length_mm == pytest.approx(40, abs=0.8)
    assert found.short_axis.length_mm == pytest.approx(22, abs=0.8)
    long, short = (np.subtract(line.end_mm, line.start_mm) for line in (found.long_axis, found.short_axis))
    assert abs(long @ short) < 1e-6
    assert abs(long @ grid.normal) < 1e-6
    smaller = diameters_of(Mask(grid, inside), 0)
    assert smaller.long_axis.length_mm == pytest.approx(12, abs=0.8)


def test_a_rectangle_has_known_axes() -> None:
    grid = grid_of((1, 60, 60), (1, 1, 5))
    found = diameters_of(box_mask(grid, (0, 10, 10), (1, 13, 50)))
    # Midpoints of the outer edges: 40 long, and 3 across between the long edges' midpoints.
    assert found.long_axis.length_mm == pytest.approx(40, abs=0.1)
    assert found.short_axis.length_mm == pytest.approx(3, abs=0.1)


def test_a_single_voxel_has_diameters() -> None:
    grid = grid_of((3, 3, 3), (2, 3, 4))
    one = box_mask(grid, (1, 1, 1), (2, 2, 2))
    assert feret_of(one).length_mm == pytest.approx(4)
    found = diameters_of(one)
    assert (found.long_axis.length_mm, found.short_axis.length_mm) == pytest.approx((3, 2))


def test_nothing_has_no_diameter() -> None:
    grid = grid_of((3, 3, 3))
    for measure in (feret_of, diameters_of):
        with pytest.raises(InvalidRegion, match="empty"):
            measure(Mask(grid, np.zeros(grid.shape, dtype=np.bool_)))
    with pytest.raises(InvalidRegion, match="slice 2"):
        diameters_of(box_mask(grid, (0, 0, 0), (1, 1, 1)), 2)
    with pytest.raises(InvalidRegion, match="slice -1"):
        diameters_of(box_mask(grid, (0, 0, 0), (3, 1, 1)), -1)


def test_a_contours_area_and_perimeter_are_right_in_any_plane() -> None:
    square = np.array([(0, 0, 0), (4, 0, 0), (4, 3, 0), (0, 3, 0)], dtype=float)
    contour = Contour(oblique_grid((2, 2, 2)).to_patient.apply(square))
    assert area_mm2(contour) == pytest.approx(12)
    assert perimeter_mm(contour) == pytest.approx(14)


def test_a_keyhole_takes_its_hole_from_the_area() -> None:
    outer = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 5)]
    hole = [(4, 5), (4, 6), (6, 6), (6, 4), (4, 4), (4, 5)]
    points = [(x, y, 7.0) for x, y in [*outer, *hole, (0, 5)]]
    assert area_mm2(Contour(np.array(points))) == pytest.approx(100 - 4)
