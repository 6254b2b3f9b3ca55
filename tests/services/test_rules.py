"""Rules are read from files, refused by the key that is wrong, and kept."""

from __future__ import annotations

import contextlib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radfuse.core.aetitle import AETitle
from radfuse.core.errors import ConfigurationError, NotAllowed, UnknownPeer, UnknownRule
from radfuse.services.conditions import condition_from
from radfuse.services.peers import Peer, Peers
from radfuse.services.rules import Forget, Moment, Rule, Rules, check_destinations, read_rule

TOML = """
name = "pet-to-pacs"
when = "study stable"
stable_s = 90
database = "research"
[if]
attribute = "Modality"
in = ["CT", "PT"]
[then]
send = ["PACS", "MIRROR"]
forget = { after_days = 7, committed = true }
"""
PLAIN: dict[str, Any] = {"name": "all", "then": {"send": ["PACS"]}}


@pytest.fixture
def rules(tmp_path: Path) -> Iterator[Rules]:
    with contextlib.closing(Rules(tmp_path)) as opened:
        yield opened


@pytest.fixture
def peers(tmp_path: Path) -> Iterator[Peers]:
    with contextlib.closing(Peers(tmp_path)) as opened:
        yield opened


def test_a_rule_is_read_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "rule.toml"
    path.write_text(TOML)
    rule = read_rule(path)
    assert (rule.name, rule.when, rule.stable_s) == ("pet-to-pacs", Moment.STUDY_STABLE, 90.0)
    assert (rule.database, rule.enabled, rule.send) == ("research", True, ("PACS", "MIRROR"))
    assert rule.forget == Forget(7.0, committed=True)


def test_a_rule_is_read_from_json(tmp_path: Path) -> None:
    path = tmp_path / "rule.JSON"
    path.write_text(json.dumps({**PLAIN, "when": "instance", "enabled": False}))
    rule = read_rule(path)
    assert (rule.when, rule.enabled, rule.wait_s, rule.forget) == (Moment.INSTANCE, False, 0.0, None)


@pytest.mark.parametrize(
    "content", [b"name = ", b"\xff\xfe", b"x" * (2 << 20), b'name = "a"\n' + b"[" * 100_000], ids=lambda content: "file"
)
def test_a_file_that_is_no_rule_is_refused_with_its_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rule.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        read_rule(path)
    assert refused.value.setting == str(path)


def anonymizing(send: list[str] | None = None, forget: bool | None = None, **keys: Any) -> dict[str, Any]:
    """What is to be changed for a rule that anonymizes for the peer A."""
    others = {name: value for name, value in (("send", send), ("forget", forget)) if value is not None}
    return {"then": {**others, "anonymize_then_send": {"peers": ["A"], **keys}}}


