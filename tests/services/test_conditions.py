"""Conditions are data: what they say holds or does not, and what makes no sense is refused by its key."""

from __future__ import annotations

from typing import Any

import pytest

from radfuse.archive import queries
from radfuse.core.errors import ConfigurationError
from radfuse.dicom import Element, Identifier
from radfuse.services.comparisons import SOURCE_AE_TITLE
from radfuse.services.conditions import ALWAYS, condition_from

HEADER = Identifier(
    (
        Element.of("ImageType", "ORIGINAL", "PRIMARY", "AXIAL"),
        Element.of("StudyDate", "20240229"),
        Element.of("StudyTime", "101530"),
        Element.of("Modality", "CT"),
        Element.of("Manufacturer", "Maker of Things"),
        Element.of("StudyDescription", "CT CHEST WITH CONTRAST"),
        Element.of("PatientName", "Müller^Jörg"),
        Element.of("PatientAge", "045Y"),
        Element.of("SliceThickness", "1.250"),
        Element.of("SeriesNumber", "+007"),
        Element.of("KVP", ""),
        Element.of("Rows", "512"),
        Element.of("FrameOfReferenceUID", "1.2.840.99.5"),
        Element(0x00091001, "LO", ("private text",), ()),
        Element(
            0x00400275,  # Request Attributes Sequence
            "SQ",
            (),
            (
                Identifier((Element.of("ScheduledProcedureStepID", "STEP1"),)),
                Identifier((Element.of("ScheduledProcedureStepID", "STEP2"),)),
            ),
        ),
        Element.of("AcquisitionDateTime", "20240229101530.5"),
    )
)
INDEXED = ("StudyDate", "Modality", "StudyDescription", "PatientName", "SeriesNumber", "FrameOfReferenceUID")


class KnownFacts:
    """An object with the header above, from SCANNER1; counts how often its header is read."""

    def __init__(self) -> None:
        self.reads = 0

    def indexed(self, tag: int) -> tuple[str, ...] | None:
        if tag == SOURCE_AE_TITLE:
            return ("SCANNER1",)
        if tag not in queries.INDEX_KEYS:
            return None
        element = HEADER.get(tag)
        return element.values if element else ()

    def header(self) -> Identifier:
        self.reads += 1
        return HEADER


def holds(data: Any) -> bool:
    return condition_from(data, "if").holds(KnownFacts())


HOLDING = [
    {"attribute": "Modality", "equals": "CT"},
    {"attribute": "0008,0060", "equals": "CT"},
    {"attribute": "Modality", "in": ["MR", "CT"]},
    {"attribute": "SourceApplicationEntityTitle", "equals": "SCANNER1"},
    {"attribute": "SourceApplicationEntityTitle", "matches": "SCANNER?"},
    {"attribute": "ImageType", "equals": "AXIAL"},
    {"attribute": "StudyDescription", "matches": "*CHEST*"},
    {"attribute": "Manufacturer", "matches": "Maker*"},
    {"attribute": "PatientName", "equals": "MÜLLER^JÖRG"},
    {"attribute": "PatientName", "equals": "Müller^Jörg^^"},
    {"attribute": "PatientName", "matches": "müller*"},
    {"attribute": "PatientName", "matches": "*"},
    {"attribute": "PatientAge", "matches": "0??Y"},
    {"attribute": "StudyDate", "range": ["20240101", "20241231"]},
    {"attribute": "StudyDate", "range": ["", "20240229"]},
    {"attribute": "StudyDate", "range": ["20240229", ""]},
    {"attribute": "StudyDate", "equals": "2024.02.29"},
    {"attribute": "StudyTime", "range": ["08", "12"]},
    {"attribute": "AcquisitionDateTime", "range": ["202402", "202403"]},
    {"attribute": "SliceThickness", "range": [0.5, 1.25]},
    {"attribute": "SliceThickness", "equals": 1.25},
    {"attribute": "SliceThickness", "range": ["", 2]},
    {"attribute": "SeriesNumber", "equals": 7},
    {"attribute": "Rows", "in": [256, 512]},
    {"attribute": "FrameOfReferenceUID", "matches": "1.2.840.99.*"},
    {"attribute": "0009,1001", "equals": "private text"},
    {"attribute": "Modality", "exists": True},
    {"attribute": "KVP", "exists": False},
    {"attribute": "BodyPartExamined", "exists": False},
    {"attribute": "RequestAttributesSequence", "exists": True},
    {"attribute": "RequestAttributesSequence.ScheduledProcedureStepID", "equals": "STEP2"},
    {"all": [{"attribute": "Modality", "equals": "CT"}, {"attribute": "Rows", "equals": 512}]},
    {"any": [{"attribute": "Modality", "equals": "MR"}, {"attribute": "Rows", "equals": 512}]},
    {"not": {"attribute": "Modality", "equals": "MR"}},
    {"not": {"all": [{"attribute": "Modality", "equals": "CT"}, {"attribute": "Rows", "equals": 1}]}},
]


@pytest.mark.parametrize("data", HOLDING, ids=str)
def test_it_holds(data: dict[str, Any]) -> None:
    assert holds(data)
    assert not holds({"not": data})


