"""Whole file-sets of real objects, judged by others: DCMTK, GDCM, pydicom, dciodvfy, 7z, and our own import."""

from __future__ import annotations

import gc
import re
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom.fileset import FileSet

from radfuse.archive import Archive, ArchiveSettings
from radfuse.core.sop_classes import STORAGE_CLASSES
from radfuse.dicom import Transcoder
from radfuse.media import read_directory
from radfuse.services.export_media import MediaAsk, export_media, export_packed, plan_export
from radfuse.services.import_media import Verdict, files_below, import_files
from tests.archive.objects import IMPLANT_TEMPLATE, stored_objects
from tests.media.objects import file_of, object_of
from tests.support.judges import program

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::UserWarning:pydicom")]

REAL = ("sop-classes", "sr/documents", "sr/dose", "seg/highdicom")
LEFT_OUT = {"sm_annotations.dcm"}
"""pydicom 3 fails at the record type ANNOTATION."""
GENERATED = tuple(
    row.uid
    for row in STORAGE_CLASSES
    if row.record_type in ("REGISTRATION", "FIDUCIAL", "STEREOMETRIC", "VALUE MAP", "SURFACE", "RT TREAT RECORD")
    or row.uid.startswith(IMPLANT_TEMPLATE.rsplit(".", 2)[0] + ".4")
)
"""Classes of which there are no real objects."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Iterator[Archive]:
    """An archive with real objects of very many classes, and generated ones of the others."""
    folder = tmp_path_factory.mktemp("kept")
    for number, uid in enumerate(GENERATED):
        (folder / f"{number}.dcm").write_bytes(file_of(object_of(uid, number)))
    with Archive(ArchiveSettings(folder / "archive")) as archive:
        files = files_below([folder, *(shared_data / name for name in REAL)])
        list(import_files(archive, [path for path in files if path.name not in LEFT_OUT]))
        yield archive


@pytest.fixture(scope="module")
def ask(kept: Archive) -> MediaAsk:
    """Everything that may be on a medium."""
    generated = (f"2.25.71.{number}" for number in range(len(GENERATED)))  # some of them have no patient
    return MediaAsk("STD-GEN-CD", objects=tuple(sorted({*stored_objects(kept), *generated})), skip_refused=True)


@pytest.fixture(scope="module")
def folder(kept: Archive, ask: MediaAsk, transcoder: Transcoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file-set."""
    made = tmp_path_factory.mktemp("judged") / "set"
    report = export_media(kept, plan_export(kept, ask), made, transcoder=transcoder)
    assert report.objects > 60
    return made


def uids(folder: Path) -> list[str]:
    return sorted(each.sop_instance_uid for each in read_directory(folder / "DICOMDIR").files())


def test_only_what_is_no_object_of_the_standard_is_refused(kept: Archive, ask: MediaAsk, folder: Path) -> None:
    plan = plan_export(kept, ask)
    assert {refusal.rule for refusal in plan.refusals} <= {"class", "transfer syntax"}
    assert len(uids(folder)) + plan.refused == len(ask.objects)
    assert read_directory(folder / "DICOMDIR").findings == ()


def test_every_kind_of_record_that_the_objects_need_is_there(folder: Path) -> None:
    kinds = {record.record_type for record in read_directory(folder / "DICOMDIR").records}
    assert kinds >= {
        *("PATIENT", "STUDY", "SERIES", "IMAGE", "PRESENTATION", "WAVEFORM", "SR DOCUMENT", "ENCAP DOC", "RT DOSE"),
        *("RT STRUCTURE SET", "RT PLAN", "SPECTROSCOPY", "REGISTRATION", "VALUE MAP", "IMPLANT", "IMPLANT GROUP"),
    }


def test_dcmtk_reads_the_directory_and_makes_one_with_the_same_objects(
    folder: Path, dcmtk: Callable[[str], str], tmp_path: Path
) -> None:
    dumped = subprocess.run(
        [dcmtk("dcmdump"), "-E", str(folder / "DICOMDIR")], capture_output=True, check=True, timeout=60
    )
    assert dumped.stderr == b""
    assert dumped.stdout.count(b"refFileID=") == len(uids(folder))
    theirs = tmp_path / "DICOMDIR"
    made = [dcmtk("dcmmkdir"), "-nb", "-Nxc", "-I", "+r", "+id", ".", "+D", str(theirs), "DICOM"]
    subprocess.run(made, cwd=folder, check=False, capture_output=True, timeout=60)
    said = {each.sop_instance_uid: each for each in read_directory(theirs).files()}
    assert len(said) > 45
    for each in read_directory(folder / "DICOMDIR").files():
        other = said.get(each.sop_instance_uid)
        assert other is None or other == each


def test_pydicom_and_gdcm_read_every_file(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        found = FileSet(folder / "DICOMDIR")
        assert sorted(each.load().SOPInstanceUID for each in found) == uids(folder)
        del found
        gc.collect()
    try:
        gdcmscanner = program("gdcmscanner")
    except pytest.skip.Exception:
        pytest.skip("gdcmscanner is not installed (apt-get install libgdcm-tools)")
    scan = [gdcmscanner, "-r", "-p", "-t", "8,18", "-d", str(folder)]
    done = subprocess.run(scan, capture_output=True, check=True, timeout=60)
    assert sorted(re.findall(rb"\(0008,0018\) -> \[([0-9.]+)", done.stdout)) == [uid.encode() for uid in uids(folder)]


def test_an_image_of_the_disc_has_the_same_files(
    kept: Archive, ask: MediaAsk, transcoder: Transcoder, tmp_path: Path
) -> None:
    try:
        seven_zip = program("7z")
    except pytest.skip.Exception:
        pytest.skip("7z is not installed (apt-get install p7zip-full)")
    image = tmp_path / "disc.iso"
    export_packed(kept, plan_export(kept, ask), [image], "iso", transcoder=transcoder)
    subprocess.run([seven_zip, "x", f"-o{tmp_path / 'out'}", str(image)], capture_output=True, check=True, timeout=60)
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256.TXT"], cwd=tmp_path / "out", check=True)


def test_what_is_imported_again_is_what_was_exported(kept: Archive, folder: Path, tmp_path: Path) -> None:
    with Archive(ArchiveSettings(tmp_path / "again")) as again:
        verdicts = [each.verdict for each in import_files(again, files_below([folder]))]
        assert verdicts.count(Verdict.STORED) == len(uids(folder))
        mine, theirs = stored_objects(kept), stored_objects(again)
        native = [uid for uid, each in mine.items() if each.transfer_syntax_uid == "1.2.840.10008.1.2.1"]
        assert all(theirs[uid].digest == mine[uid].digest for uid in native if uid in theirs)
        assert len(native) > 40
