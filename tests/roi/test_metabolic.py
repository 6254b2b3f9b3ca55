"""MTV, TLG and the references of PERCIST, always with their threshold."""

from __future__ import annotations

import numpy as np
import pytest

from radfuse.core.errors import InvalidRegion
from radfuse.roi.metabolic import (
    SUL_UNITS,
    MetabolicVolume,
    Threshold,
    ThresholdKind,
    metabolic_volume,
    percist_reference,
)
from radfuse.volume import Unit, Volume
from tests.support.measuring import ball_mask, everything, grid_of, oblique_grid, volume_of

GRID = grid_of((1, 1, 10), (2, 5, 10))
RAMP = volume_of(GRID, np.arange(1, 11))
"""SUV 1 to 10 in voxels of 0.1 ml."""

BY_MAXIMUM = ThresholdKind.PERCENT_OF_MAXIMUM


@pytest.mark.parametrize(
    ("threshold", "level", "voxels"),
    [
        (Threshold(ThresholdKind.ABSOLUTE, 2.5), 2.5, 8),
        (Threshold(ThresholdKind.ABSOLUTE, 4), 4, 7),
        (Threshold(BY_MAXIMUM, 41), 4.1, 6),
        (Threshold(BY_MAXIMUM, 50), 5, 6),
        (Threshold(ThresholdKind.PERCENT_OF_PEAK, 50), 4, 7),
        (Threshold(ThresholdKind.PERCIST_LIVER, 3.3), 3.3, 7),
    ],
)
def test_voxels_at_or_above_the_threshold_count_and_the_threshold_is_in_the_result(
    threshold: Threshold, level: float, voxels: int
) -> None:
    found = metabolic_volume(RAMP, everything(GRID), threshold, peak=8)
    values = np.arange(11 - voxels, 11)
    assert found.voxels == voxels
    assert found.level == pytest.approx(level)
    assert found.mtv_ml == pytest.approx(voxels / 10)
    assert found.mean == pytest.approx(values.mean())
    assert found.tlg == pytest.approx(voxels / 10 * values.mean())
    assert found.share == pytest.approx(voxels / 10)
    assert (found.threshold, found.unit, found.maximum) == (threshold, Unit.SUV_BW, 10)


def test_the_volume_of_a_ball_is_its_metabolic_volume() -> None:
    grid = oblique_grid((30, 30, 30), (2, 2, 2))
    centre = grid.to_patient.apply((14.5, 14.5, 14.5))
    ball = ball_mask(grid, centre.tolist(), 18)
    volume = volume_of(grid, np.where(ball.inside, 8.0, 1.0))
    found = metabolic_volume(volume, everything(grid), Threshold(BY_MAXIMUM, 41))
    assert found.mtv_ml == pytest.approx(4 / 3 * np.pi * 1.8**3, rel=0.03)
    assert found.tlg == pytest.approx(8 * found.mtv_ml)


def test_a_threshold_in_suv_is_refused_on_another_unit_unless_it_is_meant() -> None:
    becquerel = Volume(RAMP.voxels, GRID, Unit.BQML, RAMP.source)
    with pytest.raises(InvalidRegion, match="meant for SUVbw, the image is in Bq/ml"):
        metabolic_volume(becquerel, everything(GRID), Threshold(ThresholdKind.ABSOLUTE, 2.5))
    with pytest.raises(InvalidRegion, match="meant for SUVbw"):
        metabolic_volume(becquerel, everything(GRID), Threshold(BY_MAXIMUM, 41))
    asked = metabolic_volume(becquerel, everything(GRID), Threshold(BY_MAXIMUM, 41, Unit.BQML))
    assert (asked.voxels, asked.unit) == (6, Unit.BQML)


def test_nothing_above_the_threshold_is_refused_with_the_maximum() -> None:
    with pytest.raises(InvalidRegion, match="reaches SUVbw 12; its maximum is 10 SUVbw"):
        metabolic_volume(RAMP, everything(GRID), Threshold(ThresholdKind.ABSOLUTE, 12))


