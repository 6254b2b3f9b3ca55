"""SUV of series of the archive and of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from radfuse.core.errors import CannotComputeSUV
from radfuse.services.suv import report_rows, suv_of_files, uptake_hint
from radfuse.volume.suv import SuvKind, suv_evidence
from tests.support.generate import GeneratedSet
from tests.volume.suv.headers import pet, pet_file


def test_each_PET_series_among_the_files_is_reported_and_others_are_passed_over(
    generated_set: GeneratedSet, tmp_path: Path
) -> None:
    refused = pet_file(tmp_path / "refused", 0, PatientWeight="0")
    (tmp_path / "notes.txt").write_text("no image")
    reports = suv_of_files([generated_set.root, tmp_path])
    assert [report.images for report in reports] == [5, 1]
    good, bad = reports
    assert good.evidence is not None
    assert not good.refusal
    assert (bad.series_uid, bad.evidence) == (refused, None)
    assert bad.refusal == "no SUV can be computed: Patient's Weight is 0 or less"


def test_files_without_a_PET_image_are_refused(generated_set: GeneratedSet) -> None:
    with pytest.raises(CannotComputeSUV, match="no PET image"):
        suv_of_files(generated_set.ct)


def test_the_facts_of_the_injection_are_rows_of_a_report() -> None:
    rows = [(row.name, row.value, row.unit) for row in report_rows(suv_evidence([pet()]))]
    assert rows == [
        ("Radiopharmaceutical", "FDG", ""),
        ("Injected activity", "368.1", "MBq"),
        ("Uptake time", "60.0", "min"),
    ]


@pytest.mark.parametrize(
    ("injected", "drug", "is_unusual"),
    [
        ("100000", "FDG", False),
        ("101500", "FDG", False),
        ("101600", "FDG", True),
        ("092900", "Fluorodeoxyglucose", True),
        ("092900", "FLT", False),
    ],
)
def test_an_unusual_uptake_time_of_FDG_is_a_hint(injected: str, drug: str, is_unusual: bool) -> None:
    header = pet(Radiopharmaceutical=drug, RadiopharmaceuticalStartDateTime=None, RadiopharmaceuticalStartTime=injected)
    assert bool(uptake_hint(suv_evidence([header], SuvKind.BW))) is is_unusual
