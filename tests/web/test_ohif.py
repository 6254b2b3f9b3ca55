"""OHIF's files over HTTP: where it is installed, only them, with our configuration; not a byte elsewhere."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from radfuse.services.ohif import Shelf, install, remove
from radfuse.web import Site
from radfuse.web.ohif import ohif_routes
from tests.support.ohif_package import write_package
from tests.web.conftest import RunningWeb, serving

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CHUNK = "/ohif/app.bundle.0f6159c501addfe9.js"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the viewer in it, and something that is not the viewer's."""
    data = tmp_path_factory.mktemp("ohif") / "data"
    install(data, write_package(data.parent))
    (data / "secret.txt").write_text("secret", encoding="ascii")
    (data / "ohif" / "files" / "added.js").write_text("secret", encoding="ascii")
    return data


@pytest.fixture(scope="module")
def ohif(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[RunningWeb]:
    """The application that serves it."""
    with serving(tmp_path_factory.mktemp("web") / "archive") as start:
        yield start(site=Site({}, only_loopback_names=False, ohif=data, console=data.parent / "none"))


def get(web: RunningWeb, path: str, **headers: str) -> httpx.Response:
    return web.http.get(web.url + path, headers={"Accept-Encoding": "identity"} | headers)


@pytest.mark.parametrize(
    "path", ["/ohif/", "/ohif/viewer?StudyInstanceUIDs=1.2", "/ohif/viewer/default", "/ohif/local"]
)
def test_every_page_is_the_one_document(ohif: RunningWeb, path: str) -> None:
    answer = get(ohif, path, **PAGE)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b'PUBLIC_URL="/ohif/"' in answer.content
    assert answer.headers["Cache-Control"] == "no-cache"


def test_the_address_without_a_slash_leads_to_it(ohif: RunningWeb) -> None:
    answer = get(ohif, "/ohif", **PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (307, "/ohif/")


def test_what_is_named_by_its_content_is_kept_for_a_year_and_the_rest_is_asked_for_again(ohif: RunningWeb) -> None:
    assert get(ohif, CHUNK).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert get(ohif, "/ohif/0ddf166f7a343eda.wasm").headers["Content-Type"] == "application/wasm"
    answer = get(ohif, "/ohif/app.bundle.css")
    assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-cache", "nosniff")
    tag = answer.headers["ETag"]
    assert get(ohif, "/ohif/app.bundle.css", **{"If-None-Match": tag}).status_code == 304


def test_what_was_compressed_is_sent_so_to_whoever_takes_it(ohif: RunningWeb) -> None:
    with ohif.http.stream("GET", ohif.url + CHUNK, headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert gzip.decompress(raw) == get(ohif, CHUNK).content


def test_its_configuration_names_this_service_and_no_other(ohif: RunningWeb) -> None:
    answer = get(ohif, "/ohif/app-config.js")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
    begin, end = answer.text.index("{"), answer.text.index(";\n")
    facts: dict[str, Any] = json.loads(answer.text[begin:end])
    assert facts["routerBasename"] == "/ohif"
    (source,) = facts["dataSources"]
    roots = {source["configuration"][name] for name in ("qidoRoot", "wadoRoot", "wadoUriRoot")}
    assert roots == {"/dicom-web"}
    assert "elsewhere" not in answer.text
    assert "status === 401" in answer.text


def test_it_may_run_its_own_scripts_and_ask_nobody_else(ohif: RunningWeb) -> None:
    rules = dict(
        rule.strip().split(" ", 1) for rule in get(ohif, "/ohif/", **PAGE).headers["Content-Security-Policy"].split(";")
    )
    assert "'unsafe-inline'" not in rules["script-src"]
    assert "'sha256-" in rules["script-src"]
    assert rules["connect-src"] == "'self' blob: data:"
    assert "http" not in " ".join(rules.values())
    assert rules["frame-ancestors"] == rules["object-src"] == "'none'"


@pytest.mark.parametrize(
    "path",
    [
        "/ohif/../secret.txt", "/ohif/../../secret.txt", "/ohif/..%2f..%2fsecret.txt", "/ohif/%2e%2e/%2e%2e/secret.txt",
        "/ohif/added.js", "/ohif/radfuse.json", "/ohif/LICENSE", "/ohif/assets/", "/ohif/ort/ort.js", "/ohif/sw.js",
        "/ohif/.hidden", "/ohif/app.bundle.0f6159c501addfe9.js.gz", "/ohif/%00",
        "/ohif/app.bundle.0f6159c501addfe9.js.map",
    ],
)  # fmt: skip
def test_no_other_file_can_be_had(ohif: RunningWeb, path: str) -> None:
    host, port = ohif.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert int(answer.split()[1]) in (400, 404)
    assert b"secret" not in answer


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_done_but_reading(ohif: RunningWeb, method: str) -> None:
    assert ohif.http.request(method, f"{ohif.url}/ohif/").status_code in (403, 405)


def test_every_database_is_a_source_of_its_own(data: Path) -> None:
    app = Starlette(routes=list(ohif_routes(Shelf(data), ["trial"])))

    async def configuration() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client:
            return (await client.get("/ohif/app-config.js")).text

    assert '"qidoRoot": "/databases/trial/dicom-web"' in asyncio.run(configuration())


def test_where_it_is_not_installed_it_says_how(ohif: RunningWeb, data: Path) -> None:
    assert remove(data)
    answer = get(ohif, "/ohif/", **PAGE)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert "radfuse ohif install" in answer.json()["detail"]
