"""A DICOMDIR written: the tree of its records, what stands in for missing keys, what is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from radfuse.core.errors import CannotExport, InvalidInstance
from radfuse.core.sop_classes import STORAGE_CLASSES
from radfuse.media import Entry, read_directory, write_directory
from radfuse.media.record_building import SUBSTITUTES, record_problems
from radfuse.media.record_keys import KEYS, KeysTable, keys_of
from radfuse.media.record_types import RECORD_TYPES, record_type_of
from tests.media.objects import described, object_of, write_set

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
TABLES: tuple[KeysTable, ...] = ("D.3-2", "E.3-2", "H.3-2")


def written(folder: Path, objects: list[Dataset], table: KeysTable = "D.3-2") -> tuple[list[Dataset], list[str]]:
    """The records of a DICOMDIR of these objects as pydicom reads them, and what the writer said."""
    said: list[str] = []
    entries = (Entry(described(ds), ("A", f"I{number}")) for number, ds in enumerate(objects))
    count = write_directory(folder / "DICOMDIR", entries, file_set_id="X", keys_table=table, say=said.append)
    records = list(pydicom.dcmread(folder / "DICOMDIR").DirectoryRecordSequence)
    assert len(records) == count
    return records, said


def of_type(records: list[Dataset], name: str) -> list[Dataset]:
    return [record for record in records if record.DirectoryRecordType == name]


@pytest.mark.parametrize("table", TABLES)
def test_every_class_gets_a_record_with_all_keys_that_it_must_have(tmp_path: Path, table: KeysTable) -> None:
    objects = [object_of(row.uid, number + 1, table) for number, row in enumerate(STORAGE_CLASSES)]
    records, said = written(tmp_path, objects, table)
    by_class = {record.ReferencedSOPClassUIDInFile: record for record in records if "ReferencedFileID" in record}
    assert len(by_class) == 102
    for row in STORAGE_CLASSES:
        record = by_class[row.uid]
        assert record.DirectoryRecordType == row.record_type
        for key in keys_of(row.record_type, table):
            assert key.type not in ("1", "2") or key.tag in record, (row.name, key)
            assert key.type != "1" or record[key.tag].value not in ("", None, []), (row.name, key)
    assert said == []


def test_the_offsets_make_the_tree(tmp_path: Path) -> None:
    objects = [object_of(CT_IMAGE, number) for number in range(1, 4)]
    objects[2].PatientID, objects[2].StudyInstanceUID = "OTHER", "2.25.3"
    objects.append(object_of("1.2.840.10008.5.1.4.43.1", 9))
    write_set(tmp_path, objects)
    directory = read_directory(tmp_path / "DICOMDIR")
    assert [(record.depth, record.record_type) for record in directory.records] == [
        *((0, "PATIENT"), (1, "STUDY"), (2, "SERIES"), (3, "IMAGE"), (2, "SERIES"), (3, "IMAGE")),
        *((0, "PATIENT"), (1, "STUDY"), (2, "SERIES"), (3, "IMAGE")),
        (0, "IMPLANT"),
    ]
    assert directory.findings == ()
    assert directory.file_set_id == "RADFUSE"
    whole = pydicom.dcmread(tmp_path / "DICOMDIR")
    places = [record.seq_item_tell for record in whole.DirectoryRecordSequence]
    assert whole.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity == places[0]
    assert whole.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity == places[-1]


def test_a_directory_without_records_is_lawful(tmp_path: Path) -> None:
    assert write_set(tmp_path, []).stat().st_size > 132
    assert list(read_directory(tmp_path / "DICOMDIR").records) == []


def test_the_description_of_the_set_is_named(tmp_path: Path) -> None:
    path = tmp_path / "DICOMDIR"
    write_directory(path, (), file_set_id="", keys_table="D.3-2", description=("README",))
    assert pydicom.dcmread(path).FileSetDescriptorFileID == "README"


def test_texts_keep_their_bytes_and_each_record_the_character_set_of_its_object(tmp_path: Path) -> None:
    one, two = object_of(CT_IMAGE, 1), object_of(CT_IMAGE, 2)
    one.SpecificCharacterSet, one.PatientName = "ISO_IR 100", "Müller^Jürgen"
    two.SpecificCharacterSet, two.PatientName = "ISO_IR 192", "Müller^Jürgen"
    two.StudyInstanceUID, two.StudyDescription = "2.25.8", "Straße"
    records, said = written(tmp_path, [one, two])
    content = (tmp_path / "DICOMDIR").read_bytes()
    assert "Müller^Jürgen".encode("latin-1") in content
    assert "Straße".encode() in content
    (patient,) = of_type(records, "PATIENT")
    assert (patient.SpecificCharacterSet, str(patient.PatientName)) == ("ISO_IR 100", "Müller^Jürgen")
    assert [study.SpecificCharacterSet for study in of_type(records, "STUDY")] == ["ISO_IR 100", "ISO_IR 192"]
    assert said == ["PatientName of PATIENT records is that of the first object: others differ"]


def test_a_code_is_copied_with_all_its_items(tmp_path: Path) -> None:
    (record,) = of_type(written(tmp_path, [object_of("1.2.840.10008.5.1.4.1.1.88.33")])[0], "SR DOCUMENT")
    assert record.ConceptNameCodeSequence[0].CodeMeaning == "DICOM Object Catalog"


def test_keys_that_any_object_of_a_patient_may_bring_are_taken_from_any(tmp_path: Path) -> None:
    one, two = object_of(CT_IMAGE, 1, "H.3-2"), object_of(CT_IMAGE, 2, "H.3-2")
    del one.PatientBirthDate
    two.SeriesInstanceUID, two.InstitutionName = one.SeriesInstanceUID, "Hôpital"
    records, _ = written(tmp_path, [one, two], "H.3-2")
    assert of_type(records, "PATIENT")[0].PatientBirthDate == "19700131"
    assert of_type(records, "SERIES")[0].InstitutionName == "Hôpital"


# --- what is made up, and said ------------------------------------------------------------------


def test_an_object_without_patient_id_gets_one_that_is_the_same_every_time(tmp_path: Path) -> None:
    ids = []
    for name in ("first", "second"):
        ds = object_of(CT_IMAGE)
        ds.PatientID = ""
        (tmp_path / name).mkdir()
        records, said = written(tmp_path / name, [ds])
        ids.append(of_type(records, "PATIENT")[0].PatientID)
        assert said == ["PatientID of PATIENT records is made up: the objects have none"]
    assert ids[0] == ids[1]
    assert ids[0].startswith("NOID")


def test_two_studies_without_patient_id_are_two_patients(tmp_path: Path) -> None:
    objects = [object_of(CT_IMAGE, number) for number in (1, 2)]
    for number, ds in enumerate(objects):
        ds.PatientID, ds.StudyInstanceUID = "", f"2.25.{number + 1}"
    patients = of_type(written(tmp_path, objects)[0], "PATIENT")
    assert len({patient.PatientID for patient in patients}) == 2


def test_the_same_id_from_two_issuers_is_two_patients_with_ids_of_their_own(tmp_path: Path) -> None:
    objects = [object_of(CT_IMAGE, number) for number in (1, 2)]
    objects[0].IssuerOfPatientID, objects[1].IssuerOfPatientID = "HERE", "THERE"
    records, said = written(tmp_path, objects)
    ids = [patient.PatientID for patient in of_type(records, "PATIENT")]
    assert ids[0] == "GEN-0001"
    assert ids[1] not in ("", ids[0])
    assert said == ["PatientID of PATIENT records is made up: another patient of another issuer has the same"]


@pytest.mark.parametrize("issuers", [("", "HERE"), ("HERE", ""), ("HERE", "HERE"), ("", "HERE", "", "HERE")])
def test_an_object_that_names_no_issuer_is_of_the_same_patient(tmp_path: Path, issuers: tuple[str, ...]) -> None:
    objects = [object_of(CT_IMAGE, number + 1) for number in range(len(issuers))]
    for ds, issuer in zip(objects, issuers, strict=True):
        ds.IssuerOfPatientID = issuer
    records, said = written(tmp_path, objects)
    assert [patient.PatientID for patient in of_type(records, "PATIENT")] == ["GEN-0001"]
    assert said == []


@pytest.mark.parametrize("keyword", SUBSTITUTES)
def test_a_key_that_must_be_there_is_made_up_and_said(tmp_path: Path, keyword: str) -> None:
    tag = next(key.tag for key in KEYS.values() if key.keyword == keyword)
    record_type = next(
        name for name in RECORD_TYPES for key in keys_of(name, "D.3-2") if (key.keyword, key.type) == (keyword, "1")
    )
    sop_class = next(
        (row.uid for row in STORAGE_CLASSES if row.record_type == record_type), "1.2.840.10008.5.1.4.1.1.90.1"
    )
    if record_type in ("STUDY", "SERIES"):
        sop_class = CT_IMAGE
    whole = described(object_of(sop_class))
    lacking = dataclasses.replace(whole, values={at: value for at, value in whole.values.items() if at != tag})
    said: list[str] = []
    path = tmp_path / "DICOMDIR"
    write_directory(path, [Entry(lacking, ("A",))], file_set_id="", keys_table="D.3-2", say=said.append)
    records = list(pydicom.dcmread(path).DirectoryRecordSequence)
    assert of_type(records, record_type)[0][tag].value not in ("", None)
    assert f"{keyword} of {record_type} records is made up: the objects have none" in said


def test_a_missing_date_is_that_of_another_level_before_it_is_unknown(tmp_path: Path) -> None:
    ds = object_of(CT_IMAGE)
    ds.StudyDate = ds.ContentDate = ""
    assert of_type(written(tmp_path, [ds])[0], "STUDY")[0].StudyDate == "20240229"


@pytest.mark.parametrize(
    ("sop_class", "keyword"),
    [
        ("1.2.840.10008.5.1.4.1.1.88.33", "ConceptNameCodeSequence"),
        ("1.2.840.10008.5.1.4.1.1.481.2", "DoseSummationType"),
        ("1.2.840.10008.5.1.4.43.1", "ImplantName"),
        (CT_IMAGE, "SeriesInstanceUID"),
    ],
)
def test_an_object_that_lacks_what_nobody_can_make_up_is_refused_by_name(
    tmp_path: Path, sop_class: str, keyword: str
) -> None:
    ds = object_of(sop_class)
    delattr(ds, keyword)
    entry = Entry(described(ds), ("A",))
    (problem,) = record_problems(entry.described, "D.3-2")
    assert problem.startswith(f"its {record_type_of(sop_class).name} record needs {keyword} (")
    with pytest.raises(InvalidInstance, match=keyword):
        write_directory(tmp_path / "DICOMDIR", [entry], file_set_id="", keys_table="D.3-2")
    assert list(tmp_path.iterdir()) == []


def test_an_object_of_no_known_class_gets_a_private_record(tmp_path: Path) -> None:
    objects = [object_of("1.3.12.2.1107.5.9.1", 1), object_of("1.2.840.10008.5.1.4.1.1.200.3", 2)]
    records = of_type(written(tmp_path, objects)[0], "PRIVATE")
    assert all(record.PrivateRecordUID.startswith("2.25.") for record in records)
    places = [record.depth for record in read_directory(tmp_path / "DICOMDIR").records if record.file]
    assert sorted(places) == [0, 3]


# --- refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file_id",
    [(), ("a",), ("A.B",), ("NINE_CHAR",), ("",), ("..",), ("A",) * 9, ("DICOMDIR",), ("A/B",), ("A\n",), ("Ä",)],
)
def test_a_file_id_that_the_standard_does_not_allow_is_refused(tmp_path: Path, file_id: tuple[str, ...]) -> None:
    with pytest.raises(CannotExport, match="file id"):
        write_directory(
            tmp_path / "D", [Entry(described(object_of(CT_IMAGE)), file_id)], file_set_id="", keys_table="D.3-2"
        )


def test_one_file_id_twice_and_one_object_twice_are_refused(tmp_path: Path) -> None:
    one, two = described(object_of(CT_IMAGE, 1)), described(object_of(CT_IMAGE, 2))
    with pytest.raises(CannotExport, match="same file id"):
        write_directory(tmp_path / "D", [Entry(one, ("A",)), Entry(two, ("A",))], file_set_id="", keys_table="D.3-2")
    with pytest.raises(CannotExport, match="twice in one file-set"):
        write_directory(tmp_path / "D", [Entry(one, ("A",)), Entry(one, ("B",))], file_set_id="", keys_table="D.3-2")


@pytest.mark.parametrize("file_set_id", ["lower", "SEVENTEEN_LETTERS", "A\\B", "ÄRZTE"])
def test_a_file_set_id_that_is_no_code_string_is_refused(tmp_path: Path, file_set_id: str) -> None:
    with pytest.raises(CannotExport, match="file-set id"):
        write_directory(tmp_path / "D", (), file_set_id=file_set_id, keys_table="D.3-2")


def test_a_directory_that_exists_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "DICOMDIR"
    path.write_bytes(b"somebody's")
    with pytest.raises(FileExistsError):
        write_directory(path, (), file_set_id="", keys_table="D.3-2")
    assert path.read_bytes() == b"somebody's"


def test_a_disk_that_fails_leaves_no_half_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_directory(tmp_path / "DICOMDIR", (), file_set_id="", keys_table="D.3-2")
    assert list(tmp_path.iterdir()) == []


def test_entries_are_taken_one_by_one_and_not_kept(tmp_path: Path) -> None:
    first = described(object_of(CT_IMAGE))
    alive = 0

    class Counted(dict[int, bytes]):
        """Values that know how many of them there are."""

        def __init__(self, values: dict[int, bytes]) -> None:
            nonlocal alive
            alive += 1
            super().__init__(values)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    most = 0

    def entries() -> Iterator[Entry]:
        nonlocal most
        for number in range(500):
            values = Counted(dict(first.values))
            one = dataclasses.replace(first, sop_instance_uid=f"2.25.9.{number}", values=values)
            yield Entry(one, ("A", f"I{number}"))
            most = max(most, alive)

    assert write_directory(tmp_path / "D", entries(), file_set_id="", keys_table="D.3-2") == 503
    assert most <= 5
