"""A tree of content items as the content of a document (PS3.3 sections C.17.2, C.17.3 and C.17.6)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidObject
from radfuse.objects.common import Code, Reference, code_sequence
from radfuse.objects.common.references import series_items
from radfuse.objects.sr.model import (
    ByReference,
    Coded,
    Container,
    Coordinates,
    Item,
    Number,
    ObjectReference,
    Text,
    Times,
)

_TEXT_KEYWORDS: Final = {
    "TEXT": "TextValue",
    "DATE": "Date",
    "TIME": "Time",
    "DATETIME": "DateTime",
    "PNAME": "PersonName",
    "UIDREF": "UID",
}
_MOST_CHARACTERS: Final = 16
"""Of a Decimal String."""


def add_tree(ds: Dataset, root: Item) -> None:
    """Write the tree into the document ``ds``. Raises InvalidObject for a value that has no form in DICOM."""
    if not isinstance(root.value, Container):
        raise InvalidObject(("the root of a report must be a container",))
    _fill(ds, root)


def add_evidence(ds: Dataset, root: Item, references: Sequence[Reference], *, all_current: bool = False) -> None:
    """Name by study and series every object that the tree refers to, and all of ``references``.

    Those of the document's own study, or of every study where ``all_current`` (key objects), go to Current
    Requested Procedure Evidence, others to Pertinent Other Evidence (PS3.3 section C.17.2.3). Raises
    InvalidObject for an object of the tree whose study and series are in none of ``references``.
    """
    known = {reference.sop_instance_uid: reference for reference in references}
    named = {
        uid
        for _, item in root.walk()
        if isinstance(item.value, ObjectReference)
        for uid in (item.value.sop_instance_uid, item.value.presentation_uid)
        if uid
    }
    if missing := named - known.keys():
        raise InvalidObject((f"{len(missing)} of the objects it refers to have no study and series",))
    if any(not reference.study_uid or not reference.series_uid for reference in references):
        raise InvalidObject(("an object it refers to has no study or no series",))
    by_study: dict[str, list[Reference]] = {}
    for reference in references:
        by_study.setdefault(reference.study_uid, []).append(reference)
    own = [uid for uid in by_study if all_current or uid == ds.StudyInstanceUID]
    others = [uid for uid in by_study if uid not in own]
    if own:
        ds.CurrentRequestedProcedureEvidenceSequence = [_study(uid, by_study[uid]) for uid in own]
    if others:
        ds.PertinentOtherEvidenceSequence = [_study(uid, by_study[uid]) for uid in others]


def _study(uid: str, references: Iterable[Reference]) -> Dataset:
    """An item of the Hierarchical SOP Instance Reference macro (PS3.3 table C.17-3)."""
    item = Dataset()
    item.StudyInstanceUID = uid
    item.ReferencedSeriesSequence = series_items(references, "ReferencedSOPSequence")
    return item


def _fill(ds: Dataset, item: Item) -> None:
    if isinstance(item.value, ByReference):
        ds.ReferencedContentItemIdentifier = list(item.value.path)
        return
    ds.ValueType = item.value_type
    if item.concept is not None:
        ds.ConceptNameCodeSequence = code_sequence(item.concept)
    if item.observed:
        ds.ObservationDateTime = item.observed
    if item.uid:
        ds.ObservationUID = item.uid
    _fill_value(ds, item)
    if item.children:
        ds.ContentSequence = [_child(child) for child in item.children]


def _child(item: Item) -> Dataset:
    ds = Dataset()
    ds.RelationshipType = item.relationship
    _fill(ds, item)
    return ds


def _fill_value(ds: Dataset, item: Item) -> None:
    match item.value:
        case Text(text) if keyword := _TEXT_KEYWORDS.get(item.value_type):
            setattr(ds, keyword, text)
        case Coded(code):
            ds.ConceptCodeSequence = code_sequence(code)
        case Number() as number:
            _fill_number(ds, number)
        case ObjectReference() as reference:
            ds.ReferencedSOPSequence = [_reference(reference)]
        case Coordinates() as shape:
            _fill_shape(ds, shape)
        case Times() as times:
            _fill_times(ds, times)
        case Container() as container:
            _fill_container(ds, container)
        case _:
            raise InvalidObject((f"an item of type {item.value_type} has no value",))


def _fill_shape(ds: Dataset, shape: Coordinates) -> None:
    ds.GraphicType = shape.graphic
    ds.GraphicData = [number for point in shape.points for number in point]
    if shape.frame_uid:
        ds.ReferencedFrameOfReferenceUID = shape.frame_uid


def _fill_container(ds: Dataset, container: Container) -> None:
    ds.ContinuityOfContent = "SEPARATE" if container.is_separate else "CONTINUOUS"
    if container.template:
        template = Dataset()
        template.MappingResource = "DCMR"
        template.TemplateIdentifier = container.template
        ds.ContentTemplateSequence = [template]


def _fill_times(ds: Dataset, times: Times) -> None:
    ds.TemporalRangeType = times.kind
    if times.sample_positions:
        ds.ReferencedSamplePositions = list(times.sample_positions)
    elif times.offsets_s:
        ds.ReferencedTimeOffsets = [decimal_text(offset) for offset in times.offsets_s]
    else:
        ds.ReferencedDateTime = list(times.moments)


def _fill_number(ds: Dataset, number: Number) -> None:
    """Measured Value (PS3.3 section C.18.1); Floating Point Value where a Decimal String is not exact."""
    if number.value is None:
        ds.MeasuredValueSequence = []
        if number.qualifier is None:
            raise InvalidObject(("a number is missing, and no reason is given",))
    else:
        if not math.isfinite(number.value) or number.unit is None:
            raise InvalidObject(("a number is not finite or has no unit",))
        measured = Dataset()
        text = decimal_text(number.value)
        measured.NumericValue = text
        if float(text) != number.value:
            measured.FloatingPointValue = number.value
        measured.MeasurementUnitsCodeSequence = code_sequence(number.unit)
        ds.MeasuredValueSequence = [measured]
    if number.qualifier is not None:
        ds.NumericValueQualifierCodeSequence = code_sequence(number.qualifier)


def _reference(reference: ObjectReference) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = reference.sop_class_uid
    item.ReferencedSOPInstanceUID = reference.sop_instance_uid
    if reference.frames:
        item.ReferencedFrameNumber = list(reference.frames)
    if reference.segments:
        item.ReferencedSegmentNumber = list(reference.segments)
    if reference.channels:
        item.ReferencedWaveformChannels = list(reference.channels)
    if reference.presentation_uid:
        presentation = Dataset()
        presentation.ReferencedSOPClassUID = reference.presentation_class_uid
        presentation.ReferencedSOPInstanceUID = reference.presentation_uid
        item.ReferencedSOPSequence = [presentation]
    return item


def decimal_text(number: float) -> str:
    """A number as a Decimal String with as many digits as fit (PS3.5 section 6.2)."""
    text = repr(number + 0.0).removesuffix(".0")
    digits = _MOST_CHARACTERS - 1
    while len(text) > _MOST_CHARACTERS:
        text = f"{number:.{digits}g}"
        digits -= 1
    return text


def code_item(relationship: str, concept: Code, code: Code, *children: Item) -> Item:
    """A CODE item."""
    return Item(relationship, "CODE", concept, Coded(code), children)


def text_item(relationship: str, concept: Code, text: str, *children: Item) -> Item:
    """A TEXT item."""
    return Item(relationship, "TEXT", concept, Text(text), children)


def uid_item(relationship: str, concept: Code, uid: str) -> Item:
    """A UIDREF item."""
    return Item(relationship, "UIDREF", concept, Text(uid))


def container_item(relationship: str, concept: Code, children: Iterable[Item], template: str = "") -> Item:
    """A CONTAINER of separate items."""
    return Item(relationship, "CONTAINER", concept, Container(True, template), tuple(children))


def image_item(relationship: str, concept: Code | None, reference: ObjectReference) -> Item:
    """An IMAGE item."""
    return Item(relationship, "IMAGE", concept, reference)
