"""Page-aligned buffers for arriving objects, used again and again.

The ingest journal is written past the page cache, which needs memory and lengths aligned to disk
blocks; and a buffer that is used again costs no page faults.
"""

from __future__ import annotations

import mmap
import threading
from typing import Final

_KEPT: Final = 4
_KEPT_SMALL: Final = 128
"""As many as an import has under way. Only their first bytes were ever written to, so they take little memory."""

_SMALL_BYTES: Final = 64 << 10


class Buffer(mmap.mmap):
    """Memory for one object."""

    most_used_bytes = 0
    """How much of it was written to: only that counts as memory."""


class BufferPool:
    """Buffers of one size. Thread-safe. Memory counts only where it was written to."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._lock = threading.Lock()
        self._small: list[Buffer] = []
        self._large: list[Buffer] = []

    def take(self) -> Buffer:
        """A buffer with arbitrary content."""
        with self._lock:
            if self._small or self._large:
                return (self._small or self._large).pop()
        return Buffer(-1, self.size_bytes)

    def give_back(self, buffer: Buffer, used_bytes: int) -> None:
        """Return a buffer that nobody looks into any more, and of which so much was used."""
        buffer.most_used_bytes = max(buffer.most_used_bytes, used_bytes)
        is_small = buffer.most_used_bytes <= _SMALL_BYTES
        with self._lock:
            if len(self._small if is_small else self._large) < (_KEPT_SMALL if is_small else _KEPT):
                (self._small if is_small else self._large).append(buffer)
