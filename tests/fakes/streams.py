"""A stream without a network, for radfuse.wire: it plays chunks and records what is sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from radfuse.core.errors import ConnectionLost

Buffer = bytes | bytearray | memoryview


class ScriptedStream:
    """Gives ``chunks`` one by one (None is a tick without bytes), then the end of the connection.

    A chunk that is larger than the space it goes to is given in parts. ``breaks_after_bytes`` lets
    sending fail from there on.
    """

    def __init__(self, chunks: Iterable[bytes | None] = (), breaks_after_bytes: int | None = None) -> None:
        self.chunks: deque[bytes | None] = deque(chunks)
        self.sent = bytearray()
        self.sends = 0
        self.is_finished = False
        self.is_closed = False
        self._breaks_after_bytes = breaks_after_bytes

    def recv_into(self, view: memoryview) -> int | None:
        """The next chunk."""
        if not self.chunks:
            return 0
        chunk = self.chunks.popleft()
        if chunk is None:
            return None
        taken = chunk[: len(view)]
        if len(taken) < len(chunk):
            self.chunks.appendleft(chunk[len(taken) :])
        view[: len(taken)] = taken
        return len(taken)

    def send_buffers(self, buffers: Sequence[Buffer]) -> None:
        """Record."""
        if self._breaks_after_bytes is not None and len(self.sent) >= self._breaks_after_bytes:
            raise ConnectionLost("scripted")
        self.sends += 1
        for buffer in buffers:
            self.sent += buffer

    def readable(self, timeout_s: float) -> bool:
        """Whether a chunk or the end is next."""
        return not self.chunks or self.chunks[0] is not None

    def finish(self) -> None:
        """Record."""
        self.is_finished = True

    def close(self) -> None:
        """Record."""
        self.is_closed = True
