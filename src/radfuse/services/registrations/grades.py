"""Grades of registrations, out of the report cards that the archive keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set
from functools import partial
from typing import TYPE_CHECKING, Final

from radfuse.archive import Archive, StoredObject, queries
from radfuse.core.errors import ArchiveError, DataSetError, ImagingError
from radfuse.dicom import Element, Identifier
from radfuse.registration.quality import Grade
from radfuse.services.registrations.memory import Memory
from radfuse.services.registrations.model import Grading

if TYPE_CHECKING:
    from radfuse.objects.sr import Item

UNKNOWN: Final = Grading()

REPORTS: Final = ("1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.88.22")
"""Comprehensive and Enhanced SR."""

_MOST_BYTES: Final = 4 << 20
"""No report card is larger."""

SCHEME: Final = "99RADFUSE"
JUDGED: Final = "REGISTRATION"
GRADE: Final = "GRADE"
REASON: Final = "GRADE_REASON"
_GRADES: Final = {grade.name: grade for grade in Grade}
"""Concepts and values of the report card, in our own coding scheme; a test holds them to those it is written with."""


def _tag(keyword: str) -> int:
    return Element.of(keyword).tag


_EVIDENCE: Final = (_tag("CurrentRequestedProcedureEvidenceSequence"), _tag("PertinentOtherEvidenceSequence"))
_SERIES: Final = _tag("ReferencedSeriesSequence")
_INSTANCES: Final = _tag("ReferencedSOPSequence")
_INSTANCE: Final = _tag("ReferencedSOPInstanceUID")
_BEFORE_CONTENT: Final = _tag("ContentSequence") - 1


def gradings_of(
    archive: Archive, registrations: Set[str], patients: Collection[int] | None = None
) -> dict[str, Grading]:
    """The grade of each of these registrations that has a report card, the newest card of each.

    Of a report only what it is about is read, unless it is about one of them.
    """
    with archive.reading() as connection:
        reports = queries.objects_of_kind(connection, "SR", REPORTS, patients)
    found: dict[str, Grading] = {}
    for place in reports:
        judged = _REMEMBERED.of(place.stored, partial(_judged, archive, place.stored, registrations))
        for uid, grading in judged.items():
            if uid in registrations:
                found[uid] = max(found.get(uid, grading), grading, key=lambda one: one.age)
    return found


_REMEMBERED: Final[Memory[Mapping[str, Grading]]] = Memory()


def _judged(archive: Archive, stored: StoredObject, registrations: Set[str]) -> tuple[Mapping[str, Grading], bool]:
    """What a report says of registrations, if it is about some of these; and whether that is all it says of any."""
    try:
        subjects = set(_subjects(archive, stored))
        is_about_these = bool(registrations & subjects)
        judged = dict(_gradings(archive, stored)) if is_about_these else {}
    except (ImagingError, DataSetError):  # a report that cannot be read says nothing
        return {}, True
    except ArchiveError:
        return {}, False
    return judged, is_about_these or not subjects


def _subjects(archive: Archive, stored: StoredObject) -> Iterator[str]:
    """The objects that a report gives as its evidence."""
    if stored.size_bytes > _MOST_BYTES:
        return
    header = archive.read_header(stored, _BEFORE_CONTENT)
    for tag in _EVIDENCE:
        for study in _items(header, tag):
            for series in _items(study, _SERIES):
                yield from (instance.text(_INSTANCE) for instance in _items(series, _INSTANCES))


def _gradings(archive: Archive, stored: StoredObject) -> Iterator[tuple[str, Grading]]:
    """The registrations that a report card judges, each with its grade."""
    from radfuse.services.show_report import stored_report

    report = stored_report(archive, stored.sop_instance_uid)
    date = report.fact("ContentDate") + report.fact("ContentTime").partition(".")[0]
    for _, group in report.root.walk():
        judged, grade = _child(group, JUDGED), _child(group, GRADE)
        if judged is not None and grade is not None:
            reason = getattr(getattr(_child(group, REASON), "value", None), "text", "")
            found = _GRADES.get(getattr(getattr(grade.value, "code", None), "value", ""), Grade.NOT_JUDGED)
            yield getattr(judged.value, "sop_instance_uid", ""), Grading(found, reason, stored.sop_instance_uid, date)


def _child(item: Item, concept: str) -> Item | None:
    """The first child of one of our own concepts."""
    for child in item.children:
        if child.concept is not None and (child.concept.value, child.concept.scheme) == (concept, SCHEME):
            return child
    return None


def _items(of: Identifier, tag: int) -> tuple[Identifier, ...]:
    element = of.get(tag)
    return element.items if element is not None else ()
