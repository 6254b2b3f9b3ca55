"""How the node is, and what its databases hold."""

from __future__ import annotations

import time

from radfuse.jobs import JobState, NewJob, run_next
from tests.support.generate import GeneratedSet
from tests.web.api.conftest import RunningApi
from tests.web.conftest import keep


def test_the_status_of_a_filled_node(filled_api: RunningApi, generated_set: GeneratedSet) -> None:
    asked_s = time.time()
    status = filled_api.get("/status")
    (database,) = status["databases"]
    assert database["instances"] == len(generated_set.files)
    assert database["ae_titles"] == [status["ae_title"]]
    assert filled_api.get("/databases") == status["databases"]
    assert len(status["arrivals"]) == 24
    hours = [hour["hour_s"] for hour in status["arrivals"]]
    assert hours == list(range(hours[0], hours[0] + 24 * 3600, 3600))
    assert hours[-1] <= time.time()
    assert asked_s < hours[-1] + 3600
    assert sum(hour["objects"] for hour in status["arrivals"]) == database["instances"]
    assert sum(hour["size_bytes"] for hour in status["arrivals"]) == database["size_bytes"] > 0
    volume = status["volume"]
    assert 0 < volume["reserve_bytes"] < volume["free_bytes"] <= volume["size_bytes"]
    assert set(status["jobs"]) == {state.value for state in JobState}
    assert status["dicom_address"].startswith("127.0.0.1:")
    assert status["tls_address"] == ""
    assert status["started_s"] <= time.time()


def test_a_node_without_a_worker_says_so(api: RunningApi) -> None:
    status = api.get("/status")
    assert status["worker_running"] is False
    assert any("No worker runs" in trouble for trouble in status["troubles"])


def test_a_job_that_failed_lately_is_a_trouble(api: RunningApi) -> None:
    job = api.desk.jobs.submit(NewJob("send", "pacs", "1 object to pacs", {"peer": "pacs"}, []))
    run_next(api.desk.jobs, {}, job)
    assert api.desk.jobs.get(job).state is JobState.FAILED
    assert any("A job has failed" in trouble for trouble in api.get("/status")["troubles"])


def test_an_archive_that_cannot_be_written_is_a_trouble(api: RunningApi, generated_set: GeneratedSet) -> None:
    keep(api.archive, generated_set.files[0])
    assert not any("store" in trouble for trouble in api.get("/status")["troubles"])
    incoming = api.folder / "incoming"
    incoming.rename(api.folder / "elsewhere")
    try:
        troubles = api.get("/status")["troubles"]
    finally:
        (api.folder / "elsewhere").rename(incoming)
    assert "The store of database default cannot be written." in troubles
