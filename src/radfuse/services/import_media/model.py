"""What became of the files of an import: verdicts, findings about media, the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Final

from radfuse.archive import Outcome

_LONGEST_NAME: Final = 300
_MOST_NAMED: Final = 100
_MAX_MEMBERS: Final = 1_000_000
_MAX_RATIO: Final = 100
_SMALL_ZIP_BYTES: Final = 1 << 30
"""A zip file may hold this much, or a hundred times its own size, whatever is more."""


class Verdict(Enum):
    """What became of one file."""

    STORED = "stored"
    ALREADY_KEPT = "already kept"
    FIRST_KEPT = "other bytes were kept already under its UID and stay"
    REPLACED = "replaced"
    NOT_DICOM = "not DICOM"
    DIRECTORY = "DICOMDIR"
    IMAGE = "disc image with faults"
    REFUSED = "refused"

    @property
    def is_taken(self) -> bool:
        """Whether the archive holds these very bytes now."""
        return self in _TAKEN


_TAKEN: Final = frozenset({Verdict.STORED, Verdict.ALREADY_KEPT, Verdict.REPLACED})

VERDICTS: Final = {
    Outcome.KEPT: Verdict.STORED,
    Outcome.SAME_AGAIN: Verdict.ALREADY_KEPT,
    Outcome.FIRST_KEPT: Verdict.FIRST_KEPT,
    Outcome.REPLACED: Verdict.REPLACED,
}


class FindingKind(StrEnum):
    """What is wrong with a medium whose files were imported all the same: their content decides."""

    IMAGE_DAMAGED = "faults of a disc image"
    DIRECTORY_DAMAGED = "faults of the directory"
    OUTSIDE = "records that name a file outside the medium"
    MISSING = "files named by a record that are not there"
    OTHER_OBJECT = "files that hold another object than their record says"
    OTHER_CLASS = "files of another SOP class than their record says"
    OTHER_SYNTAX = "files of another transfer syntax than their record says"
    NOT_NAMED = "objects on the medium that no record names"


@dataclass(slots=True)
class Findings:
    """All findings, each counted, the first hundred of them in a sentence each."""

    counts: dict[FindingKind, int] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)

    def add(self, kind: FindingKind, sentence: str) -> None:
        """Note one."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if len(self.sentences) < _MOST_NAMED:
            self.sentences.append(sentence)

    def add_all(self, others: Findings) -> None:
        """Note those of another medium too."""
        for kind, count in others.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
        self.sentences += others.sentences[: _MOST_NAMED - len(self.sentences)]

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Imported:
    """One file and what became of it; ``reason`` says why it was refused."""

    name: str
    """To be shown: one line of printable characters."""
    verdict: Verdict
    size_bytes: int = 0
    reason: str = ""
    study_instance_uid: str = ""
    """Of an object that was taken in."""
    path: str = ""
    """The file on the disk that it came from or in; whatever its bytes are."""
    identity: Identity | None = None
    findings: Findings | None = None
    """What is wrong with the medium whose DICOMDIR this is."""
    is_from_before: bool = False
    """Whether an earlier, interrupted run of the same import did it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What an object is by its own bytes; what a DICOMDIR's record says of it must be the same."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


@dataclass(slots=True)
class ImportReport:
    """What became of all files."""

    counts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    refused: list[Imported] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    size_bytes: int = 0
    """Of the objects that were stored."""
    from_before: int = 0
    """How many of the files an earlier, interrupted run of the same import had done."""

    def add(self, imported: Imported) -> None:
        """Count one file."""
        self.counts[imported.verdict] += 1
        self.from_before += imported.is_from_before
        if imported.verdict is Verdict.REFUSED:
            self.refused.append(imported)
        elif imported.verdict is Verdict.STORED:
            self.size_bytes += imported.size_bytes
        if imported.findings is not None:
            self.findings.add_all(imported.findings)

    @property
    def total(self) -> int:
        """How many files and members of archives there were."""
        return sum(self.counts.values())

    def to_json(self) -> Mapping[str, Any]:
        """For programs."""
        return {
            **{verdict.name.title().replace("_", ""): count for verdict, count in self.counts.items()},
            "FromBefore": self.from_before,
            "RefusedFiles": [{"File": imported.name, "Reason": imported.reason} for imported in self.refused],
            "Findings": {str(kind): count for kind, count in self.findings.counts.items()},
            "FindingSentences": list(self.findings.sentences),
        }

    def sentence(self) -> str:
        """For people: how many of each."""
        parts = [f"{count:,} {verdict.value}" for verdict, count in self.counts.items() if count]
        if self.from_before:
            parts.append(f"{self.from_before:,} of them by the earlier, interrupted run")
        if self.findings.total:
            parts.append(f"{self.findings.total:,} findings about the medium")
        return ", ".join(parts) if parts else "There was nothing to import."


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """What a zip file or the image of a disc may hold."""

    members: int = _MAX_MEMBERS
    ratio: int = _MAX_RATIO
    small_zip_bytes: int = _SMALL_ZIP_BYTES


DEFAULT_LIMITS: Final = ImportLimits()


def shown_name(name: str) -> str:
    """A file's name as text to be shown: in one line, not endless; bytes that are no text are replaced."""
    if len(name) <= _LONGEST_NAME and name.isprintable():
        return name
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)
    return text if len(text) <= _LONGEST_NAME else "…" + text[1 - _LONGEST_NAME :]
