"""Import of many small files: ``radfuse import`` against Orthanc's REST upload (one connection; one ZIP)."""

from __future__ import annotations

import http.client
import io
import subprocess
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import peers, store
from benchmarks.common import OURS, BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.objects import SMALL, FileSet, write_files

ABOUT = "Import of small files from a folder into an empty archive."


@dataclass(frozen=True, slots=True)
class Way:
    """One way in: whose it is, its name in the table, and the function that does it and gives the seconds."""

    peer: peers.Peer
    name: str
    seconds: Callable[[FileSet, Path], float]


def run(settings: Settings, results: Results) -> None:
    """Each way in turn."""
    ways = [
        Way(peers.RADFUSE, OURS, _by_command),
        Way(peers.ORTHANC, "Orthanc, POST /instances", partial(_by_rest, _each_file)),
        Way(peers.ORTHANC, "Orthanc, POST one ZIP", partial(_by_rest, _one_zip)),
    ]
    here = peers.present((peers.RADFUSE, peers.ORTHANC), settings, results)
    ways = [way for way in ways if way.peer in here]
    with folder_in(settings.scratch) as folder:
        files = write_files(folder / "files", SMALL, settings.amount(10_000, 500))
        store.warm(files)
        interleaved(settings.runs, ways, partial(_once, files, settings, results), results)


def _once(files: FileSet, settings: Settings, results: Results, way: Way) -> None:
    with folder_in(settings.scratch) as folder:
        seconds = way.seconds(files, folder)
    results.add(Value(f"import {files.count} small files", way.name, "objects/s", files.count / seconds))


def _by_command(files: FileSet, folder: Path) -> float:
    command = peers.radfuse("import", str(files.folder), "--data", str(folder), "--json")
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=peers.environment(), check=False)
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise BenchmarkError(f"import ended with {done.returncode}: {done.stderr.strip()[-200:]}")
    return seconds


def _by_rest(upload: Callable[[http.client.HTTPConnection, FileSet], None], files: FileSet, folder: Path) -> float:
    with peers.serving(peers.ORTHANC, folder) as running:
        connection = http.client.HTTPConnection(peers.HOST, running.start.http_port, timeout=600)
        begin = time.perf_counter()
        upload(connection, files)
        seconds = time.perf_counter() - begin
        connection.close()
    return seconds


def _each_file(connection: http.client.HTTPConnection, files: FileSet) -> None:
    for path in sorted(files.folder.rglob("*.dcm")):
        _post(connection, path.read_bytes(), "application/dicom")


def _one_zip(connection: http.client.HTTPConnection, files: FileSet) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files.folder.rglob("*.dcm")):
            archive.write(path, str(path.relative_to(files.folder)))
    _post(connection, packed.getvalue(), "application/zip")


def _post(connection: http.client.HTTPConnection, body: bytes, kind: str) -> None:
    connection.request("POST", "/instances", body, {"Content-Type": kind})
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.client.OK:
        raise BenchmarkError(f"Orthanc answered {answer.status}")
