"""Contours to masks: which voxels, in which slices, on which grids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from radfuse.core.errors import FramesDiffer, InvalidRegion
from radfuse.geometry import Affine, Contour, FrameOfReference, Grid, Points, Structure
from radfuse.roi.filling import Between, fill, finer_grid, fractions, mask_of, volume_ml
from radfuse.roi.polygons import filled
from tests.support.measuring import FRAME, ball_mask, grid_of, points_of
from tests.support.shapes import PLACEMENTS, TURN, dice, placed


def square(low: float, high: float, z: float) -> Contour:
    return Contour(np.array([(low, low, z), (high, low, z), (high, high, z), (low, high, z)]))


def circle(radius: float, z: float, centre: Sequence[float] = (0, 0), points: int = 360) -> Contour:
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    flat = centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)
    return Contour(np.stack((*flat, np.full(points, float(z))), axis=1))


def structure(*contours: Contour, frame: FrameOfReference = FRAME) -> Structure:
    return Structure("region", frame, contours)


def slices_of(grid: Grid, *contours: Contour, between: Between = Between.NEAREST) -> list[int]:
    return np.flatnonzero(fill(structure(*contours), grid, between).mask.inside.any(axis=(1, 2))).tolist()


# --- in a plane ------------------------------------------------------------------------------


def test_a_voxel_belongs_when_its_centre_lies_inside() -> None:
    inside = filled([(0, np.array([(0.6, 0.6), (3.4, 0.6), (3.4, 2.4), (0.6, 2.4)]))], (1, 5, 5))[0]
    assert sorted(zip(*np.nonzero(inside), strict=True)) == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]


def test_a_centre_on_a_line_belongs_on_request_also_on_a_slanted_one_and_after_rounding() -> None:
    triangle = np.array([(1.0, 1.0), (5.0, 1.0), (1.0, 5.0)])
    exact = filled([(0, triangle)], (1, 7, 7), with_lines=True)
    assert np.count_nonzero(exact) == 15
    assert np.array_equal(filled([(0, triangle + 4e-3)], (1, 7, 7), with_lines=True), exact)
    assert np.array_equal(filled([(0, triangle - 4e-3)], (1, 7, 7), with_lines=True), exact)


def test_without_lines_half_of_the_centres_on_them_belong() -> None:
    box = np.array([(1.0, 1.0), (5.0, 1.0), (5.0, 4.0), (1.0, 4.0)])
    assert np.count_nonzero(filled([(0, box)], (1, 7, 7))) == 12
    assert np.array_equal(filled([(0, box + 1e-4)], (1, 7, 7)), filled([(0, box - 1e-4)], (1, 7, 7)))


def test_what_lies_partly_outside_the_grid_is_cut_at_its_edge() -> None:
    box = np.array([(-10.0, -10.0), (2.5, -10.0), (2.5, 30.0), (-10.0, 30.0)])
    assert np.array_equal(np.argwhere(filled([(0, box)], (1, 4, 6))[0].all(axis=0)).ravel(), [0, 1, 2])
    assert not filled([(0, box + 100)], (1, 4, 6)).any()
    assert not filled([], (1, 4, 6)).any()


def test_contours_through_voxel_centres_are_told_from_edges_of_larger_voxels() -> None:
    grid = grid_of((1, 12, 12))
    through = Contour(np.array([(2, 3, 0), (5, 3, 0), (7, 5, 0), (7, 8, 0), (2, 8, 0)]))
    found = fill(structure(through), grid)
    assert found.on_centres
    assert found.mask.voxels == 36 - 3
    edges_of_large = Contour(np.array([(2, 2, 0), (8, 2, 0), (8, 6, 0), (6, 6, 0), (6, 8, 0), (2, 8, 0)]))
    found = fill(structure(edges_of_large), grid)
    assert not found.on_centres
    assert found.mask.voxels == 36 - 4
    assert not fill(structure(square(2.5, 6.5, 0)), grid).on_centres
    on_no_image = fill(structure(through), grid, on_image=False)
    assert not on_no_image.on_centres
    assert on_no_image.mask.voxels == 25 - 1  # half of the centres on the slanted line too


@pytest.mark.parametrize("seed", range(4))
def test_random_polygons_are_filled_as_rays_from_each_centre_say(seed: int) -> None:
    """Even-odd by a count of crossings along a ray from each centre: slow, plain, and independent."""
    corners = np.random.default_rng(seed).uniform(-3, 23, (40, 2))
    found = filled([(0, corners)], (1, 20, 20))[0]
    for row, column in np.ndindex(20, 20):
        crossings = 0
        for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if (y0 > row) != (y1 > row) and column < x0 + (row - y0) / (y1 - y0) * (x1 - x0):
                crossings += 1
        starts, along = corners, np.roll(corners, -1, axis=0) - corners
        away = np.abs(np.cross(np.pad(along, ((0, 0), (0, 1))), np.pad((column, row) - starts, ((0, 0), (0, 1))))[:, 2])
        if (away / np.linalg.norm(along, axis=1)).min() > 2e-3:
            assert found[row, column] == crossings % 2


def test_a_hole_by_keyhole_and_one_by_exclusive_or_are_the_same() -> None:
    outer = [(1, 1), (9, 1), (9, 9), (1, 9)]
    hole = [(3.5, 3.5), (3.5, 6.5), (6.5, 6.5), (6.5, 3.5)]
    keyhole = np.array([outer[0], hole[0], *hole[1:], hole[0], outer[0], *outer[1:]], dtype=float)
    by_xor = filled([(0, np.array(outer, dtype=float)), (0, np.array(hole))], (1, 11, 11))
    assert np.array_equal(filled([(0, keyhole)], (1, 11, 11)), by_xor)
    assert np.count_nonzero(by_xor) == 64 - 9


# --- which slice -----------------------------------------------------------------------------

GRID = grid_of((10, 12, 12), (1, 1, 2), (-5.5, -5.5, 0))  # slices at 0, 2 … 18 mm


def test_a_contour_belongs_to_the_nearest_slice_up_to_half_a_slice_away() -> None:
    assert slices_of(GRID, square(-3, 3, 4)) == [2]
    assert slices_of(GRID, square(-3, 3, 4.9)) == [2]
    assert slices_of(GRID, square(-3, 3, 5.0)) == [3]
    assert slices_of(GRID, square(-3, 3, -1.2)) == []


def test_thicker_contours_fill_the_slices_between_them_and_as_much_beyond() -> None:
    assert slices_of(GRID, *(square(-3, 3, z) for z in (4, 8, 12))) == [2, 3, 4, 5, 6, 7]
    assert slices_of(GRID, *(square(-3, 3, z) for z in (3.9, 9.9))) == [1, 2, 3, 4, 5, 6]


def test_nothing_is_put_between_thick_contours_on_request() -> None:
    contours = [square(-3, 3, z) for z in (4, 8, 12)]
    assert slices_of(GRID, *contours, between=Between.NOTHING) == [2, 4, 6]
    assert fill(structure(*contours), GRID).step_mm == 4


def test_planes_too_far_apart_to_be_a_stack_are_a_slice_thick() -> None:
    found = fill(structure(square(-3, 3, 2), square(-3, 3, 14)), GRID)
    assert np.flatnonzero(found.mask.inside.any(axis=(1, 2))).tolist() == [1, 7]
    assert found.gaps == 1


def test_the_volume_of_thick_contours_is_their_area_by_their_thickness() -> None:
    fine = grid_of((100, 40, 40), (0.5, 0.5, 0.5), (-9.75, -9.75, -10.25))
    mask = mask_of(structure(*(square(-5, 5, z) for z in (0, 5, 10, 15))), fine)
    assert mask.volume_ml == pytest.approx(10 * 10 * 20 / 1000)


def test_nothing_is_filled_in_where_planes_are_missing() -> None:
    contours = [square(-3, 3, z) for z in (2, 4, 6, 12, 14)]
    found = fill(structure(*contours), GRID)
    assert np.flatnonzero(found.mask.inside.any(axis=(1, 2))).tolist() == [1, 2, 3, 6, 7]
    assert found.gaps == 1


def test_planes_closer_than_slices_do_not_extinguish_one_another() -> None:
    contours = [square(-3, 3, z) for z in np.arange(2, 6.1, 0.5)]
    found = fill(structure(*contours), GRID)
    assert np.flatnonzero(found.mask.inside.any(axis=(1, 2))).tolist() == [1, 2, 3]
    assert (found.used, found.beside, found.is_whole) == (3, 0, True)


def test_finer_planes_reach_no_farther_than_their_own_thickness() -> None:
    assert slices_of(GRID, *(square(-3, 3, z) for z in np.arange(3, 9.1, 0.5))) == [2, 3, 4]


def test_planes_that_differ_by_rounding_are_one() -> None:
    found = fill(structure(square(-4, 4, 4), square(-2, 2, 4.05), square(-4, 4, 6)), GRID)
    assert np.count_nonzero(found.mask.inside[2]) == 64 - 16


def test_a_contour_given_twice_is_taken_once() -> None:
    found = fill(structure(square(-3, 3, 4), square(-3, 3, 4), square(-1, 1, 4)), GRID)
    assert found.repeated == 1
    assert found.mask.voxels == 36 - 4


def test_contours_beside_the_grid_are_counted() -> None:
    found = fill(structure(square(-3, 3, 4), square(-3, 3, 40)), GRID)
    assert (found.used, found.beside, found.is_whole) == (1, 1, False)
    assert not fill(structure(square(-3, 30, 4)), GRID).is_whole


def test_between_thick_contours_the_shape_can_be_interpolated() -> None:
    grid = grid_of((9, 60, 60), (1, 1, 1), (-29.5, -29.5, 0))
    cone = structure(circle(10, 0), circle(20, 8))
    nearest, between = mask_of(cone, grid), mask_of(cone, grid, Between.SHAPE)
    areas = between.inside.sum(axis=(1, 2))
    assert nearest.inside.sum(axis=(1, 2)).tolist() == [areas[0]] * 5 + [areas[8]] * 4
    radii = np.sqrt(areas / np.pi)
    assert radii == pytest.approx(np.linspace(10, 20, 9), abs=0.5)


# --- on which grid ---------------------------------------------------------------------------


def ball_contours(radius: float, centre: Points, axes: Points, step: float) -> Structure:
    """A ball cut into contours in planes across the third of ``axes``."""
    contours = []
    for away in np.arange(-radius + step / 2, radius, step):
        flat = circle(float(np.sqrt(radius**2 - away**2)), away).points_mm
        contours.append(Contour(flat @ axes.T + centre))
    return structure(*contours)


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("drawn", ["axial", "coronal", "oblique"])
def test_contours_of_any_orientation_fill_a_grid_of_any_orientation(placement: str, drawn: str) -> None:
    grid = placed((24, 50, 50), placement)
    centre = grid.to_patient.apply((24.3, 25.1, 11.7))
    axes = {"axial": np.eye(3), "coronal": np.eye(3)[:, [0, 2, 1]], "oblique": TURN}[drawn]
    found = fill(ball_contours(15, centre, axes, 0.5), grid)
    assert dice(found.mask, ball_mask(grid, centre.tolist(), 15)) > 0.985
    assert found.is_whole


def test_a_contour_between_the_slices_of_a_tilted_gantry_is_moved_along_the_normal() -> None:
    grid = Grid((5, 20, 20), Affine.of(np.array([[1, 0, 0], [0, 1, 2.0], [0, 0, 4]]), (0, 0, 0)), FRAME)
    inside = mask_of(structure(square(4.6, 9.4, 9.5)), grid).inside
    points = grid.slice_points_mm(2)
    expected = ((points[..., :2] > 4.6) & (points[..., :2] < 9.4)).all(axis=-1)
    assert np.array_equal(inside[2], expected)
    assert not inside[[0, 1, 3, 4]].any()


def test_the_volume_of_contours_alone_is_their_area_by_their_distance() -> None:
    shell = [each for z in range(0, 15, 3) for each in (circle(20, z), circle(10, z))]
    assert volume_ml(structure(*shell)) == pytest.approx(np.pi * 300 * 15 / 1000, rel=5e-3)
    turned = tuple(Contour(each.points_mm @ TURN.T) for each in shell)
    assert volume_ml(structure(*turned)) == pytest.approx(np.pi * 300 * 15 / 1000, rel=5e-3)
    assert volume_ml(structure(circle(20, 0))) is None
    assert volume_ml(structure()) == 0


def test_sagittal_contours_on_an_axial_grid_are_exact() -> None:
    grid = grid_of((20, 30, 10), (2, 1, 1.5), (0, 0, 0))
    sides = [(4.6, 6.1), (20.4, 6.1), (20.4, 21.1), (4.6, 21.1)]
    contours = [Contour(np.array([(x, *side) for side in sides])) for x in (4, 6, 8)]
    expected = np.zeros(grid.shape, dtype=np.bool_)
    expected[5:15, 5:21, 2:5] = True  # planes 2 mm apart and columns 2 mm wide: one each
    assert np.array_equal(mask_of(structure(*contours), grid).inside, expected)


def test_contours_across_the_slices_are_not_interpolated() -> None:
    ball = ball_contours(10, np.array((0.0, 0, 10)), TURN, 1)
    with pytest.raises(InvalidRegion, match="across the slices"):
        fill(ball, GRID, Between.SHAPE)


def test_contours_that_are_not_flat_are_refused() -> None:
    bent = circle(4, 4).points_mm.copy()
    bent[:, 2] += bent[:, 0] ** 2
    with pytest.raises(InvalidRegion, match="not flat"):
        fill(structure(Contour(bent)), GRID)


def test_another_frame_of_reference_is_refused() -> None:
    with pytest.raises(FramesDiffer):
        fill(structure(square(-3, 3, 4), frame=FrameOfReference("2.25.9")), GRID)
    with pytest.raises(FramesDiffer):
        fractions(structure(square(-3, 3, 4), frame=FrameOfReference("2.25.9")), GRID)


def test_a_structure_without_contours_is_empty() -> None:
    assert fill(structure(), GRID).mask.voxels == 0
    assert not fractions(structure(), GRID).any()


# --- fractions -------------------------------------------------------------------------------


def test_fractions_have_the_volume_of_the_contours_where_whole_voxels_do_not() -> None:
    grid = grid_of((12, 14, 14), (3, 3, 3), (-19.7, -19.2, -16.4))
    ball = ball_contours(6, np.zeros(3), np.eye(3), 0.25)
    exact = 4 / 3 * np.pi * 6**3
    assert float(fractions(ball, grid, 8).sum()) * grid.voxel_volume_mm3 == pytest.approx(exact, rel=0.01)


def test_fractions_are_whole_inside_and_parts_at_the_edge() -> None:
    found = fractions(structure(square(-3, 2.75, 4)), GRID)
    assert found[2, 6, 6] == 1
    assert found[2, 6, 8] == pytest.approx(0.75)
    assert found[2, 8, 8] == pytest.approx(0.75**2)
    assert found[[1, 3]].max() == 0
    with pytest.raises(InvalidRegion):
        fractions(structure(square(-3, 3, 4)), GRID, 0)


def test_fractions_of_one_plane_are_as_thick_as_a_slice() -> None:
    assert fractions(structure(square(-3, 3, 5)), GRID)[:, 6, 6].tolist() == [0, 0, 0.5, 0.5, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_finer_grid_is_the_same_box(placement: str) -> None:
    grid = placed((3, 4, 5), placement)
    fine = finer_grid(grid, 3)
    assert fine.corners_mm == pytest.approx(grid.corners_mm)
    assert points_of(fine)[1::3, 1::3, 1::3] == pytest.approx(points_of(grid))


def test_a_thousand_points_in_a_slice_of_512_are_an_exact_circle() -> None:
    grid = Grid((1, 512, 512), Affine.identity(), FRAME)
    mask = mask_of(structure(circle(200, 0, (255.5, 255.5), 1000)), grid)
    assert mask.volume_ml == pytest.approx(np.pi * 200**2 / 1000, rel=1e-3)
