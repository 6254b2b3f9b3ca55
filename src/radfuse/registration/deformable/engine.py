"""The Gauss-Newton diffeomorphic engine: two images of one grid in, a displacement field out.

The scheme: coarse to fine; at each step the moving image is warped, the force is smoothed together
with its curvature and solved for in closed form, the step is composed with the field, and the field
is smoothed. See docs/registration.md for what was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from radfuse.registration.deformable import forces, warping
from radfuse.registration.deformable.levels import Level, continued, level, reduced, smoothed, stiffened
from radfuse.registration.deformable.likeness import (
    Comparison,
    Correlation,
    Descriptors,
    Weights,
    Workspace,
    channels,
    reduced_channels,
)
from radfuse.registration.deformable.pair import Deformation, Image, Pair, Progress, product
from radfuse.registration.deformable.parallel import over
from radfuse.registration.deformable.recipe import DeformableRecipe, Likeness
from radfuse.registration.metric_steps import MetricStep, Steps

_MOST_REPAIRS: Final = 20
_LOOK_BACK: Final = 3
_STIFF_STEPS: Final = 3
_WORSE: Final = (1.045, 1.065)
"""Where a stiffer field leaves so many times as much unexplained, the softer one begins to be kept, and is kept."""
_AROUND: Final = 4.0
"""Sigma, in voxels, of the surroundings in which that is compared."""
_BETWEEN: Final = 3.0
"""Sigma, in voxels, of the way from one field to the other."""
_LEAST: Final = np.float32(1e-6)
_LEFT: Final[Mapping[Likeness, str]] = {
    Likeness.CORRELATION: "what squared correlation lacks to 1",
    Likeness.DESCRIPTORS: "squared difference of descriptors",
}
"""What 1 less the metric is."""


def deform(
    pair: Pair,
    recipe: DeformableRecipe,
    likeness: Likeness,
    progress: Progress | None = None,
    follow: Steps | None = None,
) -> Deformation:
    """The deformation that makes the moving image like the fixed one. Raises CannotRegister.

    ``progress`` is told the share that is done, and may raise to stop. The same input gives the same bits.
    """
    found = descend(pair, recipe, likeness, progress, follow)
    last, full = (level(pair.fixed.shape, pair.spacing_mm, each) for each in (recipe.coarseness[-1], 1))
    return found if last.shape == full.shape else replace(found, field_mm=_enlarged(found.field_mm, last, full))


def descend(
    pair: Pair,
    recipe: DeformableRecipe,
    likeness: Likeness,
    progress: Progress | None = None,
    follow: Steps | None = None,
) -> Deformation:
    """The same on the grid of the last level of the recipe, which need not be that of the pair."""
    levels = [level(pair.fixed.shape, pair.spacing_mm, each) for each in recipe.coarseness]
    images = _Images(pair, recipe, likeness)
    clock = _Clock([at.voxels * most for at, most in zip(levels, recipe.iterations, strict=True)], progress)
    field, steps = np.zeros((3, *levels[0].shape), np.float32), []
    before = after = 0.0
    coarser: Image | None = None
    for number, (at, most) in enumerate(zip(levels, recipe.iterations, strict=True)):
        if number:
            coarser = field
            field = _enlarged(field, levels[number - 1], at)
        descent = _Descent(images.at(at), at, recipe, recipe.damping_for(likeness))
        if at is levels[-1]:
            before = descent.metric(np.zeros_like(field))
        stage = f"deformable, level {number + 1} of {len(levels)}"
        tell = None if follow is None else partial(_tell, follow, stage, _LEFT[likeness])
        taken, after = descent.run(field, most, partial(clock.tell, number), tell)
        if at is levels[-1] and recipe.stiffening > 1:
            after = descent.stiffen(field)
        steps.append(taken)
    return Deformation(field, before, after, tuple(steps), coarser)


def jacobians(field: Image, at: Level) -> Image:
    """The Jacobian determinant of the deformation at every voxel."""
    out = np.empty(at.shape, np.float32)
    over(warping.jacobians, at.shape, field, at.per_mm, out)
    return out


def _tell(follow: Steps, stage: str, name: str, metric: float) -> None:
    follow(MetricStep(stage, name, 1 - metric))


class _Clock:
    """Turns shares of levels into a share of the whole: a step costs what its level has voxels."""

    def __init__(self, costs: list[float], progress: Progress | None) -> None:
        self._costs, self._progress = costs, progress

    def tell(self, number: int, share: float) -> None:
        if self._progress:
            done = sum(self._costs[:number]) + self._costs[number] * share
            self._progress(min(1.0, done / sum(self._costs)))


class _Images:
    """What is compared on each level."""

    def __init__(self, pair: Pair, recipe: DeformableRecipe, likeness: Likeness) -> None:
        self._recipe, self._weights = recipe, (product(pair.fixed_weight, pair.focus), pair.moving_weight)
        full = level(pair.fixed.shape, pair.spacing_mm, 1)
        known = (pair.fixed_weight, pair.moving_weight)
        fixed, moving = (continued(*each, full) for each in zip(pair.scaled, known, strict=True))
        self._images = (fixed, moving)
        self._channels = None
        if likeness is Likeness.DESCRIPTORS:
            if recipe.patch_sigma not in pair.described:
                made = (channels(image, recipe.patch_sigma, full) for image in (fixed, moving))
                pair.described[recipe.patch_sigma] = (next(made), next(made))
            self._channels = pair.described[recipe.patch_sigma]

    def at(self, to: Level) -> Comparison:
        weights = Weights(*(None if each is None else reduced(each, to) for each in self._weights))
        if self._channels:
            one, other = (reduced_channels(each, to) for each in self._channels)
            return Descriptors((one, other), weights, to)
        fixed, moving = (reduced(image, to) for image in self._images)
        return Correlation((fixed, moving), weights, to, self._recipe)


class _Descent:
    """The steps of one level."""

    def __init__(self, comparison: Comparison, at: Level, recipe: DeformableRecipe, damping_share: float) -> None:
        self._comparison, self._at, self._recipe, self._damping_share = comparison, at, recipe, damping_share
        self._work = Workspace.of(at)
        self._step = np.empty((3, *at.shape), np.float32)
        self._next = np.empty((3, *at.shape), np.float32)

    def metric(self, field: Image) -> float:
        """How alike the images are under a field."""
        return self._comparison.metric(field, self._work)

    def run(
        self, field: Image, most: int, progress: Progress, follow: Callable[[float], None] | None
    ) -> tuple[int, float]:
        """Improve ``field`` in place; how many steps were taken, and the metric in the end."""
        damping, taken = 0.0, 0
        metrics = [self._comparison.force(field, self._work, renew=True)]
        while taken < most and not self._has_settled(metrics):
            damping = self._take(field, damping, self._recipe.stiffness, renew=taken % self._recipe.renew_every == 0)
            taken += 1
            renew = taken % self._recipe.renew_every == 0
            metrics.append(self._comparison.force(field, self._work, renew=renew))
            if follow:
                follow(metrics[-1])
            progress(taken / most)
        progress(1.0)
        return taken, self.metric(field) if self._mend(field) else metrics[-1]

    def stiffen(self, field: Image) -> float:
        """Make ``field`` stiffer wherever that leaves no more unexplained, in place; the metric in the end.

        What a softer field explains beyond that is noise.
        """
        self._comparison.force(field, self._work, renew=True)
        soft, before, damping = field.copy(), self._unexplained(), 0.0
        stiffness = self._recipe.stiffening * self._recipe.stiffness
        for taken in range(_STIFF_STEPS):
            renew = taken % self._recipe.renew_every == 0
            if taken:
                self._comparison.force(field, self._work, renew=renew)
            damping = self._take(field, damping, stiffness, renew=renew)
        self.metric(field)
        after = self._unexplained()
        low, high = _WORSE
        worse = np.clip((after / np.maximum(before, _LEAST) - low) / (high - low), 0, 1).astype(np.float32)
        softer = smoothed(worse, self._at.sigmas(_BETWEEN), before, after)
        for axis in range(3):
            field[axis] += softer * (soft[axis] - field[axis])
        self._mend(field)
        return self.metric(field)

    def _unexplained(self) -> Image:
        """What the images differ by around every voxel, under the field they were compared by last."""
        work, sigmas = self._work, self._at.sigmas(_AROUND)
        left = self._comparison.unexplained()
        left *= work.weight
        spare = np.empty_like(left)
        counting: Image = smoothed(work.weight, sigmas, np.empty_like(left), spare)
        left = smoothed(left, sigmas, left, spare)
        left /= np.maximum(counting, _LEAST)
        return left

    def _take(self, field: Image, damping: float, stiffness: float, *, renew: bool) -> float:
        work, at, recipe = self._work, self._at, self._recipe
        sigmas = at.sigmas(recipe.step_smoothing)
        if renew:
            for term in work.curvature:
                smoothed(term, sigmas, term, work.spare)
            trace = sum(float(np.mean(term, dtype=np.float64)) for term in work.curvature[:3])
            damping = self._damping_share * trace / 3
        for part in work.force:
            smoothed(part, sigmas, part, work.spare)
        longest_mm = recipe.longest_step * at.mean_spacing_mm
        over(forces.newton_step, at.shape, work.force, work.curvature, damping, longest_mm, self._step)
        over(warping.compose, at.shape, self._step, field, at.per_mm, self._next)
        for part, target in zip(self._next, field, strict=True):
            stiffened(part, at.sigmas(stiffness), target, work.spare)
        return damping

    def _has_settled(self, metrics: list[float]) -> bool:
        if len(metrics) <= _LOOK_BACK:
            return False
        now, then = metrics[-1], metrics[-1 - _LOOK_BACK]
        return now - then < self._recipe.least_gain * abs(then)

    def _mend(self, field: Image) -> bool:
        """Smooth the field again where it nearly folds; whether it did."""
        soft, spare = (np.empty(self._at.shape, np.float32) for _ in range(2))
        sigmas = self._at.sigmas(1.5)
        for repairs in range(_MOST_REPAIRS):
            bad = (jacobians(field, self._at) < self._recipe.least_jacobian).astype(np.float32)
            if not bad.any():
                return repairs > 0
            share = np.minimum(1, 8 * smoothed(bad, sigmas, bad, spare))
            for axis in range(3):
                field[axis] += share * (smoothed(field[axis], sigmas, soft, spare) - field[axis])
        return True


def _enlarged(field: Image, previous: Level, at: Level) -> Image:
    """The field of the coarser level on this one."""
    out = np.empty((3, *at.shape), np.float32)
    over(warping.enlarge, at.shape, field, (previous.factors / at.factors).astype(np.float32), out)
    return out
