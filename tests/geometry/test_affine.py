"""Affine transforms: what they refuse, where they send points, how they combine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from radfuse.core.errors import InvalidGeometry
from radfuse.geometry import Affine

TURN = Affine.of([[0, -1, 0], [1, 0, 0], [0, 0, 1]], (10, 20, 30))


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (np.eye(3), "4 x 4 finite"),
        (np.full((4, 4), np.nan), "4 x 4 finite"),
        (np.diag([1.0, 1, 1, 2]), "last row"),
        (np.diag([1.0, 1, 0, 1]), "singular"),
    ],
)
def test_what_is_no_transform_is_refused(matrix: npt.NDArray[np.float64], reason: str) -> None:
    with pytest.raises(InvalidGeometry, match=reason):
        Affine(matrix)


def test_points_of_any_shape_are_turned_and_shifted() -> None:
    assert TURN.apply((1, 0, 0)).tolist() == [10, 21, 30]
    assert TURN.apply(np.zeros((2, 5, 3))).shape == (2, 5, 3)


def test_the_way_back_leads_back() -> None:
    points = np.random.default_rng(1).normal(size=(20, 3))
    assert np.allclose(TURN.inverse().apply(TURN.apply(points)), points)


def test_after_applies_the_other_one_first() -> None:
    double = Affine.of(np.eye(3) * 2, (0, 0, 0))
    assert TURN.after(double).apply((1, 0, 0)).tolist() == [10, 22, 30]
    assert double.after(TURN).apply((1, 0, 0)).tolist() == [20, 42, 60]


def test_only_turning_and_shifting_is_rigid() -> None:
    assert TURN.is_rigid
    assert Affine.identity().is_rigid
    assert not Affine.of(np.eye(3) * 1.01, (0, 0, 0)).is_rigid
    assert not Affine.of(np.diag([1, 1, -1]), (0, 0, 0)).is_rigid


def test_the_matrix_cannot_be_changed_from_outside() -> None:
    matrix = np.eye(4)
    affine = Affine(matrix)
    matrix[0, 3] = 7
    assert affine.translation.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        affine.matrix[0, 0] = 2
