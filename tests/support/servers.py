"""Real servers for tests: our own service in a process of its own, DCMTK's storescp, pynetdicom SCPs."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SOURCES = Path(__file__).resolve().parents[2] / "src"
START_S = 120.0
STOP_S = 60.0


@dataclass(frozen=True)
class RunningNode:
    """``radfuse serve`` while it runs."""

    process: subprocess.Popen[str]
    data: Path
    ae_title: str
    port: int
    ready_line: str

    @property
    def peer(self) -> str:
        """AET@host:port."""
        return f"{self.ae_title}@127.0.0.1:{self.port}"


def processes_of(service: subprocess.Popen[str], command: str) -> list[int]:
    """The children of ``radfuse serve`` that run a command: "node" or "worker"."""
    found = []
    for pid in Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split():
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_text().split("\0")[3:4] == [command]:  # python -m radfuse COMMAND
                found.append(int(pid))
    return found


def environment() -> dict[str, str]:
    """The environment of our programs: these sources, none of the settings around; no web server unless asked for."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RADFUSE_")}
    path = os.pathsep.join(filter(None, (str(SOURCES), kept.get("PYTHONPATH"))))
    return kept | {"PYTHONPATH": path, "PYTHONWARNINGS": "error", "RADFUSE_HTTP_PORT": "-1"}


def radfuse(
    *words: str, timeout_s: float = 60.0, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A radfuse command in a process of its own, to its end; ``env``: more for its environment."""
    command, around = [sys.executable, "-m", "radfuse", *words], environment() | dict(env or {})
    return subprocess.run(command, env=around, capture_output=True, text=True, timeout=timeout_s, check=False)


@contextlib.contextmanager
def running_node(
    data: Path, *options: str, ae_title: str = "RADFUSE", command: Sequence[str] = ("serve", "--workers", "1")
) -> Iterator[RunningNode]:
    """The service on a free port; stopped by SIGTERM at the end, which must end it with exit code 0."""
    words = [*command, "--data", str(data), "--dicom-port", "0", "--ae-title", ae_title, *options]
    data.mkdir(parents=True, exist_ok=True)
    with (data.parent / f"{data.name}.stderr").open("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "radfuse", *words],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            line = _ready_line(process, errors)
            yield RunningNode(process, data, ae_title, _port_in(line), line)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            code = _stop(process)
    assert code == 0, f"the service ended with {code}"


def _ready_line(process: subprocess.Popen[str], errors: IO[str]) -> str:
    assert process.stdout is not None
    timer = threading.Timer(START_S, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            if "ready" in line:
                return line
    finally:
        timer.cancel()
    errors.seek(0)
    raise AssertionError(f"the service did not start: {errors.read()}")


def _port_in(line: str) -> int:
    found = re.search(r"port (\d+)", line) or re.search(r'"Port": (\d+)', line)
    assert found, line
    return int(found[1])


def _stop(process: subprocess.Popen[str]) -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def running_storescp(program: str, folder: Path, port: int, *options: str) -> Iterator[None]:
    """DCMTK's storescp, which writes what it gets to ``folder``, bit by bit as it comes."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [program, "--bit-preserving", "--output-directory", str(folder), *options, str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield
    finally:
        process.terminate()
        process.wait(STOP_S)


def wait_for_port(port: int) -> None:
    """Until something listens on a loopback port."""
    deadline = time.monotonic() + START_S
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        assert time.monotonic() < deadline, f"nothing listens on port {port}"
        time.sleep(0.02)
