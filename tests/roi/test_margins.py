"""Margins: how far, in which direction, on which grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Affine, Grid, Mask
from radfuse.roi.drawing import mask_of, sphere
from radfuse.roi.margins import Margin, with_margin
from tests.support.measuring import FRAME, ball_mask, grid_of
from tests.support.shapes import PLACEMENTS, noise, placed


def point(grid: Grid, *index: int) -> Mask:
    inside = np.zeros(grid.shape, dtype=np.bool_)
    inside[index] = True
    return Mask(grid, inside)


@pytest.mark.parametrize(
    ("spacing", "tolerance"), [((1, 1, 1), 0.02), ((1.5, 1.5, 3), 0.05), ((1, 1, 2), 0.05)], ids=str
)
@pytest.mark.parametrize(("radius", "margin"), [(12, 5), (12, 8), (18, -5), (20, -8)])
def test_a_ball_grows_and_shrinks_to_a_ball(
    spacing: tuple[float, float, float], tolerance: float, radius: float, margin: float
) -> None:
    size = np.ceil((2 * max(radius, radius + margin) + 6) / np.array(spacing)).astype(int)
    errors = []
    for aside in np.random.default_rng(2).uniform(-0.5, 0.5, (4, 3)):
        grid = grid_of(tuple(size[::-1].tolist()), spacing, (aside - (size - 1) / 2) * spacing)
        grown = with_margin(ball_mask(grid, (0, 0, 0), radius), Margin.all_round(margin))
        errors.append(grown.volume_ml * 1000 / (4 / 3 * np.pi * (radius + margin) ** 3) - 1)
    # The mean over positions, as an error of the radius: within a fifth of a voxel.
    assert abs(np.mean(errors)) * (radius + margin) / 3 < 0.2 * max(spacing)
    assert abs(np.mean(errors)) < 3 * tolerance


def test_a_margin_of_whole_voxels_moves_a_flat_side_by_as_much() -> None:
    grid = grid_of((9, 40, 40), (1, 1, 3))
    inside = np.zeros(grid.shape, dtype=np.bool_)
    inside[4, 10:30, 10:30] = True
    grown = with_margin(Mask(grid, inside), Margin.all_round(6)).inside
    assert np.flatnonzero(grown[:, 20, 20]).tolist() == [2, 3, 4, 5, 6]
    assert np.flatnonzero(grown[4, 20]).tolist() == list(range(4, 36))
    back = with_margin(Mask(grid, grown), Margin.all_round(-6)).inside
    assert np.array_equal(back, inside)


@pytest.mark.parametrize(
    ("direction", "axis", "sign"),
    [
        ("left", 2, 1),
        ("right", 2, -1),
        ("posterior", 1, 1),
        ("anterior", 1, -1),
        ("superior", 0, 1),
        ("inferior", 0, -1),
    ],
)
def test_each_direction_is_that_of_the_patient(direction: str, axis: int, sign: int) -> None:
    grid = grid_of((11, 11, 11))
    grown = with_margin(point(grid, 5, 5, 5), Margin(**{direction: 3}))
    expected = [5, 5, 5]
    found = np.argwhere(grown.inside)
    expected[axis] += 3 * sign
    assert len(found) == 4
    assert expected in found.tolist()
    shrunk = with_margin(grown, Margin(**{direction: -3}))
    assert np.argwhere(shrunk.inside).tolist() == [[5, 5, 5]]


def test_directions_hold_on_a_grid_that_runs_the_other_way() -> None:
    coronal = placed((9, 9, 9), "coronal")  # columns to the left, rows to the feet, slices to the back
    grown = with_margin(point(coronal, 4, 4, 4), Margin(superior=2.4))
    assert sorted(np.argwhere(grown.inside).tolist()) == [[4, 2, 4], [4, 3, 4], [4, 4, 4]]


def test_growing_one_way_and_shrinking_the_other_moves_a_region() -> None:
    grid = grid_of((5, 11, 11))
    mask = Mask(grid, np.pad(np.ones((5, 3, 3), dtype=np.bool_), ((0, 0), (4, 4), (4, 4))))
    moved = with_margin(mask, Margin(left=2, right=-2))
    assert np.array_equal(moved.inside, np.roll(mask.inside, 2, axis=2))


def test_unequal_margins_make_parts_of_ellipsoids() -> None:
    grid = grid_of((41, 41, 41))
    margin = Margin(left=12, right=6, anterior=9, posterior=3, superior=8, inferior=5)
    grown = with_margin(point(grid, 20, 20, 20), margin)
    radii = (18 + 0.6) / 2, (12 + 0.6) / 2, (13 + 0.6) / 2
    assert grown.voxels == pytest.approx(4 / 3 * np.pi * np.prod(radii), rel=0.03)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_on_any_grid_a_point_grows_to_a_ball(placement: str) -> None:
    grid = placed((17, 27, 27), placement)
    grown = with_margin(point(grid, 8, 13, 13), Margin.all_round(9))
    centre = grid.to_patient.apply((13, 13, 8))
    smallest, largest = (
        mask_of(grid, sphere(centre, radius)).inside for radius in (9, 9 + 0.31 * max(grid.spacing_mm))
    )
    assert not (smallest & ~grown.inside).any()
    assert not (grown.inside & ~largest).any()


@pytest.mark.parametrize("margin", [Margin.all_round(4), Margin.all_round(-2), Margin(left=5, superior=3, anterior=2)])
def test_a_slightly_turned_grid_gives_what_a_straight_one_gives(margin: Margin) -> None:
    """The straight grid goes axis by axis, the sheared one by runs of voxels: two ways, one answer."""
    straight = grid_of((9, 20, 22), (1.1, 1.3, 2.1))
    linear = straight.to_patient.linear.copy()
    linear[0, 2] += 0.0025
    sheared = Grid(straight.shape, Affine.of(linear, straight.origin_mm), FRAME)
    assert sheared.is_sheared
    mask = noise(straight, 0.03 if margin.left > 0 else 0.97, 4)
    found = with_margin(Mask(sheared, mask.inside), margin)
    assert np.array_equal(found.inside, with_margin(mask, margin).inside)
    assert found.voxels not in (0, mask.voxels)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), mm=st.floats(-6, 6), more=st.floats(0, 3))
def test_margins_are_monotone(seed: int, mm: float, more: float) -> None:
    mask = noise(grid_of((7, 12, 12), (1, 1.5, 2)), 0.3, seed)
    larger = Mask(mask.grid, mask.inside | noise(mask.grid, 0.2, seed + 1).inside)
    small = with_margin(mask, Margin.all_round(mm)).inside
    assert not (small & ~with_margin(mask, Margin.all_round(mm + more)).inside).any()
    assert not (small & ~with_margin(larger, Margin.all_round(mm)).inside).any()
    if mm >= 0:
        assert not (mask.inside & ~small).any()


def test_no_margin_changes_nothing_and_an_empty_region_stays_empty() -> None:
    mask = noise(grid_of((5, 6, 7)), 0.5, 1)
    assert np.array_equal(with_margin(mask, Margin()).inside, mask.inside)
    empty = Mask(mask.grid, np.zeros(mask.grid.shape, dtype=np.bool_))
    assert with_margin(empty, Margin.all_round(5)).voxels == 0
    assert with_margin(empty, Margin.all_round(-5)).voxels == 0


def test_a_region_shrinks_from_the_edge_of_the_grid_too() -> None:
    full = noise(grid_of((9, 9, 9)), 2, 0)
    assert np.argwhere(with_margin(full, Margin.all_round(-3)).inside).min() == 3


@pytest.mark.parametrize("mm", [np.nan, np.inf, 201, -500])
def test_absurd_margins_are_refused(mm: float) -> None:
    with pytest.raises(InvalidRegion, match="at most 200"):
        Margin(left=mm)
