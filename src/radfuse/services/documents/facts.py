"""What an object without a picture says of itself, and which objects it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from radfuse.archive import Archive, queries
from radfuse.core.sop_classes import STORAGE_CLASSES
from radfuse.services.documents.contents import content_of

if TYPE_CHECKING:
    from radfuse.dicom import tree
    from radfuse.objects.elements import Elements


class DocumentKind(StrEnum):
    """How an object is shown."""

    REPORT = "report"
    """A page of text: structured reports."""
    SELECTION = "selection"
    """A list of objects that somebody picked out."""
    STATE = "state"
    """How images are to be presented."""
    PDF = "pdf"
    FILE = "file"
    """Of another kind, in an object: it can be saved."""
    OBJECT = "object"
    """What belongs to other series: structures, plans, registrations."""


@dataclass(frozen=True, slots=True)
class ReferenceFacts:
    """An object that is named, and where the archive has it ("" where it has not)."""

    sop_instance_uid: str
    frames: tuple[int, ...]
    series_instance_uid: str = ""
    study_instance_uid: str = ""
    modality: str = ""
    series_description: str = ""


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What an object is, for a list."""

    sop_instance_uid: str
    kind: DocumentKind
    sop_class_name: str
    title: str
    lines: tuple[tuple[str, str], ...]
    """What is known of it: a word and its text."""
    references: tuple[ReferenceFacts, ...]
    """Each object once, in the order of the object."""
    unlisted: int
    """References beyond the longest list."""


_NAMES: Final = {row.uid: row.name.removesuffix(" Storage") for row in STORAGE_CLASSES}
_RECORD_TYPES: Final = {row.uid: row.record_type for row in STORAGE_CLASSES}
_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
_ENCAPSULATED: Final = "1.2.840.10008.5.1.4.1.1.104."
_OF_TYPE: Final = {
    "SR DOCUMENT": DocumentKind.REPORT,
    "KEY OBJECT DOC": DocumentKind.SELECTION,
    "PRESENTATION": DocumentKind.STATE,
    "ENCAP DOC": DocumentKind.FILE,
}
_TITLES: Final = ("DocumentTitle", "ContentLabel", "StructureSetLabel", "RTPlanLabel", "SeriesDescription")
_LINES: Final = (
    ("Description", "ContentDescription"),
    ("Description", "StructureSetDescription"),
    ("Description", "RTPlanDescription"),
    ("Intent", "PlanIntent"),
    ("Approval", "ApprovalStatus"),
    ("Completion", "CompletionFlag"),
    ("Verification", "VerificationFlag"),
    ("Made by", "ContentCreatorName"),
    ("Made with", "Manufacturer"),
    ("Model", "ManufacturerModelName"),
)
_DATES: Final = (("ContentDate", "ContentTime"), ("StructureSetDate", ""), ("RTPlanDate", ""), ("SeriesDate", ""))
_KEY_OBJECT_DESCRIPTION: Final = "113012"
"""PS3.16 TID 2010."""
_MOST_REFERENCES: Final = 500
_REFERENCED: Final = 0x0008_1155


def document_facts(archive: Archive, sop_instance_uid: str) -> DocumentFacts:
    """What an object says of itself. Raises InvalidUID, UnknownEntity, UnreadableObject, BlobMissing, BlobDamaged."""
    from radfuse.objects.elements import opened

    stored, content = content_of(archive, sop_instance_uid)
    level, elements = opened(content)
    kind = kind_of(stored.sop_class_uid)
    named = _named(level, elements)
    shown = list(named.items())[:_MOST_REFERENCES]
    return DocumentFacts(
        sop_instance_uid=stored.sop_instance_uid,
        kind=kind,
        sop_class_name=_NAMES.get(stored.sop_class_uid, ""),
        title=_title(level, elements, kind),
        lines=tuple(_lines(level, elements)),
        references=tuple(_placed(archive, shown)),
        unlisted=len(named) - len(shown),
    )


def kind_of(sop_class_uid: str) -> DocumentKind:
    """How objects of a SOP class are shown."""
    if sop_class_uid == _PDF:
        return DocumentKind.PDF
    if sop_class_uid.startswith(_ENCAPSULATED):
        return DocumentKind.FILE
    return _OF_TYPE.get(_RECORD_TYPES.get(sop_class_uid, ""), DocumentKind.OBJECT)


def _title(level: tree.Tree, elements: Elements, kind: DocumentKind) -> str:
    if kind in (DocumentKind.REPORT, DocumentKind.SELECTION):
        concept = elements.code(level, "ConceptNameCodeSequence")
        if concept is not None:
            return concept.meaning or concept.value
    return next(filter(None, (elements.text(level, keyword) for keyword in _TITLES)), "")


def _lines(level: tree.Tree, elements: Elements) -> Iterator[tuple[str, str]]:
    for word, keyword in _LINES:
        if text := elements.text(level, keyword):
            yield word, " ".join(text.replace("^", " ").split())
    for item in elements.items(level, "ContentSequence"):
        concept = elements.code(item, "ConceptNameCodeSequence")
        if concept is not None and concept.value == _KEY_OBJECT_DESCRIPTION:
            yield "Description", elements.text(item, "TextValue")
    for day, time in _DATES:
        if date := elements.text(level, day):
            yield "Made on", _date(date, elements.text(level, time) if time else "")
            return


def _date(date: str, time: str) -> str:
    day = f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 and date.isdigit() else date
    return f"{day} {time[:2]}:{time[2:4]}" if len(time) >= 4 and time[:4].isdigit() else day


def _named(level: tree.Tree, elements: Elements) -> Mapping[str, tuple[int, ...]]:
    """Every object that is named at any depth, with the frames that are; evidence names them once more."""
    found: dict[str, tuple[int, ...]] = {}
    for item in _items(level):
        if item.get(_REFERENCED) is not None and (uid := elements.text(item, "ReferencedSOPInstanceUID")):
            frames = elements.integers(item, "ReferencedFrameNumber")
            found[uid] = tuple(dict.fromkeys((*found.get(uid, ()), *frames)))
    return found


def _items(level: tree.Tree) -> Iterator[tree.Tree]:
    for node in level:
        for item in node.items or ():
            yield item
            yield from _items(item)


def _placed(archive: Archive, named: Sequence[tuple[str, tuple[int, ...]]]) -> Iterator[ReferenceFacts]:
    with archive.reading() as connection:
        images = queries.places_of_images(connection, [uid for uid, _ in named])
        wanted = {place.series_instance_uid for place in images.values()}
        series = {uid: queries.series_place(connection, uid) for uid in wanted}
    for uid, frames in named:
        place = series[images[uid].series_instance_uid] if uid in images else None
        if place is None:
            yield ReferenceFacts(uid, frames)
        else:
            yield ReferenceFacts(
                uid,
                frames,
                place.series_instance_uid,
                place.study_instance_uid,
                place.modality,
                place.description,
            )
