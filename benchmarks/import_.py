"""Import of many small files: ``radfuse import`` against every way into Orthanc that does not take one by one."""

from __future__ import annotations

import http.client
import io
import subprocess
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import peers, store, tools
from benchmarks.common import OURS, BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.objects import SMALL, FileSet, write_files

ABOUT = "Import of small files from a folder into an empty archive."
_CONNECTIONS = 4
_Upload = Callable[[http.client.HTTPConnection, Sequence[Path]], None]


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
        Way(peers.ORTHANC, "Orthanc, POST /instances", partial(_by_rest, _each_file, 1)),
        Way(peers.ORTHANC, f"Orthanc, POST /instances, {_CONNECTIONS} connections", partial(_by_rest, _each_file, 4)),
        Way(peers.ORTHANC, "Orthanc, POST one ZIP", partial(_by_rest, _one_zip, 1)),
        Way(peers.ORTHANC, f"Orthanc, POST {_CONNECTIONS} ZIPs at once", partial(_by_rest, _one_zip, 4)),
        Way(peers.ORTHANC, f"Orthanc, storescu, {_CONNECTIONS} associations", _by_storescu),
    ]
    tools.require("storescu")
    here = peers.present((peers.RADFUSE, peers.ORTHANC), settings, results)
    ways = [way for way in ways if way.peer in here]
    with folder_in(settings.scratch) as folder:
        files = write_files(folder / "files", SMALL, settings.amount(10_000, 500), parts=_CONNECTIONS)
        store.warm(files)
        interleaved(settings.runs, ways, partial(_once, files, settings, results), results)


def _once(files: FileSet, settings: Settings, results: Results, way: Way) -> None:
    with folder_in(settings.scratch) as folder:
        seconds = way.seconds(files, folder)
    results.add(Value(f"import {files.count} small files", way.name, "objects/s", files.count / seconds))


def _by_command(files: FileSet, folder: Path) -> float:
    """The whole command, its start too; the archive is there, and empty, as that of a peer that runs."""
    _radfuse("import", str(folder / "nothing"), "--data", str(folder / "data"), made=folder / "nothing")
    begin = time.perf_counter()
    _radfuse("import", str(files.folder), "--data", str(folder / "data"), "--json")
    return time.perf_counter() - begin


def _radfuse(*arguments: str, made: Path | None = None) -> None:
    if made is not None:
        made.mkdir()
    done = subprocess.run(
        peers.radfuse(*arguments), capture_output=True, text=True, env=peers.environment(), check=False
    )
    if done.returncode:
        raise BenchmarkError(f"import ended with {done.returncode}: {done.stderr.strip()[-200:]}")


def _by_rest(upload: _Upload, connections: int, files: FileSet, folder: Path) -> float:
    paths = sorted(files.folder.rglob("*.dcm"))
    with peers.serving(peers.ORTHANC, folder) as running, ThreadPoolExecutor(connections) as threads:

        def some(number: int) -> None:
            connection = http.client.HTTPConnection(peers.HOST, running.start.http_port, timeout=600)
            upload(connection, paths[number::connections])
            connection.close()

        begin = time.perf_counter()
        list(threads.map(some, range(connections)))
        return time.perf_counter() - begin


def _by_storescu(files: FileSet, folder: Path) -> float:
    with peers.serving(peers.ORTHANC, folder) as running:
        return tools.storescu(running.port, files.parts, nodelay=True)


def _each_file(connection: http.client.HTTPConnection, paths: Sequence[Path]) -> None:
    for path in paths:
        _post(connection, path.read_bytes(), "application/dicom")


def _one_zip(connection: http.client.HTTPConnection, paths: Sequence[Path]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path in paths:
            archive.write(path, f"{path.parent.name}/{path.name}")
    _post(connection, packed.getvalue(), "application/zip")


def _post(connection: http.client.HTTPConnection, body: bytes, kind: str) -> None:
    connection.request("POST", "/instances", body, {"Content-Type": kind})
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.client.OK:
        raise BenchmarkError(f"Orthanc answered {answer.status}")
