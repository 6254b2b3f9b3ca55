"""The HTTP server: what a client may cost before there is a request."""

from __future__ import annotations

import socket
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from radfuse.web import server
from tests.web.conftest import RunningWeb


def connected(web: RunningWeb) -> socket.socket:
    place = urlsplit(web.url)
    return socket.create_connection((str(place.hostname), place.port or 0), 30)


def answer_of(client: socket.socket) -> bytes:
    """All that comes until the server closes."""
    found = b""
    try:
        while piece := client.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize("piece", [b"X-A: " + b"a" * 4000 + b"\r\n", b"a" * 4000], ids=["many headers", "one header"])
def test_an_endless_head_is_refused(web: RunningWeb, piece: bytes) -> None:
    with closing(connected(web)) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-B: ")
        sent = 0
        try:
            while sent < 10_000_000:
                client.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        assert sent < 10_000_000
    assert web.http.get(f"{web.url}/healthz").status_code == 200


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nHost: local"], ids=["silent", "slow"])
def test_a_head_that_does_not_come_is_not_waited_for(
    web: RunningWeb, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_HEAD_S", 0.3)
    with closing(connected(web)) as client:
        client.sendall(begun)
        assert answer_of(client) == b""


def test_several_requests_on_one_connection_each_get_their_time(
    web: RunningWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_HEAD_S", 5.0)
    for _ in range(3):
        assert web.http.get(f"{web.url}/healthz", headers={"X-Long": "a" * 30_000}).status_code == 200


def test_what_is_no_http_is_answered_and_closed(web: RunningWeb) -> None:
    with closing(connected(web)) as client:
        client.sendall(b"\x01\x00\x00\x00\x00\x04abcd\r\n\r\n")
        assert answer_of(client).startswith(b"HTTP/1.1 400 ")
