"""Slices, slabs and projections: values, edges, places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK

from radfuse.core.errors import FramesDiffer, InvalidGeometry
from radfuse.fusion import Projection, Slab, project, reslice
from radfuse.geometry import Affine, DisplacementField, Grid
from radfuse.volume import Unit
from radfuse.volume.resample import Interpolation, resample
from tests.volume.made import FRAME, OTHER_FRAME, points_of, ramp, ramp_volume, tilted_grid, turned, volume_of

sitk: Any = SimpleITK
BOX = Grid.of((20, 24, 28), (1.0, 1.2, 1.5), (-2, -3, -1), FRAME)


def oblique_plane(rows: int = 6, columns: int = 7) -> Grid:
    """Within ``BOX``, along none of its axes."""
    linear = turned(25) @ turned(35, 0) @ np.diag((1.1, 0.9, 1.0))
    return Grid((1, rows, columns), Affine.of(linear, (9, 10, 10)), FRAME)


@pytest.mark.parametrize("grid", [BOX, tilted_grid((12, 60, 60))], ids=["straight", "sheared"])
def test_an_oblique_plane_shows_the_values_of_its_points(grid: Grid) -> None:
    plane = oblique_plane()
    if grid is not BOX:
        plane = Grid(plane.shape, Affine.of(plane.to_patient.linear, (5, 20, 50)), FRAME)
    made = reslice(ramp_volume(grid), plane)
    assert made.inside.all()
    assert np.abs(made.values - ramp(points_of(plane))[0]).max() < 1e-3
    assert made.grid is plane
    assert made.unit is Unit.SIGNAL


@pytest.mark.parametrize("interpolation", [Interpolation.LINEAR, Interpolation.NEAREST])
@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_a_plane_is_what_simpleitk_resamples(interpolation: Interpolation, kind: Any) -> None:
    voxels = np.random.default_rng(2).integers(-1000, 1000, BOX.shape).astype(kind)
    volume = volume_of(voxels, BOX.spacing_mm, origin_mm=BOX.origin_mm)
    plane = oblique_plane(50, 60)
    made = reslice(volume, plane, interpolation=interpolation)
    theirs = resample(volume, plane, interpolation=interpolation)
    assert 0.05 < made.inside.mean() < 0.95
    assert np.abs(made.values - theirs.voxels[0]).max() <= (0.51 if kind is np.int16 else 1e-2)


def test_outside_is_marked_and_filled_with_air_or_nothing() -> None:
    plane = Grid.of((1, 3, 3), (1, 1, 1), (-2, 0, 0), FRAME)
    hu = reslice(volume_of(np.full((3, 3, 3), 40, np.int16)), plane)
    assert hu.inside.tolist() == [[False, False, True]] * 3
    assert hu.values[:, :2].tolist() == [[-1024, -1024]] * 3
    suv = reslice(volume_of(np.full((3, 3, 3), 4, np.float32), unit=Unit.SUV_BW), plane)
    assert suv.values[0].tolist() == [0, 0, 4]


def test_a_transform_maps_from_the_plane_to_the_volume() -> None:
    shift = Affine.of(turned(5), (1.0, -0.5, 1.0))
    plane = Grid(oblique_plane().shape, oblique_plane().to_patient, OTHER_FRAME)
    with pytest.raises(FramesDiffer):
        reslice(ramp_volume(BOX), plane)
    made = reslice(ramp_volume(BOX), plane, shift)
    assert np.abs(made.values - ramp(shift.apply(points_of(plane)))[0]).max() < 1e-3


def test_a_field_moves_each_pixel_and_hides_what_it_does_not_know() -> None:
    field_grid = Grid.of((4, 4, 4), (2, 2, 2), (9, 9, 9), FRAME)
    vectors = np.broadcast_to(np.array((0.5, -0.25, 1.0), np.float32), (*field_grid.shape, 3)).copy()
    field = DisplacementField(field_grid, vectors)
    plane = Grid.of((1, 10, 10), (1, 1, 1), (8, 8, 11), FRAME)
    made = reslice(ramp_volume(BOX), plane, field)
    known = np.isfinite(field.apply(points_of(plane)[0])).all(axis=-1)
    assert (made.inside == known).all()
    assert 0 < known.sum() < known.size
    expected = ramp(points_of(plane)[0] + (0.5, -0.25, 1.0))
    assert np.abs(made.values - expected)[known].max() < 1e-3
    slab = reslice(ramp_volume(BOX), plane, field, Slab(1.0, Projection.MEAN))
    assert np.abs(slab.values - expected)[known].max() < 1e-3


def test_a_slab_is_centred_on_its_plane_and_as_thick_as_asked() -> None:
    voxels = np.zeros((21, 5, 5), np.float32)
    voxels[14] = 7
    volume = volume_of(voxels, unit=Unit.SUV_BW)
    plane = Grid.of((1, 5, 5), (1, 1, 1), (0, 0, 10), FRAME)
    assert reslice(volume, plane, slab=Slab(7.0)).values.max() == 0
    thick = reslice(volume, plane, slab=Slab(9.0))
    assert (thick.values == 7).all()
    assert thick.grid.spacing_mm[2] == 9
    assert (reslice(volume, plane, slab=Slab(9.0, Projection.MINIMUM)).values == 0).all()
    assert reslice(volume, plane, slab=Slab(9.0, Projection.MEAN)).values == pytest.approx(7 / 9)


def test_a_slab_uses_only_samples_inside_the_volume() -> None:
    volume = volume_of(np.full((3, 3, 3), 5, np.float32), unit=Unit.SUV_BW)
    plane = Grid.of((1, 3, 3), (1, 1, 1), (0, 0, 3), FRAME)
    made = reslice(volume, plane, slab=Slab(4.0, Projection.MEAN))
    assert made.inside.all()
    assert (made.values == 5).all()
    assert (reslice(volume, plane, slab=Slab(4.0, Projection.MINIMUM)).values == 5).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_projection_is_that_of_simpleitk_and_lies_in_the_middle(axis: int) -> None:
    voxels = np.random.default_rng(3).integers(-1000, 1000, (5, 6, 7)).astype(np.int16)
    volume = volume_of(voxels, (1.0, 2.0, 3.0))
    image = sitk.GetImageFromArray(voxels)
    made = project(volume, axis)
    expected = sitk.GetArrayFromImage(sitk.MaximumProjection(image, 2 - axis)).squeeze(axis)
    assert (made.values == expected).all()
    assert (project(volume, axis, Projection.MINIMUM).values == voxels.min(axis=axis)).all()
    assert project(volume, axis, Projection.MEAN).values == pytest.approx(voxels.mean(axis=axis), abs=1e-3)
    # Every pixel lies before the voxels it was made of.
    middle = volume.grid.to_patient.apply(((7 - 1) / 2, (6 - 1) / 2, (5 - 1) / 2))
    rows, columns = made.values.shape
    centre = made.grid.to_patient.apply(((columns - 1) / 2, (rows - 1) / 2, 0))
    assert np.abs(centre - middle).max() < 1e-9
    assert made.grid.spacing_mm[2] == pytest.approx((3.0 * 5, 2.0 * 6, 1.0 * 7)[axis])


def test_absurd_planes_are_refused() -> None:
    volume = ramp_volume(BOX)
    with pytest.raises(InvalidGeometry):
        reslice(volume, BOX)
    with pytest.raises(InvalidGeometry):
        reslice(volume, oblique_plane(), slab=Slab(-1.0))
    with pytest.raises(InvalidGeometry):
        reslice(volume, oblique_plane(), slab=Slab(1e9))
    with pytest.raises(InvalidGeometry):
        reslice(volume, oblique_plane(), interpolation=Interpolation.CUBIC)
    with pytest.raises(InvalidGeometry):
        project(volume, 3)


def test_numbers_that_are_not_finite_are_refused() -> None:
    voxels = np.ones((3, 3, 3), np.float32)
    voxels[1, 1, 1] = np.inf
    with pytest.raises(InvalidGeometry, match="finite"):
        reslice(volume_of(voxels), Grid.of((1, 3, 3), (1, 1, 1), (0, 0, 1), FRAME))
