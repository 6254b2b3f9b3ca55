"""Key Object Selection documents of any vendor."""

from __future__ import annotations

from dataclasses import dataclass

from radfuse.core.errors import UnreadableObject
from radfuse.objects.common import Code
from radfuse.objects.ko.build import KEY_OBJECT_SELECTION
from radfuse.objects.ko.titles import DESCRIPTION, TITLE_MODIFIER
from radfuse.objects.sr.model import Coded, ObjectReference, Report, Text
from radfuse.objects.sr.read import read_report


@dataclass(frozen=True, slots=True)
class SelectedObjects:
    """What was picked out, and why."""

    title: Code | None
    modifiers: tuple[Code, ...]
    description: str
    objects: tuple[ObjectReference, ...]
    """In the order of the document."""
    identical_uids: tuple[str, ...]
    """SOP Instance UIDs of the same document in other studies."""
    report: Report
    """The document itself."""


def read_key_objects(content: bytes | memoryview) -> SelectedObjects:
    """The selection in a DICOM file. Raises UnreadableObject for what is no Key Object Selection."""
    report = read_report(content)
    if report.sop_class_uid != KEY_OBJECT_SELECTION:
        raise UnreadableObject("it is no Key Object Selection")
    root = report.root
    texts = [item.value.text for item in root.all_of(DESCRIPTION) if isinstance(item.value, Text)]
    return SelectedObjects(
        title=root.concept,
        modifiers=tuple(item.value.code for item in root.all_of(TITLE_MODIFIER) if isinstance(item.value, Coded)),
        description="\n".join(texts),
        objects=tuple(item.value for _, item in root.walk() if isinstance(item.value, ObjectReference)),
        identical_uids=report.identical_uids,
        report=report,
    )
