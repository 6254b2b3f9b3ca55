"""Opening an association with a peer, as the peer's configuration says."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from radfuse.core.errors import ConfigurationError
from radfuse.services.peers import Peer
from radfuse.wire import Association, Limits, ProposedContext, open_association
from radfuse.wire.negotiation import AssociationRequest, numbered
from radfuse.wire.tls import TlsAddress, TlsClient, TlsFacts, TlsIdentity

Reached = Callable[[TlsFacts | None], None]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who we are to a peer, how long we wait for it at most, and what we prove ourselves with over TLS."""

    ae_title: str
    limits: Limits
    tls: TlsIdentity | None = None


def associate(
    peer: Peer,
    caller: Caller,
    contexts: Sequence[ProposedContext],
    roles: Mapping[str, tuple[bool, bool]] | None = None,
    extended_negotiation: Mapping[str, bytes] | None = None,
    reached: Reached | None = None,
) -> Association:
    """An association with ``peer``, with its own limits, over TLS if it wants that.

    ``roles`` and ``extended_negotiation`` are by SOP class. ``reached`` is called with None once there is
    a connection, and with how it is protected once it is. Raises the WireErrors of
    ``request_association``, and ConfigurationError for a TLS peer when we have no certificate.
    """
    request = AssociationRequest(
        peer.ae_title,
        caller.ae_title,
        numbered(contexts),
        roles=roles or {},
        extended_negotiation=extended_negotiation or {},
    )
    return open_association(_address(peer, caller.tls), request, peer.limits(caller.limits), reached)


def _address(peer: Peer, identity: TlsIdentity | None) -> tuple[str, int] | TlsAddress:
    if not peer.tls:
        return peer.host, peer.port
    if identity is None:
        reason = (
            f"peer {peer.name!r} wants TLS and we have no certificate; "
            "make one in Settings > TLS or with 'radfuse tls init'"
        )
        raise ConfigurationError("tls.certificate", reason)
    return TlsAddress(peer.host, peer.port, _tls_client(identity), peer.tls_name)


@functools.lru_cache(maxsize=8)
def _tls_client(identity: TlsIdentity) -> TlsClient:
    """One for each identity: it reads its files once, and again when they change."""
    return TlsClient(identity)


def title_to(peer: Peer, node_ae_title: str, workstation_ae_title: str) -> str:
    """Our AE title to ``peer``: the one configured for it, else that of the role we have to it."""
    return peer.calling_ae_title or (workstation_ae_title if peer.is_of_the_workstation else node_ae_title)
