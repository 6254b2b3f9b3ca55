"""Page-aligned buffers for arriving objects, used again and again.

The ingest journal is written past the page cache, which needs memory and lengths aligned to disk
blocks; and a buffer that is used again costs no page faults.
"""

from __future__ import annotations

import mmap
import threading
from typing import Final

_KEPT: Final = 4


class BufferPool:
    """Buffers of one size. Thread-safe. Memory counts only where it was written to."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._lock = threading.Lock()
        self._free: list[mmap.mmap] = []

    def take(self) -> mmap.mmap:
        """A buffer with arbitrary content."""
        with self._lock:
            if self._free:
                return self._free.pop()
        return mmap.mmap(-1, self.size_bytes)

    def give_back(self, buffer: mmap.mmap) -> None:
        """Return a buffer that nobody looks into any more."""
        with self._lock:
            if len(self._free) < _KEPT:
                self._free.append(buffer)
