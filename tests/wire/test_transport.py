"""The socket: ticks, partial sends, a peer that takes nothing, options."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from radfuse.core.errors import ConnectionLost, PeerTimeout
from radfuse.wire import scu
from radfuse.wire.acceptor import accept_association
from radfuse.wire.limits import Limits
from radfuse.wire.negotiation import AssociationRequest, numbered
from radfuse.wire.requestor import open_association
from radfuse.wire.transport import Transport
from tests.wire.scenes import CONTEXTS, CT, SHORT, AcceptsAll, Store


def _tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    return client, server


def test_a_receive_gives_bytes_or_a_tick_or_the_end() -> None:
    left, right = _tcp_pair()
    with left:
        transport = Transport(right, 0.02, 1.0)
        view = memoryview(bytearray(10))
        assert transport.recv_into(view) is None
        assert not transport.readable(0.0)
        left.sendall(b"abc")
        assert transport.readable(1.0)
        assert transport.recv_into(view) == 3
        left.shutdown(socket.SHUT_WR)
        assert transport.recv_into(view) == 0
        transport.close()
        assert transport.recv_into(view) == 0


def test_small_writes_are_never_delayed() -> None:
    left, right = _tcp_pair()
    with left:
        transport = Transport(right, 0.1, 1.0)
        assert right.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        transport.close()


def test_buffers_arrive_in_order_however_slowly_they_are_taken() -> None:
    left, right = _tcp_pair()
    for sock in (left, right):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    pieces = [os.urandom(size) for size in [1, 0, 7, 70_000] * 100]
    received = bytearray()

    def take() -> None:
        while chunk := left.recv(30_001):
            received.extend(chunk)

    taker = threading.Thread(target=take)
    taker.start()
    transport = Transport(right, 0.01, 10.0)
    transport.send_buffers(pieces)
    transport.close()
    taker.join(30)
    left.close()
    assert bytes(received) == b"".join(pieces)


def test_a_peer_that_takes_nothing_is_given_up() -> None:
    left, right = _tcp_pair()
    with left:
        transport = Transport(right, 0.02, 0.2)
        with pytest.raises(PeerTimeout):
            transport.send_buffers([bytes(50_000_000)])
        transport.close()


def test_sending_to_a_closed_peer_is_a_lost_connection() -> None:
    left, right = _tcp_pair()
    left.close()
    transport = Transport(right, 0.02, 1.0)
    with pytest.raises(ConnectionLost):
        for _ in range(100):
            transport.send_buffers([bytes(100_000)])
    transport.finish()
    transport.close()
    transport.close()


@pytest.fixture
def tls_contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Server and client with a throw-away certificate for the loopback address."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed (apt-get install openssl)")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    command += [
        "-subj",
        "/CN=node",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(certificate))
    server.load_cert_chain(certificate, key)
    return server, client


def test_an_association_works_over_tls_and_its_ticks_too(
    tls_contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server_context, client_context = tls_contexts
    store, content = Store(), os.urandom(3_000_000)

    def serve() -> None:
        sock, address = listener.accept()
        wrapped = server_context.wrap_socket(sock, server_side=True)
        association = accept_association(wrapped, address, AcceptsAll(), SHORT)
        assert association is not None
        with association:
            while (message := association.receive_command()) is not None:
                store(association, message)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve)
        server.start()
        request = AssociationRequest("NODE", "TEST", numbered(CONTEXTS))
        limits = Limits(idle_s=0.2, close_wait_s=0.2)
        with open_association(listener.getsockname(), request, limits, client_context) as association:
            assert scu.store(association, scu.context_for(association, CT), CT, "1.2", content).status == 0
            assert not association.poll(0.05)
            assert scu.echo(association) == 0
        server.join(10)
    assert store.received == [("1.2", content)]


def test_a_peer_without_tls_is_a_lost_connection(tls_contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    request = AssociationRequest("NODE", "TEST", numbered(CONTEXTS))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            sock, _ = listener.accept()
            sock.sendall(b"no TLS here")
            sock.close()

        server = threading.Thread(target=serve)
        server.start()
        with pytest.raises(ConnectionLost, match="TLS"):
            open_association(listener.getsockname(), request, SHORT, tls_contexts[1])
        server.join(10)
