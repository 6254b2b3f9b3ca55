"""Searching at peers from the page: at real ones, and at ones that do everything wrongly."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import evt

from radfuse.core.aetitle import AETitle
from radfuse.core.sop_classes import STUDY_ROOT_FIND, VERIFICATION
from radfuse.services.peers import Peer
from tests.interop.test_query_scu import dcmqrscp_with, orthanc_with
from tests.jobs.working import until
from tests.services.test_query_peer import scp
from tests.support.generate import PATIENT_ID, STUDY_UID, GeneratedSet
from tests.web.api.conftest import RunningApi

pytestmark = pytest.mark.peers

STUDY_KEYS = {"PatientID": PATIENT_ID, "PatientName": "", "StudyDate": "", "ModalitiesInStudy": ""}


def ask(api: RunningApi, body: dict[str, object], peer: str = "PEER") -> list[dict[str, Any]]:
    """All lines of an answer."""
    with api.http.stream("POST", f"{api.url}/api/peers/{peer}/query", json=body) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"] == "application/x-ndjson"
        return [json.loads(line) for line in response.iter_lines()]


def named(api: RunningApi, listening: Peer) -> None:
    """Configure a running peer as PEER."""
    api.desk.peers.add(Peer("PEER", listening.ae_title, listening.host, listening.port))


@contextlib.contextmanager
def answering(api: RunningApi, handler: Callable[[evt.Event], Iterator[Any]]) -> Iterator[None]:
    """A pynetdicom peer called PEER."""
    with scp([(evt.EVT_C_FIND, handler)], STUDY_ROOT_FIND) as listening:
        named(api, listening)
        yield


def studies(count: int) -> Callable[[evt.Event], Iterator[Any]]:
    def answer(event: evt.Event) -> Iterator[Any]:
        for number in range(count):
            found = Dataset()
            found.SpecificCharacterSet = "ISO_IR 192"
            found.PatientName = "山田^太郎"
            found.StudyInstanceUID = f"1.2.{number}"
            found.ModalitiesInStudy = ["CT", "PT"]
            yield 0xFF00, found

    return answer


# --- real peers ------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["orthanc", "dcmqrscp"])
def real_peer(
    request: pytest.FixtureRequest, generated_set: GeneratedSet, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "orthanc":
        with orthanc_with(request.getfixturevalue("orthanc"), folder, {}, generated_set) as listening:
            yield listening
    else:
        with dcmqrscp_with(request.getfixturevalue("dcmtk"), folder, {}, generated_set) as listening:
            yield listening


def test_real_peers_answer_at_every_level(api: RunningApi, real_peer: Peer) -> None:
    named(api, real_peer)
    patient = ask(api, {"level": "patient", "keys": {"PatientName": "Test*"}})
    assert patient[0]["answer"]["PatientID"] == PATIENT_ID
    study, end = ask(api, {"level": "study", "keys": STUDY_KEYS})
    assert study["answer"]["StudyInstanceUID"] == STUDY_UID
    assert study["answer"]["PatientName"] == "Test^Generated"
    assert end == {"end": {"count": 1, "is_limited": False}}
    series = ask(api, {"level": "series", "keys": {"StudyInstanceUID": STUDY_UID, "Modality": "CT"}})
    assert [line["answer"]["SeriesInstanceUID"] for line in series[:-1]] == ["2.25.7100.1"]
    above = {"StudyInstanceUID": STUDY_UID, "SeriesInstanceUID": "2.25.7100.1"}
    instances = ask(api, {"level": "instance", "keys": above, "limit": 3})
    assert instances[-1] == {"end": {"count": 3, "is_limited": True}}


# --- every other one -------------------------------------------------------------------------


def test_names_of_other_writings_and_lists_are_readable(api: RunningApi) -> None:
    with answering(api, studies(1)):
        answer, end = ask(api, {"level": "study", "keys": STUDY_KEYS})
    assert answer["answer"]["PatientName"] == "山田^太郎"
    assert answer["answer"]["ModalitiesInStudy"] == "CT\\PT"
    assert set(answer["answer"]) <= {*STUDY_KEYS, "StudyInstanceUID", "RetrieveAETitle"}
    assert end["end"]["count"] == 1


def test_answers_exactly_as_many_as_the_limit_are_all_of_them(api: RunningApi) -> None:
    with answering(api, studies(3)):
        lines = ask(api, {"level": "study", "keys": {}, "limit": 3})
    assert len(lines) == 4
    assert lines[-1] == {"end": {"count": 3, "is_limited": False}}


def test_at_the_limit_the_peer_is_told_to_stop(api: RunningApi) -> None:
    cancelled = threading.Event()

    def endless(event: evt.Event) -> Iterator[Any]:
        for found in studies(1_000_000)(event):
            if event.is_cancelled:
                cancelled.set()
                yield 0xFE00, None
                return
            yield found

    with answering(api, endless):
        lines = ask(api, {"level": "study", "keys": {}, "limit": 5})
        assert cancelled.wait(20)
    assert [list(line) for line in lines] == [["answer"]] * 5 + [["end"]]
    assert lines[-1]["end"] == {"count": 5, "is_limited": True}


def test_whoever_leaves_has_the_search_cancelled_though_nothing_comes(api: RunningApi) -> None:
    begun, cancelled = threading.Event(), threading.Event()

    def silent(event: evt.Event) -> Iterator[Any]:
        begun.set()
        while not event.is_cancelled and not cancelled.wait(0.05):
            pass
        cancelled.set()
        yield 0xFE00, None

    with answering(api, silent):
        url = f"{api.url}/api/peers/PEER/query"
        with api.http.stream("POST", url, json={"level": "study", "keys": {}}):
            assert begun.wait(20)
        assert cancelled.wait(20)


def test_a_search_that_hangs_holds_up_nothing_else_and_there_are_only_so_many(api: RunningApi) -> None:
    hanging, go_on = threading.Semaphore(0), threading.Event()

    def hang(event: evt.Event) -> Iterator[Any]:
        hanging.release()
        go_on.wait(30)
        yield 0x0000, None

    url = f"{api.url}/api/peers/PEER/query"
    body = {"level": "study", "keys": {}}
    with answering(api, hang), contextlib.ExitStack() as stack:
        stack.callback(go_on.set)
        for _ in range(8):
            stack.enter_context(api.http.stream("POST", url, json=body))
            assert hanging.acquire(timeout=20)
        problem = api.problem("POST", "/peers/PEER/query", body)
        assert problem["status"] == 503
        assert "try again" in problem["detail"]
        assert api.get("/jobs")["jobs"] == []
    until(lambda: api.http.post(url, json=body).status_code == 200)


# --- what goes wrong -------------------------------------------------------------------------


def problem_of(api: RunningApi) -> dict[str, Any]:
    lines = ask(api, {"level": "study", "keys": {}})
    assert list(lines[-1]) == ["problem"]
    problem: dict[str, Any] = lines[-1]["problem"]
    return problem


def test_a_peer_that_is_not_there_is_a_problem_with_its_cure(api: RunningApi, free_port: int) -> None:
    named(api, Peer("PEER", AETitle("PEER"), "127.0.0.1", free_port))
    problem = problem_of(api)
    assert problem["status"] == 502
    assert f"Check that a DICOM node listens at 127.0.0.1 port {free_port}" in problem["detail"]


def test_a_peer_that_offers_no_search_is_a_problem(api: RunningApi) -> None:
    with scp([], VERIFICATION) as listening:
        named(api, listening)
        assert "does not offer" in problem_of(api)["detail"]


def test_a_failure_after_some_answers_is_told_after_them(api: RunningApi) -> None:
    def fail(event: evt.Event) -> Iterator[Any]:
        yield from studies(2)(event)
        yield 0xA700, None

    with answering(api, fail):
        lines = ask(api, {"level": "study", "keys": {}})
    assert [list(line) for line in lines] == [["answer"], ["answer"], ["problem"]]
    assert "out of resources" in lines[-1]["problem"]["detail"]


def test_an_abort_in_the_middle_is_told(api: RunningApi) -> None:
    def abort(event: evt.Event) -> Iterator[Any]:
        yield from studies(1)(event)
        event.assoc.abort()
        time.sleep(0.1)

    with answering(api, abort):
        assert "PEER" in problem_of(api)["detail"]


@pytest.mark.parametrize(
    ("body", "status", "setting"),
    [
        ({"level": "volume", "keys": {}}, 400, "level"),
        ({"level": "study", "keys": {"Patient Name": "x"}}, 400, "attribute"),
        ({"level": "study", "keys": {"QueryRetrieveLevel": "SERIES"}}, 400, "QueryRetrieveLevel"),
        ({"level": "study", "keys": {"SpecificCharacterSet": "ISO_IR 100"}}, 400, "SpecificCharacterSet"),
        ({"level": "study", "keys": {"00100010": "x"}}, 400, "00100010"),
        ({"level": "study", "keys": {"TransferSyntaxUID": "1.2"}}, 400, "TransferSyntaxUID"),
        ({"level": "study", "keys": {"ReferencedStudySequence": "x"}}, 400, "ReferencedStudySequence"),
        ({"level": "study", "keys": {"Rows": "many"}}, 400, "Rows"),
        ({"level": "study", "keys": {"PatientName": "x" * 20_000}}, 400, "PatientName"),
        ({"level": "study", "keys": {"PatientName": 7}}, 400, "keys.PatientName"),
        ({"level": "series", "keys": {}}, 400, "StudyInstanceUID"),
        ({"level": "instance", "keys": {"StudyInstanceUID": "1.2"}}, 400, "SeriesInstanceUID"),
        ({"level": "series", "keys": {"StudyInstanceUID": "1.2*"}}, 400, "StudyInstanceUID"),
        ({"level": "study", "keys": {}, "limit": 0}, 400, "limit"),
        ({"level": "study"}, 400, "keys"),
    ],
)
def test_a_search_that_cannot_be_is_refused_before_anybody_is_called(
    shared_api: RunningApi, body: dict[str, object], status: int, setting: str
) -> None:
    shared_api.desk.peers.add(Peer("PEER", AETitle("PEER"), "127.0.0.1", 1))
    problem = shared_api.problem("POST", "/peers/PEER/query", body)
    assert (problem["status"], problem.get("setting")) == (status, setting)


def test_only_configured_peers_are_asked_and_only_if_they_are_to_be(shared_api: RunningApi, tmp_path: Path) -> None:
    body = {"level": "study", "keys": {}}
    assert shared_api.problem("POST", "/peers/NOBODY/query", body)["status"] == 404
    assert shared_api.problem("POST", "/peers/PEER@127.0.0.1:104/query", body)["status"] == 404
    shared_api.desk.peers.add(Peer("QUIET", AETitle("QUIET"), "127.0.0.1", 104, query=False))
    assert shared_api.problem("POST", "/peers/QUIET/query", body)["status"] == 409
