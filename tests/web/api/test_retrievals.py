"""Retrieving from the page: from DCMTK's dcmqrscp, with and without C-GET."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from radfuse.core.aetitle import AETitle
from radfuse.services.peers import Peer
from tests.archive.objects import stored_objects
from tests.interop.test_query_scu import dcmqrscp_with
from tests.support.generate import PATIENT_ID, STUDY_UID, GeneratedSet
from tests.web.api.conftest import RunningApi
from tests.web.api.working import run_job

A_STUDY = {"peer": "PEER", "level": "study", "names": [STUDY_UID]}


@pytest.fixture(scope="module")
def real_peer(
    dcmtk: Callable[[str], str], generated_set: GeneratedSet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    with dcmqrscp_with(dcmtk, tmp_path_factory.mktemp("dcmqrscp"), {}, generated_set) as listening:
        yield Peer("PEER", listening.ae_title, listening.host, listening.port)


@pytest.mark.peers
@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({"level": "patient", "names": [PATIENT_ID]}, 19),
        ({"level": "study", "names": [STUDY_UID, STUDY_UID]}, 19),
        ({"level": "series", "names": ["2.25.7100.1"], "above": {"StudyInstanceUID": STUDY_UID}}, 5),
        (
            {
                "level": "instance",
                "names": ["2.25.7100.1.1", "2.25.7100.1.2"],
                "above": {"StudyInstanceUID": STUDY_UID, "SeriesInstanceUID": "2.25.7100.1"},
                "how": "get",
            },
            2,
        ),
    ],
)
def test_what_is_retrieved_comes_in(api: RunningApi, real_peer: Peer, body: dict[str, object], count: int) -> None:
    api.desk.peers.add(real_peer)
    job = api.send("POST", "/retrievals", {"peer": "PEER", **body}, 202)
    assert (job["kind"], job["peer"], job["state"]) == ("retrieve", "PEER", "queued")
    run_job(api, job["id"])
    after = api.get(f"/jobs/{job['id']}")
    assert after["state"] == "done", after
    assert len(stored_objects(api.archive)) == count


def test_c_move_goes_to_the_ae_title_of_the_database(api: RunningApi) -> None:
    api.desk.peers.add(Peer("PEER", AETitle("PEER"), "127.0.0.1", 104))
    number = api.send("POST", "/retrievals", A_STUDY | {"how": "move"}, 202)["id"]
    parameters = api.desk.jobs.get(number).parameters
    assert (parameters["how"], parameters["destination"]) == ("move", "RADFUSE")


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"peer": "NOBODY"}, 404, "NOBODY"),
        ({"peer": "QUIET"}, 409, "retrieve"),
        ({"names": []}, 400, "names"),
        ({"names": ["1.2.*"]}, 400, "StudyInstanceUID"),
        ({"level": "patient", "names": ["P*"]}, 400, "wildcards"),
        ({"level": "patient", "names": [" "]}, 400, "PatientID"),
        ({"level": "series", "names": ["1.2"]}, 400, "StudyInstanceUID"),
        ({"level": "series", "names": ["1.2"], "above": {"StudyInstanceUID": "1.2\\1.3"}}, 400, "StudyInstanceUID"),
        ({"above": {"PatientName": "DOE"}}, 400, "PatientName"),
        ({"database": "research"}, 404, "research"),
        ({"how": "steal"}, 400, "how"),
        ({"level": "frame"}, 400, "level"),
    ],
)
def test_what_cannot_be_retrieved_is_said_in_a_sentence(
    shared_api: RunningApi, changes: dict[str, object], status: int, words: str
) -> None:
    shared_api.desk.peers.add(Peer("PEER", AETitle("PEER"), "127.0.0.1", 104))
    shared_api.desk.peers.add(Peer("QUIET", AETitle("QUIET"), "127.0.0.1", 104, retrieve=False))
    problem = shared_api.problem("POST", "/retrievals", A_STUDY | changes)
    assert problem["status"] == status
    assert words in problem["detail"]
    assert shared_api.get("/jobs")["jobs"] == []


def test_a_folder_is_no_part_of_any_of_this(api: RunningApi, tmp_path: Path) -> None:
    problem = api.problem("POST", "/retrievals", A_STUDY | {"database": "../../etc"})
    assert problem["status"] == 404
