"""The accepting side of association establishment (PS3.8 sections 7.1 and 9.2)."""

from __future__ import annotations

import socket
from typing import Protocol

from radfuse.core.errors import AssociationAborted, ConnectionLost, PeerTimeout, ProtocolViolation
from radfuse.wire.association import Association
from radfuse.wire.connection import Connection
from radfuse.wire.framing import Fragment
from radfuse.wire.fsm import State
from radfuse.wire.limits import Limits
from radfuse.wire.negotiation import (
    Acceptance,
    AssociationRequest,
    Rejection,
    acceptance_pdu,
    contexts_as_acceptor,
    is_acceptable,
    request_of,
)
from radfuse.wire.pdu import AssociateRJ, AssociateRQ
from radfuse.wire.tls import TlsServer, facts_of
from radfuse.wire.transport import Transport
from radfuse.wire.upper_layer import Received, UpperLayer


class Policy(Protocol):
    """Who may associate, and with what."""

    def answer(self, request: AssociationRequest, peer_address: tuple[str, int]) -> Acceptance | Rejection:
        """The answer to ``request``; it may be called from several threads."""


def accept_association(
    sock: socket.socket,
    peer_address: tuple[str, int],
    policy: Policy,
    limits: Limits,
    tls: TlsServer | None = None,
) -> Association | None:
    """Negotiate on a freshly accepted socket, which belongs to this function from now on.

    With ``tls`` after a TLS handshake, which may take as long as the association request may (ARTIM).
    None when there is nothing to say about it: the peer closed without a byte (a load balancer's
    probe), or ``policy`` rejected. Raises ConnectionLost, TlsFailed, PeerTimeout,
    AssociationAborted or ProtocolViolation when the peer did not get to an association; the socket is closed then and
    the peer told where the standard wants so. What ``policy`` raises passes, after an abort.
    """
    machine = UpperLayer(limits, requestor=False)
    try:
        transport = Transport(sock, limits.tick_s, limits.pdu_deadline_s)
    except OSError as error:
        sock.close()
        raise ConnectionLost(type(error).__name__) from error
    if tls is None:
        return negotiate(Connection(transport, machine, limits), peer_address, policy, limits)
    stream = tls.wrap(transport, limits.artim_s)
    if stream is None:
        transport.close()
        return None
    association = negotiate(Connection(stream, machine, limits), peer_address, policy, limits)
    if association is not None:
        association.tls = facts_of(stream)
    return association


def negotiate(
    connection: Connection, peer_address: tuple[str, int], policy: Policy, limits: Limits
) -> Association | None:
    """accept_association on any stream."""
    machine = connection.machine
    machine.transport_accepted()
    try:
        association = _negotiate(connection, peer_address, policy, limits)
    except ConnectionLost:
        connection.end(0.0)
        if machine.reader.has_received:
            raise
        return None
    except BaseException as error:
        _give_up(connection, error)
        connection.end(limits.close_wait_s)
        raise
    if association is None:
        connection.end(limits.close_wait_s)
    return association


def _give_up(connection: Connection, error: BaseException) -> None:
    """Tell the peer why there is no association."""
    machine = connection.machine
    if machine.state is State.AWAITING_LOCAL_ASSOCIATE_RESPONSE:
        if isinstance(error, ProtocolViolation):
            machine.violated(error)
        else:
            machine.abort()
    elif isinstance(error, PeerTimeout) and machine.state is State.TRANSPORT_OPEN_AWAITING_REQUEST:
        machine.artim_expired()


def _negotiate(
    connection: Connection, peer_address: tuple[str, int], policy: Policy, limits: Limits
) -> Association | None:
    machine = connection.machine
    pdu = _request(connection, limits)
    rejection = is_acceptable(pdu)
    if rejection is not None:
        _reject(connection, rejection)
        raise ProtocolViolation("the protocol version or application context is not supported")
    request = request_of(pdu)
    answer = policy.answer(request, peer_address)
    if isinstance(answer, Rejection):
        _reject(connection, answer)
        return None
    accepted = acceptance_pdu(pdu, answer, limits)
    machine.accept(accepted)
    connection.flush()
    contexts = contexts_as_acceptor(pdu, accepted)
    return Association(connection, limits, request, contexts, peer_address, request.max_pdu_bytes)


def _request(connection: Connection, limits: Limits) -> AssociateRQ:
    effect = connection.wait(limits.artim_s, "the association request")
    if isinstance(effect, Received) and isinstance(effect.pdu, AssociateRQ):
        return effect.pdu
    if isinstance(effect, Received | Fragment):
        raise AssociationAborted(0, 0)
    raise effect.violation or ConnectionLost("the peer closed the connection")


def _reject(connection: Connection, rejection: Rejection) -> None:
    connection.machine.reject(AssociateRJ(rejection.result, rejection.source, rejection.reason))
    connection.flush()
