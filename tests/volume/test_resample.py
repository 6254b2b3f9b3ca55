"""Volumes and masks on other grids: values, edges, frames, shear, fields."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK

from radfuse.core.errors import CannotBuildVolume, FramesDiffer, InvalidGeometry
from radfuse.geometry import Affine, DisplacementField, FrameOfReference, Grid, Mask
from radfuse.volume import FindingKind, Unit
from radfuse.volume.resample import Interpolation, axial_grid, covered, regular_grid, resample, resample_mask
from tests.volume.made import FRAME, OTHER_FRAME, points_of, ramp, ramp_volume, tilted_grid, turned, volume_of

sitk: Any = SimpleITK


def inner_grid(frame: FrameOfReference = FRAME) -> Grid:
    """Small, oblique, and within ``box``."""
    return Grid((4, 5, 6), Affine.of(turned(20) @ turned(10, 0) @ np.diag((1.1, 0.7, 1.3)), (8, 9, 10)), frame)


def box() -> Grid:
    return Grid.of((20, 24, 28), (1.0, 1.2, 1.5), (-2, -3, -1), FRAME)


def test_a_linear_function_stays_what_it_is_on_an_oblique_grid() -> None:
    made = resample(ramp_volume(box()), inner_grid())
    assert np.abs(made.voxels - ramp(points_of(inner_grid()))).max() < 1e-3
    assert made.grid is inner_grid() or made.grid.matches(inner_grid())
    assert made.findings == ()


def test_a_transform_maps_from_where_a_value_is_wanted_to_where_it_is_found() -> None:
    shift = Affine.of(turned(5), (1.0, -0.5, 2.0))
    made = resample(ramp_volume(box()), inner_grid(OTHER_FRAME), shift)
    assert np.abs(made.voxels - ramp(shift.apply(points_of(inner_grid())))).max() < 1e-3


def test_without_a_transform_the_frames_must_be_the_same() -> None:
    with pytest.raises(FramesDiffer):
        resample(ramp_volume(box()), inner_grid(OTHER_FRAME))
    with pytest.raises(FramesDiffer):
        resample(ramp_volume(box()), inner_grid(FrameOfReference()))


def test_shear_and_left_handedness_are_part_of_the_geometry() -> None:
    sheared = tilted_grid()
    straight = Grid.of((3, 4, 5), (1, 1, 1), (-2, -1, 44), FRAME)
    assert np.abs(resample(ramp_volume(sheared), straight).voxels - ramp(points_of(straight))).max() < 1e-3
    mirrored = Grid((10, 24, 28), Affine.of(np.diag((1, 1, -1.5)), (-2, -3, 20)), FRAME)
    assert np.abs(resample(ramp_volume(mirrored), inner_grid()).voxels - ramp(points_of(inner_grid()))).max() < 1e-3


def test_what_lies_outside_is_filled_counted_and_named() -> None:
    volume = volume_of(np.full((4, 5, 6), 7, dtype=np.int16))
    wider = Grid.of((4, 5, 8), (1, 1, 1), (-1, 0, 0), FRAME)
    made = resample(volume, wider)
    assert made.voxels.dtype == np.int16
    assert (made.voxels[:, :, [0, 7]] == -1024).all()
    assert (made.voxels[:, :, 1:7] == 7).all()
    (finding,) = made.findings
    assert finding.kind is FindingKind.PIXELS
    assert finding.repaired
    assert "40" in finding.sentence
    assert (resample(volume, wider, outside=3).voxels[:, :, 0] == 3).all()


def test_a_voxel_reaches_half_a_spacing_beyond_its_centre() -> None:
    volume = volume_of(np.full((3, 3, 3), 9, dtype=np.float32), unit=Unit.SIGNAL)
    inside = Grid.of((1, 1, 1), (1, 1, 1), (-0.49, 1, 1), FRAME)
    outside = Grid.of((1, 1, 1), (1, 1, 1), (-0.51, 1, 1), FRAME)
    assert resample(volume, inside).voxels.item() == 9
    assert resample(volume, outside).voxels.item() == 0


@pytest.mark.parametrize("matrix", [np.eye(3), turned(30), turned(45) @ turned(30, 1), np.diag((2.0, 0.5, 1.0))])
def test_the_count_of_what_lies_outside_is_that_of_the_points(matrix: npt.NDArray[np.float64]) -> None:
    source = Grid.of((9, 11, 13), (1, 1.3, 2), (0, 0, 0), FRAME)
    grid = Grid((12, 10, 14), Affine.of(matrix, (-2.01, 1.02, 0.33)), FRAME)
    mask = covered(source, grid)
    assert (mask.inside == source.contains(points_of(grid))).all()
    made = resample(volume_of(np.ones((9, 11, 13), np.float32), (1, 1.3, 2), unit=Unit.SIGNAL), grid)
    assert (made.voxels > 0.5).sum() == mask.voxels
    outside = made.voxels.size - mask.voxels
    assert f"({outside:,})" in made.findings[0].sentence


def test_values_are_those_of_simpleitk() -> None:
    voxels = np.random.default_rng(1).normal(size=(12, 14, 16)).astype(np.float32)
    volume = volume_of(voxels, (1, 1.5, 2), unit=Unit.SIGNAL)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((1, 1.5, 2))
    grid = Grid.of((10, 10, 10), (1.1, 1.2, 1.3), (1, 2, 3), FRAME)
    like = sitk.Image(10, 10, 10, sitk.sitkFloat32)
    like.SetSpacing((1.1, 1.2, 1.3))
    like.SetOrigin((1, 2, 3))
    for ours, theirs in (
        (Interpolation.LINEAR, sitk.sitkLinear),
        (Interpolation.NEAREST, sitk.sitkNearestNeighbor),
        (Interpolation.CUBIC, sitk.sitkBSpline),
    ):
        expected = sitk.GetArrayFromImage(sitk.Resample(image, like, sitk.Transform(), theirs, 0.0))
        assert np.abs(resample(volume, grid, interpolation=ours).voxels - expected).max() < 1e-4


def test_whole_numbers_are_rounded_to_the_nearest_and_never_cut_off() -> None:
    voxels = np.random.default_rng(7).integers(-2000, 2000, (6, 7, 8)).astype(np.int16)
    grid = Grid.of((10, 10, 10), (0.51, 0.61, 0.43), (0.3, 0.2, 0.1), FRAME)
    exact = resample(volume_of(voxels.astype(np.float32)), grid)
    made = resample(volume_of(voxels), grid)
    assert made.voxels.dtype == np.int16
    assert np.abs(made.voxels - exact.voxels).max() < 0.502
    assert np.abs((made.voxels - exact.voxels)[exact.voxels != -1024].mean()) < 0.05


def test_a_mask_keeps_to_the_nearest_voxel() -> None:
    inside = np.zeros((4, 4, 4), dtype=np.bool_)
    inside[1:3, 1:3, 1:3] = True
    mask = Mask(Grid.of((4, 4, 4), (2, 2, 2), (1, 1, 1), FRAME), inside)
    fine = Grid.of((10, 10, 10), (1, 1, 1), (-0.5, -0.5, -0.5), FRAME)
    made = resample_mask(mask, fine)
    assert made.volume_ml == pytest.approx(mask.volume_ml)
    assert not made.inside[0].any()


# --- displacement fields ---------------------------------------------------------------------


def bent_field(grid: Grid) -> DisplacementField:
    """A displacement that is a linear function of the place, so that any reader interpolates it alike."""
    points = points_of(grid)
    vectors = np.stack((0.02 * points[..., 1], 0.5 + 0 * points[..., 0], -0.01 * points[..., 0]), axis=-1)
    return DisplacementField(grid, vectors.astype(np.float32))


@pytest.mark.parametrize("sheared", [False, True])
def test_a_field_moves_each_point_by_what_it_says_there(sheared: bool) -> None:
    shear = np.array([[3.0, 0.0, 0.4], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]])
    linear = shear if sheared else np.diag((3.0, 3.0, 3.0))
    field = bent_field(Grid((10, 12, 14), Affine.of(linear, (-8, -8, -8)), OTHER_FRAME))
    grid = inner_grid(OTHER_FRAME)
    made = resample(ramp_volume(box()), grid, field)
    assert np.abs(made.voxels - ramp(field.apply(points_of(grid)))).max() < 2e-3


def test_where_a_field_says_nothing_nothing_is_known() -> None:
    field = bent_field(Grid.of((3, 3, 3), (2, 2, 2), (8, 8, 8), FRAME))
    volume = volume_of(np.full((20, 20, 20), 50, dtype=np.int16))
    grid = Grid.of((6, 6, 6), (1, 1, 1), (7, 7, 7), FRAME)
    made = resample(volume, grid, field)
    known = np.isfinite(field.apply(points_of(grid))).all(axis=-1)
    assert made.voxels.dtype == np.int16
    assert (made.voxels[known] == 50).all()
    assert (made.voxels[~known] == -1024).all()
    assert f"({np.count_nonzero(~known):,})" in made.findings[0].sentence


@pytest.mark.parametrize("kind", [np.int16, np.float32])
@pytest.mark.parametrize("interpolation", list(Interpolation))
def test_values_through_a_field_are_those_of_simpleitk(kind: Any, interpolation: Interpolation) -> None:
    drawn = np.random.default_rng(2)
    voxels = drawn.integers(-1000, 1000, (12, 14, 16)).astype(kind)
    field = DisplacementField(
        Grid.of((7, 7, 7), (4, 3.5, 4.5), (-2, -2, -2), FRAME), drawn.normal(0, 2, (7, 7, 7, 3)).astype(np.float32)
    )
    grid = Grid.of((11, 12, 13), (1.03, 1.21, 1.37), (1, 2, 3), FRAME)
    image = sitk.GetImageFromArray(voxels.astype(np.float32))
    image.SetSpacing((1, 1.5, 2))
    moves = sitk.GetImageFromArray(field.vectors_mm.astype(np.float64), isVector=True)
    moves.SetSpacing((4, 3.5, 4.5))
    moves.SetOrigin((-2, -2, -2))
    like = sitk.Image(13, 12, 11, sitk.sitkFloat32)
    like.SetSpacing(grid.spacing_mm)
    like.SetOrigin((1, 2, 3))
    theirs = {"nearest": sitk.sitkNearestNeighbor, "linear": sitk.sitkLinear, "cubic": sitk.sitkBSpline}
    done = sitk.Resample(image, like, sitk.DisplacementFieldTransform(moves), theirs[interpolation.value], -1024.0)
    expected = sitk.GetArrayFromImage(done)
    made = resample(volume_of(voxels, (1, 1.5, 2)), grid, field, interpolation)
    assert made.voxels.dtype == kind
    assert np.abs(made.voxels - expected).max() < (0.51 if kind is np.int16 else 0.01)
    assert (made.voxels == -1024).sum() == (expected == -1024).sum() > 10


def test_a_mask_moved_by_a_field_keeps_to_the_nearest_voxel() -> None:
    inside = np.zeros((8, 8, 8), dtype=np.bool_)
    inside[2:6, 2:6, 2:6] = True
    grid = Grid.of((8, 8, 8), (1, 1, 1), (0, 0, 0), FRAME)
    field = DisplacementField(grid, np.broadcast_to(np.array((1, 0, 0), np.float32), (8, 8, 8, 3)))
    made = resample_mask(Mask(grid, inside), grid, field)
    assert (made.inside[:, :, :-1] == inside[:, :, 1:]).all()
    assert not made.inside[:, :, -1].any()


def test_a_field_of_another_frame_is_refused() -> None:
    field = bent_field(Grid.of((3, 3, 3), (2, 2, 2), (8, 8, 8), FRAME))
    with pytest.raises(FramesDiffer):
        resample(ramp_volume(box()), inner_grid(OTHER_FRAME), field)


# --- refusals and grids ----------------------------------------------------------------------


def test_numbers_that_are_not_finite_are_refused() -> None:
    voxels = np.ones((3, 3, 3), np.float32)
    voxels[1, 1, 1] = np.nan
    volume = volume_of(voxels, unit=Unit.SIGNAL)
    with pytest.raises(CannotBuildVolume, match="no finite numbers"):
        resample(volume, volume.grid)
    with pytest.raises(InvalidGeometry):
        resample(volume_of(np.ones((3, 3, 3), np.float32)), volume.grid, outside=np.nan)


def test_a_regular_grid_holds_the_sheared_one_at_right_angles() -> None:
    sheared = tilted_grid()
    made = regular_grid(sheared)
    assert not made.is_sheared
    assert made.spacing_mm == pytest.approx(sheared.spacing_mm)
    assert made.contains(points_of(sheared)).all()
    assert np.abs(made.directions[:, 2] - (0, 0, 1)).max() < 1e-12
    volume = resample(ramp_volume(sheared), made)
    inside = covered(sheared, made).inside
    # Between the outermost centres and the edge the value is that of the centres.
    core = inside & (np.abs(volume.voxels - ramp(points_of(made))) < 1e-3)
    assert core.sum() > 0.8 * inside.sum()


def test_a_regular_grid_of_a_regular_grid_is_itself() -> None:
    assert regular_grid(box()) is box() or regular_grid(box()).matches(box())
    oblique = inner_grid()
    assert regular_grid(oblique) is oblique
    mirrored = Grid((10, 24, 28), Affine.of(np.diag((1, 1, -1.5)), (-2, -3, 20)), FRAME)
    assert regular_grid(mirrored) is mirrored


def test_cubic_voxels_cover_the_same_box() -> None:
    made = regular_grid(box(), 2.0)
    assert made.spacing_mm == pytest.approx((2, 2, 2))
    assert np.abs(made.corners_mm.min(axis=0) - box().corners_mm.min(axis=0)).max() < 1e-9
    assert (made.corners_mm.max(axis=0) >= box().corners_mm.max(axis=0) - 1e-9).all()
    assert axial_grid(inner_grid()).contains(points_of(inner_grid())).all()


@pytest.mark.parametrize("spacing", [0.0, -1.0, np.nan, 1e-9])
def test_an_absurd_spacing_is_refused(spacing: float) -> None:
    with pytest.raises(InvalidGeometry):
        regular_grid(box(), spacing)
