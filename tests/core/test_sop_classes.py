"""The storage SOP classes against the requirement table and the registry."""

from __future__ import annotations

import csv
from pathlib import Path

from pydicom.uid import UID as RegisteredUID

from radfuse.core import sop_classes
from radfuse.core.levels import Level
from radfuse.core.sop_classes import NON_PATIENT_CLASSES, STORAGE_CLASS_NAMES, STORAGE_CLASSES
from radfuse.core.uids import is_valid_uid

_RECORD_TYPES = {
    "ENCAP DOC", "FIDUCIAL", "IMAGE", "IMPLANT", "IMPLANT ASSY", "IMPLANT GROUP", "KEY OBJECT DOC", "MEASUREMENT",
    "PLAN", "PRESENTATION", "RAW DATA", "REGISTRATION", "RT DOSE", "RT PLAN", "RT STRUCTURE SET", "RT TREAT RECORD",
    "SPECTROSCOPY", "SR DOCUMENT", "STEREOMETRIC", "SURFACE", "VALUE MAP", "WAVEFORM",
}  # fmt: skip


def test_there_are_102_different_classes() -> None:
    assert len(STORAGE_CLASSES) == 102
    assert len(STORAGE_CLASS_NAMES) == 102
    assert len({row.name for row in STORAGE_CLASSES}) == 102


def test_every_class_is_a_registered_sop_class_under_its_registered_name() -> None:
    for row in STORAGE_CLASSES:
        uid = RegisteredUID(row.uid)
        assert is_valid_uid(row.uid)
        assert uid.type == "SOP Class", row
        assert uid.name == row.name


def test_every_record_type_is_one_of_the_standard() -> None:
    assert {row.record_type for row in STORAGE_CLASSES} <= _RECORD_TYPES


def test_the_three_implant_classes_have_no_patient() -> None:
    implants = {row.uid for row in STORAGE_CLASSES if row.record_type.startswith("IMPLANT")}
    assert implants == NON_PATIENT_CLASSES & STORAGE_CLASS_NAMES.keys()
    assert len(implants) == 3


def test_the_table_holds_exactly_the_required_classes(conformance_tables: Path) -> None:
    with (conformance_tables / "sop_classes.csv").open(encoding="utf-8", newline="") as file:
        required = {(row["uid"], row["name"], row["dicomdir_record"]) for row in csv.DictReader(file)}
    assert {tuple(row) for row in STORAGE_CLASSES} == required


def test_the_service_classes_are_registered_under_their_names() -> None:
    assert RegisteredUID(sop_classes.VERIFICATION).name == "Verification SOP Class"
    assert RegisteredUID(sop_classes.STORAGE_COMMITMENT_PUSH).name == "Storage Commitment Push Model SOP Class"
    for root, classes in (
        ("Patient", sop_classes.PATIENT_ROOT_CLASSES),
        ("Study", sop_classes.STUDY_ROOT_CLASSES),
    ):
        names = {RegisteredUID(uid).name for uid in classes}
        model = f"{root} Root Query/Retrieve Information Model"
        assert names == {f"{model} - {operation}" for operation in ("FIND", "MOVE", "GET")}


def test_levels_are_ordered_from_patient_to_instance() -> None:
    assert [level.name for level in sorted(Level)] == ["PATIENT", "STUDY", "SERIES", "IMAGE"]
