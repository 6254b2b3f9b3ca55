"""A person who answers for a report after it was made: somebody accepted it, or it goes on from an earlier one."""

from __future__ import annotations

from typing import Final

from pydicom.dataset import Dataset

from radfuse.objects.common import Reference
from radfuse.objects.common.references import series_items
from radfuse.objects.sr import codes
from radfuse.objects.sr.model import HAS_OBS_CONTEXT, Container, Item, Text
from radfuse.objects.sr.write import add_tree, code_item

_OBSERVER_TYPE: Final = codes.OBSERVER_TYPE.value


def add_person_observer(ds: Dataset, name: str) -> None:
    """Name a person as the first observer of a report (PS3.16 TID 1001 and 1003); one that it has already stays."""
    contexts = [each for each in ds.ContentSequence if each.get("RelationshipType") == HAS_OBS_CONTEXT]
    if any(each.ValueType == "PNAME" for each in contexts):
        return
    person = (
        code_item(HAS_OBS_CONTEXT, codes.OBSERVER_TYPE, codes.PERSON),
        Item(HAS_OBS_CONTEXT, "PNAME", codes.PERSON_NAME, Text(name)),
    )
    made = Dataset()
    add_tree(made, Item("", "CONTAINER", codes.IMAGING_MEASUREMENT_REPORT, Container(), person))
    items = list(ds.ContentSequence)
    types = (number for number, each in enumerate(items) if _is_observer_type(each))
    first = next(types, len(items))
    ds.ContentSequence = [*items[:first], *made.ContentSequence, *items[first:]]


def _is_observer_type(item: Dataset) -> bool:
    names = item.get("ConceptNameCodeSequence") or ()
    return any(name.get("CodeValue") == _OBSERVER_TYPE for name in names)


def add_predecessor(ds: Dataset, earlier: Reference) -> None:
    """Name the document that this one goes on from (Predecessor Documents Sequence, PS3.3 sections C.17.2 and
    C.17.6.2, table C.17-3), once. ``earlier`` has its study and series."""
    item = Dataset()
    item.StudyInstanceUID = earlier.study_uid
    item.ReferencedSeriesSequence = series_items([earlier], "ReferencedSOPSequence")
    ds.PredecessorDocumentsSequence = [item]
