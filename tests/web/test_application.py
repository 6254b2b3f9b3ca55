"""What stands around DICOMweb: health, metrics, the log of requests, further databases."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from radfuse.archive import Archive, ArchiveSettings, SpaceGuard
from radfuse.dicom import Transcoder
from radfuse.web import Site, WebSurroundings
from tests.app.test_serve import wait_until
from tests.support.generate import STUDY_UID, GeneratedSet
from tests.web.conftest import RunningWeb, ServeWeb, keep
from tests.web.test_storing import TYPE, dicom


def metrics(web: RunningWeb) -> dict[str, float]:
    answer = web.http.get(f"{web.url}/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = (line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def test_a_sound_service_says_so(web: RunningWeb) -> None:
    answer = web.http.get(f"{web.url}/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_full_store_is_not_healthy(web: RunningWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web.archive, "settings", replace(web.archive.settings, space=SpaceGuard(1 << 62, 2.0)))
    answer = web.http.get(f"{web.url}/healthz")
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == "the store of database default has no room left beyond its reserve"


def test_a_store_that_cannot_be_written_is_not_healthy(web: RunningWeb) -> None:
    incoming = web.archive.settings.folder / "incoming"
    incoming.rename(incoming.with_name("away"))
    try:
        answer = web.http.get(f"{web.url}/healthz")
    finally:
        incoming.with_name("away").rename(incoming)
    assert answer.status_code == 503
    assert answer.json()["detail"] == "the store of database default cannot be written"


def test_an_index_that_cannot_be_read_is_not_healthy(web: RunningWeb) -> None:
    with web.archive.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE instance RENAME TO away")
    answer = web.http.get(f"{web.url}/healthz")
    with web.archive.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO instance")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "the index of database default cannot be read"
    assert web.http.get(f"{web.url}/healthz").status_code == 200


def test_metrics_count_requests_by_template_and_objects(serve_web: ServeWeb, generated_set: GeneratedSet) -> None:
    web = serve_web(site=Site({}, job_totals=lambda: {"queued": 3}))
    body = dicom(generated_set.ct[0].read_bytes(), b"nonsense")
    assert web.post(body, TYPE).status_code == 202
    for _ in range(2):
        assert web.get(f"/studies/{STUDY_UID}/series").status_code == 200
    assert web.get("/nothing").status_code == 404
    found = metrics(web)
    route = 'method="GET",route="/dicom-web/studies/{study}/series"'
    assert found[f'radfuse_http_requests_total{{{route},status="200"}}'] == 2
    assert found[f"radfuse_http_request_seconds_count{{{route}}}"] == 2
    assert found[f"radfuse_http_sent_bytes_total{{{route}}}"] > 100
    assert found['radfuse_http_requests_total{method="GET",route="(none)",status="404"}'] == 1
    assert found['radfuse_http_received_bytes_total{method="POST",route="/dicom-web/studies"}'] == len(body)
    assert found['radfuse_http_objects_total{result="kept"}'] == 1
    assert found['radfuse_http_objects_total{result="refused"}'] == 1
    assert found['radfuse_kept{database="default",level="instance"}'] == 1
    assert found['radfuse_jobs{state="queued"}'] == 3
    assert STUDY_UID not in web.http.get(f"{web.url}/metrics").text


def test_counts_that_cannot_be_had_leave_the_rest(serve_web: ServeWeb) -> None:
    def broken() -> dict[str, int]:
        raise OSError("away")

    found = metrics(serve_web(site=Site({}, job_totals=broken)))
    assert found['radfuse_kept{database="default",level="study"}'] == 0
    assert "radfuse_http_requests_running" in found


def test_each_request_is_one_line_without_what_was_asked_for(
    web: RunningWeb, caplog: pytest.LogCaptureFixture, generated_set: GeneratedSet
) -> None:
    def lines() -> list[dict[str, Any]]:
        return [vars(record) for record in caplog.records if record.name == "radfuse.access"]

    keep(web.archive, generated_set.ct[0])
    with caplog.at_level(logging.INFO, "radfuse.access"):
        answer = web.get(f"/studies/{STUDY_UID}/metadata?PatientName=Secret")
        wait_until(lambda: len(lines()) == 1)  # the line is written after the answer
        web.http.get(f"{web.url}/healthz", headers={"X-Request-ID": "1.2.840.99.1"})
        wait_until(lambda: len(lines()) == 2)
        named = web.http.get(f"{web.url}/healthz", headers={"X-Request-ID": "0123-abcd-4567"})
        wait_until(lambda: len(lines()) == 3)
    records = lines()
    assert [record["route"] for record in records] == ["/dicom-web/studies/{study}/metadata", "/healthz", "/healthz"]
    assert (records[0]["status"], records[0]["address"]) == (200, "127.0.0.1")
    assert records[0]["sent_bytes"] == len(answer.content)
    ids = [record["request"] for record in records]
    assert ids[0] == answer.headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{16}", ids[1])
    assert ids[2] == named.headers["X-Request-ID"] == "0123-abcd-4567"
    assert not any(word in repr(records) for word in (STUDY_UID, "Secret", "1.2.840.99.1"))


def test_an_error_of_ours_is_a_problem_with_an_id_and_is_counted(
    web: RunningWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr("radfuse.web.dicomweb.searching.found_json", broken)
    answer = web.get("/studies")
    assert (answer.status_code, answer.json()["detail"]) == (500, "Internal Server Error")
    assert answer.headers["X-Request-ID"]
    assert "inside" not in answer.text
    assert metrics(web)['radfuse_http_requests_total{method="GET",route="/dicom-web/studies",status="500"}'] == 1


def test_the_server_does_not_say_its_version(web: RunningWeb) -> None:
    answer = web.http.get(f"{web.url}/")
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("there is nothing at this address; DICOMweb begins at /dicom-web")
    assert answer.headers["Server"] == "Radfuse"


def test_further_databases_have_services_of_their_own(
    serve_web: ServeWeb, tmp_path: Path, generated_set: GeneratedSet
) -> None:
    with Archive(ArchiveSettings(tmp_path / "second")) as second, Transcoder() as transcoder:
        web = serve_web(site=Site({"second": WebSurroundings(second, transcoder, "SECOND")}))
        base = f"{web.url}/databases/second/dicom-web"
        path = generated_set.ct[0]
        stored = web.http.post(f"{base}/studies", content=dicom(path.read_bytes()), headers={"Content-Type": TYPE})
        assert stored.status_code == 200
        assert stored.json()["00081190"]["Value"] == [f"{base}/studies/{STUDY_UID}"]
        assert web.get("/studies").json() == []
        (found,) = web.http.get(f"{base}/studies").json()
        assert found["00080054"]["Value"] == ["SECOND"]
        assert found["00081190"]["Value"] == [f"{base}/studies/{STUDY_UID}"]
        (header,) = web.http.get(f"{base}/studies/{STUDY_UID}/metadata").json()
        assert header["7FE00010"]["BulkDataURI"].startswith(base)
        assert web.http.get(header["7FE00010"]["BulkDataURI"]).status_code == 200
        assert web.http.get(f"{web.url}/databases/third/dicom-web/studies").status_code == 404
        template = "/databases/{database}/dicom-web/studies"
        assert metrics(web)[f'radfuse_http_requests_total{{method="GET",route="{template}",status="200"}}'] == 1
        assert metrics(web)['radfuse_kept{database="second",level="instance"}'] == 1


def test_a_browser_asks_again_before_it_shows_what_it_has_kept(filled: RunningWeb) -> None:
    first = filled.get("/studies")
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert filled.http.get(f"{filled.url}/api/nothing").headers["Cache-Control"] == "no-store"
