"""Rules that anonymize: only copies go, each once, and no original is deleted for the sake of a copy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radfuse.core.errors import ConfigurationError, UnknownPeer
from radfuse.jobs import ItemState, JobState
from radfuse.services.peer_use import uses_of_peers
from radfuse.services.routing import try_rule
from radfuse.services.rule_texts import rule_of_text, sentence_of_rule, text_of_rule
from radfuse.services.rules import Rule, check_destinations
from tests.archive.objects import numbered
from tests.services.routing_scenes import Desk, uids

FOR_RESEARCH = {"peers": ["RESEARCH"], "key": "trial-7", "options": ["patient"], "preset": "pet"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "data")
    made.peer("PACS")
    made.peer("RESEARCH")
    with contextlib.closing(made):
        yield made


def to(peer: str, *numbers: int) -> list[tuple[str, str]]:
    return [(peer, f"2.25.7.{number}") for number in numbers]


def test_what_arrives_is_anonymized_for_a_peer_and_never_sent_to_it_as_it_is(desk: Desk) -> None:
    desk.rule(send=(), anonymize_then_send=FOR_RESEARCH)
    desk.store(numbered(1), numbered(2))
    desk.settle()
    assert sorted(desk.anonymized) == to("RESEARCH", 1, 2)
    assert desk.sent == []
    (job,) = desk.jobs.list()
    assert job.kind == "anonymize"
    assert {name: job.parameters[name] for name in ("key", "options", "preset", "rule", "database")} == {
        "key": "trial-7",
        "options": ["patient"],
        "preset": "pet",
        "rule": "rule",
        "database": "default",
    }


def test_originals_and_copies_go_different_ways_by_one_rule(desk: Desk) -> None:
    desk.rule(send=["PACS"], anonymize_then_send=FOR_RESEARCH)
    desk.store(numbered(1))
    desk.settle()
    assert (desk.sent, desk.anonymized) == (to("PACS", 1), to("RESEARCH", 1))


def test_the_ledger_counts_the_original(desk: Desk) -> None:
    desk.rule(send=(), anonymize_then_send=FOR_RESEARCH)
    desk.store(numbered(1))
    desk.settle()
    desk.store(numbered(1))
    desk.settle()
    desk.router = desk.new_router()
    desk.settle()
    assert desk.anonymized == to("RESEARCH", 1)


def test_a_copy_that_went_is_not_the_original_when_the_rule_is_changed(desk: Desk) -> None:
    desk.rule(send=(), anonymize_then_send=FOR_RESEARCH)
    desk.store(numbered(1))
    desk.settle()
    desk.rule(send=["RESEARCH"])
    desk.store(numbered(2))
    desk.settle()
    assert desk.sent[-1:] == to("RESEARCH", 2)
    assert desk.anonymized == to("RESEARCH", 1)


def test_nothing_goes_back_anonymized_to_where_it_came_from(desk: Desk) -> None:
    desk.peer("modality", ae_title="SENDER")  # tests.archive.objects says so
    desk.rule(send=(), anonymize_then_send={"peers": ["modality"]})
    desk.store(numbered(1))
    desk.settle()
    assert desk.anonymized == []


def test_an_original_is_forgotten_when_it_was_sent_as_it_is_and_its_copy_was_made(desk: Desk) -> None:
    desk.rule(send=["PACS"], anonymize_then_send=FOR_RESEARCH, forget=True)
    desk.store(numbered(1))
    desk.settle()
    desk.pass_s(3600)
    desk.settle()
    assert desk.kept() == set()


def test_an_original_stays_while_its_copy_cannot_be_made(desk: Desk) -> None:
    desk.answers["anonymized 2.25.7.1"] = ItemState.FAILED
    desk.rule(send=["PACS"], anonymize_then_send=FOR_RESEARCH, forget=True)
    desk.store(numbered(1))
    desk.settle()
    desk.pass_s(3600)
    desk.settle()
    assert desk.kept() == uids(1)
    assert sorted(job.state for job in desk.jobs.list()) == [JobState.DONE, JobState.FAILED]


def test_a_copy_alone_is_no_reason_to_forget_an_original(desk: Desk) -> None:
    desk.answers["2.25.7.1"] = ItemState.FAILED
    desk.rule(send=["PACS"], anonymize_then_send=FOR_RESEARCH, forget=True)
    desk.store(numbered(1))
    desk.settle()
    desk.pass_s(3600)
    desk.settle()
    assert desk.anonymized == to("RESEARCH", 1)
    assert desk.kept() == uids(1)
    with pytest.raises(ConfigurationError, match="as it is, may be forgotten"):
        desk.rule(send=(), anonymize_then_send=FOR_RESEARCH, forget=True)


def test_a_trial_says_what_would_be_anonymized(desk: Desk) -> None:
    desk.store(numbered(1))
    rule = Rule.of({"name": "rule", "then": {"anonymize_then_send": FOR_RESEARCH}})
    (trial,) = try_rule(desk.archive, rule, check_destinations(rule, desk.peers.by_name))
    assert trial.to_send == {"RESEARCH": 1}
    assert desk.jobs.list() == []


def test_a_peer_that_gets_copies_is_one_that_a_rule_needs(desk: Desk) -> None:
    desk.rule(send=(), anonymize_then_send=FOR_RESEARCH)
    assert uses_of_peers(desk.rules, desk.jobs)["RESEARCH"].rules == ("rule",)


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ({"anonymize_then_send": FOR_RESEARCH}, "goes to RESEARCH anonymized when"),
        ({"send": ["PACS"], "anonymize_then_send": FOR_RESEARCH}, "goes to PACS and RESEARCH anonymized when"),
    ],
    ids=str,
)
def test_a_rule_says_so_in_its_sentence_and_can_be_written_again(then: dict[str, Any], said: str) -> None:
    rule = Rule.of({"name": "rule", "then": then})
    assert said in sentence_of_rule(rule)
    assert rule_of_text(text_of_rule(rule)) == rule


def test_a_peer_that_is_not_there_is_named(desk: Desk) -> None:
    rule = Rule.of({"name": "rule", "then": {"anonymize_then_send": {"peers": ["RESEARCH", "NOBODY"]}}})
    with pytest.raises((ConfigurationError, UnknownPeer), match="NOBODY"):
        check_destinations(rule, desk.peers.by_name)
