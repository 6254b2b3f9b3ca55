"""peers add, list, remove, test."""

from __future__ import annotations

from tests.cli.conftest import Run
from tests.support.servers import RunningNode


def test_a_peer_is_added_listed_changed_and_removed(run: Run) -> None:
    assert run("peers", "add", "pacs", "PACS@192.0.2.7:104").code == 0
    assert run("peers", "add", "viewer", "VIEWER@[2001:db8::1]:11112", "--no-store", "--no-query", "--json").json == {
        "Name": "viewer",
        "AETitle": "VIEWER",
        "Host": "2001:db8::1",
        "Port": 11112,
        "MayStore": False,
        "MayQuery": False,
        "MayRetrieve": True,
    }
    assert run("peers", "add", "pacs", "PACS@192.0.2.8:105").code == 0
    listed = run("peers", "list", "--json").json
    assert [(row["Name"], row["Host"]) for row in listed] == [("pacs", "192.0.2.8"), ("viewer", "2001:db8::1")]
    assert "PACS     192.0.2.8    105    yes" in run("peers", "list").out
    assert run("peers", "remove", "pacs").code == 0
    assert run("peers", "remove", "viewer", "--json").json == {"Name": "viewer"}
    assert run("peers", "list", "--json").json == []
    assert "No peers are configured" in run("peers", "list").out


def test_a_configured_peer_answers_to_its_name(run: Run, node: RunningNode) -> None:
    run("peers", "add", "ours", node.peer)
    assert run("peers", "test", "ours").out.startswith(f"ours (RADFUSE at 127.0.0.1 port {node.port}) answered in ")
    assert run("echo", "ours", "--json").json["Name"] == "ours"
