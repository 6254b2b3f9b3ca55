"""The Gauss-Newton diffeomorphic engine: two images of one grid in, a displacement field out.

The scheme: coarse to fine; at each step the moving image is warped, the force is smoothed together
with its curvature and solved for in closed form, the step is composed with the field, and the field
is smoothed. See docs/registration.md for what was measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidGeometry
from radfuse.registration.deformable import forces, warping
from radfuse.registration.deformable.levels import Image, Level, level, reduced, smoothed
from radfuse.registration.deformable.likeness import (
    Comparison,
    Correlation,
    Descriptors,
    Weights,
    Workspace,
    channels,
    reduced_channels,
)
from radfuse.registration.deformable.parallel import over
from radfuse.registration.deformable.recipe import DeformableRecipe, Likeness

Progress = Callable[[float], None]

_PERCENTILES: Final = (0.5, 99.5)
_MOST_REPAIRS: Final = 20
_LOOK_BACK: Final = 3
_WORK_OF_LEVEL: Final = 8


@dataclass(frozen=True, eq=False)
class Deformation:
    """A field on the fixed grid, in mm along its columns, rows and slices (3 x slices x rows x columns)."""

    field_mm: Image
    metric_before: float
    metric_after: float
    least_jacobian: float
    steps: tuple[int, ...]
    """Steps taken on each level."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two images on one grid, with what of them counts. Raises InvalidGeometry for other shapes, or no finite voxel."""

    fixed: Image
    moving: Image
    spacing_mm: npt.NDArray[np.float64]
    """Along columns, rows, slices."""
    fixed_weight: Image | None = None
    moving_weight: Image | None = None

    def __post_init__(self) -> None:
        """Check the shapes."""
        others = [image for image in (self.moving, self.fixed_weight, self.moving_weight) if image is not None]
        if self.fixed.ndim != 3 or any(image.shape != self.fixed.shape for image in others):
            raise InvalidGeometry("the images to register must lie on one grid")
        for image in (self.fixed, self.moving):
            if not np.isfinite(image).all():
                raise InvalidGeometry("an image to register has voxels that are no finite numbers")


def deform(pair: Pair, recipe: DeformableRecipe, progress: Progress | None = None) -> Deformation:
    """The deformation that makes the moving image like the fixed one.

    ``progress`` is told the share that is done, and may raise to stop. The same input gives the same bits.
    """
    full = level(pair.fixed.shape, pair.spacing_mm, 1)  # type: ignore[arg-type]
    images = _Images(pair, recipe, full)
    field: Image | None = None
    previous: Level | None = None
    steps: list[int] = []
    clock = _Clock(recipe, progress)
    before = after = 0.0
    for coarseness, most in zip(recipe.coarseness, recipe.iterations, strict=True):
        at = level(pair.fixed.shape, pair.spacing_mm, coarseness)  # type: ignore[arg-type]
        field = _started(field, previous, at)
        comparison = images.at(at)
        taken, before, after = _Descent(comparison, at, recipe, clock).run(field, most)
        steps.append(taken)
        previous = at
    assert field is not None and previous is not None  # noqa: S101 a recipe has a level
    return Deformation(field, before, after, float(jacobians(field, previous).min()), tuple(steps))


def jacobians(field: Image, at: Level) -> Image:
    """The Jacobian determinant of the deformation at every voxel."""
    out = np.empty(at.shape, np.float32)
    over(warping.jacobians, at.shape, field, at.per_mm, out)
    return out


class _Clock:
    """Turns steps into a share of the whole: a step costs what its level has voxels."""

    def __init__(self, recipe: DeformableRecipe, progress: Progress | None) -> None:
        self._progress = progress
        self._costs = [_WORK_OF_LEVEL ** -np.log2(each) for each in recipe.coarseness]
        self._total = sum(cost * most for cost, most in zip(self._costs, recipe.iterations, strict=True))
        self._done = 0.0

    def tell(self, cost: float) -> None:
        self._done += cost
        if self._progress:
            self._progress(min(1.0, self._done / self._total))


