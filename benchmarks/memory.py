"""Peak resident memory of a process and all its descendants, read from /proc (Linux)."""

from __future__ import annotations

import re
import threading
from pathlib import Path

_HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_POLL_S = 0.1


def descendants(pid: int) -> list[int]:
    """The process and every living process below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in children:
            found.extend(descendants(int(child)))
    return found


def peak_rss_mib(pid: int) -> float:
    """Sum of the highest resident size of each living process of the tree.

    Pages that processes share count once for each, and the peaks need not have come together:
    the number is an upper bound.
    """
    total_kib = 0
    for process in descendants(pid):
        try:
            match = _HIGH_WATER.search(Path(f"/proc/{process}/status").read_text(encoding="ascii"))
        except OSError:
            continue
        total_kib += int(match.group(1)) if match else 0
    return total_kib / 1024


class PeakMemory:
    """Watches a process tree ten times a second: children that end take their peak with them."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak_mib = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stopped.wait(_POLL_S):
            self._look()

    def _look(self) -> None:
        self._peak_mib = max(self._peak_mib, peak_rss_mib(self._pid))

    def mib(self) -> float:
        """The peak up to now."""
        self._look()
        return self._peak_mib

    def stop(self) -> None:
        """End the watch; the peak stays."""
        self._stopped.set()
        self._thread.join()
