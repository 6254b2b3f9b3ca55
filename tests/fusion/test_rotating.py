"""The rotating projection: who is where, nothing lost, nothing invented."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from radfuse.core.errors import InvalidGeometry
from radfuse.fusion import RotatingProjection, rotating_mip
from radfuse.geometry import Affine, Grid
from radfuse.volume import Unit, Volume
from tests.volume.made import FRAME, SOURCE, tilted_grid, turned, volume_of


def nearest(grid: Grid, point_mm: tuple[float, float, float]) -> tuple[int, int, int]:
    """Column, row and slice of the voxel that holds a point."""
    column, row, at = np.rint(grid.from_patient.apply(point_mm)).astype(int).tolist()
    return column, row, at


def with_points(grid: Grid, points_mm: list[tuple[float, float, float]]) -> Volume:
    """Hot voxels of 10, 20, 30, ... at points of the patient."""
    voxels = np.zeros(grid.shape, np.float32)
    for number, point in enumerate(points_mm, 1):
        column, row, at = nearest(grid, point)
        voxels[at, row, column] = 10 * number
    return Volume(voxels, grid, Unit.SUV_BW, SOURCE)


def seen_at(made: RotatingProjection, frame: int, value: float) -> npt.NDArray[np.float64]:
    """Where a value is seen in a picture, in mm."""
    row, column = np.argwhere(made.pictures[frame] == value)[0]
    return made.grids[frame].to_patient.apply((column, row, 0))


BODY = Grid.of((20, 40, 50), (2.0, 2.0, 3.0), (-49.0, -39.0, -100.0), FRAME)
LEFT, FRONT, HEAD = (30.0, 3.0, -70.0), (3.0, -30.0, -76.0), (-5.0, 9.0, -50.0)


def test_the_first_picture_is_seen_from_the_front_and_the_second_quarter_from_the_left() -> None:
    made = rotating_mip(with_points(BODY, [LEFT, FRONT, HEAD]), 4)
    assert made.angles_deg == (0, 90, 180, 270)

    def columns(value: float) -> list[int]:
        return [int(np.argwhere(picture == value)[0][1]) for picture in made.pictures]

    middle = made.pictures.shape[2] // 2
    # From the front the patient's left is on the right side; from the left the front is on the left side.
    assert columns(10)[0] > middle
    assert columns(10)[2] < middle
    assert columns(20)[1] < middle
    assert columns(20)[3] > middle
    rows = {value: int(np.argwhere(made.pictures[0] == value)[0][0]) for value in (10, 30)}
    assert rows[30] < rows[10], "the head is up"


@pytest.mark.parametrize("frames", [1, 7, 12])
@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_every_voxel_is_seen_where_the_grid_of_the_picture_says(frames: int, axis: str) -> None:
    made = rotating_mip(with_points(BODY, [LEFT, FRONT, HEAD]), frames, axis)
    for frame, grid in enumerate(made.grids):
        for value, point in ((10.0, LEFT), (20.0, FRONT), (30.0, HEAD)):
            offset = seen_at(made, frame, value) - BODY.to_patient.apply(nearest(BODY, point))
            assert np.abs(offset @ grid.directions[:, 0]) <= grid.spacing_mm[0] / 2 + 1e-6
            assert np.abs(offset @ grid.directions[:, 1]) < 1e-6


def test_no_maximum_is_lost_at_any_angle_and_no_hole_is_made() -> None:
    rng = np.random.default_rng(4)
    voxels = rng.integers(0, 1000, (6, 31, 33)).astype(np.int16)
    volume = volume_of(voxels, (1.0, 1.7, 2.0))
    made = rotating_mip(volume, 36)
    assert (made.pictures.max(axis=2) == voxels.max(axis=(1, 2))[::-1]).all()
    assert made.pictures.dtype == np.int16
    for line in made.inside.reshape(-1, made.inside.shape[-1]):
        hit = np.flatnonzero(line)
        assert line[hit[0] : hit[-1] + 1].all()
    assert (made.pictures[~made.inside] == -1024).all()


def test_from_behind_it_is_the_mirror_image() -> None:
    rng = np.random.default_rng(5)
    volume = volume_of(rng.normal(size=(4, 15, 17)).astype(np.float32), unit=Unit.SIGNAL)
    even = rotating_mip(volume, 8)
    assert (even.pictures[4:] == even.pictures[:4, :, ::-1]).all()
    odd = rotating_mip(volume, 1)
    assert (odd.pictures[0] == even.pictures[0]).all()


def test_straight_on_it_is_the_projection_along_the_axis() -> None:
    voxels = np.random.default_rng(6).integers(-100, 100, (5, 9, 11)).astype(np.int16)
    made = rotating_mip(volume_of(voxels, (1.0, 1.0, 2.0)), 4)
    front = made.pictures[0][:, made.inside[0].any(axis=0)]
    assert (front == voxels.max(axis=1)[::-1]).all()
    left = made.pictures[1][:, made.inside[1].any(axis=0)]
    assert (left == voxels.max(axis=2)[::-1]).all()


@pytest.mark.parametrize("case", ["coronal", "flipped", "sheared", "oblique"])
def test_any_orientation_gives_the_same_view(case: str) -> None:
    if case == "coronal":
        grid = Grid((40, 20, 50), Affine.of(np.array([[2, 0, 0], [0, 0, 2], [0, -3, 0.0]]), (-49, -39, -43)), FRAME)
    elif case == "flipped":
        grid = Grid(BODY.shape, Affine.of(np.diag((2.0, 2.0, -3.0)), (-49, -39, -43)), FRAME)
    elif case == "sheared":
        grid = Grid(BODY.shape, Affine.of(np.array([[2, 0, 0.5], [0, 2, 0.4], [0, 0, 3.0]]), (-52, -42, -100)), FRAME)
    else:
        linear = turned(20, 0) @ np.diag((2.0, 2.0, 3.0))
        grid = Grid(BODY.shape, Affine.of(linear, np.array(HEAD) - linear @ (25, 20, 10)), FRAME)
    made = rotating_mip(with_points(grid, [LEFT, FRONT, HEAD]), 4)
    for frame, picture_grid in enumerate(made.grids):
        row, column = np.argwhere(made.pictures[frame] == made.pictures[frame].max())[0].tolist()
        offset = picture_grid.to_patient.apply((column, row, 0)) - HEAD
        across = offset - (offset @ picture_grid.normal) * picture_grid.normal
        assert np.linalg.norm(across) < 4.0


def test_the_gantry_tilt_of_a_real_series_is_resampled() -> None:
    grid = tilted_grid((6, 20, 24))
    tilted = Grid(grid.shape, Affine.of(turned(15, 0) @ grid.to_patient.linear, grid.origin_mm), FRAME)
    made = rotating_mip(volume_of(np.ones((2, 2, 2), np.int16)), 2)
    assert made.pictures.shape[0] == 2
    assert rotating_mip(Volume(np.ones(tilted.shape, np.float32), tilted, Unit.SIGNAL, SOURCE), 2).pictures.max() == 1


@pytest.mark.parametrize(("frames", "axis"), [(0, "z"), (10_000, "z"), (4, "w")])
def test_absurd_rotations_are_refused(frames: int, axis: str) -> None:
    with pytest.raises(InvalidGeometry):
        rotating_mip(volume_of(np.ones((2, 2, 2), np.int16)), frames, axis)


@pytest.mark.parametrize("tilt", [0.0, 10.0])
def test_numbers_that_are_not_finite_count_as_what_lies_outside_and_hide_nothing(tilt: float) -> None:
    voxels = np.ones((9, 9, 9), np.float32)
    voxels[4, 4, 4] = 7
    spoilt = voxels.copy()
    spoilt[2, 2, 2], spoilt[6, 6, 6], spoilt[1, 5, 1] = np.nan, np.inf, -np.inf
    voxels[spoilt != voxels] = 0
    sine, cosine = np.sin(np.deg2rad(tilt)), np.cos(np.deg2rad(tilt))
    lying = Grid(
        voxels.shape, Affine.of(np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]]), (0, 0, 0)), FRAME
    )
    one, other = (rotating_mip(Volume(each, lying, Unit.SIGNAL, SOURCE), 4) for each in (voxels, spoilt))
    np.testing.assert_array_equal(one.pictures, other.pictures)
    assert np.isfinite(other.pictures).all()


def test_one_frame_is_a_plane() -> None:
    made = rotating_mip(volume_of(np.ones((3, 4, 5), np.int16)), 4)
    plane = made.plane(1)
    assert plane.grid is made.grids[1]
    assert plane.values.dtype == np.float32
    assert plane.values.shape == plane.inside.shape == made.grids[1].shape[1:]
