"""Statistics of regions, against the published numbers of the IBSI phantom, SimpleITK and arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from radfuse.core.errors import FramesDiffer, InvalidRegion
from radfuse.geometry import FrameOfReference, Grid, Mask
from radfuse.roi.sampling import carried, voxels_of
from radfuse.roi.statistics import statistics_of
from radfuse.volume import Finding, FindingKind, Source, Unit, Volume
from tests.support.measuring import SOURCE, ball_mask, box_mask, everything, grid_of, oblique_grid, volume_of

sitk: Any = SimpleITK

IBSI = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [0, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ]
)
"""The digital phantom of the Image Biomarker Standardisation Initiative (CC BY 4.0); 0 is outside its region."""


def nifti(file: Path) -> np.ndarray:
    return np.asarray(sitk.GetArrayFromImage(sitk.ReadImage(str(file))))


def check_ibsi(image: np.ndarray, region: np.ndarray) -> None:
    grid = grid_of((4, 4, 5), (2, 2, 2))
    numbers = statistics_of(volume_of(grid, image, Unit.SIGNAL), Mask(grid, region > 0), (10, 25, 75, 90))
    percent = dict(numbers.percentiles)
    assert numbers.voxels == 74
    assert numbers.volume_ml == pytest.approx(0.592)
    # Published: mean 2.15, variance 3.05, median 1, minimum 1, 10th percentile 1, 90th 4, maximum 6, interquartile 3.
    assert numbers.mean == pytest.approx(2.15, abs=0.005)
    assert numbers.sd**2 == pytest.approx(3.05, abs=0.005)
    assert (numbers.minimum, numbers.median, numbers.maximum) == (1, 1, 6)
    assert (percent[10], percent[90], percent[75] - percent[25]) == (1, 4, 3)
    assert numbers.sum == 159


def test_the_digital_phantom_of_ibsi_has_its_published_statistics() -> None:
    check_ibsi(IBSI, IBSI)


def test_the_file_of_the_digital_phantom_has_its_published_statistics(shared_data: Path) -> None:
    folder = shared_data / "seg" / "ibsi-digital-phantom"
    if not folder.is_dir():
        pytest.skip("no IBSI phantom among the real data")
    image, region = (nifti(folder / f"nifti-{name}.nii.gz") for name in ("image", "mask"))
    assert np.array_equal(np.where(region > 0, image, 0), IBSI)
    check_ibsi(image, region)


def test_the_statistics_are_those_of_simpleitk() -> None:
    random = np.random.default_rng(1)
    grid = oblique_grid((9, 11, 13), (1.5, 2, 3))
    volume = volume_of(grid, random.normal(40, 12, grid.shape), Unit.HU)
    mask = Mask(grid, random.random(grid.shape) > 0.7)
    judge = sitk.LabelStatisticsImageFilter()
    judge.Execute(sitk.GetImageFromArray(volume.voxels), sitk.GetImageFromArray(mask.inside.astype(np.uint8)))
    numbers = statistics_of(volume, mask)
    count = judge.GetCount(1)
    assert numbers.voxels == count
    assert numbers.mean == pytest.approx(judge.GetMean(1), rel=1e-9)
    assert numbers.sum == pytest.approx(judge.GetSum(1), rel=1e-9)
    assert numbers.minimum == judge.GetMinimum(1)
    assert numbers.maximum == judge.GetMaximum(1)
    # ITK divides by one voxel fewer.
    assert numbers.sd == pytest.approx(judge.GetSigma(1) * np.sqrt((count - 1) / count), rel=1e-9)
    assert numbers.volume_ml == pytest.approx(count * 9 / 1000)


def test_the_extremes_are_named_where_they_are_in_the_patient() -> None:
    grid = oblique_grid((4, 5, 6), (2, 3, 4))
    values = np.zeros(grid.shape)
    values[1, 2, 3], values[3, 0, 5] = 9, -9
    numbers = statistics_of(volume_of(grid, values), everything(grid))
    assert numbers.maximum_position_mm == pytest.approx(grid.to_patient.apply((3, 2, 1)))
    assert numbers.minimum_position_mm == pytest.approx(grid.to_patient.apply((5, 0, 3)))
    assert numbers.centre_mm == pytest.approx(grid.corners_mm.mean(axis=0))


def test_whole_hounsfield_units_are_summed_without_overflow() -> None:
    grid = grid_of((40, 40, 40))
    voxels = np.full(grid.shape, 3000, dtype=np.int16)
    numbers = statistics_of(Volume(voxels, grid, Unit.HU, SOURCE), everything(grid))
    assert (numbers.mean, numbers.sd, numbers.sum) == (3000, 0, 64000 * 3000)


def test_a_mask_of_another_grid_is_carried_by_nearest_neighbour_and_that_is_said() -> None:
    coarse, fine = grid_of((6, 6, 6), (4, 4, 4)), grid_of((24, 24, 24), (1, 1, 1), (-1.5, -1.5, -1.5))
    mask = box_mask(fine, (4, 4, 4), (12, 12, 12))
    numbers = statistics_of(volume_of(coarse, lambda points: points[..., 0]), mask)
    assert numbers.voxels == 8
    assert numbers.volume_ml == pytest.approx(numbers.region_ml) == pytest.approx(0.512)
    assert numbers.mean == pytest.approx(6)
    assert any("another grid" in note for note in numbers.notes)


def test_a_carried_mask_is_what_simpleitk_resamples() -> None:
    drawn, image = oblique_grid((14, 15, 16), (1.7, 2.1, 2.9)), grid_of((30, 40, 40), (2, 2, 3), (-70, -20, 450))
    mask = ball_mask(drawn, drawn.to_patient.apply((8, 7, 7)).tolist(), 11)
    inside = carried(mask, image)[0].inside
    assert inside.any()
    assert np.array_equal(inside, resampled(mask, image))


def resampled(mask: Mask, grid: Grid) -> np.ndarray:
    picture = sitk.GetImageFromArray(mask.inside.astype(np.uint8))
    like = sitk.GetImageFromArray(np.zeros(grid.shape, dtype=np.uint8))
    for each, where in ((picture, mask.grid), (like, grid)):
        each.SetSpacing(where.spacing_mm)
        each.SetOrigin(where.origin_mm.tolist())
        each.SetDirection(where.directions.ravel().tolist())
    return np.asarray(
        sitk.GetArrayFromImage(sitk.Resample(picture, like, sitk.Transform(), sitk.sitkNearestNeighbor)) > 0
    )


def test_a_region_of_another_frame_of_reference_is_refused() -> None:
    grid, other = grid_of((3, 3, 3)), grid_of((3, 3, 3), frame=FrameOfReference("2.25.9"))
    with pytest.raises(FramesDiffer):
        statistics_of(volume_of(grid, 1.0), everything(other))


def test_two_unknown_frames_are_not_the_same_but_a_grid_is_itself() -> None:
    nowhere = FrameOfReference()
    grid, other = grid_of((3, 3, 3), frame=nowhere), grid_of((3, 3, 3), frame=nowhere)
    assert statistics_of(volume_of(grid, 1.0), everything(grid)).voxels == 27
    with pytest.raises(FramesDiffer):
        statistics_of(volume_of(grid, 1.0), everything(other))


def test_what_lies_outside_the_image_is_said() -> None:
    grid, larger = grid_of((4, 4, 4)), grid_of((4, 4, 8))
    numbers = statistics_of(volume_of(grid, 1.0), everything(larger))
    assert numbers.voxels == 64
    assert any("0.064 ml of 0.128 ml of the region lie outside the image" in note for note in numbers.notes)


@pytest.mark.parametrize("shift_mm", [(100, 0, 0), (0, 0, -50), (4.6, 4.6, 4.6)])
def test_a_region_outside_the_image_is_refused(shift_mm: tuple[float, float, float]) -> None:
    grid, away = grid_of((4, 4, 4)), grid_of((4, 4, 4), origin_mm=shift_mm)
    with pytest.raises(InvalidRegion, match="outside the image"):
        statistics_of(volume_of(grid, 1.0), everything(away))


def test_a_region_between_the_voxels_is_refused_not_zero() -> None:
    grid, tiny = grid_of((4, 4, 4), (10, 10, 10)), grid_of((1, 1, 1), origin_mm=(4, 4, 4))
    with pytest.raises(InvalidRegion, match="smaller than the image's voxels"):
        statistics_of(volume_of(grid, 1.0), everything(tiny))


def test_an_empty_region_is_refused() -> None:
    grid = grid_of((3, 3, 3))
    with pytest.raises(InvalidRegion, match="it is empty"):
        statistics_of(volume_of(grid, 1.0), Mask(grid, np.zeros(grid.shape, dtype=np.bool_)))


def test_voxels_without_a_value_are_left_out_and_counted() -> None:
    grid = grid_of((2, 2, 2))
    values = np.ones(grid.shape)
    values[0, 0, 0] = np.nan
    numbers = statistics_of(volume_of(grid, values), everything(grid))
    assert (numbers.voxels, numbers.mean) == (7, 1)
    assert any("1 of its 8 voxels have no value" in note for note in numbers.notes)
    with pytest.raises(InvalidRegion, match="no value"):
        statistics_of(volume_of(grid, np.nan), everything(grid))


def test_a_region_that_touches_a_repaired_slice_says_so_and_another_does_not() -> None:
    grid = grid_of((6, 3, 3))
    filled = Finding(FindingKind.GAP, "slice 4 was filled in", (3,), repaired=True)
    seen = Finding(FindingKind.JITTER, "positions jitter", (0, 1, 2, 3, 4, 5))
    volume = volume_of(grid, 1.0, findings=(filled, seen))
    touching = statistics_of(volume, box_mask(grid, (2, 0, 0), (4, 3, 3)))
    assert touching.notes == ("the region touches what was repaired: slice 4 was filled in",)
    assert statistics_of(volume, box_mask(grid, (0, 0, 0), (3, 3, 3))).notes == ()


def test_a_percentile_beyond_100_is_refused() -> None:
    grid = grid_of((2, 2, 2))
    with pytest.raises(InvalidRegion, match="percentile"):
        statistics_of(volume_of(grid, 1.0), everything(grid), (101,))


def test_the_voxels_of_a_region_are_given_with_their_places() -> None:
    grid = oblique_grid((3, 4, 5))
    volume = volume_of(grid, lambda points: points @ (1.0, 2.0, 3.0))
    region = voxels_of(volume, box_mask(grid, (1, 1, 1), (3, 3, 3)))
    assert grid.to_patient.apply(region.index) @ (1.0, 2.0, 3.0) == pytest.approx(region.values, rel=1e-5)
    assert isinstance(volume.source, Source)
