"""The generated study that stands in for real data is itself readable DICOM."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pydicom
import pytest

from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from tests.support.generate import PATIENT_ID, STUDY_UID, GeneratedSet


def test_every_generated_file_is_a_different_instance_of_one_study(generated_set: GeneratedSet) -> None:
    read = [pydicom.dcmread(path) for path in generated_set.files]
    assert len({ds.SOPInstanceUID for ds in read}) == len(generated_set.files) == 19
    assert {ds.StudyInstanceUID for ds in read} == {STUDY_UID}
    assert {ds.PatientID for ds in read} == {PATIENT_ID}
    assert {ds.SOPClassUID for ds in read} <= set(STORAGE_CLASS_NAMES)


@pytest.mark.peers
def test_dcmtk_reads_every_generated_file(generated_set: GeneratedSet, dcmtk: Callable[[str], str]) -> None:
    for path in generated_set.files:
        subprocess.run([dcmtk("dcmdump"), "-q", str(path)], check=True, stdout=subprocess.DEVNULL)
