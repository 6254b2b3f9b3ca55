"""Peers over the API: made, changed, tried step by step, and kept while something needs them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage, Verification  # type: ignore[attr-defined]

from radfuse.jobs import NewJob
from radfuse.services.rules import Rule
from tests.web.api.conftest import OUR_TITLE, RunningApi

NEW = {"name": "pacs", "ae_title": "PACS", "host": "192.0.2.7", "port": 104}
Serve = Callable[..., int]


@pytest.fixture
def serve_peer() -> Iterator[Serve]:
    """Starts a peer called PACS that knows C-ECHO and CT images; gives its port."""
    servers = []

    def start(*, storage: bool = True, only_from: str = "") -> int:
        entity = AE("PACS")
        entity.require_called_aet = True
        entity.require_calling_aet = [only_from] if only_from else []
        entity.add_supported_context(Verification)
        if storage:
            entity.add_supported_context(CTImageStorage)
        server = entity.start_server(("127.0.0.1", 0), block=False)
        assert server is not None
        servers.append(server)
        port: int = server.server_address[1]
        return port

    yield start
    for server in servers:
        server.shutdown()


def at(port: int, **changes: Any) -> dict[str, Any]:
    return NEW | {"host": "127.0.0.1", "port": port} | changes


def steps(tried: Any) -> list[tuple[str, bool]]:
    return [(step["name"], step["is_ok"]) for step in tried["steps"]]


# --- kept ----------------------------------------------------------------------------------------


def test_a_peer_is_made_changed_listed_and_removed(api: RunningApi) -> None:
    made = api.send("PUT", "/peers/pacs", NEW)
    assert (made["name"], made["context_list"], made["retry_delay_s"], made["rules"]) == ("pacs", "dbx", 60.0, [])
    changed = {key: value for key, value in made.items() if key not in ("rules", "jobs_unfinished", "jobs_failed")}
    changed |= {
        "tls": True,
        "tls_name": "node.example",
        "context_list": "xd",
        "preferred_syntaxes": ["1.2.840.10008.1.2.4.70"],
        "lossy_syntax": "1.2.840.10008.1.2.4.91",
        "retries": 3,
        "max_pdu_bytes": 16384,
        "artim_s": 1.5,
        "may_store": False,
    }
    api.send("PUT", "/peers/pacs", changed)
    (listed,) = api.get("/peers")
    assert listed == changed | {"rules": [], "jobs_unfinished": 0, "jobs_failed": 0}
    api.send("DELETE", "/peers/pacs", status=204)
    assert api.get("/peers") == []


def test_a_peer_gets_another_name_when_nothing_needs_it(api: RunningApi) -> None:
    api.send("PUT", "/peers/pacs", NEW)
    api.send("PUT", "/peers/pacs", NEW | {"name": "archive"})
    assert [peer["name"] for peer in api.get("/peers")] == ["archive"]
    api.send("PUT", "/peers/pacs", NEW)
    assert api.problem("PUT", "/peers/pacs", NEW | {"name": "archive"})["status"] == 409
    refused = api.problem("PUT", "/peers/other", NEW)
    assert (refused["status"], refused["setting"]) == (400, "name")
    assert [peer["name"] for peer in api.get("/peers")] == ["archive", "pacs"]


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"port": 99_999}, "port"),
        ({"port": 10**400}, "port"),
        ({"port": "many"}, "port"),
        ({"ae_title": "X" * 17}, "ae_title"),
        ({"host": "two words"}, "host"),
        ({"host": "nul\0"}, "host"),
        ({"host": "a" * 64}, "host"),
        ({"retries": -1}, "retries"),
        ({"response_s": 1e400}, "response_s"),
        ({"context_list": "none"}, "context_list"),
        ({"tls_name": "node.example"}, "tls_name"),
        ({"preferred_syntaxes": ["1.2", "1.2"]}, "preferred_syntaxes"),
        ({"password": "secret"}, "password"),
    ],
)
def test_what_a_peer_cannot_be_is_refused(shared_api: RunningApi, change: dict[str, Any], setting: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = shared_api.http.put(f"{shared_api.url}/api/peers/pacs", content=json.dumps(NEW | change), headers=headers)
    assert (answer.status_code, answer.json()["setting"]) == (400, setting)
    assert shared_api.get("/peers") == []


def test_a_peer_that_a_rule_or_a_job_needs_stays(api: RunningApi) -> None:
    api.send("PUT", "/peers/pacs", NEW)
    api.desk.rules.add(Rule.of({"name": "all", "then": {"send": ["pacs"]}}))
    refused = api.problem("DELETE", "/peers/pacs")
    assert (refused["status"], "the rule all sends to it" in refused["detail"]) == (409, True)
    assert api.problem("PUT", "/peers/pacs", NEW | {"name": "archive"})["status"] == 409
    api.desk.rules.enable("all", False)
    job = api.desk.jobs.submit(NewJob("send", "pacs", "1 object to pacs", {"peer": "pacs"}, []))
    refused = api.problem("DELETE", "/peers/pacs")
    assert (refused["status"], "a job is not finished with it" in refused["detail"]) == (409, True)
    (listed,) = api.get("/peers")
    assert (listed["rules"], listed["jobs_unfinished"], listed["jobs_failed"]) == (["all"], 1, 0)
    api.desk.jobs.cancel(job)
    api.send("DELETE", "/peers/pacs", status=204)
    assert api.problem("DELETE", "/peers/pacs")["status"] == 404


# --- tried ---------------------------------------------------------------------------------------


def test_a_peer_is_tried_step_by_step(api: RunningApi, serve_peer: Serve) -> None:
    api.send("PUT", "/peers/pacs", at(serve_peer()))
    tried = api.send("POST", "/peers/pacs/test")
    assert tried["is_ok"] is True
    assert steps(tried) == [("network", True), ("association", True), ("echo", True), ("contexts", True)]
    assert tried["round_trip_ms"] > 0
    assert tried["cure"] == ""
    assert tried["steps"][-1]["text"] == (
        "Accepts 1 of 102 storage classes of the list dbx, and 3 of its 9 transfer syntaxes for CT Image Storage."
    )
    assert api.problem("POST", "/peers/nobody/test")["status"] == 404


def test_a_peer_is_tried_before_it_is_saved(api: RunningApi, serve_peer: Serve) -> None:
    tried = api.send("POST", "/peers/test", at(serve_peer(), send=False))
    assert tried["is_ok"] is True
    assert tried["steps"][-1]["text"] == "Not tried: we do not send to this peer."
    assert api.get("/peers") == []


def test_a_peer_that_takes_no_objects_fails_at_the_contexts(api: RunningApi, serve_peer: Serve) -> None:
    tried = api.send("POST", "/peers/test", at(serve_peer(storage=False)))
    assert steps(tried)[-1] == ("contexts", False)
    assert "turn sending to it off" in tried["cure"]


def test_a_port_where_nobody_listens_fails_at_the_network(api: RunningApi, free_port: int) -> None:
    tried = api.send("POST", "/peers/test", at(free_port))
    assert steps(tried) == [("network", False)]
    assert "connection refused" in tried["steps"][0]["text"]
    assert "no firewall is between" in tried["cure"]
    assert tried["round_trip_ms"] is None


def test_a_peer_of_another_name_fails_at_the_association(api: RunningApi, serve_peer: Serve) -> None:
    tried = api.send("POST", "/peers/test", at(serve_peer(), ae_title="OTHER"))
    assert steps(tried) == [("network", True), ("association", False)]
    assert tried["steps"][1]["text"] == "pacs refused the association: it is not called OTHER."
    assert tried["cure"] == "Ask for its AE title and correct the peer's."


def test_a_peer_that_does_not_know_us_says_so(api: RunningApi, serve_peer: Serve) -> None:
    port = serve_peer(only_from="SOMEBODY")
    tried = api.send("POST", "/peers/test", at(port))
    assert f"does not know our AE title {OUR_TITLE}" in tried["steps"][1]["text"]
    assert api.send("POST", "/peers/test", at(port, calling_ae_title="SOMEBODY"))["is_ok"] is True


def test_a_web_server_is_no_peer(api: RunningApi) -> None:
    tried = api.send("POST", "/peers/test", at(int(api.url.rpartition(":")[2])))
    assert steps(tried) == [("network", True), ("association", False)]
    assert "does not speak DICOM as it should" in tried["steps"][1]["text"]


def test_a_tls_peer_without_a_certificate_of_ours_says_what_to_do(api: RunningApi, serve_peer: Serve) -> None:
    tried = api.send("POST", "/peers/test", at(serve_peer(), tls=True))
    assert steps(tried) == [("TLS", False)]
    assert "Make one" in tried["cure"]


def test_changes_are_in_the_access_log(api: RunningApi) -> None:
    api.send("PUT", "/peers/pacs", NEW)
    api.problem("PUT", "/peers/pacs", NEW | {"port": 0})
    api.send("DELETE", "/peers/pacs", status=204)
    entries = [(entry["action"], entry["subject"], entry["outcome"]) for entry in api.get("/audit")["entries"]]
    assert entries[:3] == [
        ("peer removed", "pacs", "done"),
        ("peer changed", "pacs", "failed"),
        ("peer changed", "pacs", "done"),
    ]
