"""Any vendor's structured report read into a tree; what is wrong in it becomes a finding, not an end.

Reads what PS3.3 sections C.17.3 and C.18 describe, whatever the SOP class allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from radfuse.core.errors import UnreadableObject
from radfuse.dicom import tree, words
from radfuse.objects.elements import Elements, number_in, opened
from radfuse.objects.sr.model import (
    GRAPHIC_TYPES,
    RELATIONSHIPS,
    ByReference,
    Coded,
    Container,
    Coordinates,
    Item,
    Number,
    ObjectReference,
    Party,
    Path,
    Report,
    Text,
    Times,
    Unknown,
    Value,
)

_MOST_ITEMS: Final = 200_000
_MOST_FINDINGS: Final = 100

_HEADER: Final = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyDescription", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
    *("SeriesDescription", "SeriesNumber", "InstanceNumber", "ContentDate", "ContentTime"),
    *("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "SoftwareVersions", "InstitutionName"),
    *("CompletionFlag", "CompletionFlagDescription", "VerificationFlag", "PreliminaryFlag"),
)
_TEXTS: Final = {
    "TEXT": "TextValue",
    "DATE": "Date",
    "TIME": "Time",
    "DATETIME": "DateTime",
    "PNAME": "PersonName",
    "UIDREF": "UID",
}
"""Value types of one text, and the attributes that hold it (PS3.3 Table C.17.3-5)."""


def read_report(content: bytes | memoryview) -> Report:
    """The report in a DICOM file. Raises UnreadableObject for what is no structured report."""
    level, elements = opened(content)
    return _Reader(elements).report(level)


@dataclass(slots=True)
class _Reader:
    """Reads one report."""

    elements: Elements
    findings: list[str] = field(default_factory=list)
    count: int = 0

    # --- the document ------------------------------------------------------------------------

    def report(self, level: tree.Tree) -> Report:
        value_type = self.elements.text(level, "ValueType")
        if not value_type and words.tag_of("ContentSequence") not in level.nodes:
            raise UnreadableObject("it is no structured report: it has no content tree")
        root = self.item(level, "", (1,))
        if root.value_type != "CONTAINER":
            self.note((1,), "the root of the tree is no container")
        self._check_references(root)
        header = [(keyword, self.elements.text(level, keyword)) for keyword in _HEADER]
        return Report(
            sop_class_uid=self.elements.text(level, "SOPClassUID"),
            sop_instance_uid=self.elements.text(level, "SOPInstanceUID"),
            study_uid=self.elements.text(level, "StudyInstanceUID"),
            series_uid=self.elements.text(level, "SeriesInstanceUID"),
            root=root,
            header=tuple((keyword, text) for keyword, text in header if text),
            verified_by=tuple(self._parties(level)),
            evidence=tuple(self._evidence(level)),
            identical_uids=tuple(
                reference.sop_instance_uid for reference in self._evidence(level, ("IdenticalDocumentsSequence",))
            ),
            findings=tuple(self.findings),
        )

    def _parties(self, level: tree.Tree) -> Iterator[Party]:
        for item in self.elements.items(level, "VerifyingObserverSequence"):
            name = self.elements.text(item, "VerifyingObserverName")
            yield Party(
                name,
                self.elements.text(item, "VerifyingOrganization"),
                self.elements.text(item, "VerificationDateTime"),
            )

    def _evidence(
        self,
        level: tree.Tree,
        keywords: tuple[str, ...] = ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence"),
    ) -> Iterator[ObjectReference]:
        for keyword in keywords:
            for study in self.elements.items(level, keyword):
                for series in self.elements.items(study, "ReferencedSeriesSequence"):
                    for instance in self.elements.items(series, "ReferencedSOPSequence"):
                        yield self.reference(instance)

    def note(self, path: Path, fault: str) -> None:
        """Keep a finding."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(f"item {'.'.join(map(str, path))}: {fault}")

    def _check_references(self, root: Item) -> None:
        for path, item in root.walk():
            if isinstance(item.value, ByReference):
                target = item.value.path
                if root.at(target) is None:
                    self.note(path, "it refers to an item that is not there")
                elif path[: len(target)] == target:
                    self.note(path, "it refers to an item that it stands in: a circle")

    # --- content items -----------------------------------------------------------------------

    def item(self, level: tree.Tree, relationship: str, path: Path) -> Item:
        """The content item at ``path`` with all below it; the depth was bounded when the data set was read."""
        self.count += 1
        if self.count > _MOST_ITEMS:
            raise UnreadableObject(f"its tree has more than {_MOST_ITEMS} items")
        value_type = self.elements.text(level, "ValueType")
        if path != (1,) and relationship not in RELATIONSHIPS:
            self.note(path, "its relationship to its parent is none of the standard's")
        children = tuple(
            self.item(child, self.elements.text(child, "RelationshipType"), (*path, number))
            for number, child in enumerate(self.elements.items(level, "ContentSequence"), 1)
        )
        return Item(
            relationship=relationship,
            value_type=value_type,
            concept=self.elements.code(level, "ConceptNameCodeSequence"),
            value=self._value(level, value_type, path),
            children=children,
            observed=self.elements.text(level, "ObservationDateTime"),
            uid=self.elements.text(level, "ObservationUID"),
        )

    def _value(self, level: tree.Tree, value_type: str, path: Path) -> Value:
        target = self.elements.integers(level, "ReferencedContentItemIdentifier")
        if target and not value_type:
            return ByReference(target)
        if keyword := _TEXTS.get(value_type):
            text = self.elements.text(level, keyword)
            if not text:
                self.note(path, "it has no value")
            return Text(text)
        reader = _READERS.get(value_type)
        if reader is None:
            self.note(path, "its value type is none of the standard's")
            return Unknown(value_type)
        value = reader(self, level)
        if fault := _fault_of(value):
            self.note(path, fault)
        return value

    def _container(self, level: tree.Tree) -> Value:
        templates = self.elements.items(level, "ContentTemplateSequence")
        template = self.elements.text(templates[0], "TemplateIdentifier") if templates else ""
        return Container(self.elements.text(level, "ContinuityOfContent") != "CONTINUOUS", template)

    def _coded(self, level: tree.Tree) -> Value:
        code = self.elements.code(level, "ConceptCodeSequence")
        return Coded(code) if code is not None else Unknown()

    def _measured(self, level: tree.Tree) -> Value:
        qualifier = self.elements.code(level, "NumericValueQualifierCodeSequence")
        measured = self.elements.items(level, "MeasuredValueSequence")
        if not measured:
            return Number(None, None, qualifier)
        item = measured[0]
        text = self.elements.text(item, "NumericValue")
        exact = self.elements.numbers(item, "FloatingPointValue")
        value = exact[0] if exact else number_in(text)
        return Number(value, self.elements.code(item, "MeasurementUnitsCodeSequence"), qualifier, text)

    def _referenced(self, level: tree.Tree) -> Value:
        items = self.elements.items(level, "ReferencedSOPSequence")
        return self.reference(items[0]) if items else Unknown()

    def reference(self, level: tree.Tree) -> ObjectReference:
        presentation = self.elements.items(level, "ReferencedSOPSequence")
        return ObjectReference(
            sop_class_uid=self.elements.text(level, "ReferencedSOPClassUID"),
            sop_instance_uid=self.elements.text(level, "ReferencedSOPInstanceUID"),
            frames=self.elements.integers(level, "ReferencedFrameNumber"),
            segments=self.elements.integers(level, "ReferencedSegmentNumber"),
            channels=self.elements.integers(level, "ReferencedWaveformChannels"),
            presentation_class_uid=self.elements.text(presentation[0], "ReferencedSOPClassUID") if presentation else "",
            presentation_uid=self.elements.text(presentation[0], "ReferencedSOPInstanceUID") if presentation else "",
        )

    def _planar(self, level: tree.Tree) -> Value:
        return self._coordinates(level, 2)

    def _spatial(self, level: tree.Tree) -> Value:
        return self._coordinates(level, 3)

    def _coordinates(self, level: tree.Tree, axes: int) -> Value:
        numbers = self.elements.numbers(level, "GraphicData")
        points = tuple(numbers[start : start + axes] for start in range(0, len(numbers) - axes + 1, axes))
        frame = self.elements.text(level, "ReferencedFrameOfReferenceUID")
        return Coordinates(self.elements.text(level, "GraphicType"), points, frame)

    def _times(self, level: tree.Tree) -> Value:
        return Times(
            self.elements.text(level, "TemporalRangeType"),
            self.elements.integers(level, "ReferencedSamplePositions"),
            self.elements.numbers(level, "ReferencedTimeOffsets"),
            self.elements.texts(level, "ReferencedDateTime"),
        )


_READERS: Final[dict[str, Callable[[_Reader, tree.Tree], Value]]] = {
    "CONTAINER": _Reader._container,
    "CODE": _Reader._coded,
    "NUM": _Reader._measured,
    "IMAGE": _Reader._referenced,
    "COMPOSITE": _Reader._referenced,
    "WAVEFORM": _Reader._referenced,
    "SCOORD": _Reader._planar,
    "SCOORD3D": _Reader._spatial,
    "TCOORD": _Reader._times,
}


def _fault_of(value: Value) -> str:
    """What is missing in a value; empty when nothing is."""
    match value:
        case Unknown():
            return "it has no value"
        case Number(value=None, qualifier=None):
            return "it has neither a number nor a reason for its absence"
        case Number(unit=None) if value.value is not None:
            return "its number has no unit"
        case ObjectReference(sop_instance_uid=""):
            return "it refers to an object without a UID"
        case Coordinates() if not value.points or value.graphic not in GRAPHIC_TYPES:
            return "its coordinates are not complete"
        case _:
            return ""
