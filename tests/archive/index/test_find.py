"""Search on the index (PS3.4 section C.4.1): keys, levels, matching in SQL, answers."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from radfuse.archive.index.answers import answer_as_json
from radfuse.archive.index.find import find
from radfuse.archive.index.keys import INDEX_KEYS, NOT_KEYS, QUERY_RETRIEVE_LEVEL, RETRIEVE_AE_TITLE, UNIQUE_KEYS
from radfuse.archive.index.model import Answer, InformationModel, Query, QueryKey
from radfuse.core.errors import InvalidQuery
from radfuse.core.levels import Level
from tests.archive.index.small_archive import (
    AE_TITLE,
    CT_IMAGE,
    EXPLICIT,
    PET_IMAGE,
    AnInstance,
    APatient,
    ASeries,
    AStudy,
    found,
    index_of,
    query,
    values_found,
)

PATIENT_NAME, PATIENT_ID, BIRTH_DATE, SEX = 0x00100010, 0x00100020, 0x00100030, 0x00100040
STUDY_UID, STUDY_DATE, STUDY_TIME, ACCESSION, STUDY_ID = 0x0020000D, 0x00080020, 0x00080030, 0x00080050, 0x00200010
STUDY_DESCRIPTION, REFERRING, MODALITIES, CLASSES = 0x00081030, 0x00080090, 0x00080061, 0x00080062
SERIES_UID, MODALITY, SERIES_NUMBER, SERIES_DESCRIPTION = 0x0020000E, 0x00080060, 0x00200011, 0x0008103E
INSTANCE_UID, INSTANCE_NUMBER, SOP_CLASS, SYNTAX = 0x00080018, 0x00200013, 0x00080016, 0x00083002
COUNTS = {0x00201200: "2", 0x00201202: "3", 0x00201204: "6"}

PET_CT = AStudy(
    "1.1",
    (
        ASeries("1.1.1", tuple(AnInstance(f"1.1.1.{n}", f"{n}") for n in (1, 2, 3)), "CT", "1", "20200305", "0930"),
        ASeries("1.1.2", (AnInstance("1.1.2.1", "1", PET_IMAGE),), "PT", "02", "20200305", "0945", "WB AC"),
    ),
    "20200305",
    "091500",
    "ACC-1",
    "S1",
    "PET/CT 100%_whole body",
    "House^Gregory",
)
FOLLOW_UP = AStudy("1.2", (ASeries("1.2.1", (AnInstance("1.2.1.1", "10"), AnInstance("1.2.1.2", "9"))),), "20210101")
YAMADA = AStudy("1.3", (ASeries("1.3.1", (AnInstance("1.3.1.1"),), "MR", description="T2 *"),), "19990101", "23")
ARCHIVE = (
    APatient("P1", "Smith^John", (PET_CT, FOLLOW_UP), "19500101", "M"),
    APatient("P2", "Yamada^Tarou=山田^太郎=やまだ^たろう", (YAMADA,), "19600202", "F"),
    APatient("p2", "Müller^Jürgen", (AStudy("1.4", (ASeries("1.4.1", (AnInstance("1.4.1.1"),), "CT"),)),)),
    APatient("A'B", "O'Hara^x", (AStudy("1.5", (ASeries("1.5.1", (AnInstance("1.5.1.1"),), ""),)),)),
)


@pytest.fixture(scope="module")
def index() -> Iterator[Connection]:
    with index_of(ARCHIVE) as connection:
        yield connection


def studies(index: Connection, keys: dict[int, str]) -> list[str]:
    return values_found(index, query(Level.STUDY, keys), STUDY_UID)


ALL = ["1.1", "1.2", "1.3", "1.4", "1.5"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, ALL),
        ({PATIENT_ID: ""}, ALL),
        ({PATIENT_ID: "*"}, ALL),
        ({PATIENT_ID: "P1"}, ["1.1", "1.2"]),
        ({PATIENT_ID: "P2"}, ["1.3"]),
        ({PATIENT_ID: "P?"}, ["1.1", "1.2", "1.3"]),
        ({PATIENT_ID: "P*"}, ["1.1", "1.2", "1.3"]),
        ({PATIENT_ID: "P2\\p2"}, ["1.3", "1.4"]),
        ({PATIENT_NAME: "SMITH^*"}, ["1.1", "1.2"]),
        ({PATIENT_NAME: "*john*"}, ["1.1", "1.2"]),
        ({PATIENT_NAME: "mÜLLER*"}, ["1.4"]),
        ({PATIENT_NAME: "*jÜrgen"}, ["1.4"]),
        ({PATIENT_NAME: "山田*"}, ["1.3"]),
        ({PATIENT_NAME: "*太郎"}, ["1.3"]),
        ({PATIENT_NAME: "=山田^太郎"}, ["1.3"]),
        ({PATIENT_NAME: "=やまだ*"}, []),
        ({PATIENT_NAME: "y*a*m*a*d*a*t*"}, ["1.3"]),
        ({PATIENT_NAME: "y*a*m*a*d*a*t*=山*=や*"}, ["1.3"]),
        ({STUDY_DATE: "20200305"}, ["1.1"]),
        ({STUDY_DATE: "2020.03.05"}, ["1.1"]),
        ({STUDY_DATE: "20200101-"}, ["1.1", "1.2"]),
        ({STUDY_DATE: "-20200101"}, ["1.3"]),
        ({STUDY_DATE: "20210101-20200101"}, []),
        ({STUDY_TIME: "09"}, ["1.1"]),
        ({STUDY_TIME: "2359-"}, []),
        ({STUDY_TIME: "0915-0916"}, ["1.1"]),
        ({STUDY_UID: "1.1\\1.2\\9.9"}, ["1.1", "1.2"]),
        ({STUDY_UID: "1.*"}, []),
        ({ACCESSION: "acc-1"}, []),
        ({ACCESSION: "ACC-1 "}, ["1.1"]),
        ({STUDY_DESCRIPTION: "PET/CT 100%_*"}, ["1.1"]),
        ({STUDY_DESCRIPTION: "*%_w*"}, ["1.1"]),
        ({STUDY_DESCRIPTION: "*%%w*"}, []),
        ({STUDY_DESCRIPTION: "*/C*"}, ["1.1"]),
        ({STUDY_DESCRIPTION: "*_?hole*"}, ["1.1"]),
        ({STUDY_DESCRIPTION: "P*/*1*%*w*y"}, ["1.1"]),
        ({STUDY_DESCRIPTION: "P*/*1*%*w*y*z"}, []),
        ({STUDY_DESCRIPTION: "P*1*1*/*1*%*w*y"}, []),
        ({STUDY_DESCRIPTION: "?*?*?*?*?"}, ["1.1"]),
        ({REFERRING: "house^g*"}, ["1.1"]),
        ({MODALITIES: "PT"}, ["1.1"]),
        ({MODALITIES: "PT\\MR"}, ["1.1", "1.3"]),
        ({MODALITIES: "?T"}, ["1.1", "1.2", "1.4"]),
        ({MODALITIES: "*P*T*"}, ["1.1"]),
        ({MODALITIES: "*P*T*P*T*P*"}, []),
        ({CLASSES: PET_IMAGE}, ["1.1"]),
        ({0x00201206: "2"}, ["1.1"]),
        ({0x00201208: "4"}, ["1.1"]),
        ({0x00201208: "1"}, ["1.3", "1.4", "1.5"]),
        ({0x00201208: "many"}, []),
        ({0x00201200: "2"}, ["1.1", "1.2"]),
        ({SEX: "F", BIRTH_DATE: "19600101-19601231"}, ["1.3"]),
        ({0x00080056: "ONLINE"}, ALL),
        ({0x00080056: "OFFLINE"}, []),
        ({0x00080201: "+0100"}, ALL),
    ],
)
def test_studies_are_found_by(index: Connection, keys: dict[int, str], expected: list[str]) -> None:
    assert studies(index, keys) == expected


@pytest.mark.parametrize(
    "text",
    [
        "A'B",
        "' OR 1=1 --",
        '"; DROP TABLE patient; --',
        "A%",
        "A_B",
        "[A]*",
        "A\\'B",
        "(?i)p1",
        ".*",
        "{}",
        ":p",
        "%(x)s",
    ],
)
def test_metacharacters_of_sql_and_of_regular_expressions_are_literal(index: Connection, text: str) -> None:
    expected = [] if text not in ("A'B", "A\\'B") else (["1.5"] if text == "A'B" else [])
    assert studies(index, {PATIENT_ID: text}) == expected
    assert studies(index, {PATIENT_NAME: text}) == []
    assert studies(index, {ACCESSION: f"*{text}*"}) == []
    assert studies(index, {}) == ALL


def test_prefixes_at_the_ends_of_the_code_points_are_ranges() -> None:
    ids = ["\ud7ff", "\ud7ffa", "\ue000", "a\U0010ffff", "a\U0010ffffb", "b", "\U0010ffff", "\U0010ffffz"]
    people = [
        APatient(text, "", (AStudy(f"1.{place}", (ASeries(f"2.{place}", (AnInstance(f"3.{place}"),)),)),))
        for place, text in enumerate(ids)
    ]
    with index_of(people) as index:
        for prefix in ("\ud7ff", "a\U0010ffff", "\U0010ffff", "b"):
            expected = sorted(text for text in ids if text.startswith(prefix))
            assert values_found(index, query(Level.STUDY, {PATIENT_ID: prefix + "*"}), PATIENT_ID) == expected


def test_series_and_instances_are_found_by_their_keys_and_by_those_above(index: Connection) -> None:
    def series(keys: dict[int, str]) -> list[str]:
        return values_found(index, query(Level.SERIES, keys), SERIES_UID)

    assert series({STUDY_UID: "1.1"}) == ["1.1.1", "1.1.2"]
    assert series({STUDY_UID: "1.1", MODALITY: "PT"}) == ["1.1.2"]
    assert series({SERIES_NUMBER: "2"}) == ["1.1.2"]
    assert series({SERIES_NUMBER: "0"}) == []
    assert series({0x00080031: "0940-"}) == ["1.1.2"]
    assert series({PATIENT_NAME: "smith*", SERIES_DESCRIPTION: "WB*"}) == ["1.1.2"]
    assert series({0x00201209: "3"}) == ["1.1.1"]
    assert series({MODALITIES: "PT"}) == ["1.1.1", "1.1.2"]

    def images(keys: dict[int, str]) -> list[str]:
        return values_found(index, query(Level.IMAGE, keys), INSTANCE_UID)

    assert images({SERIES_UID: "1.1.1", INSTANCE_NUMBER: "2"}) == ["1.1.1.2"]
    assert images({STUDY_UID: "1.1", SOP_CLASS: PET_IMAGE}) == ["1.1.2.1"]
    assert images({STUDY_UID: "1.1", SYNTAX: "1.2.840.10008.1.2"}) == []
    assert len(images({SOP_CLASS: f"{CT_IMAGE}\\{PET_IMAGE}"})) == 9


def test_patients_are_found_with_their_counts(index: Connection) -> None:
    keys = {PATIENT_ID: "P1", PATIENT_NAME: "", **dict.fromkeys(COUNTS, "")}
    wanted = query(Level.PATIENT, keys, InformationModel.PATIENT_ROOT)
    (answer,) = found(index, wanted)
    assert {tag: answer[tag].values for tag in COUNTS} == {tag: (count,) for tag, count in COUNTS.items()}
    assert answer[PATIENT_NAME].values == ("Smith^John",)


def test_an_answer_has_the_requested_and_the_unique_keys_by_ascending_tag(index: Connection) -> None:
    keys = {STUDY_UID: "1.1", MODALITY: "PT", RETRIEVE_AE_TITLE: "", 0x00080056: ""}
    wanted = query(Level.SERIES, keys, InformationModel.PATIENT_ROOT)
    (answer,) = find(index, wanted, AE_TITLE)
    assert [(element.tag, element.values) for element in answer.elements] == [
        (QUERY_RETRIEVE_LEVEL, ("SERIES",)),
        (RETRIEVE_AE_TITLE, (AE_TITLE,)),
        (0x00080056, ("ONLINE",)),
        (MODALITY, ("PT",)),
        (PATIENT_ID, ("P1",)),
        (STUDY_UID, ("1.1",)),
        (SERIES_UID, ("1.1.2",)),
    ]
    assert answer.all_keys_supported


def test_unknown_values_are_zero_length(index: Connection) -> None:
    (answer,) = found(index, query(Level.STUDY, {STUDY_UID: "1.5", STUDY_DATE: "", MODALITIES: "", SEX: ""}))
    assert [answer[tag].values for tag in (STUDY_DATE, MODALITIES, SEX)] == [(), (), ()]


@pytest.mark.parametrize("tag", [SERIES_DESCRIPTION, INSTANCE_NUMBER, 0x00080080, 0x00091001, 0x00400275])
def test_keys_below_the_level_or_not_in_the_index_are_zero_length_and_not_supported(
    index: Connection, tag: int
) -> None:
    wanted = Query(InformationModel.STUDY_ROOT, Level.STUDY, (QueryKey(tag, "LO", ("anything",)),))
    answers = list(find(index, wanted, AE_TITLE))
    assert len(answers) == 5
    assert not any(answer.all_keys_supported for answer in answers)
    assert all(element.values == () for answer in answers for element in answer.elements if element.tag == tag)


def test_sets_of_a_study_are_its_different_values(index: Connection) -> None:
    (answer,) = found(index, query(Level.STUDY, {STUDY_UID: "1.1", MODALITIES: "", CLASSES: ""}))
    assert answer[MODALITIES].values == ("CT", "PT")
    assert set(answer[CLASSES].values) == {CT_IMAGE, PET_IMAGE}
    (answer,) = found(index, query(Level.SERIES, {SERIES_UID: "1.1.1", MODALITIES: "PT"}))
    assert answer[MODALITIES].values == ("CT", "PT")


def test_every_key_of_the_requirement_is_answered_and_matched(index: Connection, conformance_tables: Path) -> None:
    with (conformance_tables / "query_keys.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 59
    for row in rows:
        tag = int(row["tag"].strip("()").replace(",", ""), 16)
        if row["level"] == "*":
            assert tag in NOT_KEYS | {QUERY_RETRIEVE_LEVEL, RETRIEVE_AE_TITLE}
            continue
        model = InformationModel[f"{row['model'].upper()}_ROOT"]
        level = Level[row["level"]]
        assert INDEX_KEYS[tag].keyword == row["keyword"]
        assert (row["key_type"] == "U") is (UNIQUE_KEYS[level] == tag)
        parents = dict(zip(UNIQUE_KEYS.values(), ("P1", "1.1", "1.1.1", "1.1.1.1"), strict=True))
        asked = {key: uid for key, uid in parents.items() if INDEX_KEYS[key].level < level and key != tag}
        answers = found(index, query(level, {**asked, tag: ""}, model))
        assert answers, row
        known = answers[0][tag].values
        again = found(index, query(level, {**asked, tag: "\\".join(known)}, model))
        assert again, row
        if known:
            assert all(set(answer[tag].values) & set(known) for answer in again), row


def test_ten_thousand_answers_are_yielded_while_they_are_read() -> None:
    many = tuple(AStudy(f"1.{n}", ()) for n in range(1000))
    with index_of([APatient("P", "N", many)]) as index:
        answers = find(index, query(Level.STUDY, {PATIENT_ID: "P"}), AE_TITLE)
        next(answers)
        assert sum(1 for _ in answers) == 999


def test_twenty_thousand_uids_in_a_list_are_matched(index: Connection) -> None:
    uids = [f"9.{number}" for number in range(19_999)] + ["1.3"]
    assert studies(index, {STUDY_UID: "\\".join(uids)}) == ["1.3"]


def test_the_largest_query_is_answered_or_refused_but_never_fails(index: Connection) -> None:
    patterns = "\\".join("*a*b*c*d*e*f*g*h*i*^*^*^*" + str(number) + "^*^*^*^*" for number in range(32))
    texts = {tag: patterns for tag, key in INDEX_KEYS.items() if key.vr in {"LO", "PN", "SH", "CS"}}
    ranges = "\\".join(f"-2020{1 + number % 12:02}{1 + number % 28:02}" for number in range(32))
    dates = {tag: ranges for tag, key in INDEX_KEYS.items() if key.vr == "DA"}
    wanted = query(Level.IMAGE, {**texts, **dates}, InformationModel.PATIENT_ROOT)
    assert found(index, wanted) == []
    uids = "\\".join(f"9.{number}" for number in range(14_500))
    lists = {STUDY_UID: uids, SERIES_UID: uids}
    with pytest.raises(InvalidQuery):
        found(index, query(Level.IMAGE, {**texts, **dates, **lists}, InformationModel.PATIENT_ROOT))
    assert found(index, query(Level.IMAGE, {MODALITY: "C?", **lists}, InformationModel.PATIENT_ROOT)) == []


def test_a_cancelled_search_ends(index: Connection) -> None:
    seen: list[Answer] = []
    for answer in find(index, query(Level.STUDY, {}), AE_TITLE, is_cancelled=lambda: len(seen) >= 2):
        seen.append(answer)
    assert len(seen) == 2
    assert list(find(index, query(Level.STUDY, {ACCESSION: "*a*b*c*d*e*"}), AE_TITLE, is_cancelled=lambda: True)) == []


def test_an_unmatchable_value_is_refused_before_the_first_answer(index: Connection) -> None:
    with pytest.raises(InvalidQuery):
        find(index, query(Level.STUDY, {STUDY_DATE: "tomorrow"}), AE_TITLE)


def test_an_answer_as_json_is_by_keyword(index: Connection) -> None:
    keys = {STUDY_UID: "1.1", PATIENT_NAME: "", MODALITIES: "", 0x00201208: "", SEX: "", 0x00091001: ""}
    (answer,) = find(index, query(Level.STUDY, keys), AE_TITLE)
    assert answer_as_json(answer) == {
        "QueryRetrieveLevel": "STUDY",
        "RetrieveAETitle": AE_TITLE,
        "ModalitiesInStudy": ["CT", "PT"],
        "00091001": "",
        "PatientName": "Smith^John",
        "PatientSex": "M",
        "StudyInstanceUID": "1.1",
        "NumberOfStudyRelatedInstances": 4,
    }


def test_the_stored_transfer_syntax_is_answered(index: Connection) -> None:
    (answer,) = found(index, query(Level.IMAGE, {INSTANCE_UID: "1.3.1.1", SYNTAX: "", SOP_CLASS: ""}))
    assert answer[SYNTAX].values == (EXPLICIT,)
    assert answer[SOP_CLASS].values == (CT_IMAGE,)
