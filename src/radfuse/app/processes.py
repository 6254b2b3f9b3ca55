"""What every process of the service does: end by signal, say that it is ready, follow its supervisor."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

_log = logging.getLogger(__name__)
_FOLLOW_POLL_S: Final = 1.0

READY_PIPE: Final = "RADFUSE_READY_PIPE"
"""Tells a process the file descriptor to write to once it serves."""
SUPERVISOR: Final = "RADFUSE_SUPERVISOR"
"""Tells a process the number of the process that supervises it."""
LISTENING: Final = "RADFUSE_LISTENING"
"""Tells a process the ports of the service, as JSON: any free ones where the settings say 0."""


@contextlib.contextmanager
def stop_signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT call ``stop``, which takes no lock."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tell_supervisor() -> None:
    """Say through the pipe that the supervisor left open that this process is ready."""
    pipe = os.environ.pop(READY_PIPE, None)
    if pipe is not None:
        # A supervisor that has died meanwhile is noticed by following it.
        with open(int(pipe), "wb", buffering=0) as file, contextlib.suppress(BrokenPipeError):
            file.write(b"1")


def follow_supervisor(stop: Callable[[], None]) -> None:
    """End with the supervisor, also when it was killed: a process alone would hold the port or the folder."""
    # Told, not asked for: a supervisor that was killed before we came here has left us to another parent.
    supervisor = int(os.environ.pop(SUPERVISOR, os.getppid()))
    threading.Thread(target=_follow, args=(supervisor, stop), daemon=True).start()


def _follow(supervisor: int, stop: Callable[[], None]) -> None:
    while os.getppid() == supervisor:
        time.sleep(_FOLLOW_POLL_S)
    _log.error("the supervisor is gone; stopping")
    stop()