def test_a_region_that_is_all_above_the_threshold_says_so() -> None:
    found: MetabolicVolume = metabolic_volume(RAMP, everything(GRID), Threshold(ThresholdKind.ABSOLUTE, 1))
    assert any("cut off" in note for note in found.notes)


def test_a_threshold_by_the_peak_needs_the_peak() -> None:
    with pytest.raises(InvalidRegion, match="needs the peak"):
        metabolic_volume(RAMP, everything(GRID), Threshold(ThresholdKind.PERCENT_OF_PEAK, 50))


@pytest.mark.parametrize(
    ("kind", "value"), [(BY_MAXIMUM, 0), (BY_MAXIMUM, 101), (BY_MAXIMUM, -5), (ThresholdKind.ABSOLUTE, float("nan"))]
)
def test_a_threshold_that_is_none_is_refused(kind: ThresholdKind, value: float) -> None:
    with pytest.raises(InvalidRegion, match="threshold"):
        Threshold(kind, value)


def test_thresholds_read_as_people_write_them() -> None:
    assert str(Threshold(ThresholdKind.ABSOLUTE, 2.5)) == "SUVbw 2.5"
    assert str(Threshold(BY_MAXIMUM, 41)) == "41 % of the maximum"
    assert str(Threshold(ThresholdKind.PERCENT_OF_PEAK, 50)) == "50 % of the peak"
    liver = Threshold(ThresholdKind.PERCIST_LIVER, 2.71828, Unit.SUV_LBM_JANMA)
    assert str(liver) == "SUVlbm(Janmahasatian) 2.718 (PERCIST liver)"


@pytest.mark.parametrize(
    ("kind", "factor"), [(ThresholdKind.PERCIST_LIVER, 1.5), (ThresholdKind.PERCIST_BLOOD_POOL, 2.0)]
)
def test_the_percist_reference_is_its_formula_on_the_sphere(kind: ThresholdKind, factor: float) -> None:
    grid = grid_of((20, 20, 20), (3, 3, 3))
    random = np.random.default_rng(5)
    volume = volume_of(grid, random.normal(1.6, 0.2, grid.shape), Unit.SUV_LBM_JANMA)
    sphere = ball_mask(grid, (30, 30, 30), 15)
    values = volume.voxels[sphere.inside].astype(float)
    found = percist_reference(volume, sphere, kind)
    assert found.threshold.value == pytest.approx(factor * values.mean() + 2 * values.std())
    assert (found.threshold.kind, found.threshold.unit) == (kind, Unit.SUV_LBM_JANMA)
    assert found.volume_ml == pytest.approx(4 / 3 * np.pi * 1.5**3, rel=0.03)
    assert found.notes == ()
    lesion = metabolic_volume(volume_of(grid, 6.0, Unit.SUV_LBM_JANMA), sphere, found.threshold)
    assert lesion.level == found.threshold.value


def test_percist_on_suv_by_weight_is_said_and_without_suv_refused() -> None:
    reference = percist_reference(RAMP, everything(GRID))
    assert any("SUL" in note for note in reference.notes)
    with pytest.raises(InvalidRegion, match="needs SUV"):
        percist_reference(Volume(RAMP.voxels, GRID, Unit.BQML, RAMP.source), everything(GRID))
    with pytest.raises(InvalidRegion, match="liver or the blood pool"):
        percist_reference(RAMP, everything(GRID), ThresholdKind.ABSOLUTE)


def test_every_unit_that_is_called_suv_is_one() -> None:
    others = {Unit.HU, Unit.BQML, Unit.GY, Unit.COUNTS, Unit.SIGNAL, Unit.FRACTION, Unit.STORED}
    assert {unit for unit in Unit if not unit.is_suv} == others
    assert {unit for unit in Unit if unit.value.startswith("SUVlbm")} == SUL_UNITS
