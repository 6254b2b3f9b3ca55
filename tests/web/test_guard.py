"""The guard: no web page elsewhere can ask in the name of the person before the screen."""

from __future__ import annotations

import socket
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from radfuse.web import Site
from radfuse.web.guard import is_loopback_name
from tests.web.conftest import RunningWeb, ServeWeb


@pytest.fixture
def guarded(serve_web: ServeWeb) -> RunningWeb:
    """The application as it runs where nobody logs in."""
    return serve_web(site=Site({}))


def raw(web: RunningWeb, request: bytes) -> bytes:
    """The beginning of the answer to a request that no library would make."""
    place = urlsplit(web.url)
    with closing(socket.create_connection((str(place.hostname), place.port or 0), 10)) as client:
        client.sendall(request)
        return client.recv(1000)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8042",
        "127.0.0.1:8042",
        "127.9.9.9",
        "[::1]",
        "[::1]:8042",
        "a.localhost:1",
        "localhost.",
    ],
)
def test_names_that_only_this_machine_has_are_its_own(host: str) -> None:
    assert is_loopback_name(host)


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "evil.example:8042", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost"),
        *("192.0.2.1", "[::]", "[::1", "[2001:db8::1]:80", "user@evil.example", "127.0.0.1@evil.example"),
    ],
)
def test_names_that_another_can_give_out_are_not(host: str) -> None:
    assert not is_loopback_name(host)


@pytest.mark.parametrize("path", ["/dicom-web/studies", "/healthz", "/metrics", "/"])
def test_a_page_that_points_its_name_at_this_machine_is_refused(guarded: RunningWeb, path: str) -> None:
    answer = guarded.http.get(guarded.url + path, headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == "this service is asked for as localhost only"


def test_two_hosts_are_one_too_many(guarded: RunningWeb) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"
    assert raw(guarded, request).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[x"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=lambda headers: " ".join(headers.values()),
)
def test_a_page_of_another_origin_cannot_store(guarded: RunningWeb, headers: dict[str, str]) -> None:
    answer = guarded.http.post(f"{guarded.dicomweb}/studies", content=b"x", headers=headers)
    assert answer.status_code == 403
    assert answer.json()["detail"] == "a page of another origin may change nothing here"


@pytest.mark.parametrize("site", [None, "same-origin", "none"])
def test_our_own_page_and_programs_can(guarded: RunningWeb, site: str | None) -> None:
    headers = {"Origin": guarded.url, "Sec-Fetch-Site": site} if site else {}
    answer = guarded.http.post(f"{guarded.dicomweb}/studies", content=b"x", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["detail"] == "a media type is malformed"


def test_no_page_elsewhere_can_read_what_it_shows(guarded: RunningWeb) -> None:
    answer = guarded.http.get(f"{guarded.dicomweb}/studies", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_request_that_names_no_host_is_refused(guarded: RunningWeb) -> None:
    assert raw(guarded, b"GET /dicom-web/studies HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 421 ")
