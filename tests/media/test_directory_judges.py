"""Directories judged by others: DCMTK, GDCM, pydicom and dciodvfy read ours, and we read DCMTK's and GDCM's."""

from __future__ import annotations

import gc
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

from radfuse.core.sop_classes import STORAGE_CLASSES
from radfuse.media import read_directory
from radfuse.media.record_keys import KeysTable
from tests.media.objects import file_of, object_of, reference, write_set
from tests.support.judges import Allowed, dciodvfy, program

pytestmark = pytest.mark.peers

BLENDING = "1.2.840.10008.5.1.4.1.1.11.4"
ENCAPSULATED_CDA = "1.2.840.10008.5.1.4.1.1.104.2"
SWAPPED_BY_DCMTK = {"1.2.840.10008.5.1.4.44.1", "1.2.840.10008.5.1.4.45.1"}
"""dcmmkdir 3.6 wants the keys of a template group for a template assembly, and the reverse."""
ALLOWED = (
    Allowed(
        r"Unrecognized enumerated value <PLAN> for value 1 of attribute <Directory Record Type>",
        "its list of record types is older than PLAN (PS3.3 section F.5.40)",
    ),
    Allowed(
        r"Module=<ContentIdentificationMacro>",
        "asked of STEREOMETRIC, which has no keys (PS3.3 section F.5.35), and nothing to take them from",
    ),
)


def whole_object(sop_class_uid: str, number: int, table: KeysTable = "D.3-2") -> Dataset:
    """An object with the conditional keys of its record, too."""
    ds = object_of(sop_class_uid, number, table)
    series = Dataset()
    series.SeriesInstanceUID, series.ReferencedImageSequence = "2.25.5", [reference()]
    if sop_class_uid.startswith("1.2.840.10008.5.1.4.1.1.11.") and sop_class_uid != BLENDING:
        ds.ReferencedSeriesSequence = [series]
    elif sop_class_uid == BLENDING:
        ds.BlendingSequence = []
        for _ in range(2):
            blended = Dataset()
            blended.StudyInstanceUID, blended.ReferencedSeriesSequence = "2.25.6", [series]
            ds.BlendingSequence.append(blended)
    elif sop_class_uid == "1.2.840.10008.5.1.4.1.1.131":  # a structured display references no series
        ds.ReferencedSeriesSequence = [series]
    elif sop_class_uid == ENCAPSULATED_CDA:
        ds.HL7InstanceIdentifier = "1.2.3^1"
    elif sop_class_uid == "1.2.840.10008.5.1.4.1.1.4.2":
        ds.ReferencedImageEvidenceSequence = [reference()]
    return ds


