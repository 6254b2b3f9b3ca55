"""The contestants: how each is started in its own folder on free loopback ports, and stopped by its process id."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import OURS, BenchmarkError, Results, Settings
from benchmarks.memory import PeakMemory
from benchmarks.scu import reachable

CALLED_AE = "BENCH"
CALLING_AE = "BENCHSCU"
SINK_AE = "SINK"
HOST = "127.0.0.1"
_START_S = 60.0
_STOP_S = 15.0
_REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Start:
    """What a contestant is started with."""

    folder: Path
    dicom_port: int
    http_port: int
    sink_port: int = 0
    several: bool = False
    nodelay: bool = True


@dataclass(frozen=True, slots=True)
class Peer:
    """A contestant: how to see that it is installed, what to prepare, its command, its word when ready."""

    name: str
    missing: Callable[[], str]
    command: Callable[[Start], list[str]]
    prepare: Callable[[Start], None] = lambda start: None
    ready_word: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A contestant that serves."""

    peer: Peer
    start: Start
    process: subprocess.Popen[bytes]
    memory: PeakMemory

    @property
    def port(self) -> int:
        """Its DICOM port."""
        return self.start.dicom_port


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def environment(nodelay: bool = True) -> dict[str, str]:
    """Ours, with the checkout on the path of Python, installed or not.

    ``nodelay`` sets TCP_NODELAY=1, which DCMTK and what is built on it (Orthanc) read: without it their
    answers wait for delayed acknowledgements, and comparing with that says little.
    """
    paths = [str(_REPOSITORY / "src"), str(_REPOSITORY), os.environ.get("PYTHONPATH", "")]
    python = {"PYTHONPATH": os.pathsep.join(path for path in paths if path), "PYTHONUNBUFFERED": "1"}
    stock = {key: value for key, value in os.environ.items() if key != "TCP_NODELAY"} | python
    return stock | {"TCP_NODELAY": "1"} if nodelay else stock


@contextmanager
def serving(
    peer: Peer, folder: Path, sink_port: int = 0, several: bool = False, nodelay: bool = True
) -> Iterator[Running]:
    """Start a contestant in ``folder``, wait until it answers, and stop it whatever happens."""
    start = Start(folder, free_port(), free_port(), sink_port, several, nodelay)
    peer.prepare(start)
    log = folder / "peer.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            peer.command(start), stdout=output, stderr=subprocess.STDOUT, cwd=folder, env=environment(nodelay)
        )
    memory = PeakMemory(process.pid)
    try:
        _await(peer, start, process, log)
        yield Running(peer, start, process, memory)
    finally:
        memory.stop()
        stop(process)


def _await(peer: Peer, start: Start, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise BenchmarkError(f"ended with {process.returncode} before it was ready: {' '.join(last)}")
        said = not peer.ready_word or peer.ready_word in log.read_text(encoding="utf-8", errors="replace")
        if said and reachable(start.dicom_port, CALLED_AE, CALLING_AE):
            return
        time.sleep(0.05)
    raise BenchmarkError(f"not ready after {_START_S:.0f} s")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that we started: politely, then not."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_S)
        return
    process.kill()
    process.wait()


@contextmanager
def sink(max_pdu_bytes: int = 16384, tls: Path | None = None) -> Iterator[tuple[int, Callable[[], int]]]:
    """A lean C-STORE sink in its own process: its port, and a function that stops it and says how many came.

    ``tls`` is the folder of certificates (see ``radfuse tls init``) with which it speaks nothing but TLS.
    """
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.sink", "--port", str(port), "--max-pdu", str(max_pdu_bytes)]
    command += ["--tls", str(tls)] if tls else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment())

    def count() -> int:
        process.terminate()
        said, _ = process.communicate(timeout=_STOP_S)
        return int(said or b"0")

    try:
        deadline = time.monotonic() + _START_S
        while not (_listens(port) if tls else reachable(port, SINK_AE, CALLING_AE)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchmarkError("the sink did not start")
            time.sleep(0.05)
        yield port, count
    finally:
        stop(process)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), 1.0):
        return True
    return False


def radfuse(*arguments: str) -> list[str]:
    """A command line of Radfuse, run by the Python that runs the benchmark."""
    return [sys.executable, "-m", "radfuse", *arguments]


@functools.cache
def _radfuse_missing() -> str:
    tried = subprocess.run(radfuse("serve", "--help"), capture_output=True, env=environment(), check=False)
    return "" if tried.returncode == 0 else "`python -m radfuse serve` does not run"


def _radfuse_command(start: Start) -> list[str]:
    data = str(start.folder)
    port = str(start.dicom_port)
    return radfuse(
        "serve", "--data", data, "--dicom-port", port, "--http-port", "-1", "--ae-title", CALLED_AE, "--workers", "2"
    )


def _radfuse_prepare(start: Start) -> None:
    if not start.sink_port:
        return
    where = f"{SINK_AE}@{HOST}:{start.sink_port}"
    command = radfuse("peers", "add", SINK_AE, where, "--data", str(start.folder))
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    if done.returncode:
        raise BenchmarkError(f"peers add failed: {done.stderr.strip()}")


def _program_missing(program: str, package: str) -> Callable[[], str]:
    return lambda: "" if shutil.which(program) else f"{program} is not installed (Debian package {package})"


def _orthanc_prepare(start: Start) -> None:
    modalities = {CALLING_AE: [CALLING_AE, HOST, free_port()]}
    if start.sink_port:
        modalities[SINK_AE] = [SINK_AE, HOST, start.sink_port]
    # Everything that is not about where it runs and who may talk to it stays at its default.
    settings = {
        "StorageDirectory": str(start.folder / "storage"),
        "IndexDirectory": str(start.folder / "storage"),
        "DicomPort": start.dicom_port,
        "HttpPort": start.http_port,
        "AuthenticationEnabled": False,
        "DicomModalities": modalities,
    }
    (start.folder / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")


def _storescp_command(start: Start) -> list[str]:
    # A stock storescp serves one association after the other: four at once need --fork.
    several = ["--fork"] if start.several else []
    return ["storescp", *several, "-od", str(start.folder / "received"), str(start.dicom_port)]


def _received_folder(start: Start) -> None:
    (start.folder / "received").mkdir()


def _pynetdicom_missing() -> str:
    return "" if importlib.util.find_spec("pynetdicom") else "pynetdicom is not installed (pip install pynetdicom)"


def _pynetdicom_command(start: Start) -> list[str]:
    module = "benchmarks.pynetdicom_receiver"
    return [sys.executable, "-m", module, str(start.dicom_port), str(start.folder / "received")]


RADFUSE = Peer(OURS, _radfuse_missing, _radfuse_command, _radfuse_prepare, ready_word="ready")
ORTHANC = Peer(
    "Orthanc",
    _program_missing("Orthanc", "orthanc"),
    lambda start: ["Orthanc", str(start.folder / "orthanc.json")],
    _orthanc_prepare,
)
STORESCP = Peer("DCMTK storescp", _program_missing("storescp", "dcmtk"), _storescp_command, _received_folder)
PYNETDICOM = Peer("pynetdicom", _pynetdicom_missing, _pynetdicom_command, _received_folder)


def present(peers: Sequence[Peer], settings: Settings, results: Results) -> list[Peer]:
    """Those that are asked for and installed; what is missing is said below the table."""
    found = []
    for peer in peers:
        if settings.only and not any(word.lower() in peer.name.lower() for word in settings.only):
            continue
        missing = peer.missing()
        if missing:
            results.remark(f"{peer.name} is missing in this run: {missing}.")
        else:
            found.append(peer)
    return found
