"""Judging a registration by everything that is known of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import CannotRegister
from radfuse.geometry import Chain, Mask, Points
from radfuse.registration.model import Registration
from radfuse.registration.quality.card import Check, ReportCard, checked, graded
from radfuse.registration.quality.fields import jacobian_facts
from radfuse.registration.quality.likeness import Compared
from radfuse.registration.quality.limits import LIMITS, Grade, Limits, Quantity
from radfuse.registration.quality.sampling import carried
from radfuse.registration.quality.surfaces import agreement
from radfuse.volume import Volume

_WORSE: Final = 0.02
"""Share of the mutual information that may be lost before it counts: sampling alone changes it a little."""
_MOST_POINTS: Final = 4000


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Pairs of points that show the same places, n x 3 each. Raises CannotRegister for others."""

    fixed_mm: Points
    moving_mm: Points
    left_out_mm: npt.NDArray[np.float64] | None = None
    """For those that made the registration: the error of each where the others alone made it. None: they did not."""

    def __post_init__(self) -> None:
        """Check the shapes."""
        shape = np.shape(self.fixed_mm)
        if shape != np.shape(self.moving_mm) or len(shape) != 2 or shape[1] != 3 or not shape[0]:
            raise CannotRegister("landmarks must come in pairs of two points")
        if not (np.isfinite(self.fixed_mm).all() and np.isfinite(self.moving_mm).all()):
            raise CannotRegister("a landmark's position is no finite number")


@dataclass(frozen=True, eq=False)
class StructurePair:
    """A region as it was drawn on each of the two images."""

    name: str
    fixed: Mask
    moving: Mask


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known beside the images and the transform."""

    before: Chain | None = None
    """How the images lay before: the start of a deformation, or no transform in one frame. None: nobody knows."""
    backward: Chain | None = None
    """The registration of the fixed images to the moving ones, found anew."""
    landmarks: Landmarks | None = None
    start_landmarks: Landmarks | None = None
    """Those that the registration began from: they may speak against it, and never for it."""
    structures: tuple[StructurePair, ...] = ()
    region: Mask | None = None
    """Only this part of the fixed images counts."""
    measured: Mapping[Quantity, float] = field(default_factory=lambda: MappingProxyType({}))
    """What the registration itself found out, as the way back or the starts that agree."""
    concerns: tuple[str, ...] = ()
    """What else asks for caution, as sentences."""


def judge(
    fixed: Volume,
    moving: Volume,
    registration: Registration,
    evidence: Evidence = Evidence(),
    limits: Limits = LIMITS,
) -> ReportCard:
    """The report card of a registration. Raises FramesDiffer for images of other frames than the registration's."""
    registration.fixed.require_same(fixed.grid.frame, "the registration and the fixed images")
    registration.moving.require_same(moving.grid.frame, "the registration and the moving images")
    judging = _Judging(fixed, moving, registration, evidence, limits)
    checks = tuple(judging.checks())
    concerns = [*evidence.concerns, *judging.concerns]
    if registration.fell_back:
        concerns.append(registration.fell_back)
    return graded(checks, limits, concerns, judging.notes)


