"""Identifiers as queries: the rules of hierarchical search (PS3.4 sections C.4.1.2 and C.4.2.2)."""

from __future__ import annotations

import pytest

from radfuse.archive.index.model import InformationModel, Query, QueryKey
from radfuse.archive.index.query import query_from_identifier
from radfuse.core.errors import InvalidQuery
from radfuse.core.levels import Level
from radfuse.dicom import Element, Identifier

PATIENT_ROOT, STUDY_ROOT = InformationModel.PATIENT_ROOT, InformationModel.STUDY_ROOT
LEVEL, PATIENT_ID, STUDY_UID, SERIES_UID, INSTANCE_UID = 0x00080052, 0x00100020, 0x0020000D, 0x0020000E, 0x00080018
VRS = {LEVEL: "CS", PATIENT_ID: "LO", STUDY_UID: "UI", SERIES_UID: "UI", INSTANCE_UID: "UI"}


def identifier(keys: dict[int, str]) -> Identifier:
    return Identifier(
        tuple(
            Element(tag, VRS.get(tag, "LO"), tuple(text.split("\\")) if text else (), ()) for tag, text in keys.items()
        )
    )


@pytest.mark.parametrize(
    ("model", "keys", "level"),
    [
        (PATIENT_ROOT, {LEVEL: "PATIENT"}, Level.PATIENT),
        (PATIENT_ROOT, {LEVEL: "STUDY ", PATIENT_ID: "A"}, Level.STUDY),
        (PATIENT_ROOT, {LEVEL: "SERIES", PATIENT_ID: "A", STUDY_UID: "1.2"}, Level.SERIES),
        (PATIENT_ROOT, {LEVEL: "IMAGE", PATIENT_ID: "A", STUDY_UID: "1.2", SERIES_UID: "1.3"}, Level.IMAGE),
        (STUDY_ROOT, {LEVEL: "STUDY"}, Level.STUDY),
        (STUDY_ROOT, {LEVEL: "STUDY", STUDY_UID: "1.2\\1.3"}, Level.STUDY),
        (STUDY_ROOT, {LEVEL: "SERIES", STUDY_UID: "1.2", PATIENT_ID: "*"}, Level.SERIES),
        (STUDY_ROOT, {LEVEL: "IMAGE", STUDY_UID: "1.2", SERIES_UID: "1.3"}, Level.IMAGE),
    ],
)
def test_a_query_names_its_level_and_one_parent_above(
    model: InformationModel, keys: dict[int, str], level: Level
) -> None:
    assert query_from_identifier(identifier(keys), model).level is level


@pytest.mark.parametrize(
    ("model", "keys"),
    [
        (PATIENT_ROOT, {PATIENT_ID: "A"}),
        (PATIENT_ROOT, {LEVEL: ""}),
        (PATIENT_ROOT, {LEVEL: "FRAME"}),
        (PATIENT_ROOT, {LEVEL: "PATIENT\\STUDY"}),
        (STUDY_ROOT, {LEVEL: "PATIENT"}),
        (PATIENT_ROOT, {LEVEL: "STUDY"}),
        (PATIENT_ROOT, {LEVEL: "STUDY", PATIENT_ID: ""}),
        (PATIENT_ROOT, {LEVEL: "STUDY", PATIENT_ID: "A*"}),
        (PATIENT_ROOT, {LEVEL: "STUDY", PATIENT_ID: "A\\B"}),
        (PATIENT_ROOT, {LEVEL: "SERIES", STUDY_UID: "1.2"}),
        (STUDY_ROOT, {LEVEL: "SERIES"}),
        (STUDY_ROOT, {LEVEL: "SERIES", STUDY_UID: "1.2\\1.3"}),
        (STUDY_ROOT, {LEVEL: "IMAGE", STUDY_UID: "1.2", SERIES_UID: "*"}),
    ],
)
def test_a_level_or_a_parent_that_is_missing_or_many_is_invalid(model: InformationModel, keys: dict[int, str]) -> None:
    with pytest.raises(InvalidQuery):
        query_from_identifier(identifier(keys), model)


