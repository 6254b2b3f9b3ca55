"""Who may do what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radfuse.services.access import ALL_RIGHTS, NO_RIGHTS, Rights, is_loopback, rights_of
from radfuse.services.peers import Peer

PEER = replace(Peer.parse("PACS@127.0.0.5:104"), may_query=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_these_are_this_machine_alone(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "host.example", ""])  # noqa: S104
def test_these_are_not(host: str) -> None:
    assert not is_loopback(host)


def test_on_loopback_everybody_may_everything() -> None:
    assert rights_of("ANY", "127.0.0.1", [PEER], open_to_all=True) == ALL_RIGHTS


@pytest.mark.parametrize(
    ("calling", "address", "expected"),
    [
        ("PACS", "127.0.0.5", Rights(store=True, query=False, retrieve=True, commit=True)),
        ("PACS", "127.0.0.6", NO_RIGHTS),
        ("OTHER", "127.0.0.5", NO_RIGHTS),
        ("pacs", "127.0.0.5", NO_RIGHTS),
    ],
)
def test_elsewhere_title_and_address_must_both_fit(calling: str, address: str, expected: Rights) -> None:
    assert rights_of(calling, address, [PEER], open_to_all=False) == expected


def test_a_host_name_that_does_not_resolve_gives_no_right() -> None:
    peer = Peer.parse("PACS@no-such-host.invalid:104")
    assert rights_of("PACS", "127.0.0.1", [peer], open_to_all=False) == NO_RIGHTS


def test_the_second_peer_of_one_title_counts_too() -> None:
    other = Peer.parse("PACS@127.0.0.9:104", "other")
    assert rights_of("PACS", "127.0.0.9", [PEER, other], open_to_all=False) == ALL_RIGHTS


NAMED = replace(PEER, tls=True, tls_name="Pacs.example")


@pytest.mark.parametrize("names", [None, frozenset(), frozenset({"other.example"})])
def test_a_peer_with_a_certificate_name_has_no_rights_without_it(names: frozenset[str] | None) -> None:
    assert rights_of("PACS", "127.0.0.5", [NAMED], open_to_all=False, certificate_names=names) == NO_RIGHTS


def test_a_peer_with_the_right_certificate_has_its_rights() -> None:
    names = frozenset({"pacs.example", "other.example"})
    rights = rights_of("PACS", "127.0.0.5", [NAMED], open_to_all=False, certificate_names=names)
    assert rights == Rights(store=True, query=False, retrieve=True, commit=True)


def test_a_peer_may_ask_for_commitment_only_where_it_is_configured() -> None:
    peer = replace(PEER, may_commit=False)
    assert not rights_of("PACS", "127.0.0.5", [peer], open_to_all=False).commit
    assert rights_of("PACS", "127.0.0.5", [PEER], open_to_all=False).commit
