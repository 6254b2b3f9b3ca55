"""Thresholds, isocontours and growing on images whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from radfuse.core.errors import FramesDiffer, InvalidRegion
from radfuse.geometry import FrameOfReference, Mask
from radfuse.roi.components import Connectivity
from radfuse.roi.drawing import mask_of, sphere
from radfuse.roi.growing import adaptive, grow, isocontour, threshold
from radfuse.volume import Unit
from tests.support.measuring import ball_mask, everything, grid_of, points_of, volume_of
from tests.support.shapes import labelled, noise

GRID = grid_of((30, 44, 44), (2, 2, 2), (-43, -43, -29))


def lesions(points: np.ndarray) -> np.ndarray:
    """Two balls of 10 and 6, each of 12 mm radius and sharp, 40 mm apart, on 1."""
    one, other = (np.linalg.norm(points - centre, axis=-1) <= 12 for centre in ((-20, 0, 0), (20, 0, 0)))
    return np.where(one, 10.0, np.where(other, 6.0, 1.0))


def blurred(points: np.ndarray) -> np.ndarray:
    """A Gaussian of height 8 and sigma 8 mm on a background of 2."""
    return np.asarray(2 + 8 * np.exp(-(points**2).sum(axis=-1) / (2 * 8**2)))


def test_a_threshold_takes_all_voxels_of_the_range_both_ends_included() -> None:
    volume = volume_of(GRID, lesions)
    assert threshold(volume, 6).mask.voxels == int((volume.voxels >= 6).sum())
    assert np.array_equal(threshold(volume, 6, 6).mask.inside, volume.voxels == 6)
    within = ball_mask(GRID, (20, 0, 0), 15)
    found = threshold(volume, 4, within=within)
    assert np.array_equal(found.mask.inside, volume.voxels == 6)
    assert (found.low, found.high, found.unit) == (4, np.inf, Unit.SUV_BW)


def test_a_percentage_isocontour_is_of_the_highest_value_of_its_start_region() -> None:
    volume = volume_of(GRID, lambda points: 10 * np.exp(-(points**2).sum(axis=-1) / (2 * 8**2)))
    found = isocontour(volume, 41, ball_mask(GRID, (0, 0, 0), 26))
    assert found.maximum == pytest.approx(float(volume.voxels.max()))
    assert found.low == pytest.approx(0.41 * float(volume.voxels.max()))
    radius = 8 * np.sqrt(-2 * np.log(0.41 * float(volume.voxels.max()) / 10))
    assert np.array_equal(found.mask.inside, ball_mask(GRID, (0, 0, 0), radius).inside)


def test_an_isocontour_keeps_to_the_hottest_lesion_unless_told_otherwise() -> None:
    volume = volume_of(GRID, lesions)
    assert np.array_equal(isocontour(volume, 50, everything(GRID)).mask.inside, volume.voxels == 10)
    assert np.array_equal(isocontour(volume, 50, everything(GRID), connected=False).mask.inside, volume.voxels >= 6)


def test_the_hottest_lesion_is_found_wherever_it_lies() -> None:
    turned = volume_of(GRID, lambda points: lesions(points * np.array((-1, 1, 1))))
    assert np.array_equal(isocontour(turned, 50, everything(GRID)).mask.inside, turned.voxels == 10)


def test_an_adaptive_threshold_lies_half_way_between_background_and_maximum() -> None:
    found = adaptive(volume_of(GRID, blurred), ball_mask(GRID, (0, 0, 0), 25))
    assert found.maximum is not None
    assert found.background is not None
    assert found.low == pytest.approx(found.background + 0.5 * (found.maximum - found.background), rel=2e-3)
    given = adaptive(
        volume_of(GRID, blurred), ball_mask(GRID, (0, 0, 0), 25), background=ball_mask(GRID, (35, 0, 0), 6)
    )
    assert given.background is not None
    assert given.background == pytest.approx(2, abs=0.05)
    assert given.low == pytest.approx((given.background + float(volume_of(GRID, blurred).voxels.max())) / 2)
    radius = 8 * np.sqrt(-2 * np.log((given.low - 2) / 8))
    assert np.array_equal(given.mask.inside, ball_mask(GRID, (0, 0, 0), radius).inside)


def test_a_flat_image_has_no_adaptive_threshold() -> None:
    with pytest.raises(InvalidRegion, match=r"no hotter|no background"):
        adaptive(volume_of(GRID, np.full(GRID.shape, 3.0)), ball_mask(GRID, (0, 0, 0), 10))


@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_growing_finds_the_part_that_holds_the_seed(connectivity: Connectivity) -> None:
    grid = grid_of((8, 12, 12), (1, 2, 3), (10, 20, 30))
    values = np.random.default_rng(3).random(grid.shape)
    values[4, 5, 6] = 0.2
    volume = volume_of(grid, values)
    found = grow(volume, grid.to_patient.apply((6, 5, 4)), (0.1, 0.4), connectivity)
    candidates = (volume.voxels >= 0.1) & (volume.voxels <= 0.4)
    labels = labelled(candidates, connectivity)
    assert np.array_equal(found.mask.inside, labels == labels[4, 5, 6])


def test_growing_is_bounded_by_a_ball_and_by_a_region() -> None:
    volume = volume_of(GRID, lesions)
    seed = np.array((-20.2, 0.3, 0.4))
    assert np.array_equal(grow(volume, seed, (5, 20)).mask.inside, volume.voxels == 10)
    ball = mask_of(GRID, sphere(seed, 7))
    assert np.array_equal(grow(volume, seed, (5, 20), radius_mm=7).mask.inside, ball.inside)
    half = Mask(GRID, points_of(GRID)[..., 0] < -20)
    bounded = grow(volume, seed, (5, 20), within=half, radius_mm=7).mask.inside
    assert np.array_equal(bounded, ball.inside & half.inside)


def test_hounsfield_units_are_grown_as_whole_numbers() -> None:
    grid = grid_of((3, 4, 5))
    volume = volume_of(grid, np.arange(60).reshape(3, 4, 5), Unit.HU)
    assert grow(volume, np.array((2, 1, 0)), (6.5, 8.5)).mask.voxels == 2


@pytest.mark.parametrize(
    ("seed", "limits", "sentence"),
    [
        ((0, 0, 0), (5, 20), "value 1 SUVbw"),
        ((0, 0, 400), (0, 20), "outside the image"),
        ((0, 0, 0), (3, 2), "lower limit"),
    ],
)
def test_seeds_and_limits_that_mean_nothing_are_refused(
    seed: tuple[float, float, float], limits: tuple[float, float], sentence: str
) -> None:
    with pytest.raises(InvalidRegion, match=sentence):
        grow(volume_of(GRID, lesions), np.array(seed), limits)


def test_regions_elsewhere_are_refused() -> None:
    volume = volume_of(GRID, lesions)
    with pytest.raises(FramesDiffer):
        threshold(volume, 2, within=everything(grid_of((3, 3, 3), frame=FrameOfReference("2.25.9"))))
    with pytest.raises(InvalidRegion, match="other voxels"):
        threshold(volume, 2, within=everything(grid_of((3, 3, 3))))
    with pytest.raises(InvalidRegion, match="empty"):
        threshold(volume, 2, within=noise(GRID, 0, 0))
    with pytest.raises(InvalidRegion, match="above zero"):
        isocontour(volume_of(GRID, np.full(GRID.shape, -5.0)), 41, everything(GRID))


@pytest.mark.parametrize("percent", [0, 101, np.nan])
def test_percentages_that_are_none_are_refused(percent: float) -> None:
    with pytest.raises(InvalidRegion, match="percent"):
        isocontour(volume_of(GRID, lesions), percent, everything(GRID))
    with pytest.raises(InvalidRegion, match="part between"):
        adaptive(volume_of(GRID, lesions), everything(GRID), percent)


@pytest.mark.parametrize("low", [4.1, 1.1])
def test_limits_are_not_rounded_to_the_voxels_numbers(low: float) -> None:
    """As measuring does: as float32 4.1 is a little less, and does not reach 4.1; 1.1 is a little more."""
    volume = volume_of(grid_of((4, 4, 4)), low)
    region = everything(volume.grid)
    assert (threshold(volume, low).mask.voxels == 64) == (float(np.float32(low)) >= low)
    assert isocontour(volume, 100, region).mask.voxels == 64
    assert (threshold(volume, 0, low).mask.voxels == 64) == (float(np.float32(low)) <= low)
