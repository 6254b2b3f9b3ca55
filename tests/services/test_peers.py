"""Configured peers: parsed, kept, found."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config

from radfuse.core.errors import ConfigurationError, NotAllowed, UnknownPeer
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, JPEG_2000, JPEG_BASELINE
from radfuse.db import create_database_engine, migrate, sqlite_url, write_transaction
from radfuse.services.associating import Caller, associate, title_to
from radfuse.services.peers import Peer, Peers
from radfuse.wire import Limits, ProposedContext


@pytest.fixture
def peers(tmp_path: Path) -> Iterator[Peers]:
    with contextlib.closing(Peers(tmp_path)) as opened:
        yield opened


def test_an_address_is_title_host_and_port() -> None:
    peer = Peer.parse("PACS@pacs.example:104")
    assert (peer.name, peer.ae_title, peer.host, peer.port) == ("PACS", "PACS", "pacs.example", 104)
    assert Peer.parse("A B@[::1]:65535", "six").host == "::1"


@pytest.mark.parametrize(
    "address", ["", "PACS", "PACS@host", "PACS@host:", "PACS@host:0", "PACS@host:65536", "@host:1", "X" * 17 + "@h:1"]
)
def test_what_is_no_address_is_refused_in_a_sentence(address: str) -> None:
    with pytest.raises(ConfigurationError, match="peer"):
        Peer.parse(address)


def test_peers_are_kept_by_name_and_changed_by_adding_again(peers: Peers, tmp_path: Path) -> None:
    peers.add(Peer.parse("ONE@a:1", "b"))
    peers.add(Peer.parse("TWO@b:2", "a"))
    peers.add(Peer.parse("ONE@c:3", "b"))
    assert [(peer.name, peer.host) for peer in peers.all()] == [("a", "b"), ("b", "c")]
    with contextlib.closing(Peers(tmp_path)) as again:
        assert again.all() == peers.all()


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 65, "-a"])
def test_a_name_is_a_word(peers: Peers, name: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a name"):
        peers.add(replace(Peer.parse("A@b:1"), name=name))


def test_peers_are_found_by_name_title_or_address(peers: Peers) -> None:
    one = Peer.parse("ONE@a:1", "first")
    two = Peer.parse("ONE@b:1", "second")
    peers.add(one)
    peers.add(two)
    assert peers.by_name("first") == one
    assert peers.by_name("X@y:5") == Peer.parse("X@y:5")
    assert list(peers.by_ae_title("ONE")) == [one, two]
    assert list(peers.by_ae_title("TWO")) == []
    with pytest.raises(UnknownPeer, match="third"):
        peers.by_name("third")


def test_a_removed_peer_is_gone_and_cannot_be_removed_again(peers: Peers) -> None:
    peers.add(Peer.parse("ONE@a:1"))
    peers.remove("ONE")
    assert list(peers.all()) == []
    with pytest.raises(UnknownPeer):
        peers.remove("ONE")


# --- how we talk to a peer -----------------------------------------------------------------------


def peer_with(**settings: Any) -> Peer:
    return replace(Peer.parse("PACS@pacs.example:104", "pacs"), **settings)


EVERYTHING = {
    "may_store": False,
    "may_query": False,
    "may_retrieve": False,
    "may_commit": False,
    "send": False,
    "query": False,
    "retrieve": False,
    "commit": False,
    "tls": True,
    "tls_name": "node.example",
    "calling_ae_title": "US",
    "artim_s": 1.5,
    "connect_s": 2.5,
    "response_s": 3.5,
    "max_pdu_bytes": 16384,
    "context_list": "xd",
    "preferred_syntaxes": (JPEG_2000, EXPLICIT_LITTLE),
    "lossy_syntax": JPEG_BASELINE,
    "lenient_statuses": True,
    "retries": 3,
    "retry_delay_s": 7.5,
    "concurrency": 4,
}


def test_every_setting_of_a_peer_is_kept(peers: Peers) -> None:
    names = {field.name for field in fields(Peer)} - {"name", "ae_title", "host", "port", "is_configured"}
    assert set(EVERYTHING) == names
    default = peer_with()
    assert not [name for name, value in EVERYTHING.items() if getattr(default, name) == value]
    peers.add(peer_with(**EVERYTHING))
    kept = peers.by_name("pacs")
    assert kept == peer_with(**EVERYTHING)
    assert {name: getattr(kept, name) for name in EVERYTHING} == EVERYTHING


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ae_title", ""),
        ("ae_title", "X" * 17),
        ("host", ""),
        ("host", "a b"),
        ("port", 0),
        ("port", 65536),
        ("calling_ae_title", "back\\slash"),
        ("artim_s", 0.0),
        ("connect_s", -1.0),
        ("response_s", float("inf")),
        ("response_s", float("nan")),
        ("max_pdu_bytes", 10),
        ("max_pdu_bytes", 1 << 30),
        ("context_list", ""),
        ("preferred_syntaxes", ("implicit",)),
        ("preferred_syntaxes", (EXPLICIT_LITTLE, EXPLICIT_LITTLE)),
        ("lossy_syntax", EXPLICIT_LITTLE),
        ("retries", -1),
        ("retry_delay_s", 0.0),
        ("retry_delay_s", 3601.0),
        ("concurrency", 0),
        ("tls_name", "no tls.example"),
        ("tls_name", "node.example"),
    ],
)
def test_an_impossible_setting_is_refused_with_its_key(key: str, value: object) -> None:
    with pytest.raises(ConfigurationError) as refused:
        peer_with(**{key: value})
    assert refused.value.setting == key


def test_a_peer_with_an_unknown_context_list_is_not_kept(peers: Peers) -> None:
    with pytest.raises(ConfigurationError, match="no context list 'other'; known are dbx, xd"):
        peers.add(peer_with(context_list="other"))
    assert list(peers.all()) == []


def test_a_peer_of_before_gets_the_defaults(tmp_path: Path) -> None:
    engine = create_database_engine(sqlite_url(tmp_path / "config.sqlite"))
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations" / "config"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with write_transaction(engine) as connection:
        connection.exec_driver_sql(
            "INSERT INTO peer (name, ae_title, host, port, may_store, may_query, may_retrieve) "
            "VALUES ('old', 'OLD', 'a', 104, 1, 0, 1)"
        )
    engine.dispose()
    with contextlib.closing(Peers(tmp_path)) as peers:
        assert list(peers.all()) == [replace(Peer.parse("OLD@a:104", "old"), may_query=False)]


def test_a_configured_peer_is_referred_to_by_name_and_another_by_address(peers: Peers) -> None:
    peers.add(Peer.parse("ONE@a:1", "first"))
    assert peers.by_name("first").reference == "first"
    for address in ("ONE@a:1", "A B@[::1]:104"):
        peer = peers.by_name(address)
        assert peer.reference == address
        assert peers.by_name(peer.reference) == peer


def test_a_peer_has_its_own_limits_where_they_are_set() -> None:
    node = Limits()
    assert peer_with().limits(node) == node
    own = peer_with(artim_s=1.0, connect_s=2.0, response_s=3.0, max_pdu_bytes=16384).limits(node)
    assert (own.artim_s, own.close_wait_s, own.connect_s, own.response_s, own.idle_s) == (1.0, 1.0, 2.0, 3.0, 3.0)
    assert (own.max_pdu_bytes, own.send_pdu_bytes) == (16384, 16384)
    assert peer_with(artim_s=60.0).limits(node).close_wait_s == node.close_wait_s


def test_sends_are_tried_again_as_the_node_and_not_as_the_workstation() -> None:
    assert peer_with().retry_count == 5
    assert peer_with(context_list="xd").retry_count == 0
    assert peer_with(context_list="xd", retries=2).retry_count == 2
    assert peer_with(retries=0).retry_count == 0


@pytest.mark.parametrize("operation", ["send", "query", "retrieve", "commit"])
def test_what_we_may_not_ask_of_a_peer_is_refused_in_a_sentence(operation: str) -> None:
    peer_with().require(operation)
    with pytest.raises(NotAllowed, match=r"the configuration does not allow to .* peer 'pacs'"):
        peer_with(**{operation: False}).require(operation)


def test_our_title_is_the_peers_own_or_that_of_our_role() -> None:
    assert title_to(peer_with(), "NODE", "STATION") == "NODE"
    assert title_to(peer_with(context_list="xd"), "NODE", "STATION") == "STATION"
    assert title_to(peer_with(context_list="xd", calling_ae_title="US"), "NODE", "STATION") == "US"


def test_a_tls_peer_is_not_talked_to_without_tls() -> None:
    with pytest.raises(ConfigurationError, match="radfuse tls init"):
        associate(peer_with(tls=True), Caller("US", Limits()), [ProposedContext("1.2.840.10008.1.1", ("1.2",))])
