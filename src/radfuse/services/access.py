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
    commit: bool


ALL_RIGHTS = Rights(store=True, query=True, retrieve=True, commit=True)
NO_RIGHTS = Rights(store=False, query=False, retrieve=False, commit=False)


def is_loopback(host: str) -> bool:
    """Whether ``host`` (an address or a name) is this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def rights_of(
    calling: str,
    address: str,
    peers: Sequence[Peer],
    *,
    open_to_all: bool,
    certificate_names: frozenset[str] | None = None,
) -> Rights:
    """The rights of a calling AE at an address.

    ``open_to_all`` (the node is bound to loopback): everybody may store and query, and move to
    configured peers. Otherwise only configured peers may, from the host they are configured with:
    an AE title alone proves nothing. A peer with a certificate name must have come over TLS with a
    certificate that carries it: ``certificate_names`` are those of the caller's, None without one.
    """
    if open_to_all:
        return ALL_RIGHTS
    for peer in peers:
        if peer.ae_title == calling and _is_proved(peer, certificate_names) and address in addresses_of(peer.host):
            return Rights(peer.may_store, peer.may_query, peer.may_retrieve, peer.may_commit)
    return NO_RIGHTS


def _is_proved(peer: Peer, certificate_names: frozenset[str] | None) -> bool:
    """Whether the caller's certificate has the name that the peer's must have; DNS names ignore case."""
    if not peer.tls_name:
        return True
    return certificate_names is not None and peer.tls_name.lower() in {name.lower() for name in certificate_names}


def addresses_of(host: str) -> frozenset[str]:
    """The addresses of a host by name or address; none while its name is not known."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return frozenset()
    return frozenset(str(entry[4][0]) for entry in found)
