"""Automatic rigid and affine registration, on two made modalities whose truth is exact."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from radfuse.core.errors import CannotRegister, FramesDiffer
from radfuse.geometry import Affine, FrameOfReference, Grid, Mask
from radfuse.registration import rigid
from radfuse.registration.metric_steps import MetricStep
from radfuse.registration.rigid import register_rigid, start_from_click
from radfuse.registration.rigid_climb import Screen
from radfuse.registration.rigid_evidence import doubts
from radfuse.registration.rigid_images import reduced, straight, within
from radfuse.registration.rigid_recipe import Kind, RigidRecipe, RigidResult
from radfuse.volume import Volume
from tests.registration.made_rigid import FIXED, MIDDLE, MOVING, fixed_volume, largest_error_mm, motion, moving_volume
from tests.volume.made import points_of, turned

QUICK = RigidRecipe(climbed=6, samples=12_000, shift_mm=0.0, kept=(2, 1))
FROM_AFAR = replace(QUICK, shift_mm=20.0)
TRUTH = motion(12, (150.0, -80.0, 300.0))


@cache
def fixed() -> Volume:
    return fixed_volume()


@cache
def moving() -> Volume:
    return moving_volume(TRUTH)


@cache
def found() -> RigidResult:
    return register_rigid(fixed(), moving(), QUICK)


def with_voxels(volume: Volume, voxels: npt.NDArray[Any]) -> Volume:
    return Volume(voxels.astype(np.float32), volume.grid, volume.unit, volume.source)


def ball(radius_mm: float, grid: Grid) -> Mask:
    return Mask(grid, np.linalg.norm(points_of(grid) - MIDDLE, axis=-1) <= radius_mm)


def test_two_modalities_are_aligned_to_a_fraction_of_a_voxel_without_a_start() -> None:
    assert largest_error_mm(found().transform, TRUTH) < 1.0
    assert found().transform.is_rigid


def test_a_right_result_has_evidence_that_speaks_for_it() -> None:
    evidence = found().evidence
    assert evidence.above_chance > 4
    assert evidence.overlap > 0.6
    assert 2 * evidence.agreeing >= evidence.followed > 0
    assert evidence.halves_apart_mm < 5
    assert evidence.back_apart_mm < 2
    assert evidence.starts == 3 * 27


def test_the_same_images_give_the_same_bits_also_in_another_process() -> None:
    again = register_rigid(fixed(), moving(), QUICK)
    assert again.transform.matrix.tobytes() == found().transform.matrix.tobytes()
    assert again.evidence == found().evidence
    code = "from tests.registration import test_rigid as t; print(t.found().transform.matrix.tobytes().hex())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    assert done.stdout.strip() == found().transform.matrix.tobytes().hex()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.mark.parametrize("offset", [(25.0, 0.0, 0.0), (-14.0, 14.0, 14.0)])
def test_one_click_25_mm_off_is_enough(offset: tuple[float, float, float]) -> None:
    start = start_from_click(MIDDLE, TRUTH.apply(MIDDLE) + np.array(offset))
    assert largest_error_mm(register_rigid(fixed(), moving(), FROM_AFAR, [start]).transform, TRUTH) < 1.0


def test_the_way_back_is_the_inverse() -> None:
    back = register_rigid(moving(), fixed(), QUICK)
    assert largest_error_mm(back.transform.inverse(), TRUTH) < 1.0


def test_a_small_image_finds_its_place_in_a_large_one() -> None:
    small = Grid.of((22, 22, 22), (4, 4, 4), TRUTH.apply(MIDDLE) - 42, MOVING)
    start = start_from_click(MIDDLE, TRUTH.apply(MIDDLE))
    result = register_rigid(fixed(), moving_volume(TRUTH, grid=small), QUICK, [start])
    assert largest_error_mm(result.transform, TRUTH, 35) < 1.5
    assert result.evidence.overlap > 0.9


def test_a_region_limits_what_is_compared() -> None:
    spoilt = np.array(moving().voxels)
    rng = np.random.default_rng(4)
    far = np.linalg.norm(points_of(moving().grid) - TRUTH.apply(MIDDLE), axis=-1) > 62
    spoilt[far] = rng.normal(400, 300, int(far.sum()))
    start = start_from_click(MIDDLE, TRUTH.apply(MIDDLE) + np.array((8, 0, -8)))
    result = register_rigid(fixed(), with_voxels(moving(), spoilt), QUICK, [start], ball(48, fixed().grid))
    assert largest_error_mm(result.transform, TRUTH, 30) < 1.0


def test_an_affine_result_finds_scales() -> None:
    truth = Affine.of(TRUTH.linear @ np.diag((1.06, 0.95, 1.03)), TRUTH.translation)
    truth = Affine.of(truth.linear, TRUTH.apply(MIDDLE) - truth.linear @ MIDDLE)
    result = register_rigid(fixed(), moving_volume(truth), replace(QUICK, kind=Kind.AFFINE, iterations=200))
    assert largest_error_mm(result.transform, truth) < 2.0
    assert not result.transform.is_rigid


def test_sheared_and_left_handed_grids_are_the_same_body() -> None:
    sheared = np.array([[4.0, 0.0, 0.0], [0.0, 4.0, 0.8], [0.0, 0.0, 4.0]])
    grid = Grid((45, 33, 40), Affine.of(sheared, MIDDLE - sheared @ (19.5, 16, 22)), FIXED)
    assert grid.is_sheared
    mirrored = np.diag((4.0, 4.0, -4.0))
    other = Grid((45, 33, 40), Affine.of(mirrored, TRUTH.apply(MIDDLE) - mirrored @ (19.5, 16, 22)), MOVING)
    result = register_rigid(fixed_volume(grid=grid), moving_volume(TRUTH, grid=other), QUICK)
    assert largest_error_mm(result.transform, TRUTH) < 1.5


def test_a_wrong_result_has_evidence_against_it() -> None:
    """Another body of the same outline: a result there is, but the halves do not agree."""
    upside_down = np.array(moving().voxels[::-1, ::-1])
    evidence = register_rigid(fixed(), with_voxels(moving(), upside_down), QUICK).evidence
    assert evidence.halves_apart_mm > 2 * found().evidence.halves_apart_mm + 8
    assert evidence.back_apart_mm > found().evidence.back_apart_mm


def test_noise_is_not_registered() -> None:
    noise = np.random.default_rng(5).normal(0, 1, moving().voxels.shape)
    with pytest.raises(CannotRegister, match="tell nothing about each other"):
        register_rigid(fixed(), with_voxels(moving(), noise), QUICK)


def test_progress_rises_to_one_and_whatever_it_raises_ends_the_work() -> None:
    told: list[float] = []
    steps: list[MetricStep] = []
    result = register_rigid(fixed(), moving(), QUICK, progress=told.append, steps=steps.append)
    assert told == sorted(told)
    stages = {each.stage: [one.value for one in steps if one.stage == each.stage] for each in steps}
    assert list(stages) == ["rigid, 8 mm", "rigid, 4 mm", "rigid, 2 mm"]
    # The first steps of a stage are long ones, that may lead away; in the end it is where it is least.
    assert all(values[-1] < min(values) + 1e-3 for values in stages.values())
    assert result.evidence == found().evidence
    assert told[-1] == 1.0
    assert len(told) >= 10

    class Stopped(Exception):
        pass

    def stop(share: float) -> None:
        if share > 0.2:
            raise Stopped

    with pytest.raises(Stopped):
        register_rigid(fixed(), moving(), QUICK, progress=stop)


def test_what_cannot_be_registered_is_refused_with_a_reason() -> None:
    flat = Grid((3, *fixed().grid.shape[1:]), fixed().grid.to_patient, FIXED)
    thin = Volume(fixed().voxels[:3], flat, fixed().unit, fixed().source)
    broken = np.array(moving().voxels)
    broken[3, 4, 5] = np.nan
    refusals = (
        (thin, moving(), "3 x 32 x 40 voxels"),
        (fixed(), with_voxels(moving(), broken), "moving images have voxels that are no finite numbers"),
        (with_voxels(fixed(), np.full(fixed().grid.shape, 7.0)), moving(), "fixed images show nothing"),
    )
    for one, other, words in refusals:
        with pytest.raises(CannotRegister, match=words):
            register_rigid(one, other, QUICK)


def test_a_start_without_overlap_is_refused() -> None:
    with pytest.raises(CannotRegister, match="no start led to images that overlap"):
        register_rigid(fixed(), moving(), QUICK, [start_from_click(MIDDLE, TRUTH.apply(MIDDLE) + 500)])


def test_a_start_that_mirrors_is_refused() -> None:
    with pytest.raises(CannotRegister, match="mirror"):
        register_rigid(fixed(), moving(), QUICK, [Affine.of(np.diag((-1, 1, 1)), (0, 0, 0))])


def test_a_region_must_hold_something_of_the_fixed_images() -> None:
    grid = fixed().grid
    empty = Mask(grid, np.zeros(grid.shape, dtype=np.bool_))
    elsewhere = Mask(Grid.of((3, 3, 3), (4, 4, 4), MIDDLE + 900, FIXED), np.ones((3, 3, 3), dtype=np.bool_))
    for region, words in ((empty, "empty"), (elsewhere, "outside")):
        with pytest.raises(CannotRegister, match=words):
            register_rigid(fixed(), moving(), QUICK, region=region)
    with pytest.raises(FramesDiffer):
        register_rigid(fixed(), moving(), QUICK, region=ball(30, replace(grid, frame=FrameOfReference("2.25.9"))))


def test_a_result_that_is_turned_further_than_allowed_is_none() -> None:
    with pytest.raises(CannotRegister, match="tell nothing about each other"):
        register_rigid(fixed(), moving(), replace(QUICK, most_turned_degrees=-1.0))


def test_an_affine_result_that_scales_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rigid, "_MOST_SCALED", 1.0)
    with pytest.raises(CannotRegister, match="more than twofold"):
        register_rigid(fixed(), moving(), replace(QUICK, kind=Kind.AFFINE))


def test_of_a_region_thinner_than_a_coarse_voxel_something_is_left() -> None:
    thin = np.zeros(fixed().grid.shape, np.bool_)
    thin[21] = True
    coarse = reduced(within(straight(fixed()), Mask(fixed().grid, thin), 40.0), 20.0)
    assert coarse.inside is not None
    assert coarse.inside.any()


def test_a_place_where_too_little_overlaps_scores_nothing() -> None:
    one, other = (reduced(straight(each), 8.0) for each in (fixed(), moving()))
    screen = Screen(one, other, RigidRecipe().seed)
    right = screen.look(TRUTH.matrix)
    assert right.score > 0.1
    assert screen.look(TRUTH.matrix, right.overlap - 0.01).score == right.score
    assert screen.look(TRUTH.matrix, right.overlap + 0.01).score == 0


def test_images_too_small_to_be_cut_have_no_halves_that_agree() -> None:
    small = Grid.of((7, 7, 7), (8, 8, 8), MIDDLE - 24, FIXED)
    one = straight(fixed_volume(grid=small))
    other = straight(moving_volume(Affine.identity(), grid=replace(small, frame=MOVING)))
    assert np.isnan(doubts(one, other, Affine.identity(), QUICK).halves_apart_mm)


def test_the_recipe_names_every_parameter() -> None:
    described = RigidRecipe().described()
    assert described["kind"] == "rigid"
    assert described["spacings_mm"] == "(8.0, 4.0, 2.0)"
    assert set(described) == set(RigidRecipe.__slots__)


def test_turned_bodies_are_turned_back() -> None:
    """25 degrees about z and 12.5 about x, from a start that knows nothing of it."""
    truth = Affine.of(turned(25) @ turned(12.5, 0), (0, 0, 0))
    truth = Affine.of(truth.linear, MIDDLE + np.array((30, 20, 10)) - truth.linear @ MIDDLE)
    result = register_rigid(fixed(), moving_volume(truth), FROM_AFAR, [Affine.identity()])
    assert largest_error_mm(result.transform, truth) < 1.0
