"""Configured peers: parsed, kept, found."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from radfuse.core.errors import ConfigurationError, UnknownPeer
from radfuse.services.peers import Peer, Peers


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
    from dataclasses import replace

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
