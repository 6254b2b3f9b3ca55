"""What speaks for a rigid result and against it: chance, halves, the way back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from radfuse.geometry import Affine
from radfuse.registration.rigid_climb import Screen, apart_mm
from radfuse.registration.rigid_descent import Descent
from radfuse.registration.rigid_images import Ready, part
from radfuse.registration.rigid_recipe import RigidRecipe
from radfuse.registration.rigid_starts import moved_about

_ELSEWHERE_MM: Final = (20.0, 40.0, 60.0)
_SAMPLES: Final = 10_000
_LEAST_HALF: Final = 8
"""Voxels along an axis below which an image is not halved."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """The parts of the evidence that are found after the result."""

    chance: float
    chance_spread: float
    halves_apart_mm: float
    back_apart_mm: float


def doubts(fixed: Ready, moving: Ready, found: Affine, recipe: RigidRecipe) -> Doubts:
    """Look again at a result, at the voxel size of ``fixed`` and ``moving``."""
    whole = Screen(fixed, moving, recipe.seed, _SAMPLES)
    chance, spread = _chance(whole, found)
    step_mm = 2 * float(np.cbrt(fixed.grid.voxel_volume_mm3))
    halves = _halves(fixed, moving, found, step_mm, recipe)
    back = _back(whole, fixed, moving, found, step_mm, recipe)
    return Doubts(chance, spread, halves, back)


def _chance(whole: Screen, found: Affine) -> tuple[float, float]:
    directions = [np.array(each) / np.linalg.norm(each) for each in product((-1, 0, 1), repeat=3) if any(each)]
    seen = [
        whole.look(moved_about(found.matrix, whole.middle_mm, length * direction, np.zeros(3)))
        for length, direction in product(_ELSEWHERE_MM, directions)
    ]
    values = [each.information for each in seen if each.overlap > 0.1]
    return (float(np.mean(values)), float(np.std(values))) if values else (0.0, 0.0)


def _halves(fixed: Ready, moving: Ready, found: Affine, step_mm: float, recipe: RigidRecipe) -> float:
    apart = []
    for axis in range(3):
        if fixed.grid.shape[axis] < _LEAST_HALF:
            continue
        ends = []
        for half in (0, 1):
            piece = part(fixed, axis, half)
            if piece.inside is not None and not piece.inside.any():
                continue
            screen = Screen(piece, moving, recipe.seed, _SAMPLES)
            ends.append(screen.climb(screen.look(found.matrix), step_mm, recipe.least_overlap / 2).matrix)
        if len(ends) == 2:
            apart.append(apart_mm(ends[0], ends[1], fixed.middle_mm, fixed.half_mm))
    return max(apart, default=float("nan"))


def _back(whole: Screen, fixed: Ready, moving: Ready, found: Affine, step_mm: float, recipe: RigidRecipe) -> float:
    there, here = moving.around(found.apply(fixed.corners_mm)), Ready(fixed.voxels, fixed.grid)
    screen = Screen(there, here, recipe.seed, _SAMPLES)
    climbed = screen.climb(screen.look(found.inverse().matrix), step_mm, recipe.least_overlap / 2)
    # The climb ends with steps of a quarter of a voxel along and about each axis: 5 mm off at the border, if all are.
    ended = Descent(there, here, recipe).run(climbed.transform) or climbed
    missed = np.linalg.norm(ended.transform.apply(found.apply(whole.points_mm)) - whole.points_mm, axis=1)
    return float(np.percentile(missed, 95))
