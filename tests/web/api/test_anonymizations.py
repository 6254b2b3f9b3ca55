"""Anonymizing from the page: a job, a preview, and all that can be asked wrongly."""

from __future__ import annotations

from typing import Any

import pytest

from radfuse.core.aetitle import AETitle
from radfuse.services.peers import Peer
from radfuse.services.project_keys import Keys
from tests.support.generate import PATIENT_ID, STUDY_UID
from tests.web.api.conftest import RunningApi

ONE = {"study": STUDY_UID, "series": "2.25.7100.1", "instance": "2.25.7100.1.1"}
WANTED = {"studies": [STUDY_UID], "peer": "PACS1", "options": ["patient"], "preset": "pet", "key": "trial"}


@pytest.fixture
def ready(filled_api: RunningApi) -> RunningApi:
    """An API with a study, a peer and a key."""
    filled_api.desk.peers.add(Peer("PACS1", AETitle("SINK"), "127.0.0.1", 104))
    keys = Keys(filled_api.desk.data)
    if "trial" not in keys.names():
        keys.new("trial")
    return filled_api


def test_a_study_is_queued_to_be_anonymized_for_a_peer(ready: RunningApi) -> None:
    job = ready.send("POST", "/anonymizations", WANTED, 202)
    assert (job["kind"], job["peer"], job["state"], job["pending"]) == ("anonymize", "PACS1", "queued", 19)
    parameters = ready.desk.jobs.get(job["id"]).parameters
    assert (parameters["options"], parameters["preset"], parameters["key"]) == (["patient"], "pet", "trial")
    assert job["id"] in [about.id for _, about in ready.desk.jobs.about([STUDY_UID])]


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"peer": "PACS9"}, 404, "PACS9"),
        ({"peer": None}, 400, "say where it goes"),
        ({"into": "research"}, 400, "say where it goes"),
        ({"peer": None, "into": "research"}, 404, "research"),
        ({"peer": None, "into": "default"}, 400, "among their originals"),
        ({"options": ["names"]}, 400, "is none of"),
        ({"options": ["dates", "shifted-dates"]}, 400, "not both"),
        ({"options": "patient"}, 400, "options"),
        ({"preset": "ct"}, 400, "is none of"),
        ({"key": "lost"}, 400, "there is no key"),
        ({"key": "../../etc/passwd"}, 400, "is not a name"),
        ({"studies": []}, 400, "nothing is selected"),
        ({"studies": ["2.25.404"]}, 404, "no such study"),
        ({"everything": True}, 400, "everything"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], status: int, words: str, ready: RunningApi) -> None:
    before = len(ready.desk.jobs.list())
    problem = ready.problem("POST", "/anonymizations", WANTED | changes)
    assert problem["status"] == status
    assert words in problem["detail"]
    assert len(ready.desk.jobs.list()) == before


def test_a_preview_shows_an_object_before_and_after(ready: RunningApi) -> None:
    made = ready.get("/preview-anonymization", **ONE, preset="pet", options=["descriptors"], key="trial")
    elements = {each["element"]: each for each in made["elements"]}
    assert elements["PatientID"]["before"] == PATIENT_ID
    assert elements["PatientID"]["after"].startswith("ANON-")
    assert elements["Rows"]["became"] == "kept"
    assert ready.get("/preview-anonymization", **ONE, preset="pet", options=["descriptors"], key="trial") == made


def test_a_preview_of_what_would_be_refused_says_why(ready: RunningApi) -> None:
    report = {"study": STUDY_UID, "series": "2.25.7100.5", "instance": "2.25.7100.5.1"}
    made = ready.get("/preview-anonymization", **report)
    assert made["elements"] == []
    assert len(made["warnings"]) == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"study": "1.2.*"}, 400), ({"instance": "2.25.404"}, 404), ({"key": "lost"}, 400), ({"options": "x"}, 400)],
    ids=str,
)
def test_a_preview_of_nothing_is_refused(changes: dict[str, str], status: int, ready: RunningApi) -> None:
    answer = ready.http.get(f"{ready.url}/api/preview-anonymization", params=ONE | changes)
    assert answer.status_code == status
