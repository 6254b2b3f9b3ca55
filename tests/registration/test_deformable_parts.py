"""The parts of the deformable engine, each against what it should compute."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from radfuse.core.errors import CannotRegister
from radfuse.registration.deformable import filters, forces, warping
from radfuse.registration.deformable.choosing import relation
from radfuse.registration.deformable.engine import descend
from radfuse.registration.deformable.judging import Judgement
from radfuse.registration.deformable.levels import Level, continued, level, reduced, smoothed, stiffened
from radfuse.registration.deformable.likeness import Comparison, Correlation, Descriptors, Weights, Workspace
from radfuse.registration.deformable.pair import Deformation, Image, Pair
from radfuse.registration.deformable.parallel import over
from radfuse.registration.deformable.recipe import DeformableRecipe, Likeness

SHAPE = (10, 12, 14)
MM = np.array([1.0, 1.5, 2.0])


def images(count: int) -> list[Image]:
    random = np.random.default_rng(4)
    at, spare = level(SHAPE, np.ones(3), 1), np.empty(SHAPE, np.float32)
    made = []
    for _ in range(count):
        image = random.random(SHAPE, dtype=np.float32)
        smoothed(image, at.sigmas(2.5), image, spare)
        made.append((image - image.min()) / np.ptp(image))
    return made


@pytest.fixture
def at() -> Level:
    return level(SHAPE, MM, 1)


def test_a_box_sum_is_the_sum_of_the_box() -> None:
    image, radius = images(1)[0], np.array([2, 1, 3])
    spare, planes, out = (np.empty(SHAPE, np.float32) for _ in range(3))
    over(filters.sum_planes, SHAPE, image, radius, spare, planes)
    over(filters.sum_slices, SHAPE, planes, radius, out)
    padded = np.pad(image, ((3, 3), (1, 1), (2, 2)))
    boxes = np.lib.stride_tricks.sliding_window_view(padded, (7, 3, 5))
    np.testing.assert_allclose(out, boxes.sum(axis=(3, 4, 5)), rtol=1e-4)


def test_both_smoothings_keep_what_is_the_same_everywhere_and_only_the_stiff_one_keeps_what_is_long(at: Level) -> None:
    long = level((4, 4, 400), np.ones(3), 1)
    wave = np.broadcast_to(np.sin(np.arange(400) * 2 * np.pi / 50), long.shape).astype(np.float32)
    for smoothing, least in ((smoothed, 0.6), (stiffened, 0.95)):
        same = np.full(SHAPE, 3, np.float32)
        smoothing(same, at.sigmas(2), same, np.empty_like(same))
        np.testing.assert_allclose(same, 3, rtol=1e-5)
        soft = smoothing(wave, long.sigmas(4), np.empty_like(wave), np.empty_like(wave))
        kept = soft[2, 2, 100:300].max()
        assert least < kept < 1.001
        assert bool(kept > 0.92) == (smoothing is stiffened)


def test_the_jacobian_of_a_known_matrix(at: Level) -> None:
    matrix = np.array([[0.1, 0.02, 0], [0.05, -0.2, 0.1], [0, 0.03, 0.3]])
    k, j, i = np.mgrid[[slice(0, n) for n in SHAPE]]
    points = np.stack((i * MM[0], j * MM[1], k * MM[2]))
    field = np.einsum("ab,bkji->akji", matrix, points).astype(np.float32)
    out = np.empty(SHAPE, np.float32)
    over(warping.jacobians, SHAPE, field, at.per_mm, out)
    np.testing.assert_allclose(out, np.linalg.det(np.eye(3) + matrix), rtol=1e-4)


def test_two_steps_composed_are_one_after_the_other(at: Level) -> None:
    first, second = (np.stack(images(3)) for _ in range(2))
    out = np.empty_like(first)
    over(warping.compose, SHAPE, first, second, at.per_mm, out)
    moved, inside = (np.empty(SHAPE, np.float32) for _ in range(2))
    for axis in range(3):
        over(warping.warp, SHAPE, np.ascontiguousarray(second[axis]), first, at.per_mm, moved, inside)
        np.testing.assert_allclose(out[axis], first[axis] + moved, atol=1e-5)


def test_a_step_solves_the_damped_equation_and_is_no_longer_than_allowed() -> None:
    random = np.random.default_rng(2)
    roots = random.normal(size=(2, 2, 2, 3, 3))
    matrix = np.einsum("kjiab,kjicb->kjiac", roots, roots)
    force = random.normal(size=(3, 2, 2, 2)).astype(np.float32)
    terms = [matrix[..., a, b] for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]
    out = np.empty_like(force)
    curvature = np.stack(terms).astype(np.float32)
    over(forces.newton_step, (2, 2, 2), force, curvature, 0.5, 100.0, out)
    wanted = np.linalg.solve(matrix + 0.5 * np.eye(3), np.moveaxis(force, 0, -1)[..., None])[..., 0]
    np.testing.assert_allclose(np.moveaxis(out, 0, -1), wanted, rtol=2e-3, atol=1e-4)
    over(forces.newton_step, (2, 2, 2), force, curvature, 0.5, 0.1, out)
    assert np.linalg.norm(out, axis=0).max() < 0.1001


@pytest.mark.parametrize("kind", list(Likeness))
def test_the_force_is_how_the_metric_grows(kind: Likeness) -> None:
    at = level(SHAPE, np.ones(3), 1)
    fixed, moving = images(2)
    comparison: Comparison
    if kind is Likeness.CORRELATION:
        comparison, scale = Correlation((fixed, moving), Weights(None, None), at, DeformableRecipe(kappa=1e-2)), 125 / 2
    else:
        one, other = (np.stack([image] * 12, axis=-1) * 255 for image in (fixed, moving))
        comparison = Descriptors((one.astype(np.uint8), other.astype(np.uint8)), Weights(None, None), at)
        scale = 12 * 255**2 / 2
    work, field = Workspace.of(at), np.zeros((3, *SHAPE), np.float32)
    comparison.force(field, work, renew=True)
    inner = np.pad(np.ones([side - 6 for side in SHAPE], np.float32), 3)
    for axis in range(3):
        field[:] = 0
        field[axis] = 0.1 * inner
        grown = comparison.force(field, work, renew=False) - comparison.force(-field, work, renew=False)
        comparison.force(np.zeros_like(field), work, renew=False)
        expected = float((work.force[axis] * inner).mean()) * 0.2 / scale
        assert grown == pytest.approx(expected, rel=0.2, abs=2e-6)


def test_what_does_not_count_leaves_no_edge(at: Level) -> None:
    image, weight = np.full(SHAPE, 0.7, np.float32), np.ones(SHAPE, np.float32)
    image[:, :, 7:], weight[:, :, 7:] = 0, 0
    np.testing.assert_allclose(continued(image, weight, at), 0.7, rtol=1e-3)
    assert continued(image, None, at) is image


def test_a_coarser_level_keeps_thick_slices_and_means() -> None:
    thick = level((10, 64, 64), np.array([1.0, 1.0, 4.0]), 4)
    assert thick.factors.tolist() == [4, 4, 1]
    assert reduced(np.full((10, 64, 64), 2, np.float32), thick) == pytest.approx(2)


def test_a_relation_is_a_line_a_function_or_none() -> None:
    one, other = images(2)
    assert relation(one, 1 - one, None).likeness is Likeness.CORRELATION
    assert relation(one, np.abs(2 * one - 1), None).likeness is Likeness.DESCRIPTORS
    assert relation(one, one, None).mutual_information > relation(one, other, None).mutual_information + 1
    nothing = relation(np.zeros_like(one), one, np.zeros_like(one))
    assert (nothing.linear, nothing.functional, nothing.mutual_information) == (0, 0, 0)


GOOD = Judgement(0.4, 0.6, 0.5, 1.6, 0.0, 0.0, 3.0, 0.5)
FOUND = Deformation(np.zeros((3, 1, 1, 1), np.float32), 0.2, 0.3, (1,))


@pytest.mark.parametrize(
    ("facts", "found", "words"),
    [
        (replace(GOOD, folded_share=0.01, least_jacobian=-0.02), FOUND, "folds: its least Jacobian is -0.020"),
        (GOOD, replace(FOUND, metric_after=0.2), "no more alike"),
        (replace(GOOD, information_after=0.39), FOUND, "share less information"),
        (replace(GOOD, inconsistent_mm=1.6), FOUND, "do not determine a deformation"),
        (replace(GOOD, strained_share=0.02), FOUND, "none that tissue undergoes: 2.0 %"),
    ],
)
def test_a_deformation_that_is_not_kept_says_why(facts: Judgement, found: Deformation, words: str) -> None:
    assert GOOD.objection(FOUND) == ""
    assert words in facts.objection(found)


def test_images_of_two_shapes_are_refused() -> None:
    with pytest.raises(CannotRegister, match="one grid"):
        Pair(np.zeros((4, 4, 4), np.float32), np.zeros((4, 4, 5), np.float32), np.ones(3))


def test_the_way_back_takes_over_what_was_made_of_the_images() -> None:
    one, other = images(2)
    weight = np.ones(SHAPE, np.float32)
    weight[:2] = 0
    pair = Pair(one, other, MM, weight, None, None)
    recipe = DeformableRecipe(coarseness=(2, 1), iterations=(1, 1))
    descend(pair, recipe, Likeness.DESCRIPTORS)
    again = Pair(other, one, MM, None, weight, None)
    back, anew = (descend(each, recipe, Likeness.DESCRIPTORS) for each in (pair.reversed(), again))
    np.testing.assert_array_equal(back.field_mm, anew.field_mm)
    assert pair.reversed().described[recipe.patch_sigma][0] is pair.described[recipe.patch_sigma][1]
