"""Which objects may pass under which options, their pixels aside: what cannot be made safe is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from radfuse.core.errors import CannotAnonymize
from radfuse.core.sop_classes import MEDIA_STORAGE_DIRECTORY, STORAGE_CLASSES
from radfuse.deid import documents
from radfuse.deid.graphics import annotation_decisions
from radfuse.deid.options import Option, Profile
from radfuse.deid.structured import CONTENT_SEQUENCE, VALUE_TYPE, holds_only_references, refers_by_position
from radfuse.deid.table import Action
from radfuse.dicom.tree import Node, Tree

_RAW_DATA: Final = "1.2.840.10008.5.1.4.1.1.66"
_AUDIO: Final = frozenset(("1.2.840.10008.5.1.4.1.1.9.4.1", "1.2.840.10008.5.1.4.1.1.9.4.2"))
_KEY_OBJECTS: Final = "1.2.840.10008.5.1.4.1.1.88.59"
_REPORT_ROOT: Final = "1.2.840.10008.5.1.4.1.1.88."
_REPORTS: Final = frozenset(
    each.uid for each in STORAGE_CLASSES if each.record_type in ("SR DOCUMENT", "KEY OBJECT DOC")
)
_DIRECTORY_RECORDS: Final = 0x0004_1220


@dataclass(frozen=True, slots=True)
class Admission:
    """How an object that may pass is treated beyond the table."""

    decisions: Mapping[int, Action] = field(default_factory=dict)
    """For attributes at its top, instead of what the table says."""
    replaced: tuple[Node, ...] = ()
    """What is put into it when all else is done."""
    may_drop_items: bool = True
    """Whether items of its content may be taken out."""
    warnings: tuple[str, ...] = ()


def admit(tree: Tree, sop_class_uid: str, profile: Profile, paper: documents.Documents) -> Admission:
    """Raises CannotAnonymize for what the profile's options cannot make safe."""
    if sop_class_uid == MEDIA_STORAGE_DIRECTORY or tree.get(_DIRECTORY_RECORDS) is not None:
        raise CannotAnonymize("it is a DICOMDIR: its offsets and file names belong to the originals; make a new one")
    if sop_class_uid in _AUDIO:
        raise CannotAnonymize("it is a recording of sound: a voice identifies who speaks")
    if sop_class_uid == _RAW_DATA and Option.PRIVATE not in profile:
        raise CannotAnonymize("it is raw data: what it holds is private, and nobody can tell what is in it")
    if sop_class_uid in documents.CLASSES:
        return Admission({documents.DOCUMENT: Action.DUMMY}, paper.cleaned(tree, sop_class_uid, profile))
    if is_report(tree, sop_class_uid):
        return _report(tree, sop_class_uid, profile)
    return Admission(annotation_decisions(tree, profile))


def is_report(tree: Tree, sop_class_uid: str) -> bool:
    """Whether it is a structured report, a class that is not known yet included."""
    if sop_class_uid in _REPORTS or sop_class_uid.startswith(_REPORT_ROOT):
        return True
    return tree.get(VALUE_TYPE) is not None and tree.get(CONTENT_SEQUENCE) is not None


def _report(tree: Tree, sop_class_uid: str, profile: Profile) -> Admission:
    if Option.STRUCTURED_CONTENT in profile:
        return Admission(may_drop_items=not refers_by_position(tree))
    if sop_class_uid == _KEY_OBJECTS and holds_only_references(tree):
        said = "a key object selection was passed on: it holds references and codes, no text"
        return Admission({CONTENT_SEQUENCE: Action.CLEAN}, warnings=(said,))
    raise CannotAnonymize("it is a structured report: the option structured-content cleans it")
