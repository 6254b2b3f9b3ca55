"""Who may do what: rights by calling AE title and address."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from radfuse.services.peers import Peer


@dataclass(frozen=True, slots=True)
class Rights:
    """What a calling AE may ask of us, beyond C-ECHO."""

    store: bool
    query: bool
    retrieve: bool


ALL_RIGHTS = Rights(store=True, query=True, retrieve=True)
NO_RIGHTS = Rights(store=False, query=False, retrieve=False)


def is_loopback(host: str) -> bool:
    """Whether ``host`` (an address or a name) is this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def rights_of(calling: str, address: str, peers: Sequence[Peer], *, open_to_all: bool) -> Rights:
    """The rights of a calling AE at an address.

    ``open_to_all`` (the node is bound to loopback): everybody may store and query, and move to
    configured peers. Otherwise only configured peers may, from the host they are configured with:
    an AE title alone proves nothing.
    """
    if open_to_all:
        return ALL_RIGHTS
    for peer in peers:
        if peer.ae_title == calling and address in _addresses(peer.host):
            return Rights(peer.may_store, peer.may_query, peer.may_retrieve)
    return NO_RIGHTS


def _addresses(host: str) -> frozenset[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return frozenset()
    return frozenset(str(entry[4][0]) for entry in found)
