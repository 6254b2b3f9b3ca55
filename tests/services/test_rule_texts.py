"""Rules as TOML there and back, and in one sentence."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radfuse.core.errors import ConfigurationError
from radfuse.services.rule_texts import rule_of_text, sentence_of_rule, text_of_rule
from radfuse.services.rules import Rule

CT = {"attribute": "Modality", "equals": "CT"}
TRIAL = {"attribute": "PatientID", "matches": "T*"}
PET = {"attribute": "Modality", "in": ["PT", "NM"]}


def rule(**keys: Any) -> Rule:
    return Rule.of({"name": "r", "then": {"send": ["PACS"]}, **keys})


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({}, "Everything goes to PACS when nothing new of its study has come for 1 minute."),
        ({"when": "instance"}, "Everything goes to PACS at once."),
        ({"stable_s": 0}, "Everything goes to PACS at once."),
        ({"stable_s": 7200}, "Everything goes to PACS when nothing new of its study has come for 2 hours."),
        ({"stable_s": 7.5}, "Everything goes to PACS when nothing new of its study has come for 7.5 s."),
        ({"when": "instance", "if": PET}, "What has Modality PT or NM goes to PACS at once."),
        (
            {
                "when": "instance",
                "if": {"all": [{"any": [CT, PET]}, {"not": {"attribute": "PatientID", "matches": "T*"}}]},
            },
            "What has (Modality CT or Modality PT or NM) and not (PatientID like T*) goes to PACS at once.",
        ),
        (
            {"when": "instance", "if": {"attribute": "StudyDate", "range": ["20200101", ""]}, "database": "second"},
            "What has StudyDate from 20200101 on in the database second goes to PACS at once.",
        ),
        (
            {"when": "instance", "if": {"attribute": "PatientID", "exists": False}},
            "What has PatientID absent goes to PACS at once.",
        ),
        (
            {"when": "instance", "then": {"send": ["A", "B", "C"], "forget": {"after_days": 7, "committed": True}}},
            "Everything goes to A, B and C at once, and is deleted here 7 days later once they promised to keep it.",
        ),
        (
            {"when": "instance", "then": {"send": ["A"], "forget": True}},
            "Everything goes to A at once, and is deleted here once they have it.",
        ),
    ],
)
def test_a_rule_is_one_sentence(keys: dict[str, Any], sentence: str) -> None:
    assert sentence_of_rule(rule(**keys)) == sentence


def test_a_long_rule_is_cut() -> None:
    sentence = sentence_of_rule(rule(**{"if": {"attribute": "PatientID", "in": [str(n) for n in range(500)]}}))
    assert (len(sentence), sentence[-1]) == (400, "…")


_LEAVES = st.one_of(
    st.builds(lambda v: {"attribute": "Modality", "equals": v}, st.text(st.characters(codec="utf-8"), min_size=1)),
    st.builds(lambda v: {"in": v, "attribute": "StudyDescription"}, st.lists(st.sampled_from("ab'\"\\"), min_size=1)),
    st.builds(lambda v: {"attribute": "PatientID", "exists": v}, st.booleans()),
    st.builds(lambda v: {"attribute": "SeriesNumber", "range": [v, ""]}, st.integers(0, 99)),
)
_CONDITIONS = st.recursive(
    _LEAVES,
    lambda inside: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inside, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inside, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inside),
    ),
    max_leaves=6,
)


@given(_CONDITIONS, st.booleans(), st.sampled_from([True, False, {"after_days": 1.5}, {"committed": True}]))
def test_every_rule_is_the_same_after_there_and_back(condition: Any, enabled: bool, forget: Any) -> None:
    data = {"then": {"forget": forget, "send": ["A"]}, "if": condition, "enabled": enabled, "name": "r", "stable_s": 7}
    try:
        made = Rule.of(data)
    except ConfigurationError:
        return  # such as a text of blanks
    text = text_of_rule(made)
    assert tomllib.loads(text) == data
    again = rule_of_text(text)
    assert again == made
    assert again.definition == made.definition
    assert sentence_of_rule(again) == sentence_of_rule(made)


def test_a_rule_has_the_name_that_it_is_put_under() -> None:
    text = '[then]\nsend = ["A"]'
    assert rule_of_text(text, "mine").name == "mine"
    assert rule_of_text(f'name = "other"\n{text}').name == "other"
    with pytest.raises(ConfigurationError, match="must be 'mine'"):
        rule_of_text(f'name = "other"\n{text}', "mine")