def whole_set(folder: Path, table: KeysTable = "D.3-2") -> Path:
    """A file-set with an object of each of the 102 classes."""
    return write_set(
        folder, (whole_object(row.uid, number + 1, table) for number, row in enumerate(STORAGE_CLASSES)), table
    )


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The DICOMDIR of a set with an object of each of the 102 classes: to be read, never changed."""
    return whole_set(tmp_path_factory.mktemp("ours"))


@pytest.mark.parametrize("table", ["E.3-2", "H.3-2"])
def test_dciodvfy_finds_no_error_whatever_the_table_of_keys(tmp_path: Path, table: KeysTable) -> None:
    assert dciodvfy(whole_set(tmp_path, table), ALLOWED) == []


def test_dciodvfy_finds_no_error(ours: Path) -> None:
    assert dciodvfy(ours, ALLOWED) == []


def test_pydicom_loads_every_file_of_our_set(ours: Path) -> None:
    with warnings.catch_warnings():
        # It leaves its temporary folder to the collector, which warns of it.
        warnings.simplefilter("ignore", ResourceWarning)
        found = FileSet(ours)
        loaded = {instance.load().SOPInstanceUID for instance in found}
        file_set_id = found.ID
        del found
        gc.collect()
    assert loaded == {f"2.25.71.{number + 1}" for number in range(102)}
    assert file_set_id == "RADFUSE"


def test_dcmdump_reads_our_directory_without_a_word(ours: Path, dcmtk: Callable[[str], str]) -> None:
    done = subprocess.run([dcmtk("dcmdump"), "-E", str(ours)], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.count("refFileID=") == 102


def test_gdcm_reads_our_directory(ours: Path) -> None:
    try:
        gdcmdump = program("gdcmdump")
    except pytest.skip.Exception:
        pytest.skip("gdcmdump is not installed (apt-get install libgdcm-tools)")
    done = subprocess.run([gdcmdump, str(ours)], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.count("Referenced File ID") == 102


def records(path: Path) -> Iterator[Dataset]:
    yield from pydicom.dcmread(path).DirectoryRecordSequence


@pytest.fixture
def copy(ours: Path, tmp_path: Path) -> Path:
    """A folder with the files of the set, whose directory may be changed."""
    (tmp_path / "DICOM").symlink_to(ours.parent / "DICOM")
    shutil.copy(ours, tmp_path)
    return tmp_path


def test_dcmmkdir_says_of_the_same_files_what_we_say(copy: Path, dcmtk: Callable[[str], str]) -> None:
    mine = {record.ReferencedSOPInstanceUIDInFile: record for record in records(copy / "DICOMDIR") if _is_file(record)}
    (copy / "DICOMDIR").unlink()
    left_out = {mine_of.ReferencedFileID[-1] for mine_of in mine.values() if _is_swapped(mine_of)}
    names = [f"DICOM/{path.name}" for path in (copy / "DICOM").iterdir() if path.name not in left_out]
    subprocess.run([dcmtk("dcmmkdir"), "-nb", *names], cwd=copy, check=True, timeout=60, capture_output=True)
    theirs = [record for record in records(copy / "DICOMDIR") if _is_file(record)]
    assert len(theirs) == 100
    for record in theirs:
        same = mine[record.ReferencedSOPInstanceUIDInFile]
        for element in record:
            if element.tag.group != 4 or element.tag.element >= 0x1430:
                assert same.get(element.tag) == element or element.is_empty, element.keyword
    found = read_directory(copy / "DICOMDIR")
    assert found.findings == ()
    assert {file.sop_instance_uid for file in found.files()} == {
        uid for uid, record in mine.items() if not _is_swapped(record)
    }


def _is_file(record: Dataset) -> bool:
    return "ReferencedFileID" in record


def _is_swapped(record: Dataset) -> bool:
    return record.ReferencedSOPClassUIDInFile in SWAPPED_BY_DCMTK


def test_dcmmkdir_adds_a_file_to_our_set(copy: Path, dcmtk: Callable[[str], str]) -> None:
    added = whole_object("1.2.840.10008.5.1.4.1.1.2", 500)
    added.PatientID, added.StudyInstanceUID = "ANOTHER", "2.25.500"
    (copy / "NEW").write_bytes(file_of(added))
    subprocess.run([dcmtk("dcmmkdir"), "-nb", "+A", "NEW"], cwd=copy, check=True, timeout=60, capture_output=True)
    found = read_directory(copy / "DICOMDIR")
    assert found.findings == ()
    assert len(list(found.files())) == 103
    assert [one.keys.text(0x0010_0020) for one in found.records if one.record_type == "PATIENT"] == [
        "GEN-0001",
        "ANOTHER",
    ]


def test_we_read_what_gdcm_writes(tmp_path: Path) -> None:
    try:
        gdcmgendir = program("gdcmgendir")
    except pytest.skip.Exception:
        pytest.skip("gdcmgendir is not installed (apt-get install libgdcm-tools)")
    write_set(tmp_path, [whole_object("1.2.840.10008.5.1.4.1.1.2", number) for number in (1, 2, 3)]).unlink()
    subprocess.run(
        [gdcmgendir, "-r", "-i", str(tmp_path / "DICOM"), "-o", str(tmp_path / "DICOMDIR")],
        check=True,
        timeout=60,
        capture_output=True,
    )
    shutil.move(tmp_path / "DICOM", tmp_path / "moved")
    found = read_directory(tmp_path / "DICOMDIR")
    assert {file.sop_instance_uid for file in found.files()} == {f"2.25.71.{number}" for number in (1, 2, 3)}
