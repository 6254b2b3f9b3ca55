"""Chains of transforms: in order, back again, and undefined where a field ends."""

from __future__ import annotations

import numpy as np
import pytest

from radfuse.geometry import Affine, Chain, DisplacementField, FrameOfReference, Grid, InverseField

FRAME = FrameOfReference("2.25.1")
GRID = Grid.of((9, 9, 9), (5, 5, 5), (-20, -20, -20), FRAME)
SHIFT = Affine.of(np.eye(3), (1, 2, 3))
DOUBLE = Affine.of(2 * np.eye(3), (0, 0, 0))


def wavy() -> DisplacementField:
    index = np.moveaxis(np.indices(GRID.shape), 0, -1) / 8
    return DisplacementField(GRID, (2 * np.sin(3 * index)).astype(np.float32))


def test_steps_are_taken_in_order() -> None:
    assert Chain((SHIFT, DOUBLE)).apply((0, 0, 0)).tolist() == [2, 4, 6]
    assert Chain().apply((1, 2, 3)).tolist() == [1, 2, 3]


def test_neighbouring_matrices_become_one() -> None:
    whole = Chain((SHIFT,)).then(Chain((DOUBLE,)))
    assert len(whole.steps) == 1
    assert whole.is_affine
    assert whole.affine().apply((0, 0, 0)).tolist() == [2, 4, 6]
    assert Chain().affine().apply((1, 2, 3)).tolist() == [1, 2, 3]


def test_the_way_back_leads_back_through_a_field() -> None:
    chain = Chain((SHIFT, wavy(), SHIFT))
    points = np.random.default_rng(1).uniform(-12, 12, (50, 3))
    assert not chain.is_affine
    assert np.abs(chain.inverse().apply(chain.apply(points)) - points).max() < 1e-3
    assert np.abs(chain.inverse().inverse().apply(points) - chain.apply(points)).max() == 0


def test_where_a_field_ends_nothing_is_known() -> None:
    far = np.array([[100.0, 0, 0], [0, 0, 0]])
    assert np.isnan(Chain((wavy(), DOUBLE)).apply(far)).all(axis=1).tolist() == [True, False]
    assert np.isnan(InverseField(wavy()).apply(far)).all(axis=1).tolist() == [True, False]


def stretching(slope: float) -> DisplacementField:
    """x goes to (1 + slope) x."""
    vectors = np.zeros((*GRID.shape, 3), np.float32)
    vectors[..., 0] = slope * GRID.slice_points_mm(0)[..., 0]
    return DisplacementField(GRID, vectors)


@pytest.mark.parametrize("slope", [-0.9, 0.5, 1.0, 2.0])
def test_the_way_back_is_found_where_volumes_shrink_to_a_tenth_and_grow_threefold(slope: float) -> None:
    points = np.array([[-6.0, 1, 2], [0.5, 3, 4], [5, 6, 7]])
    field = stretching(slope)
    assert np.abs(InverseField(field).apply(field.apply(points)) - points).max() < 2e-3


def test_where_the_way_back_is_not_found_nothing_is_said() -> None:
    """Eightfold: steps lead to and fro for ever. A point on that way would be a wrong answer."""
    found = InverseField(stretching(7.0)).apply(np.array([[4.0, 0, 0], [0, 1, 2]]))
    assert np.isnan(found).all(axis=1).tolist() == [True, False]


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 4, 3)])
def test_points_keep_their_shape(shape: tuple[int, ...]) -> None:
    assert Chain((wavy(),)).inverse().apply(np.zeros(shape)).shape == shape
