"""The lists of what a send may propose: two built-in ones, edits, own ones."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from radfuse.core.errors import ConfigurationError
from radfuse.services.context_lists import DBX, XD, ContextList, ContextLists
from radfuse.services.peers import Peer, Peers

CT, IMPLICIT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2"
MINE = ContextList("mine", (CT,), (IMPLICIT,))


@pytest.fixture
def lists(tmp_path: Path) -> Iterator[ContextLists]:
    with contextlib.closing(ContextLists(tmp_path)) as opened:
        yield opened


def required(conformance_tables: Path, name: str, column: str, *values: str) -> set[str]:
    with (conformance_tables / name).open(encoding="utf-8", newline="") as file:
        return {row["uid"] for row in csv.DictReader(file) if row[column] in values}


def test_dbx_has_the_102_classes_and_nine_syntaxes_of_seed_000(conformance_tables: Path) -> None:
    assert len(DBX.sop_classes) == 102
    assert set(DBX.sop_classes) == required(conformance_tables, "sop_classes.csv", "dbx_scu", "yes")
    assert len(DBX.transfer_syntaxes) == 9
    assert set(DBX.transfer_syntaxes) == required(conformance_tables, "transfer_syntaxes.csv", "dbx_storage_scu", "yes")


def test_xd_has_the_16_classes_and_three_syntaxes_of_seed_001(conformance_tables: Path) -> None:
    assert len(XD.sop_classes) == 16
    assert set(XD.sop_classes) == required(conformance_tables, "sop_classes.csv", "xd_scu", "yes", "import only")
    assert set(XD.transfer_syntaxes) == required(
        conformance_tables, "transfer_syntaxes.csv", "xd_network_export", "yes"
    )
    assert XD.transfer_syntaxes[-1] == "1.2.840.10008.1.2.2", "big endian is the last choice"


def test_the_built_in_lists_are_there_from_the_start(lists: ContextLists) -> None:
    assert list(lists.all()) == [DBX, XD]
    assert lists.get("xd") == XD


def test_an_edited_list_and_an_own_one_are_kept(lists: ContextLists, tmp_path: Path) -> None:
    edited = ContextList("xd", (*XD.sop_classes, "1.2.3"), (IMPLICIT,))
    negotiating = ContextList("dbx", (CT,), (IMPLICIT,), storage_negotiation=True)
    lists.put(edited)
    lists.put(MINE)
    lists.put(negotiating)
    with contextlib.closing(ContextLists(tmp_path)) as again:
        assert list(again.all()) == [negotiating, MINE, edited]
        assert again.get("xd") == edited


def test_reset_brings_back_a_built_in_list_and_removes_an_own_one(lists: ContextLists) -> None:
    lists.put(ContextList("xd", (CT,), (IMPLICIT,)))
    lists.put(MINE)
    lists.reset("xd")
    lists.reset("mine")
    lists.reset("dbx")
    assert list(lists.all()) == [DBX, XD]


def test_a_list_that_a_peer_uses_is_not_removed(lists: ContextLists, tmp_path: Path) -> None:
    lists.put(MINE)
    with contextlib.closing(Peers(tmp_path)) as peers:
        peers.add(Peer("pacs", Peer.parse("PACS@a:1").ae_title, "a", 1, context_list="mine"))
        with pytest.raises(ConfigurationError, match="'mine' is used by the peers pacs"):
            lists.reset("mine")
        assert lists.get("mine") == MINE
        peers.remove("pacs")
    lists.reset("mine")


def test_an_unknown_list_is_refused_with_the_known_ones(lists: ContextLists) -> None:
    for ask in (lists.get, lists.reset):
        with pytest.raises(ConfigurationError, match="context_list: no context list 'other'; known are dbx, xd"):
            ask("other")


@pytest.mark.parametrize(
    ("name", "classes", "syntaxes", "key"),
    [
        ("", (CT,), (IMPLICIT,), "context_list"),
        ("../x", (CT,), (IMPLICIT,), "context_list"),
        ("mine", (), (IMPLICIT,), "sop_classes"),
        ("mine", (CT,), (), "transfer_syntaxes"),
        ("mine", ("CT",), (IMPLICIT,), "sop_classes"),
        ("mine", (CT, CT), (IMPLICIT,), "sop_classes"),
        ("mine", (CT,), (IMPLICIT, "1..2"), "transfer_syntaxes"),
    ],
)
def test_a_list_that_proposes_nothing_sensible_is_refused_with_its_key(
    name: str, classes: tuple[str, ...], syntaxes: tuple[str, ...], key: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        ContextList(name, classes, syntaxes)
    assert refused.value.setting == key
