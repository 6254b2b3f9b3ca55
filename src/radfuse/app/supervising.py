"""Processes: ``serve`` supervises the node processes, which share the listening sockets, the web process
and the job worker.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Final

from radfuse.app.compose import data_folder_lock, open_access_log, open_databases, open_jobs, open_peers
from radfuse.app.dicom_door import node_server
from radfuse.app.listening import Listeners, Ports
from radfuse.app.logs import configure_logs
from radfuse.app.processes import (
    LISTENING,
    READY_PIPE,
    SUPERVISOR,
    follow_supervisor,
    stop_signals,
    tell_supervisor,
)
from radfuse.app.settings import Settings
from radfuse.core.errors import ConfigurationError

_log = logging.getLogger(__name__)
_POLL_S: Final = 0.2
_RESTART_AFTER_S: Final = 1.0
_KILL_AFTER_S: Final = 5.0


def serve(settings: Settings, overrides: Mapping[str, str], on_ready: Callable[[Ports], None]) -> None:
    """Run the service until SIGTERM or SIGINT.

    Args:
        settings: the settings of the data folder.
        overrides: environment variables (RADFUSE_...) that the workers need to see the same settings.
        on_ready: called with the ports once associations are served.

    Raises FolderInUse, ConfigurationError, SchemaTooNew.
    """
    with data_folder_lock(settings.data):
        configure_logs(settings.data / "log", "supervisor")
        # Databases are created, upgraded and repaired once here, not by every worker at a time.
        open_databases(settings).close()
        open_peers(settings).close()
        open_jobs(settings).close()
        open_access_log(settings).close()
        with Listeners.open_all(settings) as listeners:
            supervisor = _Supervisor(listeners, settings, overrides)
            with stop_signals(supervisor.stop):
                supervisor.run(on_ready)


def run_node(settings: Settings, shared: Sequence[int], on_ready: Callable[[Ports], None]) -> None:
    """Run one node process, on its own sockets or on those of a supervisor, given by their descriptors."""
    configure_logs(settings.data / "log", f"node-{os.getpid()}" if shared else "node")
    with (
        Listeners.inherited(shared) if shared else Listeners.open(settings) as listeners,
        node_server(settings) as server,
        stop_signals(server.stop),
    ):
        # What start-up made stays: the collector need not walk it again and again under load.
        gc.collect()
        gc.freeze()
        on_ready(listeners.ports)
        tell_supervisor()
        if shared:
            follow_supervisor(server.stop)
        server.serve([listeners.dicom], [listeners.tls] if listeners.tls else [])


@dataclass(slots=True)
class _Part:
    """One process of the service: what it is, and how it is started."""

    name: str
    words: Sequence[str]
    inherited: Sequence[int]
    """File descriptors that it shares with the supervisor."""
    process: subprocess.Popen[bytes] | None = None

    def start(self, environment: Mapping[str, str], ready_pipe: int | None = None) -> None:
        """Start the process, or another one in the place of one that died."""
        inherited = list(self.inherited)
        if ready_pipe is not None:
            inherited.append(ready_pipe)
            environment = {**environment, READY_PIPE: str(ready_pipe)}
        command = [sys.executable, "-m", "radfuse", *self.words]
        # Our own interpreter and arguments, no shell. A session of its own keeps Ctrl-C for the supervisor.
        self.process = subprocess.Popen(  # noqa: S603
            command, pass_fds=inherited, env=environment, start_new_session=True
        )


class _Supervisor:
    """Starts the processes, replaces one that dies, and passes on the signal to stop."""

    def __init__(self, listeners: Listeners, settings: Settings, overrides: Mapping[str, str]) -> None:
        self._ports = listeners.ports
        self._settings = settings
        told = {LISTENING: json.dumps(listeners.ports._asdict()), SUPERVISOR: str(os.getpid())}
        self._environment = {**os.environ, **overrides, **told}
        # Plain, not an Event: a signal handler that takes a lock its own thread holds would never return.
        self._stopping = False
        data, shared = str(settings.data), listeners.descriptors
        node = ["node", "--data", data]
        for number in shared:
            node += ["--listen-fd", str(number)]
        self._parts = [_Part("node process", node, shared) for _ in range(settings.workers)]
        self._parts.append(_Part("job worker", ("worker", "--data", data, "--supervised"), ()))
        if listeners.http is not None:
            number = listeners.http.fileno()
            self._parts.append(_Part("web process", ("web", "--data", data, "--listen-fd", str(number)), (number,)))

    def stop(self) -> None:
        """Ask ``run`` to end; safe in a signal handler."""
        self._stopping = True

    def run(self, on_ready: Callable[[Ports], None]) -> None:
        """Run until ``stop``; returns when all processes have ended."""
        try:
            self._start_all()
            if not self._stopping:
                on_ready(self._ports)
            while not self._stopping:
                time.sleep(_POLL_S)
                self._replace_dead()
        finally:
            self._end_all()

    def _start_all(self) -> None:
        """Start the processes; returns once all of them serve, or with the signal to stop."""
        with contextlib.ExitStack() as stack:
            pipes = []
            for part in self._parts:
                read_end, write_end = os.pipe()
                pipes.append(stack.enter_context(open(read_end, "rb", buffering=0)))
                with open(write_end, "wb"):
                    part.start(self._environment, write_end)
            for part, pipe in zip(self._parts, pipes, strict=True):
                self._await_ready(part, pipe)

    def _await_ready(self, part: _Part, pipe: IO[bytes]) -> None:
        while not self._stopping:
            if select.select([pipe], [], [], _POLL_S)[0]:
                if not pipe.read(1):
                    raise ConfigurationError("serve", f"a {part.name} ended while starting; the lines above say why")
                return

    def _replace_dead(self) -> None:
        for part in self._parts:
            code = part.process.poll() if part.process is not None else None
            if code is not None and not self._stopping:
                _log.error("a %s ended unexpectedly; starting another", part.name, extra={"exit_code": code})
                time.sleep(_RESTART_AFTER_S)
                part.start(self._environment)

    def _end_all(self) -> None:
        running = [(part.name, part.process) for part in self._parts if part.process is not None]
        for _, process in running:
            process.terminate()
        deadline = time.monotonic() + self._settings.limits.shutdown_s + _KILL_AFTER_S
        for name, process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _log.error("a %s did not stop in time; killing it", name)
                process.kill()
                process.wait()
