"""Whether what an object refers to exists, and is what the object says it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from radfuse.objects.checking.model import Facts, Fault, Path

_CLASS: Final = 0x0008_1150
_INSTANCE: Final = 0x0008_1155
_STUDY: Final = 0x0020_000D
_SERIES: Final = 0x0020_000E
_FRAME_UID: Final = 0x0020_0052
_SOURCE_FRAME_UID: Final = 0x0064_0003
_SEQUENCES_OF_NO_OBJECTS: Final = frozenset(
    tag_for_keyword(keyword)
    for keyword in (
        "ReferencedStudySequence",
        "ReferencedPatientSequence",
        "ReferencedVisitSequence",
        "ReferencedPerformedProcedureStepSequence",
        "RTReferencedStudySequence",
    )
)
"""They refer to studies and procedures, which are not stored as objects."""

_BLENDING: Final = "1.2.840.10008.5.1.4.1.1.11.4"
_REGISTRATIONS: Final = frozenset({"1.2.840.10008.5.1.4.1.1.66.1", "1.2.840.10008.5.1.4.1.1.66.3"})


@dataclass(frozen=True, slots=True)
class _Around:
    """What the items around a reference say of its object."""

    study: str = ""
    series: str = ""
    frame: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference from an object to another."""

    path: Path
    item: Dataset
    around: _Around

    @property
    def uid(self) -> str:
        """SOP Instance UID."""
        return str(self.item[_INSTANCE].value)

    @property
    def class_uid(self) -> str:
        """SOP Class UID; empty when it is not given."""
        return str(self.item[_CLASS].value) if _CLASS in self.item else ""


def references_in(ds: Dataset, path: Path = (), around: _Around | None = None) -> Iterator[Reference]:
    """Every reference to an object, at any depth."""
    around = around or _Around()
    for element in ds:
        if element.VR != "SQ" or (element.tag in _SEQUENCES_OF_NO_OBJECTS and path == ()):
            continue
        tag = int(element.tag)
        for number, item in enumerate(element.value or (), start=1):
            here = (*path, tag, f"[{number}]")
            inside = _Around(
                _text(item, _STUDY) or around.study,
                _text(item, _SERIES) or around.series,
                _text(item, _FRAME_UID) or _text(item, _SOURCE_FRAME_UID) or around.frame,
            )
            if _INSTANCE in item and tag not in _SEQUENCES_OF_NO_OBJECTS:
                yield Reference(here, item, inside)
            yield from references_in(item, here, inside)


def _text(ds: Dataset, tag: int) -> str:
    return str(ds[tag].value or "") if tag in ds else ""


def wrong_references(ds: Dataset, known: Mapping[str, Facts]) -> Iterator[Fault]:
    """References to what is not known, or is not so; ``known``: objects by SOP Instance UID."""
    met: list[Facts] = []
    for reference in references_in(ds):
        facts = known.get(reference.uid)
        if facts is None:
            yield Fault(reference.path, "reference", "it refers to an object that is neither here nor stored with it")
            continue
        met.append(facts)
        yield from _disagreements(reference, facts)
    yield from _same_patient(ds, met)
    if str(ds.get("Modality", "")) == "SEG":
        yield from _same_frame(ds, met)
    elif str(ds.get("SOPClassUID", "")) == _BLENDING:
        yield from _blended_frames(met)
    yield from _inside(ds)


def _disagreements(reference: Reference, facts: Facts) -> Iterator[Fault]:
    path, around = reference.path, reference.around
    if reference.class_uid and reference.class_uid != facts.sop_class_uid:
        yield Fault((*path, _CLASS), "reference", "the object referred to is of another SOP class")
    if around.series and around.series != facts.series_uid:
        yield Fault(path, "reference", "the object referred to belongs to another series")
    if around.study and around.study != facts.study_uid:
        yield Fault(path, "reference", "the object referred to belongs to another study")
    if around.frame and facts.frame_uid and around.frame != facts.frame_uid:
        yield Fault(path, "frame of reference", "the image referred to lies in another frame of reference")
    if facts.frames and any(not 1 <= n <= facts.frames for n in _numbers(reference.item, "ReferencedFrameNumber")):
        yield Fault(path, "reference", "the object referred to has no such frame")
    if facts.segments and any(n not in facts.segments for n in _numbers(reference.item, "ReferencedSegmentNumber")):
        yield Fault(path, "reference", "the segmentation referred to has no such segment")


