"""A medium anonymized: its DICOMDIR is made anew, names nobody, and leads to every file as the old one did."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from radfuse.deid import Report
from radfuse.services.anonymize import OutputFolder, Verdict, anonymize_files, report_outcome, sources_of
from radfuse.services.anonymize_media import write_anonymized_directory
from radfuse.services.anonymize_verify import verify_files
from radfuse.services.import_media import files_below
from tests.services.anonymize_scenes import recipe, written
from tests.support.generate import PATIENT_ID, PATIENT_NAME, GeneratedSet


def records(folder: Path) -> dict[tuple[str, ...], pydicom.Dataset]:
    """The records of objects in a DICOMDIR, as pydicom reads them, by the files that they name."""
    directory = pydicom.dcmread(folder / "DICOMDIR")
    objects = [each for each in directory.DirectoryRecordSequence if "ReferencedFileID" in each]
    return {tuple(each.ReferencedFileID): each for each in objects}


def lead_to_their_files(folder: Path) -> bool:
    """Whether each record names the object that is in its file."""
    return all(
        pydicom.dcmread(folder.joinpath(*file_id)).SOPInstanceUID == record.ReferencedSOPInstanceUIDInFile
        for file_id, record in records(folder).items()
    )


def test_records_lead_to_the_anonymized_files_and_name_nobody(generated_set: GeneratedSet, tmp_path: Path) -> None:
    to = OutputFolder(tmp_path, durable=False, as_media=True)
    files = [*generated_set.ct, *generated_set.pet, *generated_set.mr]
    done = list(anonymize_files(sources_of(files), to, recipe("patient")))
    assert write_anonymized_directory(to) == len(done) == len(files)
    content = (tmp_path / "DICOMDIR").read_bytes()
    assert PATIENT_ID.encode() not in content
    assert PATIENT_NAME.split("^")[0].encode().lower() not in content.lower()
    assert lead_to_their_files(tmp_path)
    assert {"/".join(file_id) for file_id in records(tmp_path)} == {each.path for each in done}
    judged = list(verify_files(written(tmp_path), known=[PATIENT_ID, PATIENT_NAME]))
    assert len(judged) == len(files) + 1
    assert not [found for each in judged for found in each.findings if found.is_wrong]


def test_a_second_run_finds_the_same_files_and_makes_the_directory_again(
    generated_set: GeneratedSet, tmp_path: Path
) -> None:
    to = OutputFolder(tmp_path, durable=False, as_media=True)
    for files, verdict in ((generated_set.ct[:2], Verdict.ANONYMIZED), (generated_set.ct[:2], Verdict.ALREADY_THERE)):
        assert {each.verdict for each in anonymize_files(sources_of(files), to, recipe())} == {verdict}
        assert write_anonymized_directory(to) == 2
    assert len(records(tmp_path)) == 2
    assert len(written(tmp_path)) == 3


def test_files_of_others_in_the_folder_do_not_come_into_the_directory(
    generated_set: GeneratedSet, tmp_path: Path
) -> None:
    to = OutputFolder(tmp_path, durable=False, as_media=True)
    list(anonymize_files(sources_of(generated_set.ct[:1]), to, recipe()))
    foreign = tmp_path / "DOE" / "JANE" / "CT" / "IM1"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(generated_set.ct[1].read_bytes())
    assert write_anonymized_directory(to) == 1
    assert PATIENT_ID.encode() not in (tmp_path / "DICOMDIR").read_bytes()


def test_the_directory_of_a_real_medium_is_left_out_and_that_is_reported(shared_data: Path, tmp_path: Path) -> None:
    medium = shared_data / "media" / "pydicom-filesets" / "TINY_ALPHA"
    if not (medium / "DICOMDIR").is_file():
        pytest.skip("the shared set has no medium")
    how = recipe()
    report = Report(how.profile)
    to = OutputFolder(tmp_path, durable=False, as_media=True)
    outcomes = list(anonymize_files(sources_of(files_below([medium])), to, how))
    for outcome in outcomes:
        report_outcome(report, outcome)
    assert sum(outcome.verdict is Verdict.DIRECTORY for outcome in outcomes) == 1
    assert "a DICOMDIR was left out" in report.as_markdown()
    assert not (tmp_path / "DICOMDIR").exists()
    write_anonymized_directory(to)
    assert lead_to_their_files(tmp_path)
    assert len(records(tmp_path)) == len(records(medium))


def test_a_directory_that_names_a_patient_does_not_pass(shared_data: Path) -> None:
    (judged,) = verify_files([shared_data / "media" / "pydicom-filesets" / "TINY_ALPHA" / "DICOMDIR"])
    assert [found.where for found in judged.findings] == ["DirectoryRecordSequence > PatientName"]
