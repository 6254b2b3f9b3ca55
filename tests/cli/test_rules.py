"""The commands about rules: what they say, refuse and change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.support.generate import STUDY_UID, GeneratedSet

RULE = """
name = "ct"
[if]
attribute = "Modality"
equals = "CT"
[then]
send = ["PACS"]
forget = { after_days = 7, committed = true }
"""


@pytest.fixture
def rule(tmp_path: Path, run: Run) -> Path:
    """A rule in a file, and the peer that it sends to."""
    assert run("peers", "add", "PACS", "PACS@127.0.0.1:104").code == 0
    path = tmp_path / "ct.toml"
    path.write_text(RULE)
    return path


def test_a_rule_is_added_listed_shown_turned_off_and_removed(run: Run, rule: Path) -> None:
    assert run("rules", "list").out.startswith("There are no rules")
    assert "ct is on for what arrives from now on" in run("rules", "add", rule).out
    (row,) = run("rules", "list", "--json").json
    assert row == {
        "Name": "ct",
        "Enabled": True,
        "Database": "default",
        "When": "study stable",
        "Send": ["PACS"],
        "Forget": "after 7 days, if committed",
    }
    assert run("rules", "disable", "ct").out == "ct is off\n"
    shown = run("rules", "show", "ct").json
    assert (shown["name"], shown["enabled"], shown["then"]["send"]) == ("ct", False, ["PACS"])
    again = rule.with_suffix(".json")
    again.write_text(json.dumps(shown))
    assert run("rules", "add", again).code == 0
    assert run("rules", "enable", "ct", "--json").json == {"Name": "ct"}
    assert run("rules", "remove", "ct").out == "ct is removed\n"
    assert run("rules", "list", "--json").json == []


@pytest.mark.parametrize("command", ["show", "remove", "enable", "disable", "try"])
def test_an_unknown_rule_is_said(command: str, run: Run, rule: Path) -> None:
    answer = run("rules", command, "pet")
    assert answer.code == 1
    assert "there is no rule 'pet'" in answer.err


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('"Modality"', '"Modalty"', "if.attribute: 'Modalty' is neither a keyword"),
        ("equals", "equal", "if.equal: unknown"),
        ('["PACS"]', '["OTHER"]', "unknown peer 'OTHER'"),
        ("send", "anonymize_then_send", "then.anonymize_then_send: needs a table with peers, key, options, preset"),
        (
            'send = ["PACS"]\nforget = { after_days = 7, committed = true }',
            'anonymize_then_send = { peers = ["PACS"], key = "trial-9" }',
            "then.anonymize_then_send.key: there is no key 'trial-9'",
        ),
        ('name = "ct"', 'name = "ct"\ndatabase = "other"', "database: no database 'other'; the settings know default"),
        ("[if]", "[if", "cannot be read"),
    ],
)
def test_an_impossible_rule_is_wrong_use(before: str, after: str, sentence: str, run: Run, rule: Path) -> None:
    rule.write_text(RULE.replace(before, after, 1))
    answer = run("rules", "add", rule)
    assert answer.code == 2
    assert sentence in " ".join(answer.err.replace("│", " ").split())
    assert run("rules", "list", "--json").json == []


def test_a_file_that_is_not_there_is_said(run: Run, rule: Path) -> None:
    answer = run("rules", "add", rule.with_name("none.toml"))
    assert answer.code == 1
    assert "none.toml: No such file" in answer.err


def test_a_trial_shows_what_would_be_sent_and_sends_nothing(run: Run, rule: Path, generated_set: GeneratedSet) -> None:
    assert run("import", *generated_set.files).code == 0

    def tried(*words: str | Path) -> Any:
        answer = run("rules", "try", *words, "--json")
        assert answer.code == 0, answer.err
        return answer.json

    rows = tried(rule)
    row = next(row for row in rows if row["StudyInstanceUID"] == STUDY_UID)
    assert row["Send"] == [f"PACS: {len(generated_set.ct)}"]
    assert row["Forget"] == len(generated_set.ct)
    assert row["Reason"] == f"{row['Objects'] - len(generated_set.ct)} do not meet the conditions"
    assert [row["StudyInstanceUID"] for row in tried(rule, "--study", STUDY_UID)] == [STUDY_UID]
    assert len(tried(rule, "--limit", "1")) == 1
    assert run("rules", "add", rule).code == 0
    assert tried("ct") == rows
    shown = run("rules", "try", "ct").out
    assert "Send" in shown
    assert "Patient" not in shown
    assert run("jobs", "list", "--json").json == []
    refused = run("rules", "try", "ct", "--study", "1.2.3")
    assert (refused.code, "the archive has no study 1.2.3" in " ".join(refused.err.split())) == (2, True)


def test_a_trial_without_studies_says_so(run: Run, rule: Path) -> None:
    assert run("rules", "try", rule).out == "There are no studies.\n"
