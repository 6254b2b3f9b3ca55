"""Sending from the page: to DCMTK's storescp, and all that can be asked wrongly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from radfuse.core.aetitle import AETitle
from radfuse.services.peers import Peer
from tests.archive.objects import numbered, store
from tests.support.generate import STUDY_UID
from tests.support.servers import running_storescp
from tests.web.api.conftest import RunningApi
from tests.web.api.working import run_job

SERIES = {"study": STUDY_UID, "series": "2.25.7100.1"}


@pytest.fixture
def peer(filled_api: RunningApi, free_port: int) -> Peer:
    sink = Peer("PACS1", AETitle("SINK"), "127.0.0.1", free_port)
    filled_api.desk.peers.add(sink)
    return sink


@pytest.mark.peers
def test_a_study_goes_to_storescp(
    filled_api: RunningApi, peer: Peer, dcmtk: Callable[[str], str], tmp_path: Path
) -> None:
    job = filled_api.send("POST", "/sends", {"studies": [STUDY_UID], "peer": "PACS1"}, 202)
    assert (job["kind"], job["peer"], job["state"], job["pending"]) == ("send", "PACS1", "queued", 19)
    with running_storescp(dcmtk("storescp"), tmp_path / "sink", peer.port, "--accept-all"):
        run_job(filled_api, job["id"])
    after = filled_api.get(f"/jobs/{job['id']}")
    assert (after["state"], after["sent"]) == ("done", 19)
    assert {item["meaning"] for item in filled_api.get(f"/jobs/{job['id']}/items")["items"]} == {"success"}


def test_series_and_instances_are_sent_and_the_job_is_at_its_address(filled_api: RunningApi, peer: Peer) -> None:
    body = {
        "series": [SERIES],
        "instances": [{"study": STUDY_UID, "series": "2.25.7100.2", "instance": "2.25.7100.2.1"}],
        "peer": "PACS1",
        "priority": 2,
    }
    answer = filled_api.http.post(f"{filled_api.url}/api/sends", json=body)
    assert answer.status_code == 202
    job = filled_api.http.get(filled_api.url + answer.headers["location"]).json()
    assert job == answer.json()
    assert (job["pending"], job["priority"]) == (6, 2)


def test_a_study_of_ten_thousand_instances_is_queued(api: RunningApi) -> None:
    api.desk.peers.add(Peer("PACS1", AETitle("SINK"), "127.0.0.1", 104))
    for number in range(500):
        store(api.archive, numbered(number, study="2.25.10", series=f"2.25.20.{number % 7}"))
    job = api.send("POST", "/sends", {"studies": ["2.25.10"], "peer": "PACS1"}, 202)
    assert job["pending"] == 500
    page = api.get(f"/jobs/{job['id']}/items", limit=300)
    rest = api.get(f"/jobs/{job['id']}/items", limit=300, after=page["items"][-1]["number"])
    assert (page["has_more"], rest["has_more"], len(rest["items"])) == (True, False, 200)


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"peer": "PACS9"}, 404, "PACS9"),
        ({"peer": "SINK@127.0.0.1:104"}, 404, "unknown peer"),
        ({"studies": []}, 400, "nothing is selected"),
        ({"studies": ["2.25.404"]}, 404, "no such study"),
        ({"studies": ["1.2.*"]}, 400, "Study Instance UID"),
        ({"studies": ["../../etc/passwd"]}, 400, "Study Instance UID"),
        ({"studies": "2.25.10"}, 400, "studies"),
        ({"database": "research"}, 404, "research"),
        ({"priority": 10}, 400, "priority"),
        ({"instances": [{"study": "1.2"}]}, 400, "instances.0.series"),
        ({"everything": True}, 400, "everything"),
    ],
)
def test_what_cannot_be_sent_is_said_in_a_sentence(
    filled_api: RunningApi, peer: Peer, changes: dict[str, object], status: int, words: str
) -> None:
    before = filled_api.get("/jobs/totals")
    problem = filled_api.problem("POST", "/sends", {"studies": [STUDY_UID], "peer": "PACS1"} | changes)
    assert problem["status"] == status
    assert words in problem["detail"]
    assert filled_api.get("/jobs/totals") == before


def test_a_peer_that_gets_nothing_from_us_says_what_to_turn_on(filled_api: RunningApi) -> None:
    filled_api.desk.peers.add(Peer("QUIET", AETitle("QUIET"), "127.0.0.1", 104, send=False))
    problem = filled_api.problem("POST", "/sends", {"studies": [STUDY_UID], "peer": "QUIET"})
    assert problem["status"] in (400, 409)
    assert "sending to QUIET is turned off" in problem["detail"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"\xff"', b"[" * 100_000, b"null", b'{"peer": 1e999}'])
def test_a_body_that_is_no_such_json_is_400(filled_api: RunningApi, content: bytes) -> None:
    url = f"{filled_api.url}/api/sends"
    answer = filled_api.http.post(url, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
