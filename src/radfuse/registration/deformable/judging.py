"""What speaks for a deformation: its Jacobian, whether the way back undoes it, and what the images then share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from radfuse.registration.deformable import filters, warping
from radfuse.registration.deformable.choosing import relation
from radfuse.registration.deformable.engine import descend, jacobians
from radfuse.registration.deformable.levels import Level, level, reduced
from radfuse.registration.deformable.pair import Deformation, Image, Pair, Progress
from radfuse.registration.deformable.parallel import over
from radfuse.registration.deformable.recipe import DeformableRecipe, Engine, Likeness

_MOST_INCONSISTENT: Final = 0.5
_UTMOST: Final = (0.2, 5.0)
"""No tissue shrinks or grows to so many times its volume; a few voxels of air may."""
_MOST_TO_THE_UTMOST: Final = 0.01


@dataclass(frozen=True, slots=True)
class Judgement:
    """Facts of a deformation, measured by our own engine and its images, whoever found it."""

    information_before: float
    information_after: float
    """Mutual information of the images, in nats."""
    least_jacobian: float
    largest_jacobian: float
    folded_share: float
    strained_share: float
    """Of what is compared: where volumes shrink to less than a fifth, or grow to more than five times."""
    moved_mm: float
    """Median length of the displacements, where the fixed images have edges."""
    inconsistent_mm: float
    """Median distance between a point there and where it comes to by this deformation and one found the other way."""

    def objection(self, found: Deformation) -> str:
        """Why the deformation is not to be kept, as a sentence, or nothing."""
        if self.folded_share > 0:
            return f"The deformation folds: its least Jacobian is {self.least_jacobian:.3f}."
        if found.metric_after <= found.metric_before:
            return (
                f"The images are no more alike after the deformation ({found.metric_after:.4f}) than before it "
                f"({found.metric_before:.4f})."
            )
        if self.information_after < self.information_before:
            return (
                f"The images share less information after the deformation ({self.information_after:.3f} nats) than "
                f"before it ({self.information_before:.3f})."
            )
        if self.inconsistent_mm > _MOST_INCONSISTENT * self.moved_mm:
            return (
                f"The images do not determine a deformation: the one found moves points by {self.moved_mm:.2f} mm, "
                "and the one found from the moving to the fixed images misses the way back by "
                f"{self.inconsistent_mm:.2f} mm."
            )
        if self.strained_share > _MOST_TO_THE_UTMOST:
            return (
                f"The deformation is none that tissue undergoes: {100 * self.strained_share:.1f} % of what is compared "
                "shrinks to less than a fifth or grows to more than five times its volume."
            )
        return ""


def judge(
    pair: Pair, recipe: DeformableRecipe, likeness: Likeness, found: Deformation, progress: Progress | None = None
) -> Judgement:
    """Measure a deformation of ``pair``."""
    field = found.field_mm
    full = level(pair.fixed.shape, pair.spacing_mm, 1)
    before, after = (relation(*moved_by(pair, each)).mutual_information for each in (np.zeros_like(field), field))
    volumes = jacobians(field, full)
    moved_mm, inconsistent_mm = _consistency(pair, recipe, likeness, found, progress)
    strained = (volumes < _UTMOST[0]) | (volumes > _UTMOST[1])
    counting = pair.counting()
    return Judgement(
        before,
        after,
        float(volumes.min()),
        float(volumes.max()),
        float(np.count_nonzero(volumes <= 0) / volumes.size),
        float(np.mean(strained, where=True if counting is None else counting > 0)),
        moved_mm,
        inconsistent_mm,
    )


def moved_by(pair: Pair, field: Image) -> tuple[Image, Image, Image]:
    """Both images as 0..1, the moving one moved, and how much each voxel counts then."""
    at = level(pair.fixed.shape, pair.spacing_mm, 1)
    fixed, moving = pair.scaled
    moved, inside = (np.empty(at.shape, np.float32) for _ in range(2))
    over(warping.warp, at.shape, moving, field, at.per_mm, moved, inside)
    if pair.moving_weight is not None:
        there, spare = (np.empty(at.shape, np.float32) for _ in range(2))
        over(warping.warp, at.shape, pair.moving_weight, field, at.per_mm, there, spare)
        inside *= there
    for weight in (pair.fixed_weight, pair.focus):
        if weight is not None:
            inside *= weight
    return fixed, moved, inside


def _consistency(
    pair: Pair, recipe: DeformableRecipe, likeness: Likeness, found: Deformation, progress: Progress | None
) -> tuple[float, float]:
    """How far the field moves and how far the way back misses, both as they are on the last level but one."""
    last = max(1, len(recipe.coarseness) - 1)
    coarse = replace(
        recipe,
        engine=Engine.GAUSS_NEWTON,
        coarseness=recipe.coarseness[:last],
        iterations=recipe.iterations[:last],
        stiffening=1.0,
    )
    at = level(pair.fixed.shape, pair.spacing_mm, coarse.coarseness[-1])
    there = found.field_mm if found.coarser_mm is None else found.coarser_mm
    if there.shape[1:] != at.shape:
        there = np.stack([_means(part, at) for part in found.field_mm])
    back, both = descend(pair.reversed(), coarse, likeness, progress).field_mm, np.empty_like(there)
    over(warping.compose, at.shape, there, back, at.per_mm, both)
    counting = pair.counting()
    edges = _edges(reduced(pair.scaled[0], at), None if counting is None else reduced(counting, at))
    edges &= _stays(there, at)
    lengths = [np.sqrt(np.sum(vectors**2, axis=0))[edges] for vectors in (there, both)]
    moved, missed = (float(np.median(each)) if each.size else 0.0 for each in lengths)
    return moved, missed


def _stays(field: Image, at: Level) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Where the field does not lead out of the grid, beyond which no way back is known."""
    spare, inside = (np.empty(at.shape, np.float32) for _ in range(2))
    over(warping.warp, at.shape, np.ascontiguousarray(field[0]), field, at.per_mm, spare, inside)
    stays: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = inside > 0
    return stays


def _means(part: Image, at: Level) -> Image:
    out = np.empty(at.shape, np.float32)
    over(filters.mean_blocks, at.shape, np.ascontiguousarray(part), at.factors, out)
    return out


def _edges(image: Image, weight: Image | None) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Where the image changes more than it does on average: elsewhere a field is only carried on."""
    steepness = sum(np.asarray(part) ** 2 for part in np.gradient(image))
    counting = np.ones(image.shape, np.bool_) if weight is None else weight > 0.5
    steep: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = counting & (
        steepness > np.mean(steepness, where=counting if counting.any() else True)
    )
    return steep
