"""OHIF's viewer as it is published at npm, served unmodified with a configuration that names an archive of ours."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import json
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

_PACKAGE: Final = "@ohif/app@3.13.2"
_SHA512: Final = "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="


def unpacked(folder: Path) -> Path:
    """Fetch the package into ``folder``; the viewer's own folder. Skips the test without npm."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: it fetches the viewer")
    fetched = subprocess.run(
        [npm, "pack", "--silent", _PACKAGE], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    if fetched.returncode:
        pytest.skip(f"npm cannot fetch {_PACKAGE}")
    (archive,) = folder.glob("*.tgz")
    assert base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() == _SHA512
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    return folder / "package" / "dist"


def _configuration(dicomweb: str) -> str:
    source = {
        "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
        "sourceName": "radfuse",
        "configuration": {
            "friendlyName": "Radfuse",
            "name": "radfuse",
            "qidoRoot": dicomweb,
            "wadoRoot": dicomweb,
            "wadoUriRoot": dicomweb,
            "qidoSupportsIncludeField": True,
            "supportsFuzzyMatching": False,
            "supportsWildcard": True,
            "imageRendering": "wadors",
            "thumbnailRendering": "wadors",
            "enableStudyLazyLoad": True,
            "bulkDataURI": {"enabled": True, "relativeResolution": "studies"},
        },
    }
    configuration = {
        "routerBasename": None,
        "extensions": [],
        "modes": [],
        "showStudyList": True,
        "maxNumberOfWebWorkers": 1,
        "defaultDataSourceName": "radfuse",
        "dataSources": [source],
    }
    return f"window.config = {json.dumps(configuration)};"


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    folder = Path()
    configuration = b""


class _Handler(http.server.SimpleHTTPRequestHandler):
    server: _Server

    def __init__(self, request: Any, address: Any, server: _Server) -> None:
        super().__init__(request, address, server, directory=str(server.folder))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """A file of the viewer, its configuration, or its page for every address of its own."""
        path = self.path.partition("?")[0]
        if path == "/app-config.js":
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript")
            self.send_header("Content-Length", str(len(self.server.configuration)))
            self.end_headers()
            self.wfile.write(self.server.configuration)
            return
        if not (self.server.folder / path.lstrip("/")).is_file():
            self.path = "/index.html"
        super().do_GET()


class OhifServer:
    """The viewer on a free port of this machine."""

    def __init__(self, viewer: Path) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.folder = viewer
        self.origin = f"http://localhost:{self._server.server_address[1]}"

    def show(self, dicomweb: str) -> None:
        """Show the archive at this address."""
        self._server.configuration = _configuration(dicomweb).encode()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Serve while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()
