"""Reports, lists of objects, PDF and waveforms over the API."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from radfuse.objects.common import Making, encode, reference_to
from radfuse.objects.ko import KeyObjects, build_key_objects
from radfuse.objects.pdf import Document, PaperReport, build_encapsulated_pdf, render_pdf
from radfuse.services.documents import facts, recordings
from radfuse.services.import_media import files_below, import_files
from tests.objects.documents import GROUPS, IMAGES, PROVENANCE, SERIES, STUDY, image, report_of
from tests.objects.test_waveform import STORED, TWO, group, note, recording
from tests.web.api.conftest import RunningApi, api_in

GONE = image(9)


@dataclass(frozen=True)
class Kept:
    """An API over a study with one document of each kind."""

    api: RunningApi
    report: str
    selection: str
    pdf: str
    pdf_bytes: bytes
    stl: str


def _stl(pdf: Dataset) -> Dataset:
    """A model, whose object calls it a page of HTML."""
    ds = deepcopy(pdf)
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.104.3", "2.25.7704"
    ds.MIMETypeOfEncapsulatedDocument, ds.EncapsulatedDocument = "text/html", b"<script>alert(1)</script>."
    del ds.EncapsulatedDocumentLength
    return ds


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    folder = tmp_path_factory.mktemp("documents")
    page = render_pdf(PaperReport("A report", "")).content
    common: Any = {"provenance": PROVENANCE, "series": SERIES}
    pdf = build_encapsulated_pdf(Document(page, "A report"), IMAGES[0], **common, making=making("2.25.7701."))
    references = (reference_to(IMAGES[0], frames=(3,)), reference_to(GONE))
    chosen = KeyObjects(references, description="for Monday")
    (selection,) = build_key_objects(chosen, [IMAGES[0]], **common, making=making("2.25.7702."))
    report, stl = report_of(*GROUPS), _stl(pdf)
    for number, ds in enumerate((IMAGES[0], pdf, selection, report, stl)):
        (folder / f"{number}.dcm").write_bytes(encode(ds))
    (folder / "ecg.dcm").write_bytes(recording(group(STORED, *TWO), notes=(note(UnformattedTextValue="normal"),)))
    with api_in(folder / "data") as api:
        list(import_files(api.archive, files_below(sorted(folder.glob("*.dcm")))))
        report_uid, selection_uid, pdf_uid, stl_uid = (str(ds.SOPInstanceUID) for ds in (report, selection, pdf, stl))
        yield Kept(api, report_uid, selection_uid, pdf_uid, page, stl_uid)


def making(prefix: str) -> Making:
    numbers = count(1)
    return Making(datetime(2026, 11, 22, 10, 30, tzinfo=UTC), lambda: f"{prefix}{next(numbers)}", "Reader^One")


def test_a_report_is_a_page_without_script(kept: Kept) -> None:
    found = kept.api.get(f"/documents/{kept.report}")
    assert (found["kind"], found["title"]) == ("report", "Imaging Measurement Report")
    assert "lesion 1" in found["page"]
    assert "<script" not in found["page"]


def test_a_selection_lists_what_was_picked_out_and_where_it_is(kept: Kept) -> None:
    found = kept.api.get(f"/documents/{kept.selection}")
    assert (found["kind"], found["title"], found["page"]) == ("selection", "Of Interest", "")
    assert {"name": "Description", "text": "for Monday"} in found["lines"]
    here, gone = found["references"]
    assert here == {
        "SOPInstanceUID": str(IMAGES[0].SOPInstanceUID),
        "frames": [3],
        "SeriesInstanceUID": str(IMAGES[0].SeriesInstanceUID),
        "StudyInstanceUID": STUDY,
        "Modality": "PT",
        "SeriesDescription": "",
    }
    assert (gone["SOPInstanceUID"], gone["SeriesInstanceUID"]) == (str(GONE.SOPInstanceUID), "")


def test_a_pdf_comes_out_as_it_went_in_and_is_shown_in_our_own_pages_only(kept: Kept) -> None:
    assert kept.api.get(f"/documents/{kept.pdf}")["kind"] == "pdf"
    answer = kept.api.http.get(f"{kept.api.url}/api/documents/{kept.pdf}/file")
    assert answer.content == kept.pdf_bytes
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("inline")
    assert answer.headers["content-security-policy"] == "frame-ancestors 'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_calls_itself_html_is_a_file_to_be_saved(kept: Kept) -> None:
    assert kept.api.get(f"/documents/{kept.stl}")["kind"] == "file"
    answer = kept.api.http.get(f"{kept.api.url}/api/documents/{kept.stl}/file")
    assert b"<script>" in answer.content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_recording_tells_its_channels_and_gives_its_samples(kept: Kept) -> None:
    found = kept.api.get("/waveforms/2.25.77")
    assert [each["name"] for each in found["groups"][0]["channels"]] == ["Lead I", "Lead II"]
    assert [each["value"] for each in found["annotations"]] == ["normal"]
    answer = kept.api.http.get(f"{kept.api.url}/api/waveforms/2.25.77/samples?from_s=0.002&seconds=60")
    assert np.frombuffer(answer.content, "<f4").reshape(2, 2).tolist() == [[7.5, -12.5], [10, 2990]]


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/documents/2.25.4711", 404, "instance"),
        ("/documents/none", 400, "UID"),
        ("/documents/2.25.77/file", 422, "no file"),
        ("/waveforms/2.25.100.80.1", 422, "no waveform"),
        ("/waveforms/2.25.77/samples?group=1", 422, "no such group"),
        ("/waveforms/2.25.77/samples?seconds=0", 400, "seconds"),
    ],
)
def test_what_is_not_there_is_said(kept: Kept, path: str, status: int, reason: str) -> None:
    problem = kept.api.problem("GET", path)
    assert problem["status"] == status
    assert reason in problem["detail"]


def test_more_samples_than_fit_an_answer_are_refused(monkeypatch: pytest.MonkeyPatch, kept: Kept) -> None:
    monkeypatch.setattr(recordings, "MOST_VALUES", 3)
    assert "fewer seconds" in kept.api.problem("GET", "/waveforms/2.25.77/samples")["detail"]


def test_who_looked_at_what_is_in_the_access_log(kept: Kept) -> None:
    kept.api.get(f"/documents/{kept.selection}")
    kept.api.http.get(f"{kept.api.url}/api/documents/{kept.pdf}/file")
    entries = kept.api.get("/audit")["entries"]
    assert {"view", "download"} <= {entry["action"] for entry in entries if entry["study"] == STUDY}


def test_of_many_references_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch, kept: Kept) -> None:
    monkeypatch.setattr(facts, "_MOST_REFERENCES", 1)
    found = kept.api.get(f"/documents/{kept.selection}")
    assert (len(found["references"]), found["unlisted"]) == (1, 1)
