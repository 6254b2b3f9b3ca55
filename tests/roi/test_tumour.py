"""Total metabolic tumour volume on a made-up whole body."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK

from radfuse.core.errors import FramesDiffer, InvalidRegion
from radfuse.geometry import FrameOfReference, Mask, Points
from radfuse.roi.metabolic import Threshold, ThresholdKind
from radfuse.roi.tumour import TotalMetabolicVolume, total_metabolic_volume
from radfuse.volume import Finding, FindingKind, Unit, Volume
from tests.support.measuring import ball_mask, everything, grid_of, volume_of

sitk: Any = SimpleITK

GRID = grid_of((60, 40, 40), (4, 4, 4))
LESIONS = {(40.0, 60, 60): (10.0, 9.0), (100.0, 80, 200): (8.0, 6.0), (60.0, 100, 130): (13.0, 4.5)}
"""Centre -> radius in mm and SUV."""
BLADDER = ((80.0, 80, 20), 14.0, 30.0)
BY_FOUR = Threshold(ThresholdKind.ABSOLUTE, 4)


def body(points: Points) -> Points:
    values = np.full(points.shape[:-1], 1.0)
    for centre, (radius, suv) in LESIONS.items():
        values[np.linalg.norm(points - np.array(centre), axis=-1) <= radius] = suv
    centre, radius, suv = BLADDER
    values[np.linalg.norm(points - np.array(centre), axis=-1) <= radius] = suv
    values[50, 5, 5] = 7  # a hot voxel
    return values


PET = volume_of(GRID, body)


@pytest.fixture(scope="module")
def found() -> TotalMetabolicVolume:
    return total_metabolic_volume(PET, BY_FOUR, minimum_ml=1, exclusions={"bladder": ball_mask(GRID, BLADDER[0], 20)})


def test_every_lesion_is_found_the_largest_first(found: TotalMetabolicVolume) -> None:
    expected = sorted(LESIONS.items(), key=lambda item: -item[1][0])
    assert [lesion.number for lesion in found.lesions] == [1, 2, 3]
    for lesion, (centre, (radius, suv)) in zip(found.lesions, expected, strict=True):
        region = ball_mask(GRID, centre, radius)
        assert lesion.voxels == region.voxels
        assert lesion.volume_ml == pytest.approx(region.volume_ml)
        assert (lesion.maximum, lesion.mean) == pytest.approx((suv, suv))
        assert lesion.tlg == pytest.approx(suv * region.volume_ml)
        assert lesion.centre_mm == pytest.approx(centre, abs=1)
        assert lesion.diameter_mm == pytest.approx(2 * radius, abs=4)
        assert 1 < lesion.peak <= suv + 1e-6


def test_the_totals_are_sums_and_the_distance_is_that_of_the_farthest(found: TotalMetabolicVolume) -> None:
    assert found.mtv_ml == pytest.approx(sum(lesion.volume_ml for lesion in found.lesions))
    assert found.tlg == pytest.approx(sum(lesion.tlg for lesion in found.lesions))
    assert found.maximum == 9
    assert found.peak == max(lesion.peak for lesion in found.lesions)
    assert found.dmax is not None
    assert found.dmax.length_mm == pytest.approx(np.linalg.norm(np.subtract((40, 60, 60), (100, 80, 200))), abs=1)
    assert found.mask.volume_ml == pytest.approx(found.mtv_ml)
    assert (found.threshold, found.level, found.unit) == (BY_FOUR, 4, Unit.SUV_BW)


def test_what_was_left_out_is_said(found: TotalMetabolicVolume) -> None:
    (bladder,) = found.exclusions
    assert bladder.name == "bladder"
    assert bladder.removed_ml == pytest.approx(ball_mask(GRID, BLADDER[0], BLADDER[1]).volume_ml)
    assert bladder.region_ml == pytest.approx(ball_mask(GRID, BLADDER[0], 20).volume_ml)
    assert found.too_small == 1
    assert found.too_small_ml == pytest.approx(0.064)


def test_without_the_exclusion_the_bladder_is_a_lesion() -> None:
    plain = total_metabolic_volume(PET, BY_FOUR)
    assert len(plain.lesions) == 4
    assert plain.maximum == 30


def test_a_relative_threshold_refers_to_what_is_left(found: TotalMetabolicVolume) -> None:
    half = Threshold(ThresholdKind.PERCENT_OF_MAXIMUM, 60)
    relative = total_metabolic_volume(PET, half, exclusions={"bladder": ball_mask(GRID, BLADDER[0], 20)})
    assert relative.level == pytest.approx(5.4)
    assert len(relative.lesions) == 2


def test_the_search_can_be_limited() -> None:
    upper = total_metabolic_volume(PET, BY_FOUR, within=ball_mask(GRID, (100, 80, 200), 30))
    assert [lesion.maximum for lesion in upper.lesions] == [6]
    assert upper.dmax is None


def test_voxels_that_share_a_corner_belong_together() -> None:
    grid = grid_of((4, 4, 4), (10, 10, 10))
    values = np.zeros(grid.shape)
    values[0, 0, 0] = values[1, 1, 1] = values[3, 3, 3] = 5
    found = total_metabolic_volume(volume_of(grid, values), BY_FOUR)
    assert [lesion.voxels for lesion in found.lesions] == [2, 1]


def test_the_parts_are_those_of_simpleitk() -> None:
    random = np.random.default_rng(11)
    grid = grid_of((12, 13, 14))
    volume = volume_of(grid, random.random(grid.shape) * 6)
    found = total_metabolic_volume(volume, Threshold(ThresholdKind.ABSOLUTE, 5.2), minimum_ml=0.003)
    judge = sitk.LabelShapeStatisticsImageFilter()
    judge.ComputeFeretDiameterOff()
    connected = sitk.ConnectedComponentImageFilter()
    connected.FullyConnectedOn()
    judge.Execute(connected.Execute(sitk.GetImageFromArray((volume.voxels >= np.float64(5.2)).astype(np.uint8))))
    sizes = sorted((judge.GetNumberOfPixels(label) for label in judge.GetLabels()), reverse=True)
    assert [lesion.voxels for lesion in found.lesions] == [size for size in sizes if size >= 3]
    assert found.too_small == sum(size < 3 for size in sizes)


def test_no_lesion_is_a_result_too() -> None:
    none = total_metabolic_volume(PET, Threshold(ThresholdKind.ABSOLUTE, 99))
    assert (none.lesions, none.mtv_ml, none.tlg, none.maximum, none.peak, none.dmax) == ((), 0, 0, None, None, None)
    assert none.mask.voxels == 0


def test_voxels_without_a_value_are_no_lesion_and_repairs_are_said() -> None:
    values = np.ones(GRID.shape)
    values[0] = np.nan
    filled = Finding(FindingKind.GAP, "slice 9 was filled in", (8,), repaired=True)
    found = total_metabolic_volume(volume_of(GRID, values, findings=(filled,)), BY_FOUR)
    assert found.lesions == ()
    assert found.notes == ("the image was repaired: slice 9 was filled in",)


def test_what_cannot_be_searched_is_refused() -> None:
    with pytest.raises(InvalidRegion, match="meant for SUVbw"):
        total_metabolic_volume(Volume(PET.voxels, GRID, Unit.BQML, PET.source), BY_FOUR)
    with pytest.raises(InvalidRegion, match="leave no voxel"):
        total_metabolic_volume(PET, BY_FOUR, exclusions={"all": everything(GRID)})
    elsewhere = grid_of((3, 3, 3), frame=FrameOfReference("2.25.77"))
    with pytest.raises(FramesDiffer):
        total_metabolic_volume(PET, BY_FOUR, exclusions={"brain": everything(elsewhere)})
    random = np.random.default_rng(2)
    noise = volume_of(grid_of((60, 60, 60), (9, 9, 9)), random.random((60, 60, 60)) > 0.98)
    with pytest.raises(InvalidRegion, match="raise it"):
        total_metabolic_volume(noise, Threshold(ThresholdKind.ABSOLUTE, 0.5), minimum_ml=0)


def test_an_exclusion_outside_the_image_is_said() -> None:
    large = everything(grid_of((2, 2, 2), (200, 200, 200), (100, 100, -300)))
    found = total_metabolic_volume(PET, BY_FOUR, exclusions={"legs": large})
    assert any(note.startswith("exclusion legs: ") for note in found.notes)


def test_the_mask_holds_the_lesions_alone(found: TotalMetabolicVolume) -> None:
    lesions = np.zeros(GRID.shape, dtype=np.bool_)
    for centre, (radius, _) in LESIONS.items():
        lesions |= ball_mask(GRID, centre, radius).inside
    assert np.array_equal(found.mask.inside, lesions)
    assert isinstance(found.mask, Mask)


def test_an_empty_exclusion_on_other_voxels_takes_nothing_away() -> None:
    other = grid_of((5, 5, 5), (2, 2, 2))
    volume = volume_of(grid_of((8, 8, 8)), 5.0)
    empty = Mask(other, np.zeros(other.shape, dtype=np.bool_))
    found = total_metabolic_volume(
        volume, Threshold(ThresholdKind.ABSOLUTE, 4.0), minimum_ml=0.1, exclusions={"bladder": empty}
    )
    assert [exclusion.removed_ml for exclusion in found.exclusions] == [0]
    assert found.notes == ("exclusion bladder: it is empty",)
    assert found.mtv_ml == pytest.approx(0.512)
