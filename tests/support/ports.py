"""Ports for programs that must be told theirs before they start: nothing listens there, and nobody is given it."""

from __future__ import annotations

import os
import re
import secrets
import socket
from pathlib import Path
from typing import Final

_FIRST: Final = 10_000
_RUNS_SIDE_BY_SIDE: Final = 16
_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_given: Final[set[int]] = set()


def unused_port() -> int:
    """A loopback TCP port that nothing listens on; no process of the tests is given it twice.

    Below those that the system hands out by itself: between the choice and the program's start it would give one of
    them to any connection or listener of the other tests.
    """
    ends = int(_RANGE.read_text("ascii").split()[0]) if _RANGE.exists() else 0
    worker = re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or "0"
    share = max(0, ends - _FIRST) // _RUNS_SIDE_BY_SIDE
    first = _FIRST + int(worker) % _RUNS_SIDE_BY_SIDE * share
    for _ in range(share):
        port = first + secrets.randbelow(share)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    with socket.create_server(("127.0.0.1", 0)) as server:
        number: int = server.getsockname()[1]
    return number


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
