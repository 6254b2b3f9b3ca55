"""Facts of the acquisition that go on to images made from it: those that all source images share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any, Final

from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as Items

from radfuse.objects.checking import faults_in_values, is_empty
from radfuse.objects.common import decimal

_LONGEST_DECIMAL: Final = 16

_CONTEXT: Final = (
    "ContextIdentifier", "ContextUID", "MappingResource", "MappingResourceUID", "MappingResourceName",
    "ContextGroupVersion", "ContextGroupExtensionFlag", "ContextGroupLocalVersion", "ContextGroupExtensionCreatorUID",
)  # fmt: skip
"""Of a code: the context group it was chosen from. Seldom complete, and the code means the same without."""


def put(ds: Dataset, keyword: str, value: Any, vr: str = "") -> None:
    """Set an element; ``vr`` where the standard allows several."""
    tag = tag_for_keyword(keyword) or 0
    ds.add(DataElement(tag, vr or dictionary_VR(tag), value, validation_mode=IGNORE))


def alike(sources: Sequence[Dataset], keyword: str) -> Any:
    """The value that all sources share; None when they differ, or have none."""
    first = sources[0].get(keyword)
    if is_empty(first) or any(ds.get(keyword) != first for ds in sources[1:]):
        return None
    return first


def copy_alike(ds: Dataset, sources: Sequence[Dataset], keywords: Iterable[str], *, type_2: Iterable[str] = ()) -> None:
    """Copy what all sources share; of ``type_2`` also what is not known, empty.

    A value that breaks the standard is not repeated, but a decimal text that is too long is shortened.
    """
    for keyword in (*keywords, *type_2):
        value = alike(sources, keyword)
        if value is not None:
            _copy(ds, keyword, value)
    for keyword in type_2:
        if keyword not in ds:
            put(ds, keyword, Items() if dictionary_VR(tag_for_keyword(keyword) or 0) == "SQ" else "")


def copy_from(ds: Dataset, source: Dataset, keywords: Iterable[str]) -> None:
    """Copy what one source has."""
    copy_alike(ds, (source,), keywords)


def _copy(ds: Dataset, keyword: str, value: Any) -> None:
    holder = Dataset()
    put(holder, keyword, deepcopy(value))
    _mend(holder)
    if len(holder) and not (holder[keyword].VR == "SQ" and not holder[keyword].value):
        ds.add(holder[keyword])


def _mend(ds: Dataset) -> None:
    """Take out what breaks the standard, and bring decimal texts to their length. Every text is decoded thereby."""
    ds.remove_private_tags()
    for element in list(ds):
        if element.VR == "SQ":
            for item in element.value or ():
                _mend(item)
                if "SpecificCharacterSet" in item:
                    del item.SpecificCharacterSet
            element.value = Items([item for item in element.value or () if _is_whole(item)])
        elif element.VR == "DS" and not is_empty(element.value):
            many = isinstance(element.value, MultiValue | list | tuple)
            parts = [_short(part) for part in (element.value if many else [element.value])]
            put(ds, element.keyword, parts if many else parts[0], "DS")
    for fault in list(faults_in_values(ds)):
        if len(fault.path) == 1 and isinstance(fault.path[0], int) and fault.path[0] in ds:
            del ds[fault.path[0]]


def _is_whole(item: Dataset) -> bool:
    """Whether an item is not empty, and if it is a code, has value, scheme and meaning."""
    code = any(keyword in item for keyword in ("CodeValue", "LongCodeValue", "URNCodeValue", "CodeMeaning"))
    value = any(not is_empty(item.get(keyword)) for keyword in ("CodeValue", "LongCodeValue", "URNCodeValue"))
    scheme = not is_empty(item.get("CodingSchemeDesignator")) or "URNCodeValue" in item
    for keyword in _CONTEXT:
        if keyword in item:
            del item[keyword]
    return len(item) > 0 and (not code or (value and scheme and not is_empty(item.get("CodeMeaning"))))


def _short(part: Any) -> str:
    text = str(part)
    if len(text) <= _LONGEST_DECIMAL:
        return text
    return decimal(float(part), 12)