def test_a_retrieval_needs_the_own_unique_key_and_takes_lists() -> None:
    keys = {LEVEL: "SERIES", STUDY_UID: "1.2\\1.3", SERIES_UID: "1.4\\1.5", 0x00080020: "not a date"}
    query = query_from_identifier(identifier(keys), STUDY_ROOT, retrieve=True)
    assert [key.tag for key in query.keys] == [STUDY_UID, SERIES_UID]
    assert query.values_of(SERIES_UID) == ("1.4", "1.5")
    for missing in (STUDY_UID, SERIES_UID):
        with pytest.raises(InvalidQuery):
            query_from_identifier(identifier(keys | {missing: ""}), STUDY_ROOT, retrieve=True)
    with pytest.raises(InvalidQuery):
        query_from_identifier(identifier(keys | {SERIES_UID: "1.*"}), STUDY_ROOT, retrieve=True)


def test_keys_keep_their_order_and_lose_their_padding_and_the_elements_that_are_no_keys() -> None:
    elements = (
        Element(0x00080000, "UL", ("10",), ()),
        Element(0x00080005, "CS", ("ISO_IR 100",), ()),
        Element(0x00080020, "UN", ("20200101",), ()),
        Element(LEVEL, "CS", ("STUDY",), ()),
        Element(0x00080201, "SH", ("+0100",), ()),
        Element(PATIENT_ID, "LO", (" A ",), ()),
    )
    query = query_from_identifier(Identifier(elements), STUDY_ROOT)
    assert query.keys == (QueryKey(0x00080020, "DA", ("20200101",)), QueryKey(PATIENT_ID, "LO", ("A",)))


@pytest.mark.parametrize(
    "element",
    [
        Element(0x00080020, "DA", ("2020-13-01",), ()),
        Element(0x00080030, "TM", ("noon",), ()),
        Element(0x0008002A, "DT", ("someday",), ()),
        Element(PATIENT_ID, "LO", ("A\0B",), ()),
        Element(PATIENT_ID, "LO", ("\udcff",), ()),
        Element(PATIENT_ID, "LO", ("A" * 10_241,), ()),
        Element(STUDY_UID, "UI", tuple(f"1.{number}" for number in range(20_001)), ()),
        Element(0x00081032, "SQ", (), (Identifier(()), Identifier(()))),
    ],
)
def test_values_that_cannot_be_matched_are_invalid(element: Element) -> None:
    level = Element(LEVEL, "CS", ("STUDY",), ())
    with pytest.raises(InvalidQuery) as refused:
        query_from_identifier(Identifier((level, element)), STUDY_ROOT)
    assert all(value not in str(refused.value) for value in element.values)


def test_sequence_keys_nested_without_end_are_invalid() -> None:
    element = Element(0x00081032, "SQ", (), ())
    for _ in range(20):
        element = Element(0x00081032, "SQ", (), (Identifier((element,)),))
    with pytest.raises(InvalidQuery):
        query_from_identifier(Identifier((Element(LEVEL, "CS", ("STUDY",), ()), element)), STUDY_ROOT)


def test_a_query_beyond_its_limits_is_not_born() -> None:
    with pytest.raises(InvalidQuery):
        Query(STUDY_ROOT, Level.PATIENT, ())
    with pytest.raises(InvalidQuery):
        Query(STUDY_ROOT, Level.STUDY, (QueryKey(1, "LO"), QueryKey(1, "LO")))
    with pytest.raises(InvalidQuery):
        Query(STUDY_ROOT, Level.STUDY, tuple(QueryKey(tag, "LO") for tag in range(513)))
    with pytest.raises(InvalidQuery):
        Query(STUDY_ROOT, Level.STUDY, tuple(QueryKey(tag, "UI", ("1",) * 16_000) for tag in range(2)))