@pytest.mark.parametrize(
    ("changes", "key", "reason"),
    [
        ({"name": None}, "name", "is not a name"),
        ({"name": "a b"}, "name", "is not a name"),
        ({"names": 5}, "names", "known are name, enabled"),
        ({"enabled": "yes"}, "enabled", "true or false"),
        ({"database": 5}, "database", "needs a text"),
        ({"when": "night"}, "when", "'study stable', 'instance'"),
        ({"when": []}, "when", "'study stable', 'instance'"),
        ({"stable_s": -1}, "stable_s", "from 0 to"),
        ({"stable_s": float("nan")}, "stable_s", "from 0 to"),
        ({"stable_s": "soon"}, "stable_s", "from 0 to"),
        ({"stable_s": 5, "when": "instance"}, "stable_s", "only a rule with"),
        ({"if": {"attribute": "Modality"}}, "if", "exactly one of"),
        ({"then": None}, "then", "needs a table"),
        ({"then": {}}, "then", "needs a table"),
        ({"then": {"sends": ["PACS"]}}, "then.sends", "known are send"),
        ({"then": {"send": []}}, "then.send", "needs a list"),
        ({"then": {"send": [5]}}, "then.send[0]", "needs a text"),
        ({"then": {"send": ["A", "A"]}}, "then.send", "twice"),
        ({"then": {"forget": True}}, "then.send", "only what was sent elsewhere"),
        ({"then": {"send": ["A"], "forget": 7}}, "then.forget", "needs a table"),
        ({"then": {"send": ["A"], "forget": {"days": 7}}}, "then.forget.days", "known are after_days"),
        ({"then": {"send": ["A"], "forget": {"after_days": -7}}}, "then.forget.after_days", "from 0 to"),
        ({"then": {"send": ["A"], "forget": {"committed": 1}}}, "then.forget.committed", "true or false"),
        ({"then": {"anonymize_then_send": ["A"]}}, "then.anonymize_then_send", "needs a table with peers"),
        (anonymizing(peers=[]), "then.anonymize_then_send.peers", "needs a list"),
        (anonymizing(peers=["A", "A"]), "then.anonymize_then_send.peers", "twice"),
        (anonymizing(key=""), "then.anonymize_then_send.key", "needs a text"),
        (anonymizing(options="dates"), "then.anonymize_then_send.options", "needs a list"),
        (anonymizing(options=["names"]), "then.anonymize_then_send.options", "'names' is none of pixels"),
        (anonymizing(options=["dates", "shifted-dates"]), "then.anonymize_then_send.retain", "not both"),
        (anonymizing(preset="ct"), "then.anonymize_then_send.preset", "'ct' is none of pet"),
        (anonymizing(send=["A"]), "then.anonymize_then_send", "would get the originals too"),
        (anonymizing(forget=True), "then.send", "as it is, may be forgotten"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_with_its_key(changes: dict[str, Any], key: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Rule.of({**PLAIN, **changes})
    assert refused.value.setting == key
    assert reason in refused.value.reason


def test_the_rule_and_the_comparisons_of_the_documentation_are_such() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    rules = [
        Rule.of(tomllib.loads(block)) for block in re.findall(r"^```toml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    ]
    comparisons = re.findall(r"^\| `(\{ attribute = .*? \})` \|", page, re.MULTILINE)
    for text in comparisons:
        condition_from(tomllib.loads(f"condition = {text}")["condition"], "if")
    assert (len(rules), len(comparisons)) == (1, 5)


def test_rules_are_kept_by_name(rules: Rules, tmp_path: Path) -> None:
    path = tmp_path / "rule.toml"
    path.write_text(TOML)
    rule = read_rule(path)
    rules.add(rule)
    rules.add(Rule.of(PLAIN))
    with contextlib.closing(Rules(tmp_path)) as again:
        assert [each.name for each in again.all()] == ["all", "pet-to-pacs"]
        assert again.get("pet-to-pacs") == rule
    rules.remove("all")
    with pytest.raises(UnknownRule, match="'all'"):
        rules.remove("all")
    with pytest.raises(UnknownRule):
        rules.get("all")
    with pytest.raises(UnknownRule):
        rules.enable("all", True)


def test_a_rule_is_for_what_arrives_from_now_on(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("radfuse.services.rules.time.time", lambda: now[0])
    rules.add(Rule.of(PLAIN))
    now[0] = 2000.0
    rules.add(Rule.of({**PLAIN, "when": "instance"}))
    assert rules.get("all").active_since_s == 1000.0, "a change must not lose what arrived meanwhile"
    rules.enable("all", True)
    assert rules.get("all").active_since_s == 1000.0
    rules.enable("all", False)
    assert (rules.get("all").enabled, rules.get("all").definition["enabled"]) == (False, False)
    rules.enable("all", True)
    assert (rules.get("all").enabled, rules.get("all").active_since_s) == (True, 2000.0)


def test_destinations_must_be_configured_and_willing(peers: Peers) -> None:
    peers.add(Peer("PACS", AETitle("PACS"), "127.0.0.1", 104))
    peers.add(Peer("SHUT", AETitle("SHUT"), "127.0.0.1", 104, send=False))
    peers.add(Peer("LOSSY", AETitle("LOSSY"), "127.0.0.1", 104, lossy_syntax="1.2.840.10008.1.2.4.50"))
    peers.add(Peer("NOCOMMIT", AETitle("NOCOMMIT"), "127.0.0.1", 104, commit=False))

    def check(**then: Any) -> list[str]:
        rule = Rule.of({"name": "r", "then": then})
        return [peer.name for peer in check_destinations(rule, peers.by_name)]

    assert check(send=["PACS", "LOSSY"]) == ["PACS", "LOSSY"]
    assert check(send=["PACS", "NOCOMMIT"], forget=True) == ["PACS", "NOCOMMIT"]
    with pytest.raises(UnknownPeer):
        check(send=["PACS", "OTHER"])
    with pytest.raises(NotAllowed):
        check(send=["SHUT"])
    with pytest.raises(ConfigurationError, match=r"then.send\[0\]: 'A@b:1' is not configured"):
        check(send=["A@b:1"])
    with pytest.raises(ConfigurationError, match="the originals must stay"):
        check(send=["LOSSY"], forget=True)
    with pytest.raises(NotAllowed):
        check(send=["NOCOMMIT"], forget={"committed": True})
