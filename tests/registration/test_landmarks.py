"""Registration by pairs of points."""

from __future__ import annotations

import numpy as np
import pytest

from radfuse.core.errors import CannotRegister
from radfuse.geometry import Affine, Points
from radfuse.registration.landmarks import FEWEST, LandmarkKind, far_apart, fit_landmarks
from tests.volume.made import turned

TURN = turned(35) @ turned(-20, 0)
SHIFT = np.array((120.0, -45.0, 800.0))
EXACT = {
    LandmarkKind.TRANSLATION: Affine.of(np.eye(3), SHIFT),
    LandmarkKind.RIGID: Affine.of(TURN, SHIFT),
    LandmarkKind.SIMILARITY: Affine.of(1.3 * TURN, SHIFT),
    LandmarkKind.AFFINE: Affine.of(TURN @ np.diag((1.1, 0.8, 1.05)) + 0.05, SHIFT),
}


def points(count: int = 8) -> Points:
    made: Points = np.random.default_rng(3).uniform(-90, 90, (count, 3)) + np.array((10, 20, -700))
    return made


@pytest.mark.parametrize("kind", LandmarkKind)
def test_exact_pairs_give_the_exact_transform(kind: LandmarkKind) -> None:
    fit = fit_landmarks(points(), EXACT[kind].apply(points()), kind)
    assert np.abs(fit.transform.apply(points(50)) - EXACT[kind].apply(points(50))).max() < 1e-8
    assert fit.rms_mm < 1e-8
    assert fit.expected_error_mm < 1e-8


@pytest.mark.parametrize("kind", LandmarkKind)
def test_the_fewest_pairs_are_enough_and_one_less_is_refused(kind: LandmarkKind) -> None:
    few = points(FEWEST[kind])
    fit = fit_landmarks(few, EXACT[kind].apply(few), kind)
    assert fit.rms_mm < 1e-8
    assert np.isnan(fit.left_out_mm).all()
    assert np.isnan(fit.expected_error_mm)
    with pytest.raises(CannotRegister, match=f"needs {FEWEST[kind]} pairs"):
        fit_landmarks(few[:-1], EXACT[kind].apply(few)[:-1], kind)


def test_a_rigid_fit_of_a_mirrored_body_is_still_no_mirror() -> None:
    mirrored = points() * (-1, 1, 1)
    for kind in (LandmarkKind.RIGID, LandmarkKind.SIMILARITY):
        assert np.linalg.det(fit_landmarks(points(), mirrored, kind).transform.linear) > 0
    assert fit_landmarks(points(), mirrored).transform.is_rigid


def test_the_pair_that_does_not_fit_is_named() -> None:
    moving = EXACT[LandmarkKind.RIGID].apply(points())
    moving[5] += (0, 12, 0)
    fit = fit_landmarks(points(), moving)
    assert fit.worst == 5
    assert fit.left_out_mm[5] == pytest.approx(12, abs=1e-6)
    assert fit.residuals_mm[5] < 12


def test_where_no_pair_can_be_left_out_the_residuals_name_the_worst() -> None:
    triangle = np.array([[0.0, 0, 0], [60, 0, 0], [0, 60, 0]])
    moving = triangle.copy()
    moving[1] = (75, 0, 0)
    fit = fit_landmarks(triangle, moving)
    assert fit.worst == int(np.argmax(fit.residuals_mm))
    assert fit.rms_mm > 1


def test_left_out_errors_are_larger_than_residuals_where_clicks_are_rough() -> None:
    clicks = np.random.default_rng(8).normal(0, 2, (6, 3))
    fit = fit_landmarks(points(6), EXACT[LandmarkKind.RIGID].apply(points(6)) + clicks)
    assert fit.expected_error_mm > fit.rms_mm > 0.5


def test_points_that_leave_the_transform_open_are_refused() -> None:
    line = np.outer(np.arange(5.0), (3, 2, 1))
    with pytest.raises(CannotRegister, match="on one line"):
        fit_landmarks(line, line, "rigid")
    with pytest.raises(CannotRegister, match="on one line"):
        fit_landmarks(points(5), line, "similarity")
    plane = points(6) * (1, 1, 0)
    with pytest.raises(CannotRegister, match="in one plane"):
        fit_landmarks(plane, plane, "affine")
    with pytest.raises(CannotRegister, match="in one plane"):
        fit_landmarks(points(6), plane, "affine")
    assert fit_landmarks(plane, plane, "rigid").rms_mm < 1e-8
    with pytest.raises(CannotRegister, match="on one line"):
        fit_landmarks(np.zeros((4, 3)), np.zeros((4, 3)))


def test_what_is_no_set_of_pairs_is_refused() -> None:
    with pytest.raises(CannotRegister, match="in pairs"):
        fit_landmarks(points(4), points(5))
    with pytest.raises(CannotRegister, match="no finite number"):
        fit_landmarks(points(4), np.full((4, 3), np.nan))
    with pytest.raises(CannotRegister, match="translation, rigid, similarity, affine"):
        fit_landmarks(points(4), points(4), "elastic")


def test_three_of_many_landmarks_that_lie_far_apart_are_found() -> None:
    corners = np.array([[0.0, 0, 0], [90, 0, 0], [40, 60, 5]])
    near = np.random.default_rng(2).normal((45, 20, 2), 6, (30, 3))
    assert sorted(far_apart(np.vstack((near[:10], corners, near[10:])))) == [10, 11, 12]
    in_line = np.arange(5.0)[:, None] * (1, 2, 3)
    assert len(set(far_apart(in_line)[:2])) == 2
