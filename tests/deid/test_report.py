"""The report: what was done and why, for people and machines, with nothing of what was removed."""

from __future__ import annotations

import json

import pytest

from radfuse.deid import Anonymizer, Option, Profile, ProjectKey, Report
from tests.deid import identifying

KEY = ProjectKey(b"a key of the tests that is long enough")


@pytest.fixture(scope="module")
def report() -> Report:
    profile = Profile(frozenset({Option.SHIFTED_DATES, Option.DEVICE}))
    made = Report(profile)
    done = Anonymizer(profile, KEY).anonymize(identifying.everything())
    made.add(Report.counts_of(done, profile), ("may show a face: it is a head",), 1000)
    made.refuse("it is a structured report", "/data/Quillfeather/1.dcm")
    made.refuse("it is a structured report", "/data/Quillfeather/2.dcm")
    made.finish()
    return made


def test_nothing_that_was_removed_is_in_any_form_of_it(report: Report) -> None:
    for text in (report.as_markdown(), report.as_html(), json.dumps(report.as_json())):
        assert "SECRET" not in text
        assert "Quillfeather" not in text
        assert "20231123" not in text


def test_people_read_how_many_were_given_and_why_others_were_not(report: Report) -> None:
    text = report.as_markdown()
    assert "1 object was given, 2 refused, of 3" in text
    assert "| 2 | it is a structured report | 2, 3 |" in text
    assert "PS3.15 2024b" in text
    assert "may show a face" in text


def test_every_attribute_has_its_reason(report: Report) -> None:
    lines = {(each["Keyword"], each["Action"]): each for each in report.as_json()["Attributes"]}
    assert lines["PatientName", "Z"]["Reason"] == "Table E.1-1: Z"
    assert lines["PatientName", "Z"]["Count"] == 3
    assert lines["StudyDate", "shift"]["Reason"].startswith("option shifted-dates")
    assert lines["DeviceSerialNumber", "K"]["Reason"].startswith("option device")
    assert lines["private attributes", "X"]["Count"] == 2


def test_the_page_loads_nothing_and_shows_markup_as_text(report: Report) -> None:
    made = Report(Profile())
    made.refuse("<script>alert(1)</script> | a pipe")
    page = made.as_html()
    assert "<script>" not in page
    assert "http" not in page
    assert page.count("<table>") == page.count("</table>") == 2


def test_names_of_files_are_told_only_when_asked_for() -> None:
    made = Report(Profile(), with_names=True)
    made.refuse("it is a structured report", "/data/1.dcm")
    assert "/data/1.dcm" in made.as_markdown()
    assert made.as_json()["Refusals"] == [{"Number": 1, "Reason": "it is a structured report", "Name": "/data/1.dcm"}]
