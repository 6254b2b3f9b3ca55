"""The socket: ticks, partial sends, a peer that takes nothing, options."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from radfuse.core.errors import ConnectionLost, PeerTimeout
from radfuse.wire.transport import Transport


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
