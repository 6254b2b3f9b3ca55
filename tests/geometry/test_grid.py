"""Grids: from indices to millimetres, also where they are oblique, sheared or left-handed."""

from __future__ import annotations

import numpy as np
import pytest

from radfuse.core.errors import FramesDiffer, InvalidGeometry
from radfuse.geometry import Affine, FrameOfReference, Grid

FRAME = FrameOfReference("2.25.1")
GRID = Grid.of((5, 4, 3), (1.0, 2.0, 3.0), (-10.0, -20.0, -30.0), FRAME)
TILTED = Grid((5, 4, 3), Affine.of([[1, 0, 0], [0, 2, 1], [0, 0, 3]], (0, 0, 0)), FRAME)


def test_spacing_and_volume_of_an_axial_grid() -> None:
    assert GRID.spacing_mm == (1.0, 2.0, 3.0)
    assert GRID.voxel_volume_mm3 == pytest.approx(6)
    assert GRID.normal.tolist() == [0, 0, 1]
    assert GRID.directions.tolist() == np.eye(3).tolist()
    assert not GRID.is_sheared


def test_a_tilted_gantry_is_sheared_and_keeps_the_distance_of_its_planes() -> None:
    assert TILTED.is_sheared
    assert TILTED.spacing_mm == pytest.approx((1, 2, 3))
    assert TILTED.voxel_volume_mm3 == pytest.approx(6)


def test_indices_are_column_row_slice() -> None:
    assert GRID.to_patient.apply((2, 3, 4)).tolist() == [-8, -14, -18]
    assert GRID.slice_points_mm(4)[3, 2].tolist() == [-8, -14, -18]
    assert GRID.from_patient.apply((-8, -14, -18)).tolist() == pytest.approx([2, 3, 4])
    assert GRID.origin_mm.tolist() == [-10, -20, -30]


def test_corners_are_at_the_edges_of_the_voxels() -> None:
    assert GRID.corners_mm.min(axis=0).tolist() == [-10.5, -21, -31.5]
    assert GRID.corners_mm.max(axis=0).tolist() == [-7.5, -13, -16.5]


def test_a_point_belongs_to_the_grid_up_to_the_edge_of_its_voxels() -> None:
    inside = GRID.contains([(-10.5, -21, -31.5), (-7.5, -14, -18), (-7.6, -13.1, -16.6), (-10.6, -20, -30)])
    assert inside.tolist() == [True, False, True, False]


def test_a_part_of_a_grid_lies_where_it_was() -> None:
    part = GRID.cropped((1, 2, 1), (2, 2, 2))
    assert part.shape == (2, 2, 2)
    assert part.origin_mm.tolist() == GRID.to_patient.apply((1, 2, 1)).tolist()


def test_grids_match_by_frame_shape_and_place() -> None:
    assert GRID.matches(Grid.of((5, 4, 3), (1, 2, 3), (-10, -20, -30.0005), FRAME))
    assert not GRID.matches(Grid.of((5, 4, 3), (1, 2, 3), (-10, -20, -30.1), FRAME))
    assert not GRID.matches(Grid.of((5, 4, 4), (1, 2, 3), (-10, -20, -30), FRAME))
    assert not GRID.matches(Grid.of((5, 4, 3), (1, 2, 3), (-10, -20, -30), FrameOfReference("2.25.2")))


@pytest.mark.parametrize("shape", [(0, 4, 3), (1 << 20, 1 << 20, 2)])
def test_an_empty_or_absurd_grid_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(InvalidGeometry, match="slices, rows and columns"):
        Grid.of(shape, (1, 1, 1), (0, 0, 0), FRAME)


def test_unknown_frames_are_never_the_same() -> None:
    unknown = FrameOfReference()
    assert not unknown.is_known
    assert not unknown.is_same_as(unknown)
    FRAME.require_same(FrameOfReference("2.25.1"), "the PET and the CT")
    with pytest.raises(FramesDiffer, match="the PET and the CT are not registered"):
        FRAME.require_same(unknown, "the PET and the CT")
