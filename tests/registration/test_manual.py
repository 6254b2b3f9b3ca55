"""Registration by hand: six parameters and the transform, both ways."""

from __future__ import annotations

import numpy as np
import pytest

from radfuse.core.errors import CannotRegister
from radfuse.geometry import Affine, Grid
from radfuse.registration.manual import SixParameters
from tests.registration.made_rigid import FIXED, MOVING
from tests.volume.made import turned

GRID = Grid.of((20, 30, 40), (2, 2, 3), (-10, 50, 600), MOVING)
MIDDLE = GRID.corners_mm.mean(axis=0)


def test_nothing_turned_and_nothing_shifted_is_the_identity() -> None:
    assert np.allclose(SixParameters((1, 2, 3)).transform.matrix, np.eye(4))


def test_a_shift_carries_the_moving_images_that_way() -> None:
    moved = SixParameters((1, 2, 3), shift_mm=(10, 0, -5))
    assert np.allclose(moved.transform.inverse().apply((0, 0, 0)), (10, 0, -5))


def test_a_turn_is_about_the_centre_and_right_handed() -> None:
    turn = SixParameters((100, 0, 0), turn_degrees=(0, 0, 90)).transform.inverse()
    assert np.allclose(turn.apply((100, 0, 7)), (100, 0, 7))
    assert np.allclose(turn.apply((101, 0, 0)), (100, 1, 0))


@pytest.mark.parametrize("degrees", [(0, 0, 0), (10, -20, 30), (170, 60, -120), (35, 90, 0), (-20, -90, 0)])
def test_a_transform_gives_its_parameters_back(degrees: tuple[float, float, float]) -> None:
    given = SixParameters(tuple(MIDDLE), (4, -5, 6), degrees)
    read = SixParameters.of(given.transform, GRID)
    assert np.allclose(read.transform.matrix, given.transform.matrix)
    assert np.allclose(read.turn_degrees, degrees)
    assert np.allclose(read.shift_mm, (4, -5, 6))


def test_what_scales_has_no_six_parameters() -> None:
    with pytest.raises(CannotRegister, match="scales or shears"):
        SixParameters.of(Affine.of(1.1 * np.eye(3), (0, 0, 0)), GRID)


def test_centred_puts_the_middles_on_each_other() -> None:
    fixed = Grid.of((10, 10, 10), (3, 3, 3), (0, 0, -900), FIXED)
    transform = SixParameters.centred(fixed, GRID).transform
    assert np.allclose(transform.apply(fixed.corners_mm.mean(axis=0)), MIDDLE)


def test_a_nudge_turns_about_where_the_centre_now_is() -> None:
    before = SixParameters(tuple(MIDDLE), (4, -5, 6), (10, 20, 30))
    after = before.nudged(turn_degrees=(0, 0, 2))
    centre = before.transform.inverse().apply(MIDDLE)
    assert np.allclose(after.transform.inverse().apply(MIDDLE), centre)
    assert np.allclose(after.transform.inverse().linear, turned(2) @ before.transform.inverse().linear)


def test_a_nudge_along_an_axis_leaves_the_angles_as_they_were_typed() -> None:
    after = SixParameters((0, 0, 0), turn_degrees=(200, 0, 0)).nudged((0, 0.5, 0))
    assert after.turn_degrees == (200, 0, 0)
    assert after.shift_mm == (0, 0.5, 0)


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(CannotRegister, match="finite"):
        SixParameters((0, 0, float("nan")))
