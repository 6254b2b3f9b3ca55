"""A rehearsal says what a rule would do, within its time."""

from __future__ import annotations

from radfuse.archive import Archive
from radfuse.core.aetitle import AETitle
from radfuse.services.peers import Peer
from radfuse.services.rehearsal import rehearse
from radfuse.services.rules import Rule
from tests.archive.objects import numbered, store

PEERS = [Peer("pacs", AETitle("PACS"), "192.0.2.7", 104)]
EVERYTHING = Rule.of({"name": "all", "then": {"send": ["pacs"], "forget": True}})


def test_every_study_is_an_example(archive: Archive) -> None:
    for number in (1, 2, 101):
        store(archive, numbered(number))
    told = rehearse(archive, EVERYTHING, PEERS)
    assert (told.matched_objects, told.examined_objects) == (3, 3)
    assert sum("2 objects to pacs; 2 objects deleted here afterwards" in each.text for each in told.examples) == 1
    assert "Objects are deleted here only after every destination has them." in told.notes


def test_an_empty_archive_is_said(archive: Archive) -> None:
    told = rehearse(archive, EVERYTHING, PEERS)
    assert told.notes == ("The database default holds no studies to try the rule on.",)


def test_it_stops_when_time_is_over(archive: Archive) -> None:
    store(archive, numbered(1))
    told = rehearse(archive, EVERYTHING, PEERS, seconds=0.0)
    assert (told.examined_objects, told.examples) == (0, ())
    assert told.notes == ("Stopped when time was over, after 0 studies, the newest first.",)


def test_a_rule_that_is_off_says_so(archive: Archive) -> None:
    store(archive, numbered(1))
    off = Rule.of({"name": "all", "enabled": False, "then": {"send": ["pacs"]}})
    assert "The rule is off: it does nothing until it is turned on." in rehearse(archive, off, PEERS).notes
