"""Record types: every class has its place below the root."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pydicom._uid_dict import UID_dictionary

from radfuse.core.sop_classes import NON_PATIENT_CLASSES, STORAGE_CLASSES
from radfuse.media.record_types import RECORD_TYPES, Place, record_type_of


def test_each_of_the_102_classes_has_the_record_type_of_the_requirement_table(conformance_tables: Path) -> None:
    with (conformance_tables / "sop_classes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 102
    assert {row["uid"]: record_type_of(row["uid"]).name for row in rows} == {
        row["uid"]: row["dicomdir_record"] for row in rows
    }


def test_objects_without_a_patient_stand_at_the_root_and_all_others_below_a_series() -> None:
    at_root = {row.uid for row in STORAGE_CLASSES if record_type_of(row.uid).place is Place.ROOT}
    assert at_root == NON_PATIENT_CLASSES & {row.uid for row in STORAGE_CLASSES}
    assert {record_type_of(row.uid).place for row in STORAGE_CLASSES} == {Place.ROOT, Place.OBJECT}


@pytest.mark.parametrize(
    ("sop_class_uid", "record_type"),
    [
        ("1.2.840.10008.5.1.4.38.1", "HANGING PROTOCOL"),
        ("1.2.840.10008.5.1.4.39.1", "PALETTE"),
        ("1.2.840.10008.5.1.4.1.1.201.1", "INVENTORY"),
        ("1.2.840.10008.5.1.4.1.1.88.34", "SR DOCUMENT"),
        ("1.2.840.10008.5.1.4.1.1.481.10", "RADIOTHERAPY"),
        ("1.2.840.10008.5.1.4.1.1.30", "IMAGE"),
        ("1.3.12.2.1107.5.9.1", "PRIVATE"),
    ],
)
def test_classes_beyond_the_102_get_a_record_too(sop_class_uid: str, record_type: str) -> None:
    assert record_type_of(sop_class_uid).name == record_type


@pytest.mark.parametrize("sop_class_uid", sorted(NON_PATIENT_CLASSES))
def test_a_class_without_a_patient_has_its_record_at_the_root_even_a_private_one(sop_class_uid: str) -> None:
    assert record_type_of(sop_class_uid).place is Place.ROOT


def test_every_record_type_but_those_of_the_levels_is_some_classes() -> None:
    used = {record_type_of(uid).name for uid in UID_dictionary} | {"PATIENT", "STUDY", "SERIES"}
    assert used == set(RECORD_TYPES)
