"""What will be written, and what was: plans and reports of exports to media."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from radfuse.archive import StoredObject
from radfuse.core.uid_names import name_of_uid
from radfuse.services.export_media.asking import MediaAsk


@dataclass(frozen=True, slots=True)
class Planned:
    """One object and what it is written as; ``derived_uid``: that of the instance that is made with loss."""

    stored: StoredObject
    patient: str
    study: str
    series: str
    target_syntax: str
    size_bytes: int
    """Of its file; an estimate where it is converted."""
    derived_uid: str = ""
    otherwise: tuple[str, ...] = ()
    """Syntaxes without loss that do as well, should the codec refuse its pixels; the best first."""

    @property
    def is_converted(self) -> bool:
        """Whether it is written in another transfer syntax than it is stored in."""
        return self.target_syntax != self.stored.transfer_syntax_uid

    @property
    def written_uid(self) -> str:
        """The SOP Instance UID on the medium."""
        return self.derived_uid or self.stored.sop_instance_uid

    def alternatives(self) -> Iterator[Planned]:
        """The same object in each of ``otherwise``."""
        return (replace(self, target_syntax=syntax, derived_uid="", otherwise=()) for syntax in self.otherwise)


@dataclass(frozen=True, slots=True)
class PlannedVolume:
    """What goes on one medium."""

    number: int
    objects: Sequence[Planned]

    @property
    def studies(self) -> list[str]:
        """The UIDs of its studies."""
        return list(dict.fromkeys(each.study for each in self.objects if each.study))

    @property
    def size_bytes(self) -> int:
        """Of its objects' files together."""
        return sum(each.size_bytes for each in self.objects)


@dataclass(frozen=True, slots=True)
class Conversion:
    """How many objects get another transfer syntax."""

    source_syntax: str
    target_syntax: str
    objects: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """What cannot go on the medium: which class, how many objects, which rule of the profile, and a sentence."""

    sop_class_uid: str
    objects: int
    rule: str
    sentence: str

    def __str__(self) -> str:
        """For people."""
        return f"{self.objects:,} x {name_of_uid(self.sop_class_uid)}: {self.sentence}"

    def as_json(self) -> dict[str, Any]:
        """For programs; the class by name."""
        return {
            "sop_class": name_of_uid(self.sop_class_uid),
            "objects": self.objects,
            "rule": self.rule,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True)
class MediaPlan:
    """What an export will write; nothing has been written."""

    ask: MediaAsk
    volumes: Sequence[PlannedVolume]
    conversions: Sequence[Conversion] = ()
    refusals: Sequence[Refusal] = ()
    """An object that breaks several rules is counted in each of them."""
    refused: int = 0
    """How many objects are not written."""
    warnings: Sequence[str] = ()

    @property
    def objects(self) -> int:
        """How many objects are written."""
        return sum(len(volume.objects) for volume in self.volumes)

    @property
    def size_bytes(self) -> int:
        """Of all of them."""
        return sum(volume.size_bytes for volume in self.volumes)

    @property
    def studies(self) -> list[str]:
        """The UIDs of all studies."""
        return list(dict.fromkeys(study for volume in self.volumes for study in volume.studies))

    def as_json(self) -> dict[str, Any]:
        """For people and programs; classes and transfer syntaxes by name."""
        return {
            "profile": self.ask.profile,
            "studies": len(self.studies),
            "objects": self.objects,
            "bytes": self.size_bytes,
            "volumes": [
                {
                    "number": volume.number,
                    "studies": len(volume.studies),
                    "objects": len(volume.objects),
                    "bytes": volume.size_bytes,
                }
                for volume in self.volumes
            ],
            "conversions": [
                {
                    "from": name_of_uid(each.source_syntax),
                    "to": name_of_uid(each.target_syntax),
                    "objects": each.objects,
                }
                for each in self.conversions
            ],
            "refused": self.refused,
            "refusals": [each.as_json() for each in self.refusals],
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class WrittenVolume:
    """One file-set that was written."""

    folder: Path
    file_set_id: str
    objects: int
    size_bytes: int
    """Of all its files, the directory's too."""
    notes: Sequence[str] = ()
    """What the directory says that the objects do not, as sentences."""
    refusals: Sequence[Refusal] = ()
    """Of objects that no codec could convert: found only now, and left out."""


@dataclass(frozen=True, slots=True)
class MediaReport:
    """What an export or an update has written."""

    profile: str
    volumes: Sequence[WrittenVolume]
    already_there: int = 0
    """Objects that were on the medium before."""
    refusals: Sequence[Refusal] = ()
    """Those of the plan, and those of the volumes."""
    refused: int = 0
    """Objects that were left out."""

    @classmethod
    def of(cls, plan: MediaPlan, volumes: Sequence[WrittenVolume], already_there: int = 0) -> MediaReport:
        """The report of a plan that was carried out."""
        late = [refusal for volume in volumes for refusal in volume.refusals]
        refused = plan.refused + sum(refusal.objects for refusal in late)
        return cls(plan.ask.profile, volumes, already_there, [*plan.refusals, *late], refused)

    @property
    def objects(self) -> int:
        """How many were written."""
        return sum(volume.objects for volume in self.volumes)

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(volume.size_bytes for volume in self.volumes)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "profile": self.profile,
            "objects": self.objects,
            "bytes": self.size_bytes,
            "already_there": self.already_there,
            "volumes": [
                {
                    "folder": str(volume.folder),
                    "file_set_id": volume.file_set_id,
                    "objects": volume.objects,
                    "bytes": volume.size_bytes,
                    "notes": list(volume.notes),
                }
                for volume in self.volumes
            ],
            "refused": self.refused,
            "refusals": [each.as_json() for each in self.refusals],
        }
