"""The content trees of structured reports and key object selections (PS3.3 sections C.17.3 and C.18)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from radfuse.objects.checking.model import Fault, Path, is_empty

_DEEPEST: Final = 64

_OF_TYPE: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "TEXT": (("TextValue", "1"),),
    "NUM": (("MeasuredValueSequence", "2"),),
    "CODE": (("ConceptCodeSequence", "1"),),
    "DATETIME": (("DateTime", "1"),),
    "DATE": (("Date", "1"),),
    "TIME": (("Time", "1"),),
    "UIDREF": (("UID", "1"),),
    "PNAME": (("PersonName", "1"),),
    "COMPOSITE": (("ReferencedSOPSequence", "1"),),
    "IMAGE": (("ReferencedSOPSequence", "1"),),
    "WAVEFORM": (("ReferencedSOPSequence", "1"),),
    "SCOORD": (("GraphicType", "1"), ("GraphicData", "1")),
    "SCOORD3D": (("GraphicType", "1"), ("GraphicData", "1"), ("ReferencedFrameOfReferenceUID", "1")),
    "TCOORD": (("TemporalRangeType", "1"),),
    "CONTAINER": (("ContinuityOfContent", "1"),),
    "TABLE": (("TabulatedValuesSequence", "1"),),
}
"""Value Type to what such an item holds (table C.17.3-7 and section C.18)."""

_UNNAMED: Final = frozenset({"IMAGE", "COMPOSITE", "WAVEFORM", "SCOORD", "SCOORD3D", "TCOORD", "CONTAINER"})
"""What may do without a concept name (section C.17.3.2)."""

_NO_3D: Final = {"1.2.840.10008.5.1.4.1.1.88.33": "Comprehensive SR", "1.2.840.10008.5.1.4.1.1.88.59": "a key object"}
"""Classes whose items must not be SCOORD3D (sections A.35.3.3.1.1 and A.35.4.3.1.1)."""

_COORDINATES: Final = {"POINT": (1, 1), "CIRCLE": (2, 2), "ELLIPSE": (4, 4), "POLYLINE": (2, 1 << 30)}
"""Graphic Type to the least and the most points (section C.18.6.1.2)."""


def wrong_content(ds: Dataset) -> Iterator[Fault]:
    """Faults of the whole tree, the root included."""
    if "ValueType" not in ds or ds.ValueType != "CONTAINER":
        yield Fault((_tag("ValueType"),), "type 1", "the root of a document is a container")
    if is_empty(ds.get("ConceptNameCodeSequence")):
        yield Fault((_tag("ConceptNameCodeSequence"),), "type 1", "a document needs a title")
    class_uid = str(ds.get("SOPClassUID", ""))
    yield from _demands(ds, "CONTAINER", ())
    yield from _children(ds, class_uid, (), 1)


def _children(ds: Dataset, class_uid: str, path: Path, depth: int) -> Iterator[Fault]:
    for number, item in enumerate(ds.get("ContentSequence") or (), start=1):
        here = (*path, _tag("ContentSequence"), f"[{number}]")
        if depth > _DEEPEST:
            yield Fault(here, "depth", "the content is nested too deep")
            return
        yield from _item(item, class_uid, here)
        yield from _children(item, class_uid, here, depth + 1)


def _item(item: Dataset, class_uid: str, path: Path) -> Iterator[Fault]:
    if is_empty(item.get("RelationshipType")):
        yield Fault((*path, _tag("RelationshipType")), "type 1", "it is missing, and of type 1")
    if not is_empty(item.get("ReferencedContentItemIdentifier")):
        return  # an item by reference holds nothing else
    kind = str(item.get("ValueType", "") or "")
    if kind not in _OF_TYPE:
        yield Fault((*path, _tag("ValueType")), "type 1", "it is missing or unknown, and of type 1")
        return
    if kind == "SCOORD3D" and class_uid in _NO_3D:
        sentence = f"{_NO_3D[class_uid]} must not hold coordinates in space: use those on images, or a segment"
        yield Fault(path, "value type", sentence)
    if kind not in _UNNAMED and is_empty(item.get("ConceptNameCodeSequence")):
        yield Fault((*path, _tag("ConceptNameCodeSequence")), "type 1C", "the item needs a concept name")
    yield from _demands(item, kind, path)


def _demands(item: Dataset, kind: str, path: Path) -> Iterator[Fault]:
    for keyword, demand in _OF_TYPE[kind]:
        if keyword not in item or (demand == "1" and is_empty(item.get(keyword))):
            yield Fault((*path, _tag(keyword)), f"type {demand}", f"it is missing, and of type {demand}")
    yield from _coded(item, "ConceptNameCodeSequence", path)
    yield from _template(item, path)
    if kind == "CODE":
        yield from _coded(item, "ConceptCodeSequence", path)
    elif kind == "NUM":
        yield from _measured(item, path)
    elif kind in ("IMAGE", "COMPOSITE", "WAVEFORM"):
        yield from _reference(item, path)
    elif kind == "SCOORD":
        yield from _coordinates(item, path)


def _coded(item: Dataset, keyword: str, path: Path) -> Iterator[Fault]:
    """A code has one value, its scheme and its meaning (PS3.3 section 8)."""
    for code in item.get(keyword) or ():
        here = (*path, _tag(keyword), "[1]")
        if is_empty(code.get("CodeMeaning")):
            yield Fault((*here, _tag("CodeMeaning")), "type 1", "it is missing, and of type 1")
        values = [name for name in ("CodeValue", "LongCodeValue", "URNCodeValue") if not is_empty(code.get(name))]
        if len(values) != 1:
            yield Fault((*here, _tag("CodeValue")), "type 1C", "a code needs exactly one of its three kinds of value")
        if values != ["URNCodeValue"] and is_empty(code.get("CodingSchemeDesignator")):
            yield Fault((*here, _tag("CodingSchemeDesignator")), "type 1C", "a code needs its coding scheme")


def _template(item: Dataset, path: Path) -> Iterator[Fault]:
    """The template that a container follows (section C.18.8)."""
    for template in item.get("ContentTemplateSequence") or ():
        for keyword in ("MappingResource", "TemplateIdentifier"):
            if is_empty(template.get(keyword)):
                here = (*path, _tag("ContentTemplateSequence"), "[1]", _tag(keyword))
                yield Fault(here, "type 1", "it is missing, and of type 1")


def _measured(item: Dataset, path: Path) -> Iterator[Fault]:
    for measured in item.get("MeasuredValueSequence") or ():
        here = (*path, _tag("MeasuredValueSequence"), "[1]")
        for keyword in ("NumericValue", "MeasurementUnitsCodeSequence"):
            if is_empty(measured.get(keyword)):
                yield Fault((*here, _tag(keyword)), "type 1", "it is missing, and of type 1")
        yield from _coded(measured, "MeasurementUnitsCodeSequence", here)


def _reference(item: Dataset, path: Path) -> Iterator[Fault]:
    for reference in item.get("ReferencedSOPSequence") or ():
        for keyword in ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID"):
            if is_empty(reference.get(keyword)):
                here = (*path, _tag("ReferencedSOPSequence"), "[1]", _tag(keyword))
                yield Fault(here, "type 1", "it is missing, and of type 1")


def _coordinates(item: Dataset, path: Path) -> Iterator[Fault]:
    data, kind = item.get("GraphicData") or (), str(item.get("GraphicType", ""))
    least, most = _COORDINATES.get(kind, (1, 1 << 30))
    if len(data) % 2 or not least <= len(data) // 2 <= most:
        yield Fault((*path, _tag("GraphicData")), "value", f"{kind or 'the graphic'} has a wrong number of coordinates")
    images = [child for child in item.get("ContentSequence") or () if str(child.get("ValueType", "")) == "IMAGE"]
    by_reference = [c for c in item.get("ContentSequence") or () if "ReferencedContentItemIdentifier" in c]
    if not images and not by_reference:
        yield Fault(path, "content", "coordinates on an image do not say which (SELECTED FROM)")


def _tag(keyword: str) -> int:
    return tag_for_keyword(keyword) or 0