class _Images:
    """What is compared on each level."""

    def __init__(self, pair: Pair, recipe: DeformableRecipe, full: Level) -> None:
        self._recipe = recipe
        self._fixed_weight, self._moving_weight = pair.fixed_weight, pair.moving_weight
        self._shape = pair.fixed.shape
        fixed, moving = (
            _scaled(image, weight)
            for image, weight in ((pair.fixed, pair.fixed_weight), (pair.moving, pair.moving_weight))
        )
        self._images = (fixed, moving)
        self._channels = (
            (channels(fixed, recipe.patch_sigma, full), channels(moving, recipe.patch_sigma, full))
            if recipe.likeness is Likeness.DESCRIPTORS
            else None
        )

    def at(self, to: Level) -> Comparison:
        small = (None if each is None else reduced(each, to) for each in (self._fixed_weight, self._moving_weight))
        weights = Weights(*small)
        if self._channels:
            one, other = (reduced_channels(each, to) for each in self._channels)
            return Descriptors((one, other), weights, to)
        fixed, moving = (reduced(image, to) for image in self._images)
        return Correlation((fixed, moving), weights, to, self._recipe)


class _Descent:
    """The steps of one level."""

    def __init__(self, comparison: Comparison, at: Level, recipe: DeformableRecipe, clock: _Clock) -> None:
        self._comparison, self._at, self._recipe, self._clock = comparison, at, recipe, clock
        self._work = Workspace.of(at)
        self._step = np.empty((3, *at.shape), np.float32)
        self._next = np.empty((3, *at.shape), np.float32)

    def run(self, field: Image, most: int) -> tuple[int, float, float]:
        """Improve ``field`` in place; how many steps were taken, the metric of no deformation and of the result."""
        before = self._comparison.force(np.zeros_like(field), self._work, renew=False)
        damping, metrics = 0.0, [self._comparison.force(field, self._work, renew=True)]
        cost = float(np.prod(self._at.shape))
        taken = 0
        for taken in range(1, most + 1):
            damping = self._take(field, damping, renew=(taken - 1) % self._recipe.renew_every == 0)
            renew = taken % self._recipe.renew_every == 0
            metrics.append(self._comparison.force(field, self._work, renew=renew))
            self._clock.tell(cost)
            if self._has_settled(metrics):
                break
        self._mend(field)
        return taken, before, metrics[-1]

    def _take(self, field: Image, damping: float, *, renew: bool) -> float:
        work, at, recipe = self._work, self._at, self._recipe
        sigmas = at.sigmas(recipe.step_smoothing)
        if renew:
            for term in work.curvature:
                smoothed(term, sigmas, term, work.spare)
            trace = sum(float(np.mean(term, dtype=np.float64)) for term in work.curvature[:3])
            damping = recipe.damping_share * trace / 3
        for part in work.force:
            smoothed(part, sigmas, part, work.spare)
        longest_mm = recipe.longest_step * at.mean_spacing_mm
        over(forces.newton_step, at.shape, work.force, work.curvature, damping, longest_mm, self._step)
        over(warping.compose, at.shape, self._step, field, at.per_mm, self._next)
        for part, target in zip(self._next, field, strict=True):
            smoothed(part, at.sigmas(recipe.stiffness), target, work.spare)
        return damping

    def _has_settled(self, metrics: list[float]) -> bool:
        if len(metrics) <= _LOOK_BACK:
            return False
        now, then = metrics[-1], metrics[-1 - _LOOK_BACK]
        return now - then < self._recipe.least_gain * abs(then)

    def _mend(self, field: Image) -> None:
        """Smooth the field again where it nearly folds."""
        for _ in range(_MOST_REPAIRS):
            bad = jacobians(field, self._at) < self._recipe.least_jacobian
            if not bad.any():
                return
            share = np.minimum(1, 8 * smoothed(bad.astype(np.float32), self._at.sigmas(1.5), *_two(bad.shape)))
            for part in field:
                soft = smoothed(part, self._at.sigmas(1.5), *_two(part.shape))
                part += share * (soft - part)


def _two(shape: tuple[int, ...]) -> tuple[Image, Image]:
    return np.empty(shape, np.float32), np.empty(shape, np.float32)


def _started(field: Image | None, previous: Level | None, at: Level) -> Image:
    """The field of the coarser level on this one, or no displacement."""
    if field is None or previous is None:
        return np.zeros((3, *at.shape), np.float32)
    out = np.empty((3, *at.shape), np.float32)
    over(warping.enlarge, at.shape, field, (previous.factors / at.factors).astype(np.float32), out)
    return out


def _scaled(image: Image, weight: Image | None) -> Image:
    """Between the percentiles of what counts, as 0..1."""
    values = image if weight is None else image[weight > 0]
    low, high = np.percentile(values, _PERCENTILES) if values.size else (0.0, 0.0)
    if high <= low:
        return np.zeros_like(image, dtype=np.float32)
    out: Image = np.clip((image - low) / (high - low), 0, 1).astype(np.float32)
    return out
