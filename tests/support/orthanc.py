"""Orthanc as a peer, as Debian has it, asked over its REST API."""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.ports import unused_port
from tests.support.servers import RunningNode, wait_for_port

STOP_S = 30.0
AE_TITLE = "ORTHANC"


@dataclass(frozen=True)
class Orthanc:
    """Orthanc while it runs, by its REST API."""

    http_port: int
    dicom_port: int

    def ask(self, path: str, body: object = None, method: str = "") -> Any:
        """One request; the answer as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        url = f"http://127.0.0.1:{self.http_port}/{path}"
        request = urllib.request.Request(url, data, method=method or None)
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read())

    def file(self, instance: str) -> bytes:
        """The Part 10 file of an instance."""
        url = f"http://127.0.0.1:{self.http_port}/instances/{instance}/file"
        with urllib.request.urlopen(url, timeout=60) as answer:
            content: bytes = answer.read()
        return content

    def clear(self) -> None:
        """Forget every patient."""
        for patient in self.ask("patients"):
            self.ask(f"patients/{patient}", method="DELETE")


@contextlib.contextmanager
def running_orthanc(program: str, folder: Path, node: RunningNode, **rights: bool) -> Iterator[Orthanc]:
    """Orthanc with its database in ``folder``; it knows ``node`` as "radfuse", with ``rights``; all may ask it."""
    running = Orthanc(unused_port(), unused_port())
    settings = {
        "Name": "tests",
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "HttpPort": running.http_port,
        "DicomPort": running.dicom_port,
        "DicomAet": AE_TITLE,
        "DicomModalities": {"radfuse": {"AET": node.ae_title, "Host": "127.0.0.1", "Port": node.port, **rights}},
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowMove": True,
        "DicomAlwaysAllowGet": True,
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        wait_for_port(running.http_port)
        wait_for_port(running.dicom_port)
        yield running
    finally:
        process.terminate()
        process.wait(STOP_S)
