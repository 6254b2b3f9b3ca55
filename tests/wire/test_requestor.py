"""The requesting side: what a peer can answer, and what it can fail to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from radfuse.core.errors import (
    AssociationAborted,
    AssociationRejected,
    ConnectionLost,
    PeerTimeout,
    ProtocolViolation,
)
from radfuse.wire import Limits, open_association, request_association
from radfuse.wire.items import ContextAnswer, UserInformation
from radfuse.wire.negotiation import AssociationRequest, numbered
from radfuse.wire.pdu import Abort, AssociateAC, AssociateRJ, encode
from radfuse.wire.tls import TlsFacts
from tests.wire.scenes import (
    CONTEXTS,
    CT,
    IMPLICIT,
    RELEASE_RQ,
    SHORT,
    AcceptsAll,
    Node,
    Store,
    data_tf,
    pdu_types,
    received_until_closed,
)


@contextmanager
def _peer(answer: bytes, received: bytearray | None = None) -> Iterator[tuple[str, int]]:
    """A peer that answers the first connection with ``answer`` and then reads until it is closed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.recv(65536)
            sock.sendall(answer)
            data = received_until_closed(sock)
            if received is not None:
                received.extend(data)

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()
    thread.join(10)
    listener.close()


def _accept(context_id: int, max_pdu_bytes: int = 16384) -> bytes:
    contexts = (ContextAnswer(context_id, 0, IMPLICIT),)
    return encode(AssociateAC(b"A".ljust(16), b"B".ljust(16), contexts, UserInformation(max_pdu_bytes)))


def test_a_rejection_is_raised_with_its_meaning() -> None:
    with _peer(encode(AssociateRJ(1, 1, 7))) as address, pytest.raises(AssociationRejected) as caught:
        request_association(address, "NODE", "TEST", CONTEXTS, SHORT)
    assert (caught.value.result, caught.value.source, caught.value.reason) == (1, 1, 7)
    assert str(caught.value) == "the peer rejected the association: called AE title not recognized"


@pytest.mark.parametrize(
    "answer",
    [_accept(99), _accept(1, 6), b"HTTP/1.1 400 Bad Request\r\n\r\n", data_tf(1, 3, b"x" * 10), RELEASE_RQ],
)
def test_an_answer_that_breaks_the_protocol_is_aborted(answer: bytes) -> None:
    received = bytearray()
    with _peer(answer, received) as address, pytest.raises(ProtocolViolation):
        request_association(address, "NODE", "TEST", CONTEXTS, SHORT)
    assert pdu_types(received) == [7]


def test_an_abort_instead_of_an_answer_is_raised() -> None:
    with _peer(encode(Abort(2, 1))) as address, pytest.raises(AssociationAborted) as caught:
        request_association(address, "NODE", "TEST", CONTEXTS, SHORT)
    assert (caught.value.source, caught.value.reason) == (2, 1)


def test_no_answer_ends_in_an_abort_when_the_time_is_over() -> None:
    received = bytearray()
    limits = Limits(response_s=0.2, close_wait_s=0.2)
    with _peer(b"", received) as address, pytest.raises(PeerTimeout):
        request_association(address, "NODE", "TEST", CONTEXTS, limits)
    assert pdu_types(received) == [7]


def test_a_closed_port_is_a_lost_connection(free_port: int) -> None:
    with pytest.raises(ConnectionLost, match="refused"):
        request_association(("127.0.0.1", free_port), "NODE", "TEST", CONTEXTS, SHORT)


def test_a_peer_that_closes_at_once_is_a_lost_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def close_at_once() -> None:
            listener.accept()[0].close()

        closing = threading.Thread(target=close_at_once)
        closing.start()
        with pytest.raises(ConnectionLost):
            request_association(listener.getsockname(), "NODE", "TEST", CONTEXTS, SHORT)
        closing.join(10)


def test_roles_and_extended_negotiation_are_proposed() -> None:
    policy = AcceptsAll()
    with Node(Store()) as node:
        node.policy = policy
        with request_association(
            node.address,
            "NODE",
            "TEST",
            CONTEXTS,
            SHORT,
            roles={CT: (False, True)},
            extended_negotiation={CT: b"\3\0\2"},
        ) as association:
            (context,) = (row for row in association.contexts.values() if row.abstract_syntax == CT)
            assert (context.as_scu, context.as_scp) == (False, True)
    (request,) = policy.requests
    assert request.extended_negotiation == {CT: b"\3\0\2"}
    assert (request.called_ae_title, request.calling_ae_title) == ("NODE", "TEST")


def test_a_thousand_refused_attempts_leave_no_socket_behind(new_port: Callable[[], int]) -> None:
    address = ("127.0.0.1", new_port())
    for _ in range(1000):
        with pytest.raises(ConnectionLost):
            request_association(address, "NODE", "TEST", CONTEXTS, SHORT)


def test_it_is_told_how_far_it_got() -> None:
    reached: list[TlsFacts | None] = []
    request = AssociationRequest("NODE", "TEST", numbered(CONTEXTS))
    with _peer(encode(AssociateRJ(1, 1, 7))) as address, pytest.raises(AssociationRejected):
        open_association(address, request, SHORT, reached.append)
    assert reached == [None]
    with pytest.raises(ConnectionLost):
        open_association(address, request, SHORT, reached.append)
    assert reached == [None]


def test_what_can_be_no_host_name_is_no_connection() -> None:
    with pytest.raises(ConnectionLost, match="no host name"):
        request_association(("a" * 64, 104), "NODE", "TEST", CONTEXTS, SHORT)
