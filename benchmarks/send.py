"""C-STORE out of the archive to a lean sink: our send job, Orthanc's modalities/store, DCMTK's storescu."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import peers, store, tools
from benchmarks.common import OURS, BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.memory import PeakMemory
from benchmarks.objects import CT, SMALL, FileSet, write_files

ABOUT = (
    "One study sent unchanged to one and the same lean sink that keeps nothing: Radfuse as a durable job with every "
    "result recorded (without its wait for the worker), Orthanc by its REST call modalities/store, DCMTK's storescu "
    "from files; TCP_NODELAY for all."
)
PDU_BYTES = (16384, 131072)
_LONGEST_S = 900


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who sends: from the port of a sink to the seconds it took and the peak memory in MiB (0: not known)."""

    name: str
    send: Callable[[int], tuple[float, float]]


def run(settings: Settings, results: Results) -> None:
    """CT and small objects; the sink announces the PDU length of DCMTK and Orthanc, and their largest."""
    tools.require("storescu")
    for kind, count in ((CT, settings.amount(400, 40)), (SMALL, settings.amount(2000, 200))):
        with folder_in(settings.scratch) as folder, contextlib.ExitStack() as stack:
            files = write_files(folder / "files", kind, count, one_study=True)
            store.warm(files)
            contestants = list(_contestants(stack, folder, files, settings, results))
            for pdu_bytes in PDU_BYTES:
                case = f"send {files.count} {kind.name}, sink PDU {pdu_bytes}"
                if settings.wants(case):
                    once = partial(_once, case, pdu_bytes, files.count, results)
                    interleaved(settings.runs, contestants, once, results)


def _once(case: str, pdu_bytes: int, objects: int, results: Results, contestant: Contestant) -> None:
    with peers.sink(pdu_bytes) as (port, count):
        seconds, rss_mib = contestant.send(port)
        if (arrived := count()) != objects:
            raise BenchmarkError(f"{arrived} of {objects} objects arrived")
    results.add(Value(case, contestant.name, "objects/s", objects / seconds, rss_mib=rss_mib))


def _contestants(
    stack: contextlib.ExitStack, folder: Path, files: FileSet, settings: Settings, results: Results
) -> Iterator[Contestant]:
    """Those that are there, each with the study already in its archive."""
    yield Contestant(OURS, partial(engine_sends, stack.enter_context(engine(folder / "radfuse", files))))
    for orthanc in peers.present((peers.ORTHANC,), settings, results):
        (folder / "orthanc").mkdir()
        running = stack.enter_context(peers.serving(orthanc, folder / "orthanc"))
        tools.storescu(running.port, [files.folder], nodelay=True)
        yield Contestant(orthanc.name, partial(_orthanc_sends, running))
    yield Contestant("DCMTK storescu", lambda port: (tools.storescu(port, [files.folder], nodelay=True), 0.0))


# --- Radfuse -------------------------------------------------------------------------------------


@contextlib.contextmanager
def engine(data: Path, files: FileSet) -> Iterator[subprocess.Popen[str]]:
    """Our send job in a process of its own, with the study in an archive."""
    imported = subprocess.run(
        peers.radfuse("import", str(files.folder), "--data", str(data)),
        capture_output=True,
        text=True,
        env=peers.environment(),
        check=False,
    )
    if imported.returncode:
        raise BenchmarkError(f"import failed: {imported.stderr.strip()}")
    command = [sys.executable, "-m", "benchmarks.send_engine", str(data), files.study_uids[0]]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=peers.environment()
    )
    try:
        _line(process)
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.wait(_LONGEST_S)


def engine_sends(process: subprocess.Popen[str], port: int, how: str = "") -> tuple[float, float]:
    """Let it send to the sink at ``port`` (``how`` "tls": over TLS); seconds and peak MiB."""
    if process.stdin is None:
        raise BenchmarkError("the engine cannot be asked")
    process.stdin.write(f"{port} {how}\n")
    process.stdin.flush()
    seconds, _, rest = _line(process).partition(" ")
    if not float(seconds):
        raise BenchmarkError(rest)
    return float(seconds), float(rest)


def _line(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout is not None else ""
    if not line:
        raise BenchmarkError("the engine ended")
    return line.strip()


# --- Orthanc -------------------------------------------------------------------------------------


def _orthanc_sends(running: peers.Running, port: int) -> tuple[float, float]:
    sink = {"AET": peers.SINK_AE, "Host": peers.HOST, "Port": port}
    _ask(running, f"modalities/{peers.SINK_AE}", sink, "PUT")
    (study,) = json.loads(_ask(running, "studies"))
    memory = PeakMemory(running.process.pid)
    begin = time.perf_counter()
    _ask(running, f"modalities/{peers.SINK_AE}/store", {"Resources": [study], "Synchronous": True}, "POST")
    seconds = time.perf_counter() - begin
    memory.stop()
    return seconds, memory.mib()


def _ask(running: peers.Running, path: str, body: object = None, method: str = "GET") -> bytes:
    url = f"http://{peers.HOST}:{running.start.http_port}/{path}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=_LONGEST_S) as answer:  # noqa: S310
            content: bytes = answer.read()
    except urllib.error.URLError as error:
        raise BenchmarkError(f"{method} {path}: {error}") from error
    return content
