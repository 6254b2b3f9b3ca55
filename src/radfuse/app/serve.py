"""Processes: ``serve`` supervises worker processes that share the listening socket."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import IO, Final

from radfuse.app.compose import data_folder_lock, listen, node_server, open_databases, open_peers
from radfuse.app.logs import configure_logs
from radfuse.app.settings import Settings
from radfuse.core.errors import ConfigurationError

_log = logging.getLogger(__name__)
_POLL_S: Final = 0.2
_RESTART_AFTER_S: Final = 1.0
_FOLLOW_POLL_S: Final = 1.0
_KILL_AFTER_S: Final = 5.0
_READY_PIPE: Final = "RADFUSE_READY_PIPE"
"""Tells a worker the file descriptor to write to once it serves."""


def serve(settings: Settings, overrides: Mapping[str, str], on_ready: Callable[[int], None]) -> None:
    """Run the service until SIGTERM or SIGINT.

    Args:
        settings: the settings of the data folder.
        overrides: environment variables (RADFUSE_...) that the workers need to see the same settings.
        on_ready: called with the DICOM port once associations are served.

    Raises FolderInUse, ConfigurationError, SchemaTooNew.
    """
    with data_folder_lock(settings.data):
        configure_logs(settings.data / "log", "supervisor")
        # Databases are created, upgraded and repaired once here, not by every worker at a time.
        open_databases(settings).close()
        open_peers(settings).close()
        with contextlib.closing(listen(settings)) as listener:
            supervisor = _Supervisor(listener, settings, overrides)
            with _stop_signals(supervisor.stop):
                supervisor.run(on_ready)


def run_node(settings: Settings, listener: socket.socket | None, on_ready: Callable[[int], None]) -> None:
    """Run one node process, on its own socket or on one that the supervisor shares."""
    configure_logs(settings.data / "log", f"node-{os.getpid()}" if listener else "node")
    with (
        contextlib.closing(listener or listen(settings)) as listening,
        node_server(settings) as server,
        _stop_signals(server.stop),
    ):
        # What start-up made stays: the collector need not walk it again and again under load.
        gc.collect()
        gc.freeze()
        on_ready(listening.getsockname()[1])
        _tell_supervisor()
        if listener is not None:
            threading.Thread(target=_follow_supervisor, args=(os.getppid(), server.stop), daemon=True).start()
        server.serve([listening])


def _follow_supervisor(supervisor: int, stop: Callable[[], None]) -> None:
    """End with the supervisor, also when it was killed: a worker alone would hold the port and the folder."""
    while os.getppid() == supervisor:
        time.sleep(_FOLLOW_POLL_S)
    _log.error("the supervisor is gone; stopping")
    stop()


def _tell_supervisor() -> None:
    """Say through the pipe that the supervisor left open that this worker is ready."""
    pipe = os.environ.pop(_READY_PIPE, None)
    if pipe is not None:
        with open(int(pipe), "wb", buffering=0) as file:
            file.write(b"1")


@contextlib.contextmanager
def _stop_signals(stop: Callable[[], None]) -> Iterator[None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Supervisor:
    """Starts the workers, replaces one that dies, and passes on the signal to stop."""

    def __init__(self, listener: socket.socket, settings: Settings, overrides: Mapping[str, str]) -> None:
        self._listener = listener
        self._settings = settings
        self._environment = {**os.environ, **overrides}
        # Plain, not an Event: a signal handler that takes a lock its own thread holds would never return.
        self._stopping = False
        self._workers: list[subprocess.Popen[bytes]] = []

    def stop(self) -> None:
        """Ask ``run`` to end; safe in a signal handler."""
        self._stopping = True

    def run(self, on_ready: Callable[[int], None]) -> None:
        """Run until ``stop``; returns when all workers have ended."""
        try:
            self._start_all()
            if not self._stopping:
                on_ready(self._listener.getsockname()[1])
            while not self._stopping:
                time.sleep(_POLL_S)
                self._replace_dead()
        finally:
            self._end_workers()

    def _start_all(self) -> None:
        """Start the workers; returns once all of them serve, or with the signal to stop."""
        with contextlib.ExitStack() as stack:
            pipes = []
            for _ in range(self._settings.workers):
                read_end, write_end = os.pipe()
                pipes.append(stack.enter_context(open(read_end, "rb", buffering=0)))
                with open(write_end, "wb"):
                    self._workers.append(self._start(write_end))
            for pipe in pipes:
                self._await_ready(pipe)

    def _await_ready(self, pipe: IO[bytes]) -> None:
        while not self._stopping:
            if select.select([pipe], [], [], _POLL_S)[0]:
                if not pipe.read(1):
                    raise ConfigurationError("workers", "a node process ended while starting; the lines above say why")
                return

    def _start(self, ready_pipe: int | None = None) -> subprocess.Popen[bytes]:
        number = self._listener.fileno()
        inherited, environment = [number], self._environment
        if ready_pipe is not None:
            inherited, environment = [number, ready_pipe], {**environment, _READY_PIPE: str(ready_pipe)}
        command = [
            sys.executable,
            "-m",
            "radfuse",
            "node",
            "--data",
            str(self._settings.data),
            "--listen-fd",
            str(number),
        ]
        # Our own interpreter and arguments, no shell. A session of its own keeps Ctrl-C for the supervisor.
        return subprocess.Popen(  # noqa: S603
            command, pass_fds=inherited, env=environment, start_new_session=True
        )

    def _replace_dead(self) -> None:
        for position, worker in enumerate(self._workers):
            code = worker.poll()
            if code is not None and not self._stopping:
                _log.error("a node worker ended unexpectedly; starting another", extra={"exit_code": code})
                time.sleep(_RESTART_AFTER_S)
                self._workers[position] = self._start()

    def _end_workers(self) -> None:
        for worker in self._workers:
            worker.terminate()
        deadline = time.monotonic() + self._settings.limits.shutdown_s + _KILL_AFTER_S
        for worker in self._workers:
            try:
                worker.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _log.error("a node worker did not stop in time; killing it")
                worker.kill()
                worker.wait()
