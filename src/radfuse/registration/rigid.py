"""Automatic rigid and affine registration: mutual information, many starts, coarse to fine.

Thousands of starts are looked at coarsely, the best are followed uphill, and SimpleITK descends from
the few that are left. The smaller of the two images is the one whose points are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

import numpy as np

from radfuse.core.errors import CannotRegister
from radfuse.geometry import Affine, Mask
from radfuse.registration.metric_steps import MetricStep, Steps
from radfuse.registration.rigid_climb import Found, Screen, apart_mm, distinct
from radfuse.registration.rigid_descent import Descent, nearest_rotation
from radfuse.registration.rigid_evidence import doubts
from radfuse.registration.rigid_images import Ready, is_rather_sampled, reduced, straight, volume_mm3, within
from radfuse.registration.rigid_recipe import Evidence, Kind, RigidRecipe, RigidResult
from radfuse.registration.rigid_starts import spread_out, start_from_click, starts_from_images, turned_degrees
from radfuse.volume import Volume, resample

__all__ = ["Progress", "register_rigid", "start_from_click"]

Progress: TypeAlias = Callable[[float], None]

_LEAST_SLICES: Final = 4
_SMALLER: Final = 0.8
_MOST_SCALED: Final = 2.0
_LOST: Final = "no start led to images that overlap; give a point that both show"
_METRIC: Final = "mutual information, negated"
_SHARES: Final = {"looked": 0.15, "climbed": 0.45, "middle": 0.65, "affine": 0.75, "fine": 0.85, "judged": 1.0}
"""Which share of the work is done after each part."""


def register_rigid(
    fixed: Volume,
    moving: Volume,
    recipe: RigidRecipe = RigidRecipe(),  # noqa: B008 a frozen value
    starts: Sequence[Affine] = (),
    region: Mask | None = None,
    progress: Progress | None = None,
    steps: Steps | None = None,
) -> RigidResult:
    """The rigid or affine transform that makes the images tell most about each other.

    ``starts`` are transforms to begin from (``start_from_click``, landmarks, by hand, an earlier
    registration); none: centres, centres of mass and axes are put on each other. ``region`` (of the
    fixed frame) limits what is compared. ``progress`` is told the share that is done; what it raises
    ends the work; ``steps`` is told the metric as it falls. The same input gives
    the same bits. Raises CannotRegister, FramesDiffer.
    """
    _check(fixed, moving, region)
    pair = _pair(fixed, moving, region, recipe)
    given = [_rigid_start(each.inverse() if pair.is_swapped else each, pair.sampled) for each in starts]
    search = _Search(pair, recipe, progress or _nobody, steps or _nobody)
    return search.result(given or starts_from_images(*pair.at(0)))


def _nobody(_: object) -> None:
    """Nobody wants to know."""


def _rigid_start(start: Affine, sampled: Ready) -> Affine:
    """The rigid transform nearest to a start in the middle of the images."""
    if np.linalg.det(start.linear) < 0:
        raise CannotRegister("a start must not mirror the images")
    turn = nearest_rotation(start.linear)
    return Affine.of(turn, start.apply(sampled.middle_mm) - turn @ sampled.middle_mm)


def _check(fixed: Volume, moving: Volume, region: Mask | None) -> None:
    for name, volume in (("fixed", fixed), ("moving", moving)):
        if min(volume.grid.shape) < _LEAST_SLICES:
            size = " x ".join(str(count) for count in volume.grid.shape)
            raise CannotRegister(f"the {name} images are {size} voxels; a volume of 4 slices or more is needed")
        if not resample.is_finite(volume.voxels):
            raise CannotRegister(f"the {name} images have voxels that are no finite numbers")
        if volume.voxels.min() == volume.voxels.max():
            raise CannotRegister(f"the {name} images show nothing: all voxels are the same")
    if region is not None:
        region.grid.frame.require_same(fixed.grid.frame, "the region and the fixed images")
        if not region.voxels:
            raise CannotRegister("the region is empty")


@dataclass(frozen=True, eq=False)
class _Pair:
    """The two images; the points that are compared are those of the first."""

    sampled: Ready
    other: Ready
    is_swapped: bool
    spacings_mm: tuple[float, ...]

    def at(self, level: int) -> tuple[Ready, Ready]:
        spacing_mm = self.spacings_mm[level]
        return reduced(self.sampled, spacing_mm), reduced(self.other, spacing_mm)


def _pair(fixed: Volume, moving: Volume, region: Mask | None, recipe: RigidRecipe) -> _Pair:
    one, other = straight(fixed), straight(moving)
    if region is not None:
        one = within(one, region, 2 * recipe.spacings_mm[0])
        if one.inside is None or not one.inside.any():
            raise CannotRegister("the region lies outside the fixed images")
    is_swapped = region is None and _is_better_sampled(other, one, recipe.spacings_mm[2])
    if is_swapped:
        one, other = other, one
    fitting = np.cbrt(min(volume_mm3(one), volume_mm3(other)) / recipe.least_voxels) / recipe.spacings_mm[0]
    return _Pair(one, other, is_swapped, tuple(float(each * min(1.0, fitting)) for each in recipe.spacings_mm))


def _is_better_sampled(other: Ready, one: Ready, spacing_mm: float) -> bool:
    if volume_mm3(other) < _SMALLER * volume_mm3(one):
        return True
    return is_rather_sampled(reduced(other, spacing_mm), reduced(one, spacing_mm))


class _Search:
    """From starts to a result."""

    def __init__(self, pair: _Pair, recipe: RigidRecipe, progress: Progress, steps: Steps) -> None:
        self._pair, self._recipe, self._progress, self._steps = pair, recipe, progress, steps

    def result(self, starts: Sequence[Affine]) -> RigidResult:
        """Coarse to fine, then a second look at what was found. Raises CannotRegister."""
        coarse_mm = self._pair.spacings_mm[0]
        screen = Screen(*self._pair.at(0), self._recipe.seed)
        looked = self._looked(screen, starts)
        if not any(each.overlap >= self._recipe.least_overlap for each in looked):
            raise CannotRegister(_LOST)
        best_looked = distinct(looked, self._recipe.climbed, screen.middle_mm, 0.75 * coarse_mm)
        climbed = self._climbed(screen, best_looked, starts)
        hills = distinct(climbed, self._recipe.kept[0], screen.middle_mm, coarse_mm)
        best = self._fine([each.transform for each in hills])
        evidence = self._evidence(best, screen.look(best.matrix), climbed, len(looked))
        self._progress(_SHARES["judged"])
        return RigidResult(best.transform.inverse() if self._pair.is_swapped else best.transform, evidence)

    def _looked(self, screen: Screen, starts: Sequence[Affine]) -> list[Found]:
        recipe = self._recipe
        spread = list(spread_out(starts, screen.middle_mm, recipe.turn_degrees, recipe.shift_mm))
        looked = []
        for done, each in enumerate(spread):
            looked.append(screen.look(each, recipe.least_overlap))
            if done % 100 == 0:
                self._progress(_SHARES["looked"] * done / len(spread))
        return looked

    def _climbed(self, screen: Screen, found: Sequence[Found], starts: Sequence[Affine]) -> list[Found]:
        climbed = []
        for done, each in enumerate(found):
            climbed.append(screen.climb(each, self._pair.spacings_mm[0], self._recipe.least_overlap))
            self._tell(f"rigid, {self._pair.spacings_mm[0]:.2g} mm", -max(one.information for one in climbed))
            self._between("looked", "climbed", (done + 1) / len(found))
        most = self._recipe.most_turned_degrees
        near = [each for each in climbed if min(turned_degrees(each.matrix, start.matrix) for start in starts) <= most]
        if not near:
            raise CannotRegister("wherever the images are put, they tell nothing about each other")
        return near

    def _fine(self, starts: Sequence[Affine]) -> Found:
        ended = self._descended(1, starts, Kind.RIGID, ("climbed", "middle"))[: self._recipe.kept[1]]
        if self._recipe.kind is Kind.AFFINE:
            ended = self._descended(1, [each.transform for each in ended], Kind.AFFINE, ("middle", "affine"))
        best = self._descended(2, [each.transform for each in ended], self._recipe.kind, ("affine", "fine"))[0]
        scales = np.linalg.svd(best.transform.linear, compute_uv=False)
        if scales.max() > _MOST_SCALED or scales.min() < 1 / _MOST_SCALED:
            raise CannotRegister("the affine transform would stretch or shrink the images more than twofold")
        return best

    def _descended(self, level: int, starts: Sequence[Affine], kind: Kind, shares: tuple[str, str]) -> list[Found]:
        descent = Descent(*self._pair.at(level), replace(self._recipe, kind=kind))
        ended = []
        for done, each in enumerate(starts):
            stage = f"{kind.value}, {self._pair.spacings_mm[level]:.2g} mm"
            if len(starts) > 1:
                stage = f"{stage}, start {done + 1} of {len(starts)}"
            end = descent.run(each, partial(self._tell, stage))
            if end is not None:
                ended.append(end)
            self._between(*shares, (done + 1) / len(starts))
        if not ended:
            raise CannotRegister(_LOST)
        return sorted(ended, key=lambda one: -one.score)

    def _evidence(self, best: Found, coarse: Found, climbed: Sequence[Found], looked: int) -> Evidence:
        sampled, other = self._pair.at(1)
        coarse_mm = self._pair.spacings_mm[0]
        off = [apart_mm(each.matrix, best.matrix, sampled.middle_mm, sampled.half_mm) for each in climbed]
        away = [each.score for each, mm in zip(climbed, off, strict=True) if mm > 3 * coarse_mm]
        found = doubts(sampled, other, best.transform, self._recipe)
        return Evidence(
            information=best.information,
            chance=found.chance,
            chance_spread=found.chance_spread,
            overlap=best.overlap,
            starts=looked,
            followed=len(climbed),
            agreeing=sum(mm <= 2 * coarse_mm for mm in off),
            rival=max(away, default=0.0) / coarse.score if coarse.score > 0 else 1.0,
            halves_apart_mm=found.halves_apart_mm,
            back_apart_mm=found.back_apart_mm,
        )

    def _tell(self, stage: str, value: float) -> None:
        self._steps(MetricStep(stage, _METRIC, value))

    def _between(self, first: str, last: str, share: float) -> None:
        self._progress(_SHARES[first] + share * (_SHARES[last] - _SHARES[first]))