def _numbers(item: Dataset, keyword: str) -> list[int]:
    value: Any = item.get(keyword)
    if value is None or value == "":
        return []
    return [int(value)] if isinstance(value, str | int) else [int(part) for part in value]


def _same_patient(ds: Dataset, met: list[Facts]) -> Iterator[Fault]:
    patient = Facts.of(ds).patient_id
    if any(facts.patient_id != patient for facts in met):
        yield Fault((tag_for_keyword("PatientID") or 0,), "patient", "the object and its sources differ in the patient")
    if met and str(ds.get("StudyInstanceUID", "")) not in {facts.study_uid for facts in met}:
        yield Fault((_STUDY,), "study", "the object belongs to the study of none of its sources")


def _same_frame(ds: Dataset, met: list[Facts]) -> Iterator[Fault]:
    frames = {facts.frame_uid for facts in met if facts.frame_uid}
    if frames and str(ds.get("FrameOfReferenceUID", "") or "") not in frames:
        yield Fault((_FRAME_UID,), "frame of reference", "it is not that of the images the object refers to")


def _blended_frames(met: list[Facts]) -> Iterator[Fault]:
    """What is blended lies in one frame of reference, or a registration is named (A.33.4)."""
    frames = {facts.frame_uid for facts in met if facts.sop_class_uid not in _REGISTRATIONS}
    if len(frames) > 1 and not any(facts.sop_class_uid in _REGISTRATIONS for facts in met):
        sentence = "the images lie in different frames of reference, and no registration is referred to"
        yield Fault((tag_for_keyword("BlendingSequence") or 0,), "frame of reference", sentence)


# --- references within an object -----------------------------------------------------------------


def _inside(ds: Dataset) -> Iterator[Fault]:
    yield from _segments(ds)
    yield from _regions(ds)


def _segments(ds: Dataset) -> Iterator[Fault]:
    """Segment numbers, and the frames that name them (C.8.20.2, C.8.20.3.1)."""
    if "SegmentSequence" not in ds:
        return
    numbers = [int(item.get("SegmentNumber", 0) or 0) for item in ds.SegmentSequence or ()]
    if len(set(numbers)) != len(numbers):
        yield Fault((tag_for_keyword("SegmentSequence") or 0,), "segments", "two segments have the same number")
    for sequence in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for number, group in enumerate(ds.get(sequence) or (), start=1):
            for item in group.get("SegmentIdentificationSequence") or ():
                if not set(_numbers(item, "ReferencedSegmentNumber")) <= set(numbers):
                    path = (tag_for_keyword(sequence) or 0, f"[{number}]")
                    yield Fault(path, "segments", "it refers to a segment that the object does not have")


def _regions(ds: Dataset) -> Iterator[Fault]:
    """ROI numbers and the frames of reference of a structure set (C.8.8.5, C.8.8.6, C.8.8.8)."""
    if "StructureSetROISequence" not in ds:
        return
    regions = ds.StructureSetROISequence or ()
    numbers = [int(item.get("ROINumber", -1)) for item in regions]
    if len(set(numbers)) != len(numbers):
        path: Path = (tag_for_keyword("StructureSetROISequence") or 0,)
        yield Fault(path, "regions", "two regions have the same number")
    frames = {_text(item, _FRAME_UID) for item in ds.get("ReferencedFrameOfReferenceSequence") or ()}
    for number, item in enumerate(regions, start=1):
        if str(item.get("ReferencedFrameOfReferenceUID", "")) not in frames:
            path = (tag_for_keyword("StructureSetROISequence") or 0, f"[{number}]")
            yield Fault(path, "frame of reference", "the structure set does not refer to the region's frame")
    for sequence in ("ROIContourSequence", "RTROIObservationsSequence"):
        for number, item in enumerate(ds.get(sequence) or (), start=1):
            if not set(_numbers(item, "ReferencedROINumber")) <= set(numbers):
                path = (tag_for_keyword(sequence) or 0, f"[{number}]")
                yield Fault(path, "regions", "it refers to a region that the object does not have")
