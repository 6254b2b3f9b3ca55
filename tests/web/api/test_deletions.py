"""Deleting over HTTP: everything stays until the time to take it back is over, then exactly what was chosen goes."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest

from radfuse.jobs import JobState, run_next
from radfuse.services.commitment import Commitments
from radfuse.services.deletion_job import DELETE, DeletionSurroundings, run_deletion, submit_deletion
from radfuse.services.selection import Selection
from tests.support.generate import STUDY_UID, GeneratedSet
from tests.web.api.conftest import RunningApi
from tests.web.conftest import keep

STUDY = f"/studies/{STUDY_UID}"


@pytest.fixture
def filled(api: RunningApi, generated_set: GeneratedSet) -> RunningApi:
    for path in generated_set.files:
        keep(api.archive, path)
    return api


def delete(api: RunningApi, **selection: Any) -> Any:
    return api.send("POST", "/deletions", selection, 202)


def run(api: RunningApi, job: int) -> JobState:
    """What the worker does when it is due."""
    kind = partial(run_deletion, surroundings=DeletionSurroundings(lambda _: api.archive, Commitments(api.desk.jobs)))
    return run_next(api.desk.jobs, {DELETE: kind}, job).state


def objects(api: RunningApi) -> int:
    return sum(study["NumberOfStudyRelatedInstances"] for study in api.get("/studies")["studies"])


def test_a_deletion_waits_for_its_time(filled: RunningApi, generated_set: GeneratedSet) -> None:
    before_s = time.time()
    deletion = delete(filled, studies=[STUDY_UID])
    assert before_s + 300 <= deletion["due_s"] <= time.time() + 300
    job = deletion["job"]
    assert (job["kind"], job["state"], job["next_attempt_s"]) == ("delete", "waiting", deletion["due_s"])
    assert (job["pending"], job["title"]) == (
        len(generated_set.files),
        f"{len(generated_set.files)} objects of 1 study",
    )
    assert "cancel" in job["actions"]


def test_until_then_everything_is_where_it_was(filled: RunningApi, generated_set: GeneratedSet) -> None:
    deletion = delete(filled, studies=[STUDY_UID])
    (study,) = filled.get("/studies")["studies"]
    leaving = [badge for badge in study["badges"] if badge["kind"] == "leaving"]
    assert leaving == [{"kind": "leaving", "due_s": deletion["due_s"], "job": deletion["job"]["id"]}]
    assert objects(filled) == len(generated_set.files)
    assert len(filled.http.get(f"{filled.url}/dicom-web/instances").json()) == len(generated_set.files)


def test_cancelling_takes_it_back(filled: RunningApi, generated_set: GeneratedSet) -> None:
    job = delete(filled, studies=[STUDY_UID])["job"]["id"]
    assert filled.send("POST", f"/jobs/{job}/cancel")["state"] == "cancelled"
    assert run(filled, job) is JobState.CANCELLED
    assert objects(filled) == len(generated_set.files)
    assert not [badge for badge in filled.get("/studies")["studies"][0]["badges"] if badge["kind"] == "leaving"]


def test_then_it_is_gone(filled: RunningApi) -> None:
    job = delete(filled, studies=[STUDY_UID])["job"]["id"]
    assert run(filled, job) is JobState.DONE
    assert filled.get("/studies")["studies"] == []
    assert filled.problem("GET", STUDY)["status"] == 404
    assert filled.http.get(f"{filled.url}/dicom-web{STUDY}").status_code == 404


def test_a_series_or_single_objects_can_be_deleted(filled: RunningApi, generated_set: GeneratedSet) -> None:
    ct = next(each for each in filled.get(STUDY)["series"] if each["Modality"] == "CT")["SeriesInstanceUID"]
    mr = next(each for each in filled.get(STUDY)["series"] if each["Modality"] == "MR")["SeriesInstanceUID"]
    instance = filled.get(f"{STUDY}/series/{mr}")["instances"][0]["SOPInstanceUID"]
    deletion = delete(
        filled,
        series=[{"study": STUDY_UID, "series": ct}],
        instances=[{"study": STUDY_UID, "series": mr, "instance": instance}],
    )
    assert run(filled, deletion["job"]["id"]) is JobState.DONE
    assert objects(filled) == len(generated_set.files) - len(generated_set.ct) - 1
    assert filled.problem("GET", f"{STUDY}/series/{ct}")["status"] == 404


def test_what_comes_after_it_was_chosen_stays(api: RunningApi, generated_set: GeneratedSet) -> None:
    keep(api.archive, generated_set.ct[0])
    job = delete(api, studies=[STUDY_UID])["job"]["id"]
    keep(api.archive, generated_set.ct[1])
    assert run(api, job) is JobState.DONE
    assert objects(api) == 1


@pytest.mark.parametrize(
    ("selection", "status"),
    [
        ({}, 400),
        ({"studies": ["1.2.3"]}, 404),
        ({"studies": ["x"]}, 400),
        ({"studies": "1.2"}, 400),
        ({"studies": ["1.2"], "database": "other"}, 404),
        ({"everything": True}, 400),
        ([], 400),
    ],
)
def test_what_cannot_be_deleted_is_refused(selection: object, status: int, api: RunningApi) -> None:
    assert api.problem("POST", "/deletions", selection)["status"] == status
    assert api.desk.jobs.list() == []


def test_without_time_to_take_it_back_it_is_due_at_once(filled: RunningApi) -> None:
    desk = replace(filled.desk, undo_s=0.0)
    number = submit_deletion(desk.jobs, filled.archive, Selection([STUDY_UID]), desk.undo_s)
    assert desk.jobs.get(number).state is JobState.QUEUED


def test_deleting_twice_finds_it_gone(filled: RunningApi) -> None:
    first, second = (delete(filled, studies=[STUDY_UID])["job"]["id"] for _ in range(2))
    assert run(filled, first) is JobState.DONE
    assert run(filled, second) is JobState.DONE
    items = filled.get(f"/jobs/{second}/items")["items"]
    assert {item["comment"] for item in items} == {"it was gone already"}


def test_a_download_that_is_under_way_ends_whole_or_is_seen_to_be_cut(filled: RunningApi) -> None:
    job = delete(filled, studies=[STUDY_UID])["job"]["id"]
    rest = b""
    is_cut = False
    with filled.http.stream("GET", f"{filled.url}/dicom-web{STUDY}", headers={"Accept": "*/*"}) as answer:
        assert answer.status_code == 200
        pieces = answer.iter_raw(1024)
        next(pieces)
        assert run(filled, job) is JobState.DONE
        try:
            for piece in pieces:
                rest = piece
        except httpx.RemoteProtocolError:
            is_cut = True
    assert is_cut != rest.rstrip().endswith(b"--")
    assert filled.get("/studies")["studies"] == []
