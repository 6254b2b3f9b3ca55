"""The instances that a retrieval names (PS3.4 section C.4.2)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from radfuse.archive.index.model import InformationModel, Query, StoredObject
from radfuse.archive.index.retrieve import count_instances, instances
from radfuse.core.errors import InvalidQuery
from radfuse.core.levels import Level
from tests.archive.index.small_archive import (
    CT_IMAGE,
    EXPLICIT,
    AnInstance,
    APatient,
    ASeries,
    AStudy,
    index_of,
    query,
)

PATIENT_ID, STUDY_UID, SERIES_UID, INSTANCE_UID, MODALITY = 0x00100020, 0x0020000D, 0x0020000E, 0x00080018, 0x00080060
NUMBERS = ("10", "9", "", "009", "1", "+2", "100")


@pytest.fixture(scope="module")
def index() -> Iterator[Connection]:
    first = ASeries("1.1.1", tuple(AnInstance(f"1.1.1.{place}", number) for place, number in enumerate(NUMBERS)))
    second = ASeries("1.1.2", (AnInstance("1.1.2.0"),), "MR")
    other = AStudy("1.2", (ASeries("1.2.1", (AnInstance("1.2.1.0"),)),))
    stranger = AStudy("2.1", (ASeries("2.1.1", (AnInstance("2.1.1.0"),)),))
    people = [APatient("P1", "A", (AStudy("1.1", (first, second)), other)), APatient("P2", "B", (stranger,))]
    with index_of(people) as connection:
        yield connection


def uids(index: Connection, wanted: Query) -> list[str]:
    found = [stored.sop_instance_uid for stored in instances(index, wanted)]
    assert count_instances(index, wanted) == len(found)
    return found


FIRST_SERIES = [f"1.1.1.{place}" for place in (2, 4, 5, 1, 3, 0, 6)]


@pytest.mark.parametrize(
    ("model", "level", "keys", "expected"),
    [
        ("PATIENT_ROOT", Level.PATIENT, {PATIENT_ID: "P1"}, [*FIRST_SERIES, "1.1.2.0", "1.2.1.0"]),
        ("PATIENT_ROOT", Level.STUDY, {PATIENT_ID: "P1", STUDY_UID: "1.2"}, ["1.2.1.0"]),
        ("PATIENT_ROOT", Level.STUDY, {PATIENT_ID: "P2", STUDY_UID: "1.2"}, []),
        ("STUDY_ROOT", Level.STUDY, {STUDY_UID: "1.2\\2.1\\9"}, ["1.2.1.0", "2.1.1.0"]),
        ("STUDY_ROOT", Level.STUDY, {STUDY_UID: "1.2", PATIENT_ID: "P2", MODALITY: "XX"}, ["1.2.1.0"]),
        ("STUDY_ROOT", Level.SERIES, {STUDY_UID: "1.1", SERIES_UID: "1.1.1"}, FIRST_SERIES),
        ("STUDY_ROOT", Level.SERIES, {STUDY_UID: "1.2", SERIES_UID: "1.1.1"}, []),
        ("STUDY_ROOT", Level.SERIES, {SERIES_UID: "1.1.2", INSTANCE_UID: "9"}, ["1.1.2.0"]),
        (
            "STUDY_ROOT",
            Level.IMAGE,
            {STUDY_UID: "1.1", SERIES_UID: "1.1.1", INSTANCE_UID: "1.1.1.0\\1.1.1.1\\1.1.1.1\\1.1.2.0"},
            ["1.1.1.1", "1.1.1.0"],
        ),
        ("STUDY_ROOT", Level.IMAGE, {STUDY_UID: "1.1\\1.2", INSTANCE_UID: "1.2.1.0\\1.1.2.0"}, ["1.1.2.0", "1.2.1.0"]),
    ],
)
def test_unique_keys_name_the_instances_in_order(
    index: Connection, model: str, level: Level, keys: dict[int, str], expected: list[str]
) -> None:
    assert uids(index, query(level, keys, InformationModel[model])) == expected


@pytest.mark.parametrize("level", list(Level))
def test_a_retrieval_without_the_unique_key_of_its_level_is_invalid(index: Connection, level: Level) -> None:
    wanted = query(level, {MODALITY: "CT"}, InformationModel.PATIENT_ROOT)
    with pytest.raises(InvalidQuery):
        instances(index, wanted)
    with pytest.raises(InvalidQuery):
        count_instances(index, wanted)


def test_an_instance_says_what_it_is_and_where_it_lies(index: Connection) -> None:
    (stored,) = instances(index, query(Level.IMAGE, {INSTANCE_UID: "1.2.1.0"}))
    assert stored == StoredObject(CT_IMAGE, "1.2.1.0", EXPLICIT, b"1.2.1.0", 1, b"")


def test_a_list_of_twenty_thousand_uids_is_retrieved(index: Connection) -> None:
    listed = "\\".join([*(f"9.{number}" for number in range(19_999)), "1.1.2.0"])
    assert uids(index, query(Level.IMAGE, {INSTANCE_UID: listed})) == ["1.1.2.0"]