@dataclass(eq=False)
class _Judging:
    """One pass over everything; what cannot be measured becomes a note."""

    fixed: Volume
    moving: Volume
    registration: Registration
    evidence: Evidence
    limits: Limits
    notes: list[str] = field(default_factory=list)
    concerns: list[str] = field(default_factory=list)

    @property
    def transform(self) -> Chain:
        return self.registration.transform

    def checks(self) -> Iterator[Check]:
        compared = Compared(self.fixed, self.moving, self.evidence.region)
        yield from self._landmarks()
        yield from self._structures()
        yield from self._consistency(compared)
        yield from self._deformation()
        yield from self._likeness(compared)
        for quantity, value in self.evidence.measured.items():
            if np.isfinite(value):
                yield self._check(quantity, value)
            else:
                self._cannot(quantity)

    def _check(self, quantity: Quantity, value: float, subject: str = "", before: float | None = None) -> Check:
        return checked(self.limits, quantity, value, subject, before)

    def _cannot(self, quantity: Quantity, reason: str = "") -> None:
        self.notes.append(f"the {quantity.value} could not be measured{reason and ': '}{reason}")

    def _landmarks(self) -> Iterator[Check]:
        if self.evidence.landmarks is not None:
            yield from self._landmark_errors(self.evidence.landmarks)
        if self.evidence.start_landmarks is not None:
            for check in self._landmark_errors(self.evidence.start_landmarks, ", used as the start"):
                yield replace(check, grade=Grade.NOT_JUDGED) if check.grade is Grade.PASS else check

    def _landmark_errors(self, given: Landmarks, use: str = "") -> Iterator[Check]:
        errors, count = given.left_out_mm, len(given.fixed_mm)
        if errors is None:
            errors = np.linalg.norm(self.transform.apply(given.fixed_mm) - given.moving_mm, axis=1)
        else:
            use = ", each left out in turn"
        subject = f"{count} pair{'s' * (count > 1)}{use}"
        lost = int(np.isnan(errors).sum())
        if lost:
            self.concerns.append(f"{lost} of {len(errors)} landmarks lie where the registration says nothing")
            errors = errors[~np.isnan(errors)]
        if not len(errors):
            return
        before = None
        if self.evidence.before is not None:
            start = np.linalg.norm(self.evidence.before.apply(given.fixed_mm) - given.moving_mm, axis=1)
            before = float(np.nanmean(start)) if np.isfinite(start).any() else None
        yield self._check(Quantity.LANDMARK_MEAN, float(errors.mean()), subject, before)
        yield self._check(Quantity.LANDMARK_MAX, float(errors.max()), subject)

    def _structures(self) -> Iterator[Check]:
        for pair in self.evidence.structures:
            moved = carried(pair.moving, self.transform, pair.fixed.grid)
            if not (pair.fixed.voxels and moved.voxels):
                self.concerns.append(f"{pair.name} has no voxel on one of the images after the registration")
                continue
            found, before = agreement(pair.fixed, moved), self._before(pair)
            yield self._check(Quantity.DICE, found.dice, pair.name, before[0])
            yield self._check(Quantity.MEAN_DISTANCE, found.mean_distance_mm, pair.name, before[1])
            yield self._check(Quantity.HAUSDORFF, found.hausdorff95_mm, pair.name, before[2])

    def _before(self, pair: StructurePair) -> tuple[float | None, float | None, float | None]:
        """The same three numbers before the registration, as far as they are known."""
        if self.evidence.before is None:
            return None, None, None
        there = carried(pair.moving, self.evidence.before, pair.fixed.grid)
        if not there.voxels:
            return 0.0, None, None
        found = agreement(pair.fixed, there)
        return found.dice, found.mean_distance_mm, found.hausdorff95_mm

    def _consistency(self, compared: Compared) -> Iterator[Check]:
        points = compared.body_mm
        points = points[:: max(1, len(points) // _MOST_POINTS)]
        moved = self.transform.apply(points)
        moved, points = moved[np.isfinite(moved).all(axis=1)], points[np.isfinite(moved).all(axis=1)]
        if not len(points):
            self.notes.append("the registration says nothing of what the fixed images show")
            return
        if not self.transform.is_affine:
            yield from self._round_trip(Quantity.INVERSION, self.transform.inverse(), moved, points)
        if self.evidence.backward is not None:
            yield from self._round_trip(Quantity.CONSISTENCY, self.evidence.backward, moved, points)

    def _round_trip(self, quantity: Quantity, back: Chain, moved: Points, points: Points) -> Iterator[Check]:
        off = np.linalg.norm(back.apply(moved) - points, axis=1)
        off = off[np.isfinite(off)]
        if len(off) < len(points) / 2:
            self._cannot(quantity, "the way back is undefined in most places")
        else:
            yield self._check(quantity, float(np.percentile(off, 95)))

    def _deformation(self) -> Iterator[Check]:
        facts = jacobian_facts(self.transform)
        if facts is not None:
            yield self._check(Quantity.LEAST_JACOBIAN, facts.least)
            yield self._check(Quantity.LARGEST_JACOBIAN, facts.largest)
            yield self._check(Quantity.FOLDED, 100 * facts.folded)

    def _likeness(self, compared: Compared) -> Iterator[Check]:
        before = self.evidence.before
        yield self._check(
            Quantity.OVERLAP, 100 * self._overlap(compared, self.transform), before=self._overlap_before(compared)
        )
        after = compared.likeness(self.transform, before)
        if after is None:
            self.notes.append("the images overlap too little to be compared")
            return
        then = compared.likeness(before, self.transform) if before is not None else None
        yield self._check(Quantity.CORRELATION, after.correlation, before=None if then is None else then.correlation)
        information = self._check(
            Quantity.INFORMATION, after.information, before=None if then is None else then.information
        )
        yield information
        if then is not None and after.information < then.information * (1 - _WORSE) - 1e-3:
            self.concerns.append("the images tell less about each other than before the registration")
        shift = compared.remaining_shift_mm(self.transform)
        if shift is None:
            self._cannot(Quantity.REMAINING_SHIFT)
        else:
            yield self._check(Quantity.REMAINING_SHIFT, shift)

    def _overlap_before(self, compared: Compared) -> float | None:
        before = self.evidence.before
        return None if before is None else 100 * self._overlap(compared, before)

    def _overlap(self, compared: Compared, transform: Chain) -> float:
        """The share of the fixed points in the moving images, or of the moving images in the fixed if that is more."""
        share = compared.overlap(transform)
        if self.evidence.region is not None or not transform.is_affine:
            return share
        return max(share, Compared(self.moving, self.fixed).overlap(transform.inverse()))
