"""Masks, contours and displacement fields: what they refuse, and where fields send points."""

from __future__ import annotations

import numpy as np
import pytest

from radfuse.core.errors import InvalidGeometry
from radfuse.geometry import Contour, DisplacementField, FrameOfReference, Grid, Mask, Structure

FRAME = FrameOfReference("2.25.1")
GRID = Grid.of((3, 4, 5), (2.0, 2.0, 5.0), (0.0, 0.0, 0.0), FRAME)


def test_a_mask_counts_its_voxels() -> None:
    inside = np.zeros(GRID.shape, dtype=np.bool_)
    inside[1, 1:3, 1:3] = True
    mask = Mask(GRID, inside)
    assert mask.voxels == 4
    assert mask.volume_ml == pytest.approx(4 * 20 / 1000)
    with pytest.raises(ValueError, match="read-only"):
        mask.inside[0, 0, 0] = True


@pytest.mark.parametrize("inside", [np.zeros((3, 4, 4), dtype=np.bool_), np.zeros(GRID.shape, dtype=np.uint8)])
def test_a_mask_of_another_shape_or_type_is_refused(inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> None:
    with pytest.raises(InvalidGeometry, match="one truth value"):
        Mask(GRID, inside)


@pytest.mark.parametrize("points", [np.zeros((2, 3)), np.zeros((4, 2)), np.full((3, 3), np.inf), np.zeros(9)])
def test_what_is_no_outline_is_refused(points: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    with pytest.raises(InvalidGeometry, match="three points or more"):
        Contour(points)


def test_a_contour_keeps_its_points() -> None:
    points = np.eye(3)
    structure = Structure("GTV", FRAME, (Contour(points, "2.25.5"),))
    points[:] = 0
    assert structure.contours[0].points_mm.tolist() == np.eye(3).tolist()


def test_a_field_interpolates_between_its_points() -> None:
    vectors = np.zeros((*GRID.shape, 3), dtype=np.float32)
    vectors[..., 0] = np.arange(5)  # grows by 0.5 mm a mm along x
    field = DisplacementField(GRID, vectors)
    assert field.apply((3.0, 2.0, 7.0)).tolist() == pytest.approx([4.5, 2.0, 7.0])
    assert field.apply((8.0, 6.0, 10.0)).tolist() == pytest.approx([12.0, 6.0, 10.0])


def test_outside_a_field_nothing_is_known() -> None:
    field = DisplacementField(GRID, np.zeros((*GRID.shape, 3), dtype=np.float32))
    moved = field.apply([[[0.0, 0.0, 0.0], [8.5, 0.0, 0.0]]])
    assert moved.shape == (1, 2, 3)
    assert np.isnan(moved[0, 1]).all()
    assert not np.isnan(moved[0, 0]).any()


def test_a_field_of_one_slice_can_be_used() -> None:
    grid = Grid.of((1, 2, 2), (1, 1, 1), (0, 0, 0), FRAME)
    field = DisplacementField(grid, np.ones((1, 2, 2, 3), dtype=np.float32))
    assert field.apply((0.5, 0.5, 0)).tolist() == [1.5, 1.5, 1]


def test_a_field_of_another_shape_or_with_holes_is_refused() -> None:
    for vectors in (np.zeros((3, 4, 5, 2), np.float32), np.full((3, 4, 5, 3), np.nan, np.float32)):
        with pytest.raises(InvalidGeometry, match="three finite numbers"):
            DisplacementField(GRID, vectors)
