"""The command that shows reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from radfuse.objects.common import encode
from tests.cli.conftest import Run
from tests.objects.documents import GROUPS, image, report_of


@pytest.fixture
def report_file(tmp_path: Path) -> Path:
    path = tmp_path / "report.dcm"
    path.write_bytes(encode(report_of(*GROUPS)))
    return path


def test_a_report_is_shown_as_text(run: Run, report_file: Path) -> None:
    answer = run("sr", report_file)
    assert answer.code == 0
    assert answer.out.startswith("Imaging Measurement Report\n  Patient: Test, Patient, 4711, 1950-01-02, O\n")
    assert "    SUVbw: 6.5 g/ml{SUVbw} [Derivation: Peak Value Within ROI; Comment: sphere of 1 cm3]\n" in answer.out
    assert "    Positron Emission Tomography Image (x 3)\n" in answer.out


def test_a_report_of_the_archive_is_shown_by_its_uid(run: Run, report_file: Path) -> None:
    assert run("import", report_file).code == 0
    answer = run("sr", "2.25.1000", "--no-patient")
    assert answer.out.startswith("Imaging Measurement Report\n  Study: ")
    assert "4711" not in answer.out


def test_a_report_becomes_a_page(run: Run, report_file: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    answer = run("sr", report_file, "--html", page)
    assert (answer.code, answer.out) == (0, "")
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    again = run("sr", report_file, "--html", page)
    assert (again.code, "exists already" in again.err) == (2, True)


def test_measurements_are_shown_as_a_table_and_as_json(run: Run, report_file: Path) -> None:
    lines = run("sr", report_file, "--measurements").out.splitlines()
    assert lines[0].split() == ["Group", "Finding", "Measurement", "Derivation", "Value", "Unit", "How"]
    assert "threshold = 41 % of SUVmax" in lines[3]
    groups = run("sr", report_file, "--measurements", "--json").json
    assert [group["TrackingIdentifier"] for group in groups] == ["lesion 1", "ellipse", "line"]
    assert groups[0]["Measurements"][0]["Value"] == 8.212345678901234
    assert groups[0]["ReferencedSegment"]["ReferencedSegmentNumber"] == [1]


def test_a_whole_report_is_json(run: Run, report_file: Path) -> None:
    shown = run("sr", report_file, "--json").json
    assert shown["PatientID"] == "4711"
    assert shown["Content"]["ConceptName"]["CodeValue"] == "126000"


def test_what_is_no_report_ends_with_1_and_a_sentence(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "image.dcm"
    path.write_bytes(encode(image()))
    answer = run("sr", path)
    assert answer.code == 1
    assert answer.err == ("radfuse: the object cannot be used: it is no structured report: it has no content tree\n")


def test_what_is_neither_a_file_nor_a_uid_is_wrong_use(run: Run, report_file: Path) -> None:
    assert run("sr", "nothing").code == 2
    assert run("sr", report_file, "--measurements", "--html", "x.html").code == 2
