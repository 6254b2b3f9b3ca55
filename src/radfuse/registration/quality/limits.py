"""What a registration must reach: the limits of a report card, as a table.

From AAPM Task Group 132 (Brock and others, Medical Physics 44, 2017) where its report has a number;
"Radfuse" marks those that it leaves open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Grade(StrEnum):
    """What is thought of a registration, best first; the value is what people read."""

    PASS = "PASS"  # noqa: S105 a grade
    NOT_JUDGED = "NOT JUDGED"
    """No report card, or nothing measured that tells a right result from a wrong one."""
    CAUTION = "CAUTION"
    FAIL = "FAIL"

    @property
    def rank(self) -> int:
        """0 is the best."""
        return list(Grade).index(self)


class Quantity(StrEnum):
    """What is measured; the value is what people read."""

    LANDMARK_MEAN = "mean landmark error"
    LANDMARK_MAX = "largest landmark error"
    DICE = "Dice coefficient"
    MEAN_DISTANCE = "mean distance to agreement"
    HAUSDORFF = "95 % Hausdorff distance"
    CONSISTENCY = "inverse consistency, 95 %"
    INVERSION = "inversion error of the field, 95 %"
    LEAST_JACOBIAN = "least Jacobian"
    LARGEST_JACOBIAN = "largest Jacobian"
    FOLDED = "folded share"
    STORED_LOSS = "loss of the stored field"
    """How far the kept object, which has fewer vectors, is off the deformation anywhere."""
    CORRELATION = "normalized correlation"
    INFORMATION = "mutual information"
    REMAINING_SHIFT = "remaining shift"
    OVERLAP = "overlap"
    HALVES = "halves apart"
    """How far apart the results of the halves of the images lie."""
    RIVAL = "rival"
    """Score of the best other place, as a share of the result's."""
    ABOVE_CHANCE = "above chance"
    """How far the mutual information lies above that of other places, in standard deviations of these."""
    AGREEMENT = "starts that agree"


@dataclass(frozen=True, slots=True)
class Limit:
    """A quantity passes up to ``passes`` and fails beyond ``fails``; between them it asks for caution."""

    unit: str
    passes: float | None = None
    """None: it is told, and not judged."""
    fails: float | None = None
    """None: it never fails a registration alone."""
    larger_is_better: bool = False
    is_proof: bool = False
    """Whether a good value says that the registration is right; without one such nothing passes."""
    source: str = "Radfuse"

    def grade(self, value: float) -> Grade:
        """Of a value; one that is no number fails where there is a limit."""
        if self.passes is None:
            return Grade.NOT_JUDGED
        sign = -1.0 if self.larger_is_better else 1.0
        if sign * value <= sign * self.passes:
            return Grade.PASS
        if self.fails is not None and not sign * value <= sign * self.fails:
            return Grade.FAIL
        return Grade.CAUTION


Limits = Mapping[Quantity, Limit]

_TG_132: Final = "TG-132"

LIMITS: Final[Limits] = MappingProxyType(
    {
        Quantity.LANDMARK_MEAN: Limit("mm", 2, 3, is_proof=True, source=_TG_132),
        Quantity.LANDMARK_MAX: Limit("mm", 5, source=_TG_132),
        Quantity.DICE: Limit("1", 0.80, 0.50, larger_is_better=True, is_proof=True, source="TG-132; fail: Radfuse"),
        Quantity.MEAN_DISTANCE: Limit("mm", 3, 5, is_proof=True, source="TG-132; fail: Radfuse"),
        Quantity.HAUSDORFF: Limit("mm"),
        Quantity.CONSISTENCY: Limit("mm", 3, 5, is_proof=True, source="TG-132; fail: Radfuse"),
        Quantity.INVERSION: Limit("mm", 0.5, 2),
        Quantity.LEAST_JACOBIAN: Limit("1", 0.1, 0, larger_is_better=True, source="TG-132: above 0"),
        Quantity.LARGEST_JACOBIAN: Limit("1", 5),
        Quantity.FOLDED: Limit("%", 0, 0, source=_TG_132),
        Quantity.STORED_LOSS: Limit("mm", 0.3),
        Quantity.CORRELATION: Limit("1"),
        Quantity.INFORMATION: Limit("nat"),
        Quantity.REMAINING_SHIFT: Limit("mm", 2.5),
        Quantity.OVERLAP: Limit("%", 50, 10, larger_is_better=True),
        Quantity.HALVES: Limit("mm", 12, 20),
        Quantity.RIVAL: Limit("%", 95),
        Quantity.ABOVE_CHANCE: Limit("sd", 2.5, 1.5, larger_is_better=True),
        Quantity.AGREEMENT: Limit("%"),
    }
)
"""The default limits; docs/registration.md shows them."""
