"""What became of each object, and of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from radfuse.deid import Original, Report
from radfuse.services.anonymize.writing import Draft


class Verdict(Enum):
    """What became of one object."""

    ANONYMIZED = "anonymized"
    ALREADY_THERE = "there already"
    NOT_DICOM = "not DICOM"
    DIRECTORY = "DICOMDIR left out, which names patients and files of its medium (--dicomdir makes a new one)"
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
    draft: Draft | None = None
    """The file that waits for this name; whoever gets an outcome from a run never sees one."""
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
    """Tell the report of one object; what is no DICOM is none of its business."""
    if outcome.verdict is Verdict.REFUSED:
        report.refuse(outcome.reason, outcome.name)
    elif outcome.verdict is Verdict.DIRECTORY:
        report.leave_out("a DICOMDIR was left out: it names patients and the files of its medium")
    elif outcome.verdict in (Verdict.ANONYMIZED, Verdict.ALREADY_THERE):
        report.add(outcome.counts, outcome.warnings, outcome.size_bytes)
