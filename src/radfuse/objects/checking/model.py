"""What is found wrong with an object, and what is known of the objects it refers to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

Path: TypeAlias = tuple["int | str", ...]
"""Tags, with the item's place (``"[1]"``, counted from 1) after the tag of a sequence."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A breach of the standard: where, the rule's name, and a sentence. It never holds a value of the patient's."""

    path: Path
    rule: str
    sentence: str

    def __str__(self) -> str:
        """As a person reads it."""
        return f"{place(self.path)}: {self.sentence}" if self.path else self.sentence


def place(path: Path) -> str:
    """A path as text: keywords, items in brackets."""
    text = ""
    for step in path:
        if isinstance(step, str):
            text += step
        else:
            text += ("." if text else "") + (keyword_for_tag(step) or f"({step >> 16:04X},{step & 0xFFFF:04X})")
    return text


def is_empty(value: Any) -> bool:
    """Whether an element has no value, an empty text, no item, or nothing but empty values."""
    if value is None:
        return True
    if isinstance(value, str | bytes):
        return not value
    if hasattr(value, "__len__") and hasattr(value, "__iter__"):
        return len(value) == 0 or all(part is None or part == "" for part in value)
    return str(value) == ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an object that others may refer to."""

    sop_instance_uid: str
    sop_class_uid: str
    study_uid: str
    series_uid: str
    patient_id: str = ""
    frame_uid: str = ""
    """Frame of Reference UID; empty when it has none, or it is not known."""
    frames: int = 0
    """Number of Frames; 0 when it is not known."""
    segments: tuple[int, ...] = ()
    """Segment Numbers of a segmentation; empty when they are not known."""

    @classmethod
    def of(cls, ds: Dataset) -> Facts:
        """Of a data set."""
        segments = tuple(int(item.get("SegmentNumber", 0) or 0) for item in ds.get("SegmentSequence") or ())
        return cls(
            str(ds.get("SOPInstanceUID", "")),
            str(ds.get("SOPClassUID", "")),
            str(ds.get("StudyInstanceUID", "")),
            str(ds.get("SeriesInstanceUID", "")),
            str(ds.get("PatientID", "") or "").strip(" \0"),
            str(ds.get("FrameOfReferenceUID", "") or ""),
            int(ds.get("NumberOfFrames", 0) or 0),
            segments,
        )


def facts_of(sources: Iterable[Dataset]) -> dict[str, Facts]:
    """Of several data sets, by SOP Instance UID."""
    return {facts.sop_instance_uid: facts for facts in map(Facts.of, sources)}
