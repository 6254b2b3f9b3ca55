"""The console's files over HTTP: which, how, and nothing else."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from radfuse.web import Site
from tests.web.conftest import RunningWeb, serving

INDEX = b"<!doctype html><title>Radfuse</title>" + b" " * 600
SCRIPT = b"export const answer = 42;" * 40
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build leaves, beside a file that is not its own."""
    folder = tmp_path_factory.mktemp("console") / "static"
    (folder / "assets").mkdir(parents=True)
    for name, content in {"index.html": INDEX, "assets/index-abc.js": SCRIPT, "assets/odd-1.css": b"a{}" * 300}.items():
        (folder / name).write_bytes(content)
        (folder / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
    (folder / "assets" / "odd-1.css.gz").write_bytes(gzip.compress(b"of another build", mtime=0))
    (folder / "favicon.svg").write_bytes(b"<svg/>")
    (folder / ".stamp").write_text("digest", encoding="ascii")
    (folder.parent / "secret.txt").write_text("secret", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, static: Path) -> Iterator[RunningWeb]:
    """The application with a console, shared by the module."""
    with serving(tmp_path_factory.mktemp("web") / "archive") as start:
        yield start(site=Site({}, only_loopback_names=False, console=static))


def get(web: RunningWeb, path: str, **headers: str) -> httpx.Response:
    return web.http.get(web.url + path, headers={"Accept-Encoding": "identity"} | headers)


@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs/12", "/settings/tls", "/?study=1.2.3", "/apiary", "/metricsx"])
def test_every_page_is_the_one_document(console: RunningWeb, path: str) -> None:
    answer = get(console, path, **PAGE)
    assert (answer.status_code, answer.content) == (200, INDEX)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_the_first_page_is_there_for_whoever_asks(console: RunningWeb) -> None:
    assert get(console, "/", Accept="*/*").content == INDEX


def test_assets_are_kept_for_a_year(console: RunningWeb) -> None:
    answer = get(console, "/assets/index-abc.js")
    assert (answer.status_code, answer.content) == (200, SCRIPT)
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert get(console, "/favicon.svg").headers["Content-Type"] == "image/svg+xml"


def test_an_asset_of_another_build_is_no_page(console: RunningWeb) -> None:
    answer = get(console, "/assets/index-old.js", Accept="*/*")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_page_may_run_no_script_but_ours(console: RunningWeb) -> None:
    for path in ("/", "/assets/index-abc.js"):
        headers = get(console, path, **PAGE).headers
        rules = dict(rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";"))
        assert rules["default-src"] == "'self'"
        assert "script-src" not in rules
        assert rules["frame-ancestors"] == rules["object-src"] == rules["base-uri"] == "'none'"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize(
    ("accepted", "is_small"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("*", True), ("gzip;q=0", False), ("gzip; q=0.0", False), ("br", False)],
)
def test_what_was_compressed_is_sent_so_to_whoever_takes_it(console: RunningWeb, accepted: str, is_small: bool) -> None:
    with console.http.stream(
        "GET", f"{console.url}/assets/index-abc.js", headers={"Accept-Encoding": accepted}
    ) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers.get("Content-Encoding") == ("gzip" if is_small else None)
    assert (gzip.decompress(raw) if is_small else raw) == SCRIPT


def test_a_compressed_file_of_another_build_is_not_used(console: RunningWeb) -> None:
    answer = get(console, "/assets/odd-1.css", **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert answer.content == b"a{}" * 300


def test_what_the_browser_has_is_not_sent_again(console: RunningWeb) -> None:
    for accepted in ("identity", "gzip"):
        first = get(console, "/", **PAGE | {"Accept-Encoding": accepted})
        tag = first.headers["ETag"]
        for given in (tag, f"W/{tag}", f'"other", {tag}'):
            again = get(console, "/", **PAGE | {"Accept-Encoding": accepted, "If-None-Match": given})
            assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert get(console, "/", **PAGE | {"If-None-Match": '"other"'}).status_code == 200


def test_a_head_request_has_no_body(console: RunningWeb) -> None:
    answer = console.http.head(f"{console.url}/", headers={"Accept-Encoding": "identity"})
    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", str(len(INDEX)))


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/assets/../../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/..\\secret.txt",
        "/assets%2findex-abc.js/..", "//etc/passwd", "/%00", "/.stamp", "/index.html.gz", "/assets/", "/assets",
        "/static/index.html",
    ],
)  # fmt: skip
def test_no_other_file_can_be_had(console: RunningWeb, path: str) -> None:
    # Written by hand: clients tidy such paths.
    host, port = console.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert int(answer.split()[1]) in (400, 404)
    assert b"secret" not in answer
    assert b"digest" not in answer


@pytest.mark.parametrize(
    "path", ["/api", "/api/nothing", "/dicom-web", "/dicom-web/nothing", "/databases/x", "/metrics/x"]
)
def test_what_is_not_the_consoles_stays_a_problem(console: RunningWeb, path: str) -> None:
    answer = get(console, path, **PAGE)
    assert answer.status_code in (403, 404)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_health_is_not_the_consoles(console: RunningWeb) -> None:
    assert get(console, "/healthz", **PAGE).json() == {"status": "ok"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_pages_can_only_be_read(console: RunningWeb, method: str) -> None:
    answer = console.http.request(method, f"{console.url}/jobs", headers=PAGE)
    assert answer.status_code in (403, 404, 405)


def test_a_console_that_was_not_built_says_how(tmp_path: Path) -> None:
    with serving(tmp_path / "archive") as start:
        web = start(site=Site({}, only_loopback_names=False, console=tmp_path / "nothing"))
        answer = get(web, "/", **PAGE)
        assert answer.status_code == 503
        assert "make install" in answer.text
        assert get(web, "/healthz").status_code == 200
