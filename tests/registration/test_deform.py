"""Deformable registration of volumes: how exact it is, what it keeps, what it gives up, what it refuses."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radfuse.core.errors import CannotRegister, FramesDiffer
from radfuse.geometry import Affine, DisplacementField, FrameOfReference, Grid, Mask
from radfuse.registration import DeformableRecipe, Engine, Focus, Likeness, Method, MetricStep
from radfuse.registration.deform import DeformableResult, register_deformable, warm_up
from radfuse.registration.deformable import descriptors, filters, forces, parallel, warping
from radfuse.volume import Unit, Volume
from radfuse.volume.image_files import read_image_file
from tests.registration.made_deformable import (
    FIXED,
    MOVING,
    SOURCE,
    Made,
    ball,
    box,
    brightness,
    displacement,
    make,
    points_of,
    volume,
)

TURNED = Affine.of(np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1]]), (12, -30, 205))
SMALL = DeformableRecipe(coarseness=(2, 1), iterations=(6, 3))


@pytest.fixture(scope="module")
def pair() -> Made:
    """Within a modality, 48 voxels a side."""
    return make()


@pytest.fixture(scope="module")
def result(pair: Made) -> DeformableResult:
    return register_deformable(pair.fixed, pair.moving, pair.start)


def field(result: DeformableResult) -> DisplacementField:
    first = result.registration.transform.steps[0]
    assert isinstance(first, DisplacementField)
    return first


def bits(made: Made, recipe: DeformableRecipe = SMALL) -> bytes:
    return field(register_deformable(made.fixed, made.moving, made.start, recipe)).vectors_mm.tobytes()


class TestWithinAModality:
    def test_a_known_deformation_is_found_to_a_tenth_of_a_voxel(self, pair: Made, result: DeformableResult) -> None:
        errors = pair.errors_mm(result)
        assert errors.mean() < 0.2
        assert np.percentile(errors, 95) < 0.45

    def test_the_images_say_that_they_are_of_one_modality(self, result: DeformableResult) -> None:
        assert result.likeness is Likeness.CORRELATION

    def test_nothing_folds_and_the_images_became_more_alike(self, result: DeformableResult) -> None:
        assert result.judgement.least_jacobian > 0.3
        assert result.judgement.folded_share == 0
        assert result.metric_after > result.metric_before
        assert result.judgement.information_after > result.judgement.information_before
        assert result.judgement.inconsistent_mm < 0.3 * result.judgement.moved_mm

    def test_the_registration_leads_from_the_fixed_to_the_moving_frame(self, result: DeformableResult) -> None:
        registration = result.registration
        assert (registration.fixed, registration.moving) == (FIXED, MOVING)
        assert registration.method is Method.DEFORMABLE
        assert registration.fell_back == result.fell_back == ""

    def test_every_parameter_is_kept_as_it_was_decided(self, result: DeformableResult) -> None:
        parameters = result.registration.parameters
        assert parameters["likeness"] == "ncc"
        assert parameters["damping"] == "0.05"
        assert parameters["iterations"] == "30, 20, 7"
        assert parameters["spacing_mm"] == "2.0, 2.0, 2.0"

    def test_the_field_covers_the_images_to_their_edges(self, pair: Made, result: DeformableResult) -> None:
        assert np.isfinite(result.registration.transform.apply(pair.fixed.grid.corners_mm)).all()


class TestStiffening:
    """In the end the field becomes stiffer where that explains the images as well."""

    def errors(self, made: Made, stiffening: float) -> float:
        found = register_deformable(made.fixed, made.moving, made.start, DeformableRecipe(stiffening=stiffening))
        return float(made.errors_mm(found).mean())

    def test_noise_does_not_bend_a_smooth_deformation(self) -> None:
        made = make(box(40), size_mm=1.5)
        fixed, moving = (volume(one.grid, one.voxels, seed, 90) for seed, one in ((5, made.fixed), (6, made.moving)))
        noisy = replace(made, fixed=fixed, moving=moving)
        assert self.errors(noisy, 2.5) < 0.8 * self.errors(noisy, 1)

    def test_a_rough_deformation_is_kept(self) -> None:
        made = make(box(40), size_mm=5)
        assert self.errors(made, 2.5) < 1.15 * self.errors(made, 1)


def test_a_known_deformation_is_found_across_modalities() -> None:
    made = make(contrast=True)
    found = register_deformable(made.fixed, made.moving, made.start)
    assert found.likeness is Likeness.DESCRIPTORS
    assert found.fell_back == ""
    assert made.errors_mm(found).mean() < 0.65
    assert found.judgement.least_jacobian > 0.2


def test_oblique_grids_of_flat_voxels_give_displacements_along_the_axes_of_the_patient() -> None:
    axial = box(44, (2, 2, 4))
    oblique = Grid(axial.shape, Affine.of(TURNED.linear, (0, 0, 0)).after(axial.to_patient), FIXED)
    made = make(oblique, box(52, (2.5, 2, 3), MOVING), Affine.of(TURNED.linear, (3, 2, -4)))
    found = register_deformable(made.fixed, made.moving, made.start)
    assert found.fell_back == ""
    assert made.errors_mm(found).mean() < 0.4
    inner = made.inner_points()
    moved = field(found).apply(inner) - inner
    assert np.linalg.norm(moved - displacement(inner, made.size_mm), axis=1).mean() < 0.4


def test_sheared_slices_are_compared_on_a_grid_at_right_angles() -> None:
    axial = box(44)
    shear = np.array([[2, 0, 0], [0, 2, 0.4], [0, 0, 2.0]])
    sheared = Grid(axial.shape, Affine.of(shear, axial.origin_mm - (0, 8, 0)), FIXED)
    made = make(sheared)
    found = register_deformable(made.fixed, made.moving, made.start)
    assert not found.working_grid.is_sheared
    assert made.errors_mm(found).mean() < 0.3


class TestTheSameBits:
    def test_again_and_with_any_number_of_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = make(box(24))
        first = bits(made)
        for threads in (1, 2, 3):
            monkeypatch.setattr(parallel, "THREADS", threads)
            assert bits(made) == first

    def test_when_two_registrations_run_at_once(self) -> None:
        made = make(box(24))
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(bits, (made, made)))
        assert both == [bits(made)] * 2

    def test_in_another_process_and_numba_is_loaded_only_when_something_is_computed(self) -> None:
        program = (
            "import sys, hashlib, radfuse.registration; assert 'numba' not in sys.modules;"
            "from tests.registration.test_deform import bits, box, make;"
            "print(hashlib.sha256(bits(make(box(24)))).hexdigest())"
        )
        run = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=_environment()
        )
        assert run.stdout.strip() == sha256(bits(make(box(24)))).hexdigest()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def _brain(shared_data: Path, name: str, frame_uid: str) -> Volume:
    read = read_image_file(shared_data / "registration" / "brainweb-pet-t1" / f"brainweb_06_{name}_cropped.nii")
    return replace(read, grid=Grid(read.grid.shape, read.grid.to_patient, FrameOfReference(frame_uid)))


class TestTheStartIsKept:
    def test_where_the_images_have_nothing_in_common(self) -> None:
        made = make(box(32))
        noise = volume(made.moving.grid, np.zeros(made.moving.grid.shape), 5, 100)
        found = register_deformable(made.fixed, noise, TURNED.after(TURNED.inverse()))
        assert found.fell_back
        assert found.registration.transform.is_affine
        assert found.registration.method is Method.DEFORMABLE

    def test_where_nothing_was_deformed_it_is_no_worse_than_before(self) -> None:
        made = make(box(40), size_mm=0)
        found = register_deformable(made.fixed, made.moving, made.start)
        assert made.errors_mm(found).max() < 0.2

    def test_where_two_modalities_show_a_patient_who_did_not_move(self, shared_data: Path) -> None:
        pet, t1 = (_brain(shared_data, name, uid) for name, uid in (("osem", "1.2.3"), ("t1", "1.2.4")))
        recipe = DeformableRecipe(coarseness=(2, 1), iterations=(10, 5), spacing_mm=4.0)
        found = register_deformable(pet, t1, Affine.identity(), recipe)
        assert found.fell_back
        assert found.registration.transform.is_affine

    def test_where_the_deformation_would_fold_it_is_mended_or_given_up(self) -> None:
        made, rough = make(box(32), size_mm=9), DeformableRecipe(stiffness=0, step_smoothing=0.7)
        mended = register_deformable(made.fixed, made.moving, made.start, rough)
        assert (mended.fell_back, mended.judgement.folded_share) == ("", 0)
        assert mended.judgement.least_jacobian > 0.09
        given_up = register_deformable(made.fixed, made.moving, made.start, replace(rough, least_jacobian=-99))
        assert given_up.judgement.least_jacobian < 0
        assert "folds" in given_up.fell_back
        assert given_up.registration.transform.steps == (made.start,)


class TestMasks:
    def test_what_only_the_fixed_images_show_does_not_pull_where_it_is_masked(self, pair: Made) -> None:
        lesion = ball(pair.fixed.grid, (6, -4, 8), 9)
        voxels = np.where(lesion.inside, np.float32(1400), pair.fixed.voxels)
        fixed = replace(pair.fixed, voxels=voxels)
        mask = Mask(lesion.grid, ~lesion.inside)
        near = pair.inner_points()
        near = near[np.abs(np.linalg.norm(near - (6, -4, 8), axis=1) - 10) < 4]
        with_mask = register_deformable(fixed, pair.moving, pair.start, focus=Focus(fixed_mask=mask))
        without = register_deformable(fixed, pair.moving, pair.start)
        assert pair.errors_mm(with_mask, near).mean() < 0.6 * pair.errors_mm(without, near).mean()

    def test_what_only_the_moving_images_show_does_not_pull_where_it_is_masked(self, pair: Made) -> None:
        metal = ball(pair.moving.grid, (6, -4, 8), 9)
        moving = replace(pair.moving, voxels=np.where(metal.inside, np.float32(1400), pair.moving.voxels))
        mask = Mask(metal.grid, ~metal.inside)
        near = pair.inner_points()
        near = near[np.abs(np.linalg.norm(near - (6, -4, 8), axis=1) - 10) < 4]
        with_mask = register_deformable(pair.fixed, moving, pair.start, focus=Focus(moving_mask=mask))
        without = register_deformable(pair.fixed, moving, pair.start)
        assert pair.errors_mm(with_mask, near).mean() < 0.6 * pair.errors_mm(without, near).mean()

    def test_a_region_limits_what_is_deformed(self, pair: Made) -> None:
        region = ball(pair.fixed.grid, (15, 10, 5), 16)
        found = register_deformable(pair.fixed, pair.moving, pair.start, focus=Focus(region=region))
        inside = points_of(region.grid)[region.inside][::7]
        assert pair.errors_mm(found, inside).mean() < 0.35
        assert np.prod(found.working_grid.shape) < 0.6 * pair.fixed.voxels.size
        assert np.isnan(found.registration.transform.apply((-40.0, -40.0, -40.0))).all()

    def test_masks_of_other_frames_are_refused(self, pair: Made) -> None:
        wrong = Focus(fixed_mask=ball(pair.moving.grid, (0, 0, 0), 20))
        with pytest.raises(FramesDiffer):
            register_deformable(pair.fixed, pair.moving, pair.start, focus=wrong)
        with pytest.raises(FramesDiffer):
            register_deformable(pair.fixed, pair.moving, pair.start, focus=Focus(region=wrong.fixed_mask))
        wrong = Focus(moving_mask=ball(pair.fixed.grid, (0, 0, 0), 20))
        with pytest.raises(FramesDiffer):
            register_deformable(pair.fixed, pair.moving, pair.start, focus=wrong)


class TestTheWorkingGrid:
    def test_moving_images_that_show_less_leave_the_rest_undefined(self) -> None:
        half = box(48)
        short = Grid((20, 48, 48), half.to_patient, MOVING)
        made = make(moving=short)
        found = register_deformable(made.fixed, made.moving, made.start)
        assert found.fell_back == ""
        inner = made.inner_points()
        assert made.errors_mm(found, inner[inner[:, 2] < -14]).mean() < 0.4
        assert np.isnan(found.registration.transform.apply((0.0, 0.0, 40.0))).all()

    def test_many_voxels_are_taken_together(self, pair: Made) -> None:
        recipe = DeformableRecipe(most_voxels=20_000)
        found = register_deformable(pair.fixed, pair.moving, pair.start, recipe)
        assert np.prod(found.working_grid.shape) <= 20_000
        assert min(found.working_grid.spacing_mm) > 3.4
        assert pair.errors_mm(found).mean() < 0.8

    def test_the_spacing_can_be_given(self, pair: Made) -> None:
        found = register_deformable(pair.fixed, pair.moving, pair.start, replace(SMALL, spacing_mm=4.0))
        assert found.working_grid.spacing_mm == pytest.approx((4, 4, 4))
        assert found.working_grid.shape == (24, 24, 24)


class TestProgress:
    def test_it_grows_to_1(self, pair: Made) -> None:
        told: list[float] = []
        steps: list[MetricStep] = []
        register_deformable(pair.fixed, pair.moving, pair.start, SMALL, progress=told.append, steps=steps.append)
        for stage in [f"deformable, level {number} of 2" for number in (1, 2)]:
            values = [each.value for each in steps if each.stage == stage]
            assert values[-1] < values[0]
        assert told == sorted(told)
        assert told[-1] == 1
        assert len(told) > 5

    @pytest.mark.parametrize("engine", [each for each in Engine if each is not Engine.GREEDY])
    def test_raising_stops(self, engine: Engine) -> None:
        made = make(box(24))

        def stop(share: float) -> None:
            if share > 0:
                raise InterruptedError

        steps: list[MetricStep] = []
        recipe = replace(SMALL, engine=engine)
        with pytest.raises(InterruptedError):
            register_deformable(made.fixed, made.moving, made.start, recipe, progress=stop, steps=steps.append)
        assert steps[0].stage == "deformable, level 1 of 2"
        assert np.isfinite([each.value for each in steps]).all()


class TestSecondEngines:
    def test_demons_find_the_deformation(self, pair: Made) -> None:
        recipe = DeformableRecipe(engine=Engine.DEMONS)
        found = register_deformable(pair.fixed, pair.moving, pair.start, recipe)
        assert found.fell_back == ""
        assert pair.errors_mm(found).mean() < 1

    def test_demons_are_refused_across_modalities(self, pair: Made) -> None:
        recipe = DeformableRecipe(engine=Engine.DEMONS, likeness=Likeness.DESCRIPTORS)
        with pytest.raises(CannotRegister, match="different modalities"):
            register_deformable(pair.fixed, pair.moving, pair.start, recipe)

    def test_b_splines_find_the_deformation_with_masks(self) -> None:
        pair = make(box(24, (4, 4, 4)), size_mm=4)
        recipe = DeformableRecipe(engine=Engine.BSPLINE, coarseness=(2, 1), iterations=(10, 5), node_mm=30)
        focus = Focus(
            fixed_mask=ball(pair.fixed.grid, (0, 0, 0), 45), moving_mask=ball(pair.moving.grid, (0, 0, 0), 46)
        )
        found = register_deformable(pair.fixed, pair.moving, pair.start, recipe, focus)
        assert found.fell_back == ""
        assert pair.errors_mm(found).mean() < 1.5


class TestRefusals:
    def refused(self, made: Made, reason: str, **changes: Volume) -> None:
        volumes = {"fixed": made.fixed, "moving": made.moving, **changes}
        with pytest.raises(CannotRegister, match=reason):
            register_deformable(volumes["fixed"], volumes["moving"], made.start, SMALL)

    def test_voxels_that_are_no_finite_numbers(self, pair: Made) -> None:
        voxels = pair.fixed.voxels.copy()
        voxels[3, 4, 5] = math.nan
        self.refused(pair, "fixed images have voxels that are no finite", fixed=replace(pair.fixed, voxels=voxels))
        self.refused(
            pair, "moving images have voxels", moving=replace(pair.moving, voxels=voxels * np.float32(math.inf))
        )

    def test_images_that_show_nothing(self, pair: Made) -> None:
        self.refused(pair, "show nothing", moving=replace(pair.moving, voxels=np.zeros_like(pair.moving.voxels)))

    def test_images_that_show_nothing_where_they_are_compared(self, pair: Made) -> None:
        flat = np.where(ball(pair.moving.grid, (0, 0, 0), 30).inside, np.float32(7), pair.moving.voxels)
        region = ball(pair.fixed.grid, (0, 0, 0), 12)
        focus = Focus(region=region, moving_mask=ball(pair.moving.grid, (0, 0, 0), 25))
        with pytest.raises(CannotRegister, match="moving images show nothing where"):
            register_deformable(pair.fixed, replace(pair.moving, voxels=flat), pair.start, SMALL, focus)

    def test_single_slices(self) -> None:
        grid = Grid((1, 48, 48), box().to_patient, FIXED)
        flat = Volume(brightness(points_of(grid)).astype(np.float32), grid, Unit.SIGNAL, SOURCE)
        self.refused(make(box(24)), "1 slices", fixed=flat)

    def test_thin_overlap(self, pair: Made) -> None:
        aside = Affine.of(np.eye(3), (0, 0, 115.0))
        with pytest.raises(CannotRegister, match=r"lie on each other|do not overlap"):
            register_deformable(pair.fixed, pair.moving, aside)

    def test_no_overlap(self, pair: Made) -> None:
        with pytest.raises(CannotRegister, match="do not overlap"):
            register_deformable(pair.fixed, pair.moving, Affine.of(np.eye(3), (0, 500.0, 0)))

    def test_two_frames_without_a_start(self, pair: Made) -> None:
        with pytest.raises(FramesDiffer):
            register_deformable(pair.fixed, pair.moving)

    def test_an_empty_region_and_one_that_lies_elsewhere(self, pair: Made) -> None:
        for radius_mm, centre, reason in ((0.1, (500, 0, 0), "empty"), (8, (300, 0, 0), "overlap|region")):
            grid = box(8) if radius_mm < 1 else Grid.of((8, 8, 8), (2, 2, 2), (292, -8, -8), FIXED)
            region = ball(grid, centre, radius_mm)
            with pytest.raises(CannotRegister, match=reason):
                register_deformable(pair.fixed, pair.moving, pair.start, focus=Focus(region=region))

    def test_a_working_grid_of_too_few_voxels(self, pair: Made) -> None:
        with pytest.raises(CannotRegister, match="at least 4 along each side"):
            register_deformable(pair.fixed, pair.moving, pair.start, replace(SMALL, spacing_mm=40.0))

    @pytest.mark.parametrize(
        "changes",
        [
            {"coarseness": (), "iterations": ()},
            {"iterations": (1,)},
            {"iterations": (0, 1, 1)},
            {"spacing_mm": 0.0},
            {"spacing_mm": math.nan},
            {"stiffness": -1.0},
            {"stiffening": 0.5},
            {"longest_step": 0.0},
        ],
    )
    def test_recipes_that_cannot_be_followed(self, changes: dict[str, object]) -> None:
        with pytest.raises(CannotRegister):
            replace(DeformableRecipe(), **changes)  # type: ignore[arg-type]


def test_what_was_warmed_up_is_all_that_is_compiled(pair: Made) -> None:
    kernels: list[Any] = [
        kernel for module in (descriptors, filters, forces, warping) for kernel in vars(module).values()
        if hasattr(kernel, "signatures")
    ]  # fmt: skip
    warm_up()
    warmed = [len(kernel.signatures) for kernel in kernels]
    assert sum(warmed) > 15
    region = ball(pair.fixed.grid, (0, 0, 0), 30)
    for likeness in Likeness:
        recipe = replace(SMALL, likeness=likeness, most_voxels=20_000)
        register_deformable(pair.fixed, pair.moving, pair.start, recipe, Focus(region=region, fixed_mask=region))
    assert [len(kernel.signatures) for kernel in kernels] == warmed