@pytest.mark.parametrize(
    "data",
    [
        {"attribute": "Modality", "equals": "ct"},
        {"attribute": "Modality", "equals": "C*"},
        {"attribute": "Modality", "in": ["MR", "PT"]},
        {"attribute": "SourceApplicationEntityTitle", "equals": "SCANNER2"},
        {"attribute": "StudyDescription", "matches": "CHEST*"},
        {"attribute": "StudyDescription", "equals": "CT CHEST"},
        {"attribute": "PatientName", "equals": "Müller"},
        {"attribute": "StudyDate", "range": ["20240301", ""]},
        {"attribute": "SliceThickness", "range": [2, ""]},
        {"attribute": "KVP", "exists": True},
        {"attribute": "KVP", "range": [0, 200]},
        {"attribute": "KVP", "equals": "0"},
        {"attribute": "BodyPartExamined", "matches": "*"},
        {"attribute": "RequestAttributesSequence.ScheduledProcedureStepID", "equals": "STEP3"},
        {"any": [{"attribute": "Modality", "equals": "MR"}, {"attribute": "Rows", "equals": 1}]},
    ],
    ids=str,
)
def test_it_does_not_hold(data: dict[str, Any]) -> None:
    assert not holds(data)


def test_without_a_condition_everything_fits() -> None:
    assert ALWAYS.holds(KnownFacts())


def test_the_header_is_read_only_when_the_index_cannot_tell() -> None:
    facts = KnownFacts()
    in_header = {"attribute": "Manufacturer", "equals": "X"}
    other_modality = {"attribute": "Modality", "equals": "MR"}
    assert not condition_from({"all": [in_header, other_modality]}, "if").holds(facts)
    assert facts.reads == 0
    assert not condition_from({"any": [in_header, other_modality]}, "if").holds(facts)
    assert facts.reads == 1


@pytest.mark.parametrize(
    ("data", "key", "reason"),
    [
        ("Modality", "if", "not a condition"),
        ({}, "if", "not a condition"),
        ([], "if", "not a condition"),
        ({"modality": "CT"}, "if.modality", "unknown"),
        ({"all": []}, "if.all", "needs a list of conditions"),
        ({"all": {"attribute": "Modality", "equals": "CT"}}, "if.all", "needs a list of conditions"),
        ({"all": [{"attribute": "Modality", "equals": "CT"}], "not": {}}, "if", "use one of all, any, not"),
        ({"all": [{"attribute": "Modality", "equals": "CT"}, {"attribute": "Foo", "equals": 1}]},
         "if.all[1].attribute", "neither a keyword"),
        ({"not": {"attribute": "Modality", "equal": "CT"}}, "if.not.equal", "known are equals, in"),
        ({"attribute": "Modality"}, "if", "needs exactly one of"),
        ({"attribute": "Modality", "equals": "CT", "exists": True}, "if", "needs exactly one of"),
        ({"attribute": 5, "equals": "CT"}, "if.attribute", "needs a DICOM keyword"),
        ({"attribute": "Modality", "equals": ["CT"]}, "if.equals", "needs a text or a number"),
        ({"attribute": "Modality", "equals": ""}, "if.equals", "needs a text or a number"),
        ({"attribute": "Modality", "equals": True}, "if.equals", "needs a text or a number"),
        ({"attribute": "Modality", "in": "CT"}, "if.in", "needs a list"),
        ({"attribute": "Modality", "in": []}, "if.in", "needs a list"),
        ({"attribute": "Modality", "in": ["CT", None]}, "if.in[1]", "needs a text or a number"),
        ({"attribute": "Modality", "in": ["CT"] * 1001}, "if.in", "more than 1000"),
        ({"attribute": "Modality", "matches": 5}, "if.matches", "needs a text in which"),
        ({"attribute": "StudyDescription", "matches": "*a" * 40}, "if.matches", "more than 32 wildcards"),
        ({"attribute": "Rows", "matches": "5*"}, "if.matches", "not matched by wildcards"),
        ({"attribute": "StudyDate", "matches": "2024*"}, "if.matches", "use equals, in or range"),
        ({"attribute": "StudyDate", "equals": "yesterday"}, "if.equals", "no value of StudyDate"),
        ({"attribute": "StudyDate", "range": ["20240101-20241231"]}, "if.range", "a list of two"),
        ({"attribute": "StudyDate", "range": ["", ""]}, "if.range", "open at both ends"),
        ({"attribute": "StudyDate", "range": ["20241301", ""]}, "if.range[0]", "no value of StudyDate"),
        ({"attribute": "StudyDate", "range": ["20250101", "20240101"]}, "if.range", "ends before it begins"),
        ({"attribute": "Rows", "range": [2, 1]}, "if.range", "ends before it begins"),
        ({"attribute": "Rows", "range": ["two", 3]}, "if.range[0]", "not a number"),
        ({"attribute": "Rows", "equals": "inf"}, "if.equals", "not a number"),
        ({"attribute": "Modality", "range": ["A", "B"]}, "if.range", "has no order"),
        ({"attribute": "Modality", "exists": "yes"}, "if.exists", "needs true or false"),
        ({"attribute": "PixelData", "exists": True}, "if.attribute", "not in the header"),
        ({"attribute": "TransferSyntaxUID", "exists": True}, "if.attribute", "not in the header"),
        ({"attribute": "SpecificCharacterSet", "equals": "ISO_IR 100"}, "if.attribute", "only says how"),
        ({"attribute": "NumberOfStudyRelatedInstances", "equals": 5}, "if.attribute", "the answer to a query"),
        ({"attribute": "RequestAttributesSequence", "equals": "a"}, "if.equals", "has no values to compare"),
        ({"attribute": "Modality.PatientID", "equals": "a"}, "if.attribute", "is no sequence"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_key(data: object, key: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        condition_from(data, "if")
    assert refused.value.setting == key
    assert reason in refused.value.reason


def test_endless_conditions_are_refused() -> None:
    nested: dict[str, Any] = {"attribute": "Modality", "equals": "CT"}
    for _ in range(9):
        nested = {"not": nested}
    with pytest.raises(ConfigurationError, match="nested deeper"):
        condition_from(nested, "if")
    with pytest.raises(ConfigurationError, match="more than 200"):
        condition_from({"any": [{"attribute": "Modality", "equals": "CT"}] * 200}, "if")
