"""Key Object Selection documents by TID 2010: one for each study, identical but for where they are filed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidObject
from radfuse.core.sop_classes import STORAGE_CLASSES
from radfuse.objects.common import Code, Making, NewSeries, Provenance, Reference, add_provenance, new_object
from radfuse.objects.common.references import series_items
from radfuse.objects.ko.titles import DESCRIPTION, NEEDS_MODIFIER, OF_INTEREST, SOURCE, TITLE_MODIFIER
from radfuse.objects.sr.build import drop_general_series, observers
from radfuse.objects.sr.model import CONTAINS, HAS_CONCEPT_MOD, Item, ObjectReference
from radfuse.objects.sr.write import add_evidence, add_tree, code_item, container_item, text_item

_RECORD_TYPES: Final = {row.uid: row.record_type for row in STORAGE_CLASSES}

KEY_OBJECT_SELECTION: Final = "1.2.840.10008.5.1.4.1.1.88.59"


@dataclass(frozen=True, slots=True)
class KeyObjects:
    """Objects that someone picked out, of one study or of several, in their order, and why."""

    references: tuple[Reference, ...]
    title: Code = OF_INTEREST
    """One of CID 7010."""
    modifiers: tuple[Code, ...] = ()
    """Document Title Modifiers (CID 7011, 7012): the reason of a rejection, or what is best in a set."""
    description: str = ""


def build_key_objects(
    selection: KeyObjects,
    sources: Sequence[Dataset],
    *,
    provenance: Provenance,
    series: NewSeries,
    making: Making,
) -> list[Dataset]:
    """The documents, one for each study of ``sources``, which holds the header of one image of each study.

    A selection over several studies becomes as many documents that name each other in Identical Documents
    (PS3.3 section C.17.6.2.1). Raises InvalidObject for an empty selection, for studies without a source,
    and for a rejection without its reason.
    """
    if not selection.references:
        raise InvalidObject(("a selection of key objects is empty",))
    if selection.title.value in NEEDS_MODIFIER and not selection.modifiers:
        raise InvalidObject((f"the title {selection.title.meaning!r} needs a modifier that says why",))
    studies = {str(source.StudyInstanceUID) for source in sources}
    if studies != {reference.study_uid for reference in selection.references} or len(studies) != len(sources):
        raise InvalidObject(("a selection of key objects needs one image header for each of its studies",))
    if len(sources) > 1 and series.uid:
        raise InvalidObject(("documents of several studies cannot lie in one series",))
    documents = [_document(selection, source, series, making) for source in sources]
    for document in documents:
        others = [other for other in documents if other is not document]
        if others:
            document.IdenticalDocumentsSequence = [_named(other) for other in others]
        add_provenance(document, provenance, making)
    return documents


def _document(selection: KeyObjects, source: Dataset, series: NewSeries, making: Making) -> Dataset:
    ds = new_object(KEY_OBJECT_SELECTION, "KO", source, series=series, making=making)
    drop_general_series(ds)
    root = container_item("", selection.title, _items(selection, making), "2010")
    add_tree(ds, root)
    add_evidence(ds, root, selection.references, all_current=True)
    ds.ReferencedPerformedProcedureStepSequence = []
    return ds


def _items(selection: KeyObjects, making: Making) -> Iterator[Item]:
    for modifier in selection.modifiers:
        yield code_item(HAS_CONCEPT_MOD, TITLE_MODIFIER, modifier)
    yield from observers(making)
    if selection.description:
        yield text_item(CONTAINS, DESCRIPTION, selection.description)
    for reference in selection.references:
        value = ObjectReference(reference.sop_class_uid, reference.sop_instance_uid, reference.frames)
        yield Item(CONTAINS, _value_type(reference.sop_class_uid), SOURCE, value)


def _value_type(sop_class_uid: str) -> str:
    """IMAGE, WAVEFORM or COMPOSITE: the class's directory record says which (PS3.3 table F.4-1)."""
    record_type = _RECORD_TYPES.get(sop_class_uid, "")
    return record_type if record_type in ("IMAGE", "WAVEFORM") else "COMPOSITE"


def _named(document: Dataset) -> Dataset:
    item = Dataset()
    item.StudyInstanceUID = document.StudyInstanceUID
    itself = Reference(document.SOPClassUID, document.SOPInstanceUID, document.SeriesInstanceUID)
    item.ReferencedSeriesSequence = series_items([itself], "ReferencedSOPSequence")
    return item
