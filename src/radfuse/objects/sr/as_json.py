"""A structured report, or the measurements in it, as JSON for machines."""

from __future__ import annotations

from typing import Any, Final

from radfuse.objects.common import Code
from radfuse.objects.sr.measurements import Detail, Measurement, MeasurementGroup, Quantity, SegmentReference
from radfuse.objects.sr.model import (
    ByReference,
    Coded,
    Container,
    Coordinates,
    Item,
    Number,
    ObjectReference,
    Report,
    Text,
    Times,
)
from radfuse.objects.sr.words import unit_text, words_of

_PATIENT: Final = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")


def json_of(report: Report, *, with_patient: bool = True) -> dict[str, Any]:
    """The whole report: keys are DICOM keywords where DICOM has one."""
    header = {name: text for name, text in report.header if with_patient or name not in _PATIENT}
    return {
        "SOPClassUID": report.sop_class_uid,
        "SOPInstanceUID": report.sop_instance_uid,
        "StudyInstanceUID": report.study_uid,
        "SeriesInstanceUID": report.series_uid,
        **header,
        "Content": _item(report.root),
        "Findings": list(report.findings),
    }


def code_json(code: Code | None) -> dict[str, str] | None:
    """A coded concept."""
    if code is None:
        return None
    return {"CodeValue": code.value, "CodingSchemeDesignator": code.scheme, "CodeMeaning": code.meaning}


def _item(item: Item) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "RelationshipType": item.relationship,
        "ValueType": item.value_type,
        "ConceptName": code_json(item.concept),
        **_value(item),
        "ObservationDateTime": item.observed,
        "Content": [_item(child) for child in item.children],
    }
    return {name: fact for name, fact in facts.items() if fact not in (None, "", [])}


def _value(item: Item) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    match item.value:
        case Text(text):
            facts = {"Value": text}
        case Coded(code):
            facts = {"Value": code_json(code)}
        case Number() as number:
            facts = {"Value": number.value, "Unit": code_json(number.unit), "Qualifier": code_json(number.qualifier)}
        case ObjectReference() as reference:
            facts = {"Value": _reference(reference)}
        case Coordinates(graphic, points, frame):
            facts = {"GraphicType": graphic, "Points": [list(point) for point in points], "FrameOfReferenceUID": frame}
        case Times(kind, positions, offsets, moments):
            facts = {"TemporalRangeType": kind, "Value": [*positions, *offsets, *moments]}
        case Container(template=template):
            facts = {"TemplateIdentifier": template}
        case ByReference(path):
            facts = {"ReferencedContentItemIdentifier": list(path)}
    return facts


def _reference(reference: ObjectReference) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "ReferencedSOPClassUID": reference.sop_class_uid,
        "ReferencedSOPInstanceUID": reference.sop_instance_uid,
        "ReferencedFrameNumber": list(reference.frames),
        "ReferencedSegmentNumber": list(reference.segments),
        "ReferencedWaveformChannels": list(reference.channels),
    }
    return {name: fact for name, fact in facts.items() if fact}


def group_json(group: MeasurementGroup) -> dict[str, Any]:
    """A group of measurements."""
    facts: dict[str, Any] = {
        "TrackingIdentifier": group.tracking_id,
        "TrackingUID": group.tracking_uid,
        "Finding": code_json(group.finding),
        "FindingCategory": code_json(group.category),
        "FindingSites": [code_json(site.place) for site in group.sites],
        "Session": group.session,
        "TimePoint": group.time_point,
        "Measurements": [_measurement(measurement) for measurement in group.measurements],
        "Evaluations": [_detail(evaluation) for evaluation in group.evaluations],
    }
    if isinstance(group.region, SegmentReference):
        facts["ReferencedSegment"] = _reference(group.region.segmentation)
        facts["SourceSeriesUID"] = group.region.source_series_uid
    elif group.region:
        facts["ImageRegions"] = [
            {
                "GraphicType": region.shape.graphic,
                "Points": [list(point) for point in region.shape.points],
                **_reference(region.image),
            }
            for region in group.region
        ]
    return {name: fact for name, fact in facts.items() if fact not in (None, "", [])}


def measurement_row(measurement: Measurement) -> dict[str, object]:
    """A measurement as a row of a table for people."""
    parameters = measurement.algorithm.parameters if measurement.algorithm else ()
    how = [words_of(measurement.method), *parameters, *map(_detail_text, measurement.details)]
    if measurement.value is None:
        value: object = words_of(measurement.missing) or "no value"
    else:
        value = f"{measurement.value:.6g}"
    return {
        "Measurement": words_of(measurement.name),
        "Derivation": words_of(measurement.derivation),
        "Value": value,
        "Unit": unit_text(measurement.unit),
        "How": "; ".join(filter(None, how)),
    }


def _detail_text(detail: Detail) -> str:
    match detail.value:
        case Quantity(value, unit):
            return f"{words_of(detail.name)} {value:.6g} {unit_text(unit)}".strip()
        case str() as text:
            return f"{words_of(detail.name)} {text}"
        case code:
            return f"{words_of(detail.name)} {words_of(code)}"


def _measurement(measurement: Measurement) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "Name": code_json(measurement.name),
        "Value": measurement.value,
        "Unit": code_json(measurement.unit),
        "Derivation": code_json(measurement.derivation),
        "Method": code_json(measurement.method),
        "Details": [_detail(detail) for detail in measurement.details],
        "Missing": code_json(measurement.missing),
    }
    if measurement.algorithm is not None:
        algorithm = measurement.algorithm
        facts["Algorithm"] = {
            "Name": algorithm.name,
            "Version": algorithm.version,
            "Parameters": list(algorithm.parameters),
        }
    return {name: fact for name, fact in facts.items() if fact not in (None, [])}


def _detail(detail: Detail) -> dict[str, Any]:
    match detail.value:
        case Quantity(value, unit):
            return {"Name": code_json(detail.name), "Value": value, "Unit": code_json(unit)}
        case str() as text:
            return {"Name": code_json(detail.name), "Value": text}
        case code:
            return {"Name": code_json(detail.name), "Value": code_json(code)}
