"""The requesting side of association establishment (PS3.8 sections 7.1 and 9.2)."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Mapping, Sequence

from radfuse.core.errors import (
    AssociationAborted,
    AssociationRejected,
    ConnectionLost,
    PeerTimeout,
    ProtocolViolation,
    WireError,
)
from radfuse.wire.association import Association
from radfuse.wire.connection import Connection, Stream
from radfuse.wire.framing import Fragment
from radfuse.wire.limits import Limits
from radfuse.wire.negotiation import (
    REJECTION_MEANINGS,
    AssociationRequest,
    ProposedContext,
    checked_max_pdu_bytes,
    contexts_as_requestor,
    numbered,
    request_pdu,
)
from radfuse.wire.pdu import Abort, AssociateAC, AssociateRJ, AssociateRQ
from radfuse.wire.tls import TlsAddress, TlsFacts, facts_of
from radfuse.wire.transport import Transport
from radfuse.wire.upper_layer import ProviderAbort, Received, UpperLayer

_DEFAULT_LIMITS = Limits()


def request_association(
    address: tuple[str, int] | TlsAddress,
    called_ae_title: str,
    calling_ae_title: str,
    contexts: Sequence[ProposedContext],
    limits: Limits = _DEFAULT_LIMITS,
    *,
    roles: Mapping[str, tuple[bool, bool]] | None = None,
    extended_negotiation: Mapping[str, bytes] | None = None,
) -> Association:
    """An association with the peer at ``address`` (host, port), over TLS for a TlsAddress.

    ``roles`` maps SOP classes to the (SCU, SCP) roles that we want. Raises AssociationRejected,
    ConnectionLost, TlsFailed, PeerTimeout, AssociationAborted or ProtocolViolation; ValueError for more
    than 128 contexts. An association without a single accepted context is returned as it is.
    """
    request = AssociationRequest(
        called_ae_title,
        calling_ae_title,
        numbered(contexts),
        roles=roles or {},
        extended_negotiation=extended_negotiation or {},
    )
    return open_association(address, request, limits)


Reached = Callable[[TlsFacts | None], None]
"""Called with None once there is a connection, and with how it is protected once it is."""


def open_association(
    address: tuple[str, int] | TlsAddress, request: AssociationRequest, limits: Limits, reached: Reached | None = None
) -> Association:
    """request_association with everything that a request can hold; ``reached`` is told how far it got."""
    machine = UpperLayer(limits, requestor=True)
    machine.request()
    host_and_port = (address[0], address[1])
    stream, facts = _connect(address, limits, reached or _nobody_asks)
    association = establish(Connection(stream, machine, limits), host_and_port, request, limits)
    association.tls = facts
    return association


def establish(
    connection: Connection, address: tuple[str, int], request: AssociationRequest, limits: Limits
) -> Association:
    """open_association on any connected stream, after the machine's request()."""
    machine = connection.machine
    pdu = request_pdu(request, limits)
    try:
        machine.transport_connected(pdu)
        connection.flush()
        effect = connection.wait(limits.response_s, "the answer to the association request")
        return _answered(connection, address, request, pdu, effect)
    except WireError as error:
        if isinstance(error, ProtocolViolation) and machine.violation is None:
            machine.violated(error)
        elif isinstance(error, PeerTimeout):
            with contextlib.suppress(ConnectionLost):
                machine.abort()
        connection.end(limits.close_wait_s)
        raise


def _nobody_asks(_facts: TlsFacts | None) -> None:
    """Forget."""


def _connect(address: tuple[str, int] | TlsAddress, limits: Limits, reached: Reached) -> tuple[Stream, TlsFacts | None]:
    try:
        sock = socket.create_connection((address[0], address[1]), limits.connect_s)
    except TimeoutError:
        raise PeerTimeout("the connection", limits.connect_s) from None
    except OSError as error:
        raise ConnectionLost(error.strerror or type(error).__name__) from error
    except UnicodeError:
        raise ConnectionLost("this can be no host name") from None
    reached(None)
    transport = Transport(sock, limits.tick_s, limits.pdu_deadline_s)
    if not isinstance(address, TlsAddress):
        return transport, None
    stream = address.tls.wrap(transport, address.name or address.host, limits.connect_s)
    facts = facts_of(stream)
    reached(facts)
    return stream, facts


def _answered(
    connection: Connection,
    address: tuple[str, int],
    request: AssociationRequest,
    pdu: AssociateRQ,
    effect: Fragment | Received | ProviderAbort,
) -> Association:
    if isinstance(effect, ProviderAbort):
        raise effect.violation or ConnectionLost("the peer closed the connection")
    answer = effect.pdu if isinstance(effect, Received) else None
    if isinstance(answer, AssociateAC):
        contexts = contexts_as_requestor(pdu, answer)
        peer_max = checked_max_pdu_bytes(answer.user)
        return Association(connection, connection.limits, request, contexts, address, peer_max)
    if isinstance(answer, AssociateRJ):
        meaning = REJECTION_MEANINGS.get((answer.source, answer.reason), f"reason {answer.reason}")
        raise AssociationRejected(answer.result, answer.source, answer.reason, meaning)
    if isinstance(answer, Abort):
        raise AssociationAborted(answer.source, answer.reason)
    raise ConnectionLost("the peer closed the connection")
