"""Context lists over the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.api.conftest import RunningApi

MINE = {"sop_classes": ["CTImageStorage"], "transfer_syntaxes": ["ExplicitVRLittleEndian", "1.2.840.10008.1.2"]}
PACS = {"name": "pacs", "ae_title": "PACS", "host": "192.0.2.7", "port": 104}


def test_a_list_is_made_with_names_and_removed(api: RunningApi) -> None:
    made = api.send("PUT", "/contexts/mine", MINE)
    assert made == {
        "name": "mine",
        "sop_classes": [{"uid": "1.2.840.10008.5.1.4.1.1.2", "name": "CT Image Storage"}],
        "transfer_syntaxes": [
            {"uid": "1.2.840.10008.1.2.1", "name": "Explicit VR Little Endian"},
            {"uid": "1.2.840.10008.1.2", "name": "Implicit VR Little Endian"},
        ],
        "storage_negotiation": False,
        "is_built_in": False,
        "is_edited": False,
        "used_by": [],
    }
    assert [known["name"] for known in api.get("/contexts")] == ["dbx", "mine", "xd"]
    assert api.send("PUT", "/contexts/mine", made) == made
    api.send("DELETE", "/contexts/mine", status=204)
    assert api.problem("DELETE", "/contexts/mine")["status"] == 404


def test_a_built_in_list_is_edited_and_restored(api: RunningApi) -> None:
    before = {known["name"]: known for known in api.get("/contexts")}
    assert (before["dbx"]["is_built_in"], before["dbx"]["is_edited"]) == (True, False)
    assert api.send("PUT", "/contexts/dbx", MINE)["is_edited"] is True
    api.send("DELETE", "/contexts/dbx", status=204)
    assert {known["name"]: known for known in api.get("/contexts")} == before


def test_a_list_that_a_peer_uses_stays(api: RunningApi) -> None:
    api.send("PUT", "/contexts/mine", MINE)
    api.send("PUT", "/peers/pacs", PACS | {"context_list": "mine"})
    refused = api.problem("DELETE", "/contexts/mine")
    assert (refused["status"], "pacs" in refused["detail"]) == (409, True)
    assert {known["name"]: known["used_by"] for known in api.get("/contexts")} == {
        "dbx": [],
        "mine": ["pacs"],
        "xd": [],
    }


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"sop_classes": []}, "sop_classes"),
        ({"sop_classes": ["Nonsense"]}, "sop_classes"),
        ({"transfer_syntaxes": ["1.2", "1.2"]}, "transfer_syntaxes"),
        ({"transfer_syntaxes": 7}, "transfer_syntaxes"),
    ],
)
def test_what_a_list_cannot_be_is_refused(shared_api: RunningApi, change: dict[str, Any], setting: str) -> None:
    refused = shared_api.problem("PUT", "/contexts/mine", MINE | change)
    assert (refused["status"], refused["setting"]) == (400, setting)
