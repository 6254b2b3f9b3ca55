"""The peak: against the continuous mean over a ball of 1 cm3 of lesions that are functions."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Affine, Grid, Mask, Points
from radfuse.roi.balls import Balls
from radfuse.roi.drawing import sphere_weights
from radfuse.roi.peak import PEAK_RADIUS_MM, peak_of
from tests.support.measuring import FRAME, ball_mask, everything, grid_of, oblique_grid, points_of, volume_of

SIGMA_MM = 7.4366
"""A Gaussian lesion of maximum 10 and this width has a mean of 8.15 over the ball."""

GRIDS = [
    grid_of((11, 11, 19), (3.3, 5.5, 5.5)),
    grid_of((16, 16, 16), (4, 4, 4)),
    grid_of((19, 15, 15), (4.07, 4.07, 3.27)),
    grid_of((30, 30, 30), (2, 2, 2)),
    oblique_grid((16, 16, 16), (4, 4, 4)),
    Grid((18, 16, 16), Affine.of(np.array([[4, 0, 0], [0, 4, 1.2], [0, 0, 3.3]]), (0, 0, 0)), FRAME),
]
PLACES = [(0, 0, 0), (0.5, 0.5, 0.5), (0.3, -0.2, 0.4)]


def continuous(sigma_mm: float) -> float:
    """The mean of the lesion over the ball, by integration over its shells."""
    r = np.linspace(0, PEAK_RADIUS_MM, 20001)
    return float(np.trapezoid(10 * np.exp(-(r**2) / 2 / sigma_mm**2) * r**2, r) / np.trapezoid(r**2, r))


def centre_of(grid: Grid, off_voxel: tuple[float, float, float]) -> Points:
    return grid.to_patient.apply(np.array(grid.shape[::-1]) // 2 + np.array(off_voxel))


def gaussian(centre: Points, sigma_mm: float = SIGMA_MM) -> object:
    return lambda points: 10 * np.exp(-((points - centre) ** 2).sum(axis=-1) / 2 / sigma_mm**2)


def test_the_lesion_of_these_tests_has_a_mean_of_8_15() -> None:
    assert continuous(SIGMA_MM) == pytest.approx(8.15, abs=0.001)


@pytest.mark.parametrize(("grid", "place"), list(product(GRIDS, PLACES)))
def test_the_peak_comes_near_the_continuous_value_wherever_the_lesion_lies(
    grid: Grid, place: tuple[float, float, float]
) -> None:
    centre = centre_of(grid, place)
    volume = volume_of(grid, gaussian(centre))  # type: ignore[arg-type]
    peak = peak_of(volume, ball_mask(grid, centre.tolist(), 9))
    # Voxels of 5.5 mm blur by themselves; 4 mm lose 4 %, 2 mm 1 %.
    largest = max(grid.spacing_mm)
    assert 8.15 * (1 - 0.0025 * largest**2) < peak.value <= 8.15
    assert peak.value >= peak.value_at_voxels
    assert peak.volume_ml == pytest.approx(1, abs=1e-3)
    assert peak.step_mm <= 0.25
    assert np.linalg.norm(peak.centre_mm - centre) < 0.2 * largest
    assert peak.notes == ()


@pytest.mark.parametrize("grid", GRIDS)
def test_centres_between_voxels_depend_less_on_where_the_lesion_lies(grid: Grid) -> None:
    values, at_voxels = [], []
    for place in PLACES:
        centre = centre_of(grid, place)
        peak = peak_of(volume_of(grid, gaussian(centre)), ball_mask(grid, centre.tolist(), 9))  # type: ignore[arg-type]
        values.append(peak.value)
        at_voxels.append(peak.value_at_voxels)
    assert np.ptp(values) <= np.ptp(at_voxels)
    assert min(values) >= min(at_voxels)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("place", PLACES)
def test_the_balls_weights_are_those_of_a_drawn_sphere(grid: Grid, place: tuple[float, float, float]) -> None:
    middle = np.array(grid.shape[::-1]) // 2
    drawn = sphere_weights(grid, grid.to_patient.apply(middle + np.array(place)), PEAK_RADIUS_MM)
    base = np.floor(middle + np.array(place) + 0.5).astype(int)
    ball = Balls(grid, PEAK_RADIUS_MM).at(*(middle + np.array(place) - base))
    ours = np.zeros(grid.shape)
    ours[tuple((ball.steps + base).T[::-1])] = ball.weights
    theirs = np.zeros(grid.shape)
    theirs[drawn.where] = drawn.values
    assert np.abs(ours - theirs).max() < 0.02
    assert ours.sum() == pytest.approx(theirs.sum(), rel=2e-3)


def test_the_peak_of_a_constant_is_the_constant() -> None:
    grid = oblique_grid((12, 12, 12), (2, 3, 4))
    peak = peak_of(volume_of(grid, 3.5), ball_mask(grid, centre_of(grid, (0, 0, 0)).tolist(), 6))
    assert peak.value == pytest.approx(3.5)
    assert peak.value_at_voxels == pytest.approx(3.5)


def test_the_ball_may_reach_out_of_the_region_but_its_centre_does_not() -> None:
    grid = grid_of((21, 21, 21), (2, 2, 2))
    volume = volume_of(grid, lambda points: points[..., 0])
    mask = ball_mask(grid, (20, 20, 20), 3)
    peak = peak_of(volume, mask)
    # The image rises along x: the best centre is the farthest point of the region's last voxel.
    assert peak.centre_mm[0] == pytest.approx(22 + 1, abs=0.25)
    assert peak.value == pytest.approx(peak.centre_mm[0], rel=0.01)
    assert peak.value_at_voxels == pytest.approx(22)


def test_of_two_hot_spots_the_one_with_the_higher_mean_wins_not_the_hotter_voxel() -> None:
    grid = grid_of((20, 20, 40), (2, 2, 2))
    wide, narrow = np.array((20, 20, 20.0)), np.array((60, 20, 20.0))

    def two(points: Points) -> Points:
        broad = 8 * np.exp(-((points - wide) ** 2).sum(axis=-1) / 2 / 64)
        sharp = 12 * np.exp(-((points - narrow) ** 2).sum(axis=-1) / 2 / 4)
        return np.asarray(broad + sharp)

    volume = volume_of(grid, two)
    peak = peak_of(volume, Mask(grid, volume.voxels > 2))
    assert np.linalg.norm(peak.centre_mm - wide) < 1
    assert volume.voxels.max() == volume.voxels[10, 10, 30]


def test_a_ball_that_reaches_out_of_the_image_is_said_with_its_volume() -> None:
    grid = grid_of((10, 20, 20), (2, 2, 2))
    centre = np.array((20, 20, 0.0))
    peak = peak_of(volume_of(grid, gaussian(centre)), ball_mask(grid, centre.tolist(), 5))  # type: ignore[arg-type]
    assert peak.volume_ml < 0.8
    assert any("reaches out of the image" in note for note in peak.notes)


def test_a_large_region_of_fine_voxels_gives_the_same_peak_by_a_coarse_start(monkeypatch: pytest.MonkeyPatch) -> None:
    from radfuse.roi import peak as module

    grid = grid_of((32, 32, 32))
    volume = volume_of(grid, gaussian(centre_of(grid, (0.3, 0.4, -0.3))))  # type: ignore[arg-type]
    mask = ball_mask(grid, (16, 16, 16), 9)
    straight = peak_of(volume, mask)
    monkeypatch.setattr(module, "_MOST_PRODUCTS", 100_000)
    assert peak_of(volume, mask) == straight


def test_voxels_without_a_value_do_not_spoil_the_peak() -> None:
    grid = grid_of((16, 16, 16), (2, 2, 2))
    values = np.full(grid.shape, 2.0)
    values[8, 8, 8] = np.nan
    assert peak_of(volume_of(grid, values), everything(grid)).value == pytest.approx(2)


def test_a_ball_without_a_radius_is_refused() -> None:
    grid = grid_of((3, 3, 3))
    with pytest.raises(InvalidRegion, match="radius"):
        peak_of(volume_of(grid, 1.0), everything(grid), 0)


def test_the_points_of_the_grids_are_where_they_are_meant_to_be() -> None:
    grid = GRIDS[-1]
    assert points_of(grid)[2, 1, 3] == pytest.approx(grid.to_patient.apply((3, 1, 2)))


def test_a_lesion_between_voxels_wins_over_a_lower_one_on_a_voxel() -> None:
    grid = grid_of((12, 12, 24), (5.5, 5.5, 5.5))
    on_voxel, between = grid.to_patient.apply([(6, 6, 6), (17.5, 6.5, 6.5)])

    def two(points: Points) -> Points:
        low = 9.6 * np.exp(-((points - on_voxel) ** 2).sum(axis=-1) / 2 / 30)
        high = 10 * np.exp(-((points - between) ** 2).sum(axis=-1) / 2 / 30)
        return np.asarray(low + high)

    volume = volume_of(grid, two)
    peak = peak_of(volume, Mask(grid, volume.voxels > 1))
    assert np.linalg.norm(peak.voxel_centre_mm - on_voxel) < 3
    assert np.linalg.norm(peak.centre_mm - between) < 3
