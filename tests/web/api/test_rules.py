"""Rules over the API: as TOML there and back, checked against what is there, and rehearsed."""

from __future__ import annotations

import tomllib

import pytest

from tests.web.api.conftest import RunningApi

PACS = {"name": "pacs", "ae_title": "PACS", "host": "192.0.2.7", "port": 104}
TEXT = """
when = "instance"
[if]
attribute = "Modality"
in = ["CT", "PT"]
[then]
send = ["pacs"]
"""


def rule(text: str = TEXT) -> dict[str, str]:
    return {"definition": text}


@pytest.fixture
def here(api: RunningApi) -> RunningApi:
    """With a peer to send to."""
    api.send("PUT", "/peers/pacs", PACS)
    return api


@pytest.fixture(scope="module")
def here_for_all(shared_api: RunningApi) -> RunningApi:
    """The same for several tests, which leave it as it is."""
    shared_api.send("PUT", "/peers/pacs", PACS)
    return shared_api


@pytest.fixture(scope="module")
def filled(filled_api: RunningApi) -> RunningApi:
    """With a study, and a peer to send it to."""
    filled_api.send("PUT", "/peers/pacs", PACS)
    return filled_api


def test_a_rule_is_made_and_its_text_makes_it_again(here: RunningApi) -> None:
    made = here.send("PUT", "/rules/ct", rule())
    assert tomllib.loads(made["definition"]) == {"name": "ct", "enabled": True, **tomllib.loads(TEXT)}
    assert made["summary"] == "What has Modality CT or PT goes to pacs at once."
    assert (made["destinations"], made["forgets"], made["is_enabled"]) == (["pacs"], False, True)
    again = here.send("PUT", "/rules/ct", rule(made["definition"]))
    assert again == made
    assert here.get("/rules") == [made]


def test_a_rule_that_anonymizes_needs_its_key(here: RunningApi) -> None:
    text = '[then]\nanonymize_then_send = { peers = ["pacs"], key = "trial-9" }\n'
    for method, path in (("PUT", "/rules/copies"), ("POST", "/rules/rehearse")):
        refused = here.send(method, path, rule(text), status=400)
        assert "then.anonymize_then_send.key: there is no key 'trial-9'" in str(refused)
    assert here.get("/rules") == []
    here.send("PUT", "/rules/copies", rule(text.replace("trial-9", "default")))


def test_a_rule_is_turned_off_and_on_and_removed(here: RunningApi) -> None:
    here.send("PUT", "/rules/ct", rule())
    off = here.send("PATCH", "/rules/ct", {"is_enabled": False})
    assert (off["is_enabled"], tomllib.loads(off["definition"])["enabled"]) == (False, False)
    assert here.send("PATCH", "/rules/ct", {"is_enabled": True})["active_since_s"] > off["active_since_s"]
    here.send("DELETE", "/rules/ct", status=204)
    for method, body in (("DELETE", None), ("PATCH", {"is_enabled": True})):
        assert here.problem(method, "/rules/ct", body)["status"] == 404


def test_a_rule_whose_peer_is_gone_is_not_turned_on(here: RunningApi) -> None:
    here.send("PUT", "/rules/ct", rule())
    here.send("PATCH", "/rules/ct", {"is_enabled": False})
    here.send("DELETE", "/peers/pacs", status=204)
    refused = here.problem("PATCH", "/rules/ct", {"is_enabled": True})
    assert (refused["status"], refused["setting"]) == (400, "then.send")


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("[[[", "definition"),
        ("a = " + "[" * 3000, "definition"),
        ("", "then"),
        ('name = "other"\n[then]\nsend = ["pacs"]', "name"),
        ('[then]\nsend = ["nobody"]', "then.send"),
        ('[then]\nsend = ["PACS@192.0.2.7:104"]', "then.send[0]"),
        ('database = "none"\n[then]\nsend = ["pacs"]', "database"),
        ('[if]\nattribute = "Nonsense"\nequals = 1\n[then]\nsend = ["pacs"]', "if.attribute"),
        ('[if]\nattribute = "StudyDate"\nequals = 2020-01-01\n[then]\nsend = ["pacs"]', "if.equals"),
    ],
)
def test_what_a_rule_cannot_be_is_refused_by_the_key(here_for_all: RunningApi, text: str, setting: str) -> None:
    refused = here_for_all.problem("PUT", "/rules/ct", rule(text))
    assert (refused["status"], refused["setting"]) == (400, setting)
    assert here_for_all.get("/rules") == []


def test_a_rehearsal_says_what_would_happen_and_does_nothing(filled: RunningApi) -> None:
    told = filled.send("POST", "/rules/rehearse", rule())
    totals = filled.get("/databases")[0]
    assert told["examined_objects"] == totals["instances"]
    assert 0 < told["matched_objects"] < told["examined_objects"]
    (example,) = told["examples"]
    assert f"{told['matched_objects']} objects to pacs" in example["text"]
    assert filled.desk.jobs.list() == []
    assert filled.get("/rules") == []


def test_a_rehearsal_of_what_fits_nothing_says_so(filled: RunningApi) -> None:
    told = filled.send("POST", "/rules/rehearse", rule(TEXT.replace('["CT", "PT"]', '["XA"]')))
    assert told["matched_objects"] == 0
    assert "Nothing that is here meets the conditions." in told["notes"]
    refused = filled.problem("POST", "/rules/rehearse", rule('[then]\nsend = ["nobody"]'))
    assert refused["setting"] == "then.send"
