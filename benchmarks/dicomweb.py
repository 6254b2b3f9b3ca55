"""DICOMweb: store, series, metadata and single frames, by one client on one connection."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydicom.uid import MultiFrameGrayscaleWordSecondaryCaptureImageStorage

from benchmarks import peers
from benchmarks.common import BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.headers import ct_header
from benchmarks.memory import PeakMemory
from benchmarks.objects import CT, FileSet, save, write_files

ABOUT = "DICOMweb over one connection: STOW-RS of CT into an empty archive, then WADO-RS and QIDO-RS from it."

T = TypeVar("T")
_BOUNDARY = "benchmark"
_OBJECTS_A_REQUEST = 100
_START_S = 30.0
_PLUGINS = (
    "/usr/share/orthanc/plugins/libOrthancDicomWeb.so",
    "/usr/local/share/orthanc/plugins/libOrthancDicomWeb.so",
)
_DICOM = 'multipart/related; type="application/dicom"'
_JSON = "application/dicom+json"
_OCTETS = 'multipart/related; type="application/octet-stream"'


def _plugin() -> str:
    return next((path for path in _PLUGINS if Path(path).exists()), "")


def _orthanc_missing() -> str:
    if not shutil.which("Orthanc"):
        return "Orthanc is not installed (Debian package orthanc)"
    return "" if _plugin() else "its DICOMweb plugin is not installed (Debian package orthanc-dicomweb)"


def _orthanc_prepare(start: peers.Start) -> None:
    peers.ORTHANC.prepare(start)
    path = start.folder / "orthanc.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings |= {"Plugins": [_plugin()], "DicomWeb": {"Enable": True, "Root": "/dicom-web/"}}
    path.write_text(json.dumps(settings), encoding="utf-8")


def _radfuse_command(start: peers.Start) -> list[str]:
    return [sys.executable, "-m", "benchmarks.dicomweb_server", str(start.folder), str(start.http_port)]


RADFUSE = peers.Peer(peers.RADFUSE.name, lambda: "", _radfuse_command)
ORTHANC = replace(peers.ORTHANC, name="Orthanc DICOMweb", missing=_orthanc_missing, prepare=_orthanc_prepare)


@dataclass(slots=True)
class Client:
    """One kept-alive connection."""

    connection: http.client.HTTPConnection

    def get(self, path: str, accept: str) -> int:
        """The bytes of the body, thrown away as they come."""
        self.connection.request("GET", path, headers={"Accept": accept})
        response = self.connection.getresponse()
        buffer = bytearray(1 << 20)
        total = 0
        while count := response.readinto(buffer):
            total += count
        if response.status != 200:
            raise BenchmarkError(f"GET {path} answered {response.status}")
        return total

    def get_json(self, path: str) -> Any:
        """The body as JSON."""
        self.connection.request("GET", path, headers={"Accept": "application/dicom+json"})
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise BenchmarkError(f"GET {path} answered {response.status}")
        return json.loads(body)

    def store(self, files: Sequence[Path]) -> None:
        """One STOW-RS request."""
        head = f"--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        parts = [piece for file in files for piece in (head, file.read_bytes(), b"\r\n")]
        body = b"".join((*parts, f"--{_BOUNDARY}--\r\n".encode()))
        headers = {
            "Content-Type": f"{_DICOM}; boundary={_BOUNDARY}",
            "Accept": "application/dicom+json",
        }
        self.connection.request("POST", "/dicom-web/studies", body, headers)
        response = self.connection.getresponse()
        response.read()
        if response.status != 200:
            raise BenchmarkError(f"STOW-RS answered {response.status}")


@contextmanager
def _serving(peer: peers.Peer, folder: Path) -> Iterator[tuple[Client, PeakMemory]]:
    start = peers.Start(folder, peers.free_port(), peers.free_port())
    peer.prepare(start)
    with (folder / "peer.log").open("wb") as output:
        process = subprocess.Popen(
            peer.command(start), stdout=output, stderr=subprocess.STDOUT, cwd=folder, env=peers.environment()
        )
    memory = PeakMemory(process.pid)
    client = Client(http.client.HTTPConnection(peers.HOST, start.http_port, timeout=120))
    try:
        _await(client, process)
        yield client, memory
    finally:
        client.connection.close()
        memory.stop()
        peers.stop(process)


def _await(client: Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            client.get_json("/dicom-web/studies?limit=1")
            return
        client.connection.close()
        time.sleep(0.1)
    raise BenchmarkError("it did not start")


def run(settings: Settings, results: Results) -> None:
    """Every contestant in turn, each with an archive of its own."""
    contestants = peers.present((RADFUSE, ORTHANC), settings, results)
    with folder_in(settings.scratch) as folder:
        files = write_files(folder / "files", CT, settings.amount(400, 80), parts=2, one_study=True)
        interleaved(settings.runs, contestants, partial(_once, files, settings, results), results)


def _once(files: FileSet, settings: Settings, results: Results, peer: peers.Peer) -> None:
    def took(case: str, unit: str, amount: float, work: Callable[[], object]) -> None:
        if not settings.wants(case) and "STOW" not in case:
            return
        before = time.perf_counter()
        work()
        seconds = time.perf_counter() - before
        value = amount / seconds if unit.endswith("/s") else seconds * 1000 / amount
        results.add(Value(case, peer.name, unit, value, unit.endswith("/s"), memory.mib()))

    with folder_in(settings.scratch) as folder, _serving(peer, folder) as (client, memory):
        paths = sorted(files.folder.rglob("*.dcm"))
        batches = [paths[first : first + _OBJECTS_A_REQUEST] for first in range(0, len(paths), _OBJECTS_A_REQUEST)]
        took("STOW-RS, CT 0.5 MB", "objects/s", len(paths), lambda: _each(client.store, batches))
        study = f"/dicom-web/studies/{files.study_uids[0]}"
        series = [each["0020000E"]["Value"][0] for each in client.get_json(f"{study}/series")]
        first = f"{study}/series/{series[0]}"
        count = len(client.get_json(f"{first}/instances"))
        whole = files.size_bytes // len(series) * 0.99
        took("metadata of a series, first time", "ms", 1, lambda: client.get(f"{first}/metadata", _JSON))
        _require(client.get_json(f"{first}/metadata"), count)
        took("metadata of a series, again", "ms", 5, lambda: [client.get(f"{first}/metadata", _JSON) for _ in range(5)])
        took(
            "series retrieve, CT 0.5 MB",
            "objects/s",
            count * 3,
            lambda: _each(lambda path: _require_bytes(client.get(path, _DICOM), whole), [first] * 3),
        )
        uids = [each["00080018"]["Value"][0] for each in client.get_json(f"{first}/instances")]
        frames = [f"{first}/instances/{uid}/frames/1" for uid in uids]
        took("single frames", "frames/s", len(frames), lambda: [client.get(frame, _OCTETS) for frame in frames])
        _multi_frame(folder, settings, client, took)
        searches = 200
        took("QIDO-RS, one study", "ms", searches, lambda: [client.get(_search(files), _JSON) for _ in range(searches)])


def _multi_frame(folder: Path, settings: Settings, client: Client, took: Callable[..., None]) -> None:
    """Every third frame of one large object."""
    count = settings.amount(200, 20)
    dataset = ct_header(1, 1)
    dataset.SOPClassUID, dataset.SOPInstanceUID = MultiFrameGrayscaleWordSecondaryCaptureImageStorage, "2.25.1001"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.1002", "2.25.1003"
    dataset.Rows = dataset.Columns = CT.edge_pixels
    dataset.NumberOfFrames = count
    pixels = np.random.default_rng(1).integers(0, 4096, CT.edge_pixels**2, dtype="<u2").tobytes()
    dataset.PixelData = pixels * count
    dataset["PixelData"].VR = "OW"
    save(folder / "multi-frame.dcm", dataset)
    client.store([folder / "multi-frame.dcm"])
    path = "/dicom-web/studies/2.25.1002/series/2.25.1003/instances/2.25.1001/frames"
    numbers = range(1, count + 1, 3)
    case = f"frames of one object of {count}"
    took(case, "frames/s", len(numbers), lambda: _each(lambda n: client.get(f"{path}/{n}", _OCTETS), numbers))


def _each(work: Callable[[T], object], items: Iterable[T]) -> None:
    for item in items:
        work(item)


def _search(files: FileSet) -> str:
    return f"/dicom-web/studies?StudyInstanceUID={files.study_uids[0]}"


def _require(found: list[Any], count: int) -> None:
    if len(found) != count:
        raise BenchmarkError(f"{len(found)} of {count} came")


def _require_bytes(found: int, least: float) -> None:
    if found < least:
        raise BenchmarkError("the series came short")
