"""A signal may come at any moment, also within the handling of the one before."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from radfuse.app.listening import Listeners
from radfuse.app.settings import load_settings
from radfuse.app.supervising import _Supervisor
from tests.node.in_process import node_in_process

_EVERY_S = 200e-6
_FOR_S = 0.5


@pytest.fixture
def storm() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Calls a function from a signal handler again and again, at any point of the main thread's work."""
    ended = threading.Event()
    main = threading.get_ident()

    def send() -> None:
        while not ended.wait(_EVERY_S):
            signal.pthread_kill(main, signal.SIGUSR1)

    thread = threading.Thread(target=send)
    before = signal.getsignal(signal.SIGUSR1)

    def start(stop: Callable[[], None]) -> None:
        def handle(_number: int, _frame: FrameType | None) -> None:
            stop()

        signal.signal(signal.SIGUSR1, handle)
        thread.start()

    yield start
    ended.set()
    thread.join()
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.timeout(30)
def test_stopping_the_node_never_waits_for_itself(tmp_path: Path, storm: Callable[[Callable[[], None]], None]) -> None:
    with node_in_process(tmp_path) as node:
        storm(node.server.stop)
        ends = time.monotonic() + _FOR_S
        while time.monotonic() < ends:
            node.server.stop()


@pytest.mark.timeout(30)
def test_stopping_the_supervisor_never_waits_for_itself(
    tmp_path: Path, storm: Callable[[Callable[[], None]], None]
) -> None:
    with Listeners(socket.create_server(("127.0.0.1", 0))) as listeners:
        supervisor = _Supervisor(listeners, load_settings(tmp_path), {})
        storm(supervisor.stop)
        ends = time.monotonic() + _FOR_S
        while time.monotonic() < ends:
            supervisor.stop()
        supervisor.run(lambda _port: None)
