"""The web application on a free loopback port, in a thread of its own, over an archive of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from radfuse.archive import Archive, ArchiveSettings, Origin
from radfuse.dicom import Transcoder, read_file_meta
from radfuse.services.ingest import ingest
from radfuse.web import Site, WebServer, WebSurroundings, create_app
from tests.support.generate import GeneratedSet

START_S = 120.0


@dataclass(frozen=True)
class RunningWeb:
    """The application while it serves."""

    archive: Archive
    url: str
    http: httpx.Client

    @property
    def dicomweb(self) -> str:
        """The address of the DICOMweb service."""
        return f"{self.url}/dicom-web"

    def get(self, path: str, accept: str = "*/*", **headers: str) -> httpx.Response:
        """GET a path below the DICOMweb service."""
        return self.http.get(self.dicomweb + path, headers={"Accept": accept} | headers)

    def post(self, content: bytes, content_type: str, path: str = "/studies") -> httpx.Response:
        """POST to a path below the DICOMweb service."""
        return self.http.post(self.dicomweb + path, content=content, headers={"Content-Type": content_type})


def keep(archive: Archive, path: Path) -> None:
    """Store one file, as every door does."""
    content = path.read_bytes()
    meta = read_file_meta(content)
    origin = Origin(meta.sop_class_uid, meta.sop_instance_uid, meta.transfer_syntax_uid)
    with archive.receive(origin) as incoming:
        incoming.write(content[meta.data_offset :])
        ingest(archive, incoming)


ServeWeb = Callable[..., RunningWeb]


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[ServeWeb]:
    """Starts applications over one archive in ``folder``; keyword arguments replace fields of their surroundings."""
    folder.mkdir()
    with Archive(ArchiveSettings(folder)) as archive, Transcoder() as transcoder, contextlib.ExitStack() as stack:

        def start(site: Site | None = None, **changes: Any) -> RunningWeb:
            app = create_app(replace(WebSurroundings(archive, transcoder, "RADFUSE"), **changes), site)
            url = stack.enter_context(running_app(app))
            return RunningWeb(archive, url, stack.enter_context(httpx.Client(timeout=60)))

        yield start


@contextlib.contextmanager
def running_app(app: ASGIApp) -> Iterator[str]:
    """The application on a free loopback port, until the end of the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    started = threading.Event()
    server = WebServer(app, 10.0, started.set)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        assert started.wait(START_S), "the server did not start"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop()
        thread.join(START_S)
    assert not thread.is_alive()


@pytest.fixture
def serve_web(tmp_path: Path) -> Iterator[ServeWeb]:
    """Starts the application over an empty archive."""
    with serving(tmp_path / "archive") as start:
        yield start


@pytest.fixture
def web(serve_web: ServeWeb) -> RunningWeb:
    """The application over an empty archive."""
    return serve_web()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, generated_set: GeneratedSet) -> Iterator[RunningWeb]:
    """The application over an archive with the generated study. Shared by a module: nothing is added to it."""
    with serving(tmp_path_factory.mktemp("web") / "archive") as start:
        running = start()
        for path in generated_set.files:
            keep(running.archive, path)
        yield running
