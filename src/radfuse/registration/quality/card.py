"""The report card of a registration: what was measured, and the grade with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from radfuse.registration.quality.limits import Grade, Limits, Quantity

_NOTHING: Final = (
    "nothing was measured that tells a right result from a wrong one: "
    "give landmarks, structures that both images have, or let it be registered back"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One number and what is thought of it."""

    quantity: Quantity
    value: float
    unit: str
    grade: Grade
    subject: str = ""
    """Of what, as the name of a structure."""
    before: float | None = None
    """The same before the registration, where that has a meaning."""

    @property
    def sentence(self) -> str:
        """For a person."""
        subject = f" of {self.subject}" if self.subject else ""
        unit = "" if self.unit == "1" else f" {self.unit}"
        before = "" if self.before is None else f" (before: {self.before:.3g}{unit})"
        return f"{self.quantity.value}{subject} {self.value:.3g}{unit}{before}"


def checked(limits: Limits, quantity: Quantity, value: float, subject: str = "", before: float | None = None) -> Check:
    """A number with the grade that it has by its limit."""
    limit = limits[quantity]
    return Check(quantity, float(value), limit.unit, limit.grade(float(value)), subject, before)


@dataclass(frozen=True, slots=True)
class ReportCard:
    """Every check, what else speaks against the registration, and the grade."""

    grade: Grade
    reason: str
    checks: tuple[Check, ...]
    concerns: tuple[str, ...] = ()
    """Sentences; each asks for caution."""
    notes: tuple[str, ...] = ()
    """What could not be measured, and why; sentences. Each asks for caution: nothing is good because nobody looked."""

    def value(self, quantity: Quantity) -> float | None:
        """The first value of a quantity; None where it was not measured."""
        return next((check.value for check in self.checks if check.quantity is quantity), None)

    def as_json(self, limits: Limits) -> dict[str, Any]:
        """For programs, with the limits in use."""
        return {
            "Grade": self.grade.value,
            "Reason": self.reason,
            "Checks": [
                {
                    "Quantity": check.quantity.value,
                    "Subject": check.subject,
                    "Value": check.value,
                    "Before": check.before,
                    "Unit": check.unit,
                    "Grade": check.grade.value,
                    "PassesTo": limits[check.quantity].passes,
                    "FailsBeyond": limits[check.quantity].fails,
                    "LimitFrom": limits[check.quantity].source,
                }
                for check in self.checks
            ],
            "Concerns": list(self.concerns),
            "Notes": list(self.notes),
        }


def graded(
    checks: Iterable[Check], limits: Limits, concerns: Iterable[str] = (), notes: Iterable[str] = ()
) -> ReportCard:
    """The card: the worst check, any concern and what was not measured decide; nothing passes without a proof."""
    found, doubts, lacking = tuple(checks), tuple(concerns), tuple(notes)
    for grade in (Grade.FAIL, Grade.CAUTION):
        reasons = [check.sentence for check in found if check.grade is grade]
        reasons += (*doubts, *lacking) if grade is Grade.CAUTION else ()
        if reasons:
            return ReportCard(grade, "; ".join(reasons), found, doubts, lacking)
    proofs = [check.sentence for check in found if check.grade is Grade.PASS and limits[check.quantity].is_proof]
    if not proofs:
        return ReportCard(Grade.NOT_JUDGED, _NOTHING, found, doubts, lacking)
    return ReportCard(Grade.PASS, "; ".join(proofs), found, doubts, lacking)


def rows_of(checks: Iterable[Check], limits: Limits) -> Iterator[dict[str, str]]:
    """Checks for a table that people read."""
    for check in checks:
        limit = limits[check.quantity]
        unit = "" if check.unit == "1" else f" {check.unit}"
        sign = "at least" if limit.larger_is_better else "at most"
        yield {
            "Check": check.quantity.value,
            "Of": check.subject,
            "Value": f"{check.value:.3g}{unit}",
            "Before": "" if check.before is None else f"{check.before:.3g}{unit}",
            "Limit": "" if limit.passes is None else f"{sign} {limit.passes:g}{unit}",
            "Grade": "" if limit.passes is None else check.grade.value,
        }
