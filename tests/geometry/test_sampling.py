"""Chains as one field: exact where they can be, sampled where not, and undefined where nothing is known."""

from __future__ import annotations

import numpy as np
import pytest

from radfuse.geometry import Affine, Chain, DisplacementField, FrameOfReference, Grid
from radfuse.geometry.sampling import sampled, single_field

FIXED, OTHER = FrameOfReference("2.25.1"), FrameOfReference("2.25.2")
TURN = Affine.of(np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]), (5, -3, 2))


def field(frame: FrameOfReference = OTHER, count: int = 11) -> DisplacementField:
    grid = Grid.of((count,) * 3, (4, 4, 4), (-(count // 2) * 4.0,) * 3, frame)
    vectors = np.random.default_rng(1).uniform(-2, 2, (*grid.shape, 3)).astype(np.float32)
    return DisplacementField(grid, vectors)


def some_points(reach_mm: float, count: int = 300) -> np.ndarray:
    return np.random.default_rng(2).uniform(-reach_mm, reach_mm, (count, 3))


def test_matrices_around_a_field_become_part_of_it_exactly() -> None:
    chain = Chain((TURN, field(), TURN.inverse()))
    made = single_field(chain, FIXED)
    assert made is not None
    assert made.grid.frame == FIXED
    points = some_points(25)
    expected, found = chain.apply(points), made.apply(points)
    assert np.array_equal(np.isnan(expected), np.isnan(found))
    assert 50 < np.isfinite(found).all(axis=-1).sum() < 290
    assert np.nanmax(np.abs(expected - found)) < 1e-5


def test_other_chains_are_no_single_field() -> None:
    assert single_field(Chain((TURN,)), FIXED) is None
    assert single_field(Chain((field(), field())), FIXED) is None
    assert single_field(Chain((field(),)).inverse(), FIXED) is None


def test_a_sampled_chain_is_right_at_its_points_and_says_where_nothing_is_known() -> None:
    grid = Grid.of((9, 21, 31), (1, 1.5, 5), (-10, -10, -20), FIXED)
    chain = Chain((TURN, field(count=7)))
    made = sampled(chain, grid, 4)
    assert made.field.grid.shape == (9, 9, 9)  # 40 mm in 5, 30 mm in 4, 30 mm in 4
    assert np.allclose(made.field.grid.corners_mm.mean(axis=0), grid.corners_mm.mean(axis=0))
    points = np.stack([made.field.grid.slice_points_mm(index) for index in range(9)])
    expected = chain.apply(points)
    known = np.isfinite(expected).all(axis=-1)
    assert 0 < known.sum() < known.size
    assert np.array_equal(known, made.known)
    assert np.abs(made.field.apply(points) - expected)[known].max() < 1e-4
    assert (np.linalg.norm(made.field.apply(points) - points, axis=-1)[~known] > 1e5).all()


def test_a_voxel_is_known_when_its_whole_cell_is() -> None:
    grid = Grid.of((1, 9, 9), (1, 1, 1), (0, 0, 0), FIXED)
    made = sampled(Chain((field(FIXED, count=3),)), grid, 2)  # the field ends at 4 mm
    known = made.known_at(grid)
    assert known.shape == grid.shape
    assert known[0, :4, :4].all()
    assert not known[0, 5:, :].any()
    assert not known[0, :, 5:].any()
    whole = sampled(Chain((TURN,)), grid, 2)
    assert whole.known_at(grid).all()


@pytest.mark.parametrize("spacing_mm", [0.1, 1.0])
def test_it_is_never_finer_than_the_grid(spacing_mm: float) -> None:
    grid = Grid.of((2, 3, 4), (1, 1, 1), (0, 0, 0), FIXED)
    assert sampled(Chain((TURN,)), grid, spacing_mm).field.grid.matches(grid)
