"""Solids as masks and as fractions of voxels: volumes and voxels against geometry."""

from __future__ import annotations

import numpy as np
import pytest

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Grid
from radfuse.roi.drawing import Shape, Solid, box, cylinder, ellipsoid, mask_of, sphere, sphere_weights, weights
from tests.support.measuring import FRAME, ball_mask, grid_of, points_of
from tests.support.shapes import PLACEMENTS, TURN, placed

SPACINGS = [(1, 1, 1), (4, 4, 4), (3.3, 5.5, 5.5), (5.5, 5.5, 3.3), (2, 2, 5)]


def middle(grid: Grid) -> np.ndarray:
    return grid.to_patient.apply((np.array(grid.shape[::-1]) - 1) / 2)


@pytest.mark.parametrize("radius", [2, 6.2035, 15])
@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
def test_the_weights_of_a_ball_have_its_volume(spacing: tuple[float, ...], radius: float) -> None:
    grid = grid_of((36, 36, 36), spacing)
    for aside in ((0, 0, 0), (0.31, -0.77, 0.5)):
        found = sphere_weights(grid, middle(grid) + aside, radius)
        assert found.volume_ml * 1000 == pytest.approx(4 / 3 * np.pi * radius**3, rel=1e-3)
        assert found.is_whole
        assert found.values.min() >= 0
        assert found.values.max() <= 1 + 1e-12


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_each_weight_is_the_part_of_its_voxel_within_the_ball(placement: str) -> None:
    grid = placed((9, 12, 12), placement)
    centre = middle(grid) + np.array((0.2, 0.3, -0.4))
    found = sphere_weights(grid, centre, 4.5)
    fine = (np.arange(30) + 0.5) / 30 - 0.5
    parts = np.stack(np.meshgrid(fine, fine, fine), axis=-1).reshape(-1, 3)
    for number, row, column in list(np.ndindex(found.values.shape))[::7]:
        index = np.array((column, row, number)) + found.first[::-1]
        near = np.linalg.norm(grid.to_patient.apply(parts + index) - centre, axis=1) <= 4.5
        assert found.values[number, row, column] == pytest.approx(near.mean(), abs=5e-3)


def test_weights_lie_where_they_say() -> None:
    grid = grid_of((10, 11, 12), (2, 3, 4), (-5, 6, 7))
    found = sphere_weights(grid, grid.to_patient.apply((7, 4, 5)), 5)
    at = (points_of(grid)[found.where] * found.values[..., None]).sum(axis=(0, 1, 2)) / found.values.sum()
    assert at == pytest.approx(grid.to_patient.apply((7, 4, 5)))
    assert found.values[tuple(np.array((5, 4, 7)) - found.first)] == 1


def test_a_ball_at_the_edge_is_cut_and_says_so() -> None:
    grid = grid_of((20, 20, 20))
    half = sphere_weights(grid, (-0.5, 10, 10), 5)
    assert not half.is_whole
    assert half.volume_ml * 1000 == pytest.approx(2 / 3 * np.pi * 125, rel=1e-3)
    beside = sphere_weights(grid, (-50, 10, 10), 5)
    assert beside.values.size == 0
    assert beside.volume_ml == 0
    assert grid_of((4, 4, 4)).shape == (4, 4, 4)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_sphere_is_the_voxels_whose_centres_are_within_its_radius(placement: str) -> None:
    grid = placed((14, 20, 21), placement)
    centre = middle(grid) + np.array((0.1, 0.2, 0.3))
    assert np.array_equal(mask_of(grid, sphere(centre, 8)).inside, ball_mask(grid, centre.tolist(), 8).inside)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_every_solid_has_its_volume_on_every_grid(placement: str) -> None:
    grid = placed((40, 60, 60), placement)
    centre = middle(grid)
    solids = [
        ellipsoid(centre, (12, 9, 15)),
        box(centre, (20, 14, 25)),
        cylinder(centre - np.array((4, 9, 3)), centre + np.array((4, 9, 3)), 7),
        Solid(Shape.BOX, centre, TURN @ np.diag((9, 8, 7))),
        Solid(Shape.ELLIPSOID, centre, TURN @ np.diag((9, 14, 7))),
    ]
    expected = [4 / 3 * np.pi * 12 * 9 * 15, 7000, np.pi * 49 * 2 * np.sqrt(106), 8 * 504, 4 / 3 * np.pi * 882]
    for solid, volume in zip(solids, expected, strict=True):
        assert solid.volume_mm3 == pytest.approx(volume)
        rounded = 1e-3 if solid.shape is Shape.ELLIPSOID else 1e-2
        assert weights(grid, solid).volume_ml * 1000 == pytest.approx(volume, rel=rounded)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_voxels_of_every_solid_are_those_whose_centres_lie_in_it(placement: str) -> None:
    grid = placed((20, 40, 40), placement)
    centre = middle(grid) + np.array((0.1, 0.2, 0.3))
    for shape in Shape:
        axes = TURN @ np.diag((9, 8, 7))
        unit = (points_of(grid) - centre) @ np.linalg.inv(axes).T
        inside = {
            Shape.ELLIPSOID: (unit**2).sum(axis=-1) <= 1,
            Shape.BOX: np.abs(unit).max(axis=-1) <= 1,
            Shape.CYLINDER: (np.hypot(unit[..., 0], unit[..., 1]) <= 1) & (np.abs(unit[..., 2]) <= 1),
        }[shape]
        assert np.array_equal(mask_of(grid, Solid(shape, centre, axes)).inside, inside)


def test_the_voxels_of_a_box_are_those_within_its_sides() -> None:
    grid = grid_of((10, 10, 10))
    inside = mask_of(grid, box((4.5, 5.0, 6.0), (4, 2, 1))).inside
    expected = np.zeros(grid.shape, dtype=np.bool_)
    expected[6, 4:7, 3:7] = True
    assert np.array_equal(inside, expected)


def test_a_cylinder_along_an_axis_is_a_disc_in_each_slice() -> None:
    grid = Grid.of((10, 30, 30), (1, 1, 1), (-15, -15, 0), FRAME)
    inside = mask_of(grid, cylinder((0, 0, 2), (0, 0, 7), 6)).inside
    assert np.flatnonzero(inside.any(axis=(1, 2))).tolist() == [2, 3, 4, 5, 6, 7]
    assert np.array_equal(inside[2], np.hypot(*np.mgrid[-15:15, -15:15]) <= 6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: sphere((0, 0, 0), 0),
        lambda: sphere((0, 0, 0), np.nan),
        lambda: ellipsoid((0, 0, 0), (1, -1, 1)),
        lambda: box((0, np.inf, 0), (1, 1, 1)),
        lambda: cylinder((1, 1, 1), (1, 1, 1), 2),
    ],
)
def test_solids_without_volume_or_place_are_refused(make: object) -> None:
    with pytest.raises(InvalidRegion):
        make()  # type: ignore[operator]
