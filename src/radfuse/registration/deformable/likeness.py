"""The two ways to compare images: the force that improves a field, its curvature, and the metric."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final, Protocol

import numpy as np

from radfuse.registration.deformable import descriptors, filters, forces, warping
from radfuse.registration.deformable.levels import Level, reduced, smoothed
from radfuse.registration.deformable.pair import Bytes, Image
from radfuse.registration.deformable.parallel import over
from radfuse.registration.deformable.recipe import DeformableRecipe

_NEIGHBOURS: Final = np.array([(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)])
PAIRS: Final = [
    (first, second)
    for first, second in combinations(_NEIGHBOURS, 2)
    if int(np.sum((first - second) ** 2)) == 2  # those that are not opposite
]
"""The 12 pairs of neighbours whose patches are compared (self-similarity context)."""

_LEAST_WINDOW: Final = 0.25
"""Share of a window that must count, or it says nothing."""


@dataclass(frozen=True, eq=False)
class Workspace:
    """The arrays that one level needs, made once."""

    terms: Image
    """The force (3) and its curvature (6)."""
    moved: Image
    weight: Image
    spare: Image

    @classmethod
    def of(cls, level: Level) -> Workspace:
        """For ``level``."""
        images = (np.empty(level.shape, np.float32) for _ in range(3))
        return cls(np.empty((9, *level.shape), np.float32), *images)

    @property
    def force(self) -> Image:
        """Its three components."""
        return self.terms[:3]

    @property
    def curvature(self) -> Image:
        """Its six."""
        return self.terms[3:]


@dataclass(frozen=True, eq=False)
class Weights:
    """How much each voxel counts: of the fixed image where it is, of the moving one where it is moved to."""

    fixed: Image | None
    moving: Image | None

    def at(self, field: Image, level: Level, inside: Image, work: Workspace) -> None:
        """Fill ``work.weight``; ``inside`` is 0 where the field leads out of the image."""
        if self.moving is None:
            np.copyto(work.weight, inside)
        else:
            over(warping.warp, level.shape, self.moving, field, level.per_mm, work.weight, work.spare)
            np.multiply(work.weight, inside, out=work.weight)
        if self.fixed is not None:
            np.multiply(work.weight, self.fixed, out=work.weight)


class Comparison(Protocol):
    """One level of one way to compare."""

    def metric(self, field: Image, work: Workspace) -> float:
        """How alike the images are under ``field``, larger is better: what ``force`` gives, for less."""

    def force(self, field: Image, work: Workspace, *, renew: bool) -> float:
        """Fill force (and curvature, if it is renewed) at ``field``; the metric there, larger is better."""

    def unexplained(self) -> Image:
        """What the images differ by at each voxel under the field of the last metric or force."""


class Correlation:
    """Squared local correlation."""

    def __init__(self, images: tuple[Image, Image], weights: Weights, level: Level, recipe: DeformableRecipe) -> None:
        self._fixed, self._moving = images
        self._weights, self._level, self._kappa = weights, level, recipe.kappa
        self._radius = level.radius(recipe.window_radius)
        self._least = _LEAST_WINDOW * float(np.prod(2 * self._radius + 1))
        self._products = np.empty((6, *level.shape), np.float32)
        self._sums = np.empty((6, *level.shape), np.float32)
        self._inside = np.empty(level.shape, np.float32)

    def metric(self, field: Image, work: Workspace) -> float:
        """See Comparison."""
        shape, per_mm = self._level.shape, self._level.per_mm
        over(warping.warp, shape, self._moving, field, per_mm, work.moved, self._inside)
        self._weights.at(field, self._level, self._inside, work)
        over(forces.products, shape, self._fixed, work.moved, work.weight, self._products)
        self._sum(6, work.spare)
        squared = self._inside
        over(forces.correlate, shape, self._sums, self._least, self._kappa, self._products, squared)
        return _mean(squared, work.weight)

    def force(self, field: Image, work: Workspace, *, renew: bool) -> float:
        """See Comparison."""
        metric = self.metric(field, work)
        self._sum(3, work.spare)
        images, terms = (self._fixed, work.moved, work.weight), work.terms if renew else work.force
        over(forces.correlation_force, self._level.shape, images, self._sums, self._level.per_mm, terms)
        return metric

    def unexplained(self) -> Image:
        """See Comparison."""
        left: Image = 1 - self._inside
        return left

    def _sum(self, count: int, spare: Image) -> None:
        """Sums over windows of the first ``count`` products."""
        shape = self._level.shape
        for product, total in zip(self._products[:count], self._sums, strict=False):
            over(filters.sum_planes, shape, product, self._radius, spare, product)
            over(filters.sum_slices, shape, product, self._radius, total)


class Descriptors:
    """Squared differences of the channels of MIND-SSC."""

    def __init__(self, images: tuple[Bytes, Bytes], weights: Weights, level: Level) -> None:
        self._fixed, self._moving = images
        self._weights, self._level = weights, level
        self._squared = np.empty(level.shape, np.float32)
        self._moved = np.empty(self._fixed.shape, np.float32)

    def metric(self, field: Image, work: Workspace) -> float:
        """See Comparison."""
        return self.force(field, work, renew=False)

    def force(self, field: Image, work: Workspace, *, renew: bool) -> float:
        """See Comparison."""
        shape, per_mm = self._level.shape, self._level.per_mm
        over(warping.warp_channels, shape, self._moving, field, per_mm, self._moved, work.moved)
        self._weights.at(field, self._level, work.moved, work)
        terms = work.terms if renew else work.force
        over(forces.difference_force, shape, self._fixed, self._moved, work.weight, per_mm, self._squared, terms)
        return 1 - _mean(self._squared, work.weight) / (len(PAIRS) * 255.0**2)

    def unexplained(self) -> Image:
        """See Comparison."""
        left: Image = self._squared / np.float32(len(PAIRS) * 255.0**2)
        return left


def channels(image: Image, sigma: float, level: Level) -> Bytes:
    """The 12 channels of MIND-SSC as the last axis, 0..255, with patches of ``sigma`` mean voxels."""
    distances = np.empty((len(PAIRS), *image.shape), np.float32)
    difference, spare = np.empty_like(image), np.empty_like(image)
    for (first, second), distance in zip(PAIRS, distances, strict=True):
        over(descriptors.squared_shift, image.shape, image, first, second, difference)
        smoothed(difference, level.sigmas(sigma), distance, spare)
    out = np.empty((*image.shape, len(PAIRS)), np.uint8)
    over(descriptors.describe, image.shape, distances, out)
    return out


def reduced_channels(full: Bytes, level: Level) -> Bytes:
    """The channels averaged down to a coarser level: better than computing them anew there (measured)."""
    if full.shape[:3] == level.shape:
        return full
    out = np.empty((*level.shape, full.shape[3]), np.uint8)
    for channel in range(full.shape[3]):
        out[..., channel] = np.rint(reduced(full[..., channel].astype(np.float32), level))
    return out


def _mean(values: Image, weight: Image) -> float:
    total = float(np.sum(weight, dtype=np.float64))
    return float(np.sum(values * weight, dtype=np.float64)) / total if total else 0.0
