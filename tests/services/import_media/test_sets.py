"""A DICOMDIR is checked against the files beside it, whose own content decides. The sets are made by DCMTK."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from radfuse.archive import Archive
from radfuse.core.sop_classes import MEDIA_STORAGE_DIRECTORY
from radfuse.services.import_media import Imported, Verdict
from radfuse.services.import_media.model import FindingKind, Findings
from tests.archive.objects import stored_objects
from tests.services.import_media.scenes import imported, report_of, verdicts
from tests.support.generate import GeneratedSet


@pytest.fixture(scope="module")
def made_set(
    generated_set: GeneratedSet, dcmtk: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A file-set of five CT and three MR, with a DICOMDIR by dcmmkdir."""
    folder = tmp_path_factory.mktemp("set")
    for series, paths in (("CT", generated_set.ct), ("MR", generated_set.mr[:3])):
        for number, path in enumerate(paths):
            target = folder / "DICOM" / series / f"IM{number:06}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    command = [dcmtk("dcmmkdir"), "+r", "--input-directory", ".", "--output-file", "DICOMDIR", "+I", "-Nxc"]
    subprocess.run([*command[:-2], "DICOM"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def disc(made_set: Path, tmp_path: Path) -> Path:
    """A copy of the set, to be spoiled."""
    return Path(shutil.copytree(made_set, tmp_path / "disc"))


def findings_of(results: list[Imported]) -> Findings:
    (directory,) = [result for result in results if result.verdict is Verdict.DIRECTORY]
    return directory.findings or Findings()


def test_a_set_that_tells_the_truth_has_no_findings_and_its_directory_comes_last(archive: Archive, disc: Path) -> None:
    results = imported(archive, disc)
    assert verdicts(results) == {Verdict.STORED: 8, Verdict.DIRECTORY: 1}
    assert results[-1].verdict is Verdict.DIRECTORY
    assert findings_of(results).counts == {}


def test_the_directory_of_a_set_stands_for_all_of_it(archive: Archive, disc: Path) -> None:
    assert verdicts(imported(archive, disc / "DICOMDIR")) == {Verdict.STORED: 8, Verdict.DIRECTORY: 1}


def test_a_file_that_is_missing_is_found_missing(archive: Archive, disc: Path) -> None:
    (disc / "DICOM/CT/IM000001").unlink()
    findings = findings_of(imported(archive, disc))
    assert findings.counts == {FindingKind.MISSING: 1}
    expected = f"{disc}/DICOMDIR: DICOM/CT/IM000001 is not there, though a record names it"
    assert findings.sentences == [expected]


def test_an_object_that_no_record_names_is_imported_all_the_same(
    archive: Archive, disc: Path, generated_set: GeneratedSet
) -> None:
    shutil.copy(generated_set.pet[0], disc / "EXTRA")
    (disc / "README.TXT").write_text("no object", encoding="utf-8")
    results = imported(archive, disc)
    assert verdicts(results) == {Verdict.STORED: 9, Verdict.NOT_DICOM: 1, Verdict.DIRECTORY: 1}
    assert findings_of(results).counts == {FindingKind.NOT_NAMED: 1}
    assert findings_of(results).sentences == [f"{disc}/EXTRA is named by no record"]


@pytest.mark.parametrize(
    ("keyword", "value", "kind"),
    [
        ("SOPInstanceUID", "2.25.4711", FindingKind.OTHER_OBJECT),
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.7", FindingKind.OTHER_CLASS),
    ],
)
def test_the_content_of_a_file_decides_and_a_record_that_lies_is_told(
    archive: Archive, disc: Path, keyword: str, value: str, kind: FindingKind
) -> None:
    path = disc / "DICOM/CT/IM000002"
    ds = pydicom.dcmread(path)
    setattr(ds, keyword, value)
    ds.save_as(path)
    results = imported(archive, disc)
    assert verdicts(results)[Verdict.STORED] == 8
    assert findings_of(results).counts == {kind: 1}
    assert any(getattr(stored, _FIELDS[keyword]) == value for stored in stored_objects(archive).values())


_FIELDS = {"SOPInstanceUID": "sop_instance_uid", "SOPClassUID": "sop_class_uid"}


def test_another_transfer_syntax_than_the_record_says_is_told(
    archive: Archive, disc: Path, dcmtk: Callable[[str], str]
) -> None:
    path = disc / "DICOM/CT/IM000003"
    subprocess.run([dcmtk("dcmconv"), "+ti", path, path], check=True, capture_output=True)
    assert findings_of(imported(archive, disc)).counts == {FindingKind.OTHER_SYNTAX: 1}


def test_a_file_that_became_something_else_is_told(archive: Archive, disc: Path) -> None:
    (disc / "DICOM/CT/IM000004").write_text("rubbish", encoding="utf-8")
    results = imported(archive, disc)
    assert verdicts(results) == {Verdict.STORED: 7, Verdict.NOT_DICOM: 1, Verdict.DIRECTORY: 1}
    assert findings_of(results).counts == {FindingKind.OTHER_OBJECT: 1}


def test_names_may_have_become_lower_case_or_have_versions(archive: Archive, disc: Path) -> None:
    for path in sorted(disc.rglob("IM*")):
        path.rename(path.with_name(f"{path.name.lower()}.;1"))
    (disc / "DICOM").rename(disc / "dicom")
    (disc / "DICOMDIR").rename(disc / "dicomdir")
    results = imported(archive, disc)
    assert verdicts(results) == {Verdict.STORED: 8, Verdict.DIRECTORY: 1}
    assert findings_of(results).counts == {}


@pytest.mark.parametrize("file_id", ["../../ETC/PASSWD", "/ETC/PASSWD", "C:/SECRET", "DICOM//IM"])
def test_a_record_that_leads_out_of_the_medium_is_never_followed(archive: Archive, disc: Path, file_id: str) -> None:
    path = disc / "DICOMDIR"
    ds = pydicom.dcmread(path)
    record = next(item for item in ds.DirectoryRecordSequence if "ReferencedFileID" in item)
    record["ReferencedFileID"] = pydicom.DataElement(0x00041500, "CS", file_id.split("/"), already_converted=True)
    ds.save_as(path)
    results = imported(archive, disc)
    assert verdicts(results)[Verdict.STORED] == 8
    counts = dict(findings_of(results).counts)
    counts.pop(FindingKind.DIRECTORY_DAMAGED, None)
    assert counts == {FindingKind.OUTSIDE: 1, FindingKind.NOT_NAMED: 1}


def test_a_directory_that_cannot_be_read_keeps_no_file_out(archive: Archive, disc: Path) -> None:
    ds = pydicom.Dataset()
    ds.FileSetID = "BROKEN"
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = pydicom.uid.UID(MEDIA_STORAGE_DIRECTORY)
    ds.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID("2.25.1")
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    ds.save_as(disc / "DICOMDIR", enforce_file_format=True)
    results = imported(archive, disc)
    assert verdicts(results) == {Verdict.STORED: 8, Verdict.DIRECTORY: 1}
    assert findings_of(results).counts[FindingKind.DIRECTORY_DAMAGED] == 1


def test_a_set_in_a_zip_file_is_checked_too(archive: Archive, disc: Path, tmp_path: Path) -> None:
    (disc / "DICOM/CT/IM000000").unlink()
    with zipfile.ZipFile(tmp_path / "disc.zip", "w") as archived:
        for path in sorted(disc.rglob("*")):
            archived.write(path, Path("study") / path.relative_to(disc))
    results = imported(archive, tmp_path / "disc.zip")
    assert verdicts(results) == {Verdict.STORED: 7, Verdict.DIRECTORY: 1}
    assert findings_of(results).counts == {FindingKind.MISSING: 1}


def test_a_set_within_a_set_has_its_own_directory(archive: Archive, disc: Path, made_set: Path) -> None:
    shutil.copytree(made_set, disc / "COPY")
    results = imported(archive, disc)
    assert verdicts(results) == {Verdict.STORED: 8, Verdict.ALREADY_KEPT: 8, Verdict.DIRECTORY: 2}
    assert report_of(results).findings.total == 0


def test_a_hundred_findings_are_named_and_all_are_counted() -> None:
    findings = Findings()
    for number in range(250):
        findings.add(FindingKind.MISSING, str(number))
    assert (findings.total, len(findings.sentences)) == (250, 100)


VARIANTS = ("", "-bigEnd", "-implicit", "-nooffset", "-nopatient", "-reordered", "-empty.dcm")


@pytest.mark.parametrize("variant", VARIANTS)
def test_broken_variants_of_a_real_directory_keep_no_object_out(
    archive: Archive, shared_data: Path, tmp_path: Path, variant: str
) -> None:
    real = shared_data / "media" / "pydicom-filesets"
    disc = tmp_path / "disc"
    for patient in ("77654033", "98892001", "98892003"):
        shutil.copytree(real / patient, disc / patient)
    shutil.copy(real / f"DICOMDIR{variant}", disc / "DICOMDIR")
    results = imported(archive, disc)
    objects = len([path for path in disc.rglob("*") if path.is_file()]) - 1
    assert verdicts(results) == {Verdict.STORED: objects, Verdict.DIRECTORY: 1}
    expected = {FindingKind.NOT_NAMED: objects} if "empty" in variant else {}
    counts = dict(findings_of(results).counts)
    counts.pop(FindingKind.DIRECTORY_DAMAGED, None)
    assert counts == expected
