"""Keys that the index does not hold: matched and answered from the header of an instance."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection

from radfuse.archive.index.answers import answer_as_json
from radfuse.archive.index.find import find
from radfuse.archive.index.model import InformationModel, Query, QueryKey, StoredObject
from radfuse.core.levels import Level
from radfuse.dicom import Element, Identifier
from tests.archive.index.small_archive import AE_TITLE, AnInstance, APatient, ASeries, AStudy, index_of

STUDY_ROOT = InformationModel.STUDY_ROOT
STUDY_UID, SERIES_UID = 0x0020000D, 0x0020000E
INSTITUTION, OPERATORS, SCHEDULED, PROCEDURE, ACQUIRED = 0x00080080, 0x00081070, 0x00400275, 0x00401001, 0x0008002A
STEP, DESCRIPTION, CODES = 0x00400009, 0x00400007, 0x00400008


def items(*pairs: tuple[str, str]) -> tuple[Identifier, ...]:
    return tuple(
        Identifier((Element(DESCRIPTION, "LO", (text,)), Element(STEP, "SH", (step,)))) for step, text in pairs
    )


HEADERS = {
    "1.1.1.1": Identifier(
        (
            Element(ACQUIRED, "DT", ("20200305101500.5",)),
            Element(INSTITUTION, "LO", ("General Hospital",)),
            Element(OPERATORS, "PN", ("Curie^Marie", "Röntgen^W")),
            Element(SCHEDULED, "SQ", (), items(("S1", "Head"), ("S2", "Whole body"), ("S3", "Head late"))),
        )
    ),
    "1.2.1.1": Identifier((Element(INSTITUTION, "LO", ("Clinic",)), Element(SCHEDULED, "SQ", (), ()))),
    "1.2.1.2": Identifier((Element(INSTITUTION, "LO", ("Other",)),)),
}


def reader(stored: StoredObject) -> Identifier:
    return HEADERS[stored.sop_instance_uid]


@pytest.fixture(scope="module")
def index() -> Iterator[Connection]:
    studies = (
        AStudy("1.1", (ASeries("1.1.1", (AnInstance("1.1.1.1"),)),)),
        AStudy("1.2", (ASeries("1.2.1", (AnInstance("1.2.1.1"), AnInstance("1.2.1.2"))),)),
    )
    with index_of([APatient("P", "N", studies)]) as connection:
        yield connection


Search = Callable[..., dict[str, Element]]


@pytest.fixture
def search(index: Connection) -> Search:
    """From one key to the studies found, with the element of that key."""

    def run(tag: int, vr: str, *values: str, items: tuple[Identifier, ...] = ()) -> dict[str, Element]:
        keys = (QueryKey(tag, vr, values, items),)
        answers = list(find(index, Query(STUDY_ROOT, Level.STUDY, keys), AE_TITLE, header_reader=reader))
        assert all(answer.all_keys_supported for answer in answers)
        by_tag = [{element.tag: element for element in answer.elements} for answer in answers]
        return {answer[STUDY_UID].values[0]: answer[tag] for answer in by_tag}

    return run


@pytest.mark.parametrize(("level", "expected"), [(Level.PATIENT, 1), (Level.SERIES, 2)])
def test_an_entity_of_any_level_has_the_header_of_its_first_instance(
    index: Connection, level: Level, expected: int
) -> None:
    query = Query(InformationModel.PATIENT_ROOT, level, (QueryKey(INSTITUTION, "LO", ("*i*",)),))
    answers = list(find(index, query, AE_TITLE, header_reader=reader))
    assert len(answers) == expected
    values = [element.values for answer in answers for element in answer.elements if element.tag == INSTITUTION]
    assert sorted(values) == [("Clinic",), ("General Hospital",)][-expected:]


def test_a_value_is_answered_from_the_first_instance(search: Search) -> None:
    found = search(INSTITUTION, "LO")
    assert {uid: element.values for uid, element in found.items()} == {"1.1": ("General Hospital",), "1.2": ("Clinic",)}
    assert search(0x00091001, "LO") == {uid: Element(0x00091001, "LO") for uid in ("1.1", "1.2")}


@pytest.mark.parametrize(
    ("tag", "vr", "value", "expected"),
    [
        (INSTITUTION, "LO", "Clinic", ["1.2"]),
        (INSTITUTION, "LO", "*Hosp*", ["1.1"]),
        (INSTITUTION, "LO", "*", ["1.1", "1.2"]),
        (INSTITUTION, "LO", "Other", []),
        (OPERATORS, "PN", "RÖNTGEN*", ["1.1"]),
        (OPERATORS, "PN", "Bohr*", []),
        (ACQUIRED, "DT", "202003", ["1.1"]),
        (ACQUIRED, "DT", "2021-", []),
        (ACQUIRED, "DT", "20200305-202004", ["1.1"]),
    ],
)
def test_a_value_is_matched_as_one_in_the_index_would_be(
    search: Search, tag: int, vr: str, value: str, expected: list[str]
) -> None:
    assert sorted(search(tag, vr, value)) == expected


def test_a_sequence_is_matched_item_by_item(search: Search) -> None:
    wanted = (Identifier((Element(DESCRIPTION, "LO", ("Head*",)),)),)
    found = search(SCHEDULED, "SQ", items=wanted)
    assert found == {
        "1.1": Element(
            SCHEDULED,
            "SQ",
            (),
            (
                Identifier((Element(DESCRIPTION, "LO", ("Head",)),)),
                Identifier((Element(DESCRIPTION, "LO", ("Head late",)),)),
            ),
        )
    }


def test_all_keys_of_an_item_must_fit_the_same_item(search: Search) -> None:
    both = (Identifier((Element(DESCRIPTION, "LO", ("Head",)), Element(STEP, "SH", ("S2",)))),)
    assert search(SCHEDULED, "SQ", items=both) == {}


def test_a_sequence_without_values_is_answered_with_what_was_asked(search: Search) -> None:
    whole = search(SCHEDULED, "SQ")
    assert whole["1.1"].items == items(("S1", "Head"), ("S2", "Whole body"), ("S3", "Head late"))
    steps = search(SCHEDULED, "SQ", items=(Identifier((Element(STEP, "SH"), Element(CODES, "SQ"))),))
    assert [item.elements for item in steps["1.1"].items] == [
        (Element(STEP, "SH", (step,)), Element(CODES, "SQ")) for step in ("S1", "S2", "S3")
    ]
    assert steps["1.2"].items == ()


def test_at_image_level_each_instance_has_its_own_header(index: Connection) -> None:
    keys = (QueryKey(SERIES_UID, "UI", ("1.2.1",)), QueryKey(INSTITUTION, "LO", ("Other",)))
    query = Query(STUDY_ROOT, Level.IMAGE, keys)
    (answer,) = find(index, query, AE_TITLE, header_reader=reader)
    assert answer.all_keys_supported
    assert answer_as_json(answer)["SOPInstanceUID"] == "1.2.1.2"


def test_a_sequence_as_json_is_a_list_of_its_items(index: Connection) -> None:
    keys = (QueryKey(STUDY_UID, "UI", ("1.1",)), QueryKey(SCHEDULED, "SQ"), QueryKey(OPERATORS, "PN"))
    (answer,) = find(index, Query(STUDY_ROOT, Level.STUDY, keys), AE_TITLE, header_reader=reader)
    document = answer_as_json(answer)
    assert document["OperatorsName"] == ["Curie^Marie", "Röntgen^W"]
    assert document["RequestAttributesSequence"] == [
        {"ScheduledProcedureStepDescription": text, "ScheduledProcedureStepID": step}
        for step, text in (("S1", "Head"), ("S2", "Whole body"), ("S3", "Head late"))
    ]


def test_no_header_is_read_once_the_search_is_cancelled(index: Connection) -> None:
    read: list[str] = []

    def counting(stored: StoredObject) -> Identifier:
        read.append(stored.sop_instance_uid)
        return Identifier(())

    keys = (QueryKey(INSTITUTION, "LO", ("nowhere",)),)
    query = Query(STUDY_ROOT, Level.STUDY, keys)
    answers = find(index, query, AE_TITLE, header_reader=counting, is_cancelled=lambda: len(read) >= 1)
    assert list(answers) == []
    assert len(read) == 1
