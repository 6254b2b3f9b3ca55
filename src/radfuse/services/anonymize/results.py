"""What became of each object, and of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from radfuse.deid import Original, Report


class Verdict(Enum):
    """What became of one object."""

    ANONYMIZED = "anonymized"
    ALREADY_THERE = "there already"
    NOT_DICOM = "not DICOM"
    DIRECTORY = "DICOMDIR, which names files of its medium; make a new one of what was anonymized"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One object and what became of it; ``reason`` says why it was refused, without anything of its content."""

    name: str
    verdict: Verdict
    size_bytes: int = 0
    reason: str = ""
    path: str = ""
    """Where it was written."""
    warnings: tuple[str, ...] = ()
    originals: tuple[Original, ...] = ()
    counts: Mapping[tuple[int, str], int] = field(default_factory=dict)
    """How often what was done with which attribute."""


@dataclass(slots=True)
class Summary:
    """What became of all of them."""

    counts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    refused: list[Outcome] = field(default_factory=list)
    warned: list[Outcome] = field(default_factory=list)
    size_bytes: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one."""
        self.counts[outcome.verdict] += 1
        self.size_bytes += outcome.size_bytes
        if outcome.verdict is Verdict.REFUSED:
            self.refused.append(outcome)
        elif outcome.warnings:
            self.warned.append(outcome)


def report_outcome(report: Report, outcome: Outcome) -> None:
    """Tell the report of one object; what is no DICOM object is none of its business."""
    if outcome.verdict is Verdict.REFUSED:
        report.refuse(outcome.reason, outcome.name)
    elif outcome.verdict in (Verdict.ANONYMIZED, Verdict.ALREADY_THERE):
        report.add(outcome.counts, outcome.warnings, outcome.size_bytes)
