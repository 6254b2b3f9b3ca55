"""The only place that touches a socket."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import Final

from radfuse.core.errors import ConnectionLost, PeerTimeout

Buffer = bytes | bytearray | memoryview

MAX_BUFFERS: Final = 128
"""Buffers of one sendmsg; well below IOV_MAX (1024 on Linux)."""

PROGRESS_BYTES: Final = 65_536
"""A peer that takes this many bytes within the deadline is slow, not dead."""

_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)


class Transport:
    """A connected stream socket with kernel timeouts, so that a receive is one system call.

    ``tick_s`` is how long one call may block before the caller can look at its deadlines,
    ``deadline_s`` how long a send may go without progress.
    """

    def __init__(self, sock: socket.socket, tick_s: float, deadline_s: float) -> None:
        self._socket = sock
        self._deadline_s = deadline_s
        self._is_tcp = sock.family in (socket.AF_INET, socket.AF_INET6)
        sock.settimeout(None)
        period = struct.pack("@ll", int(tick_s), int(tick_s % 1 * 1_000_000))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, period)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, period)
        if self._is_tcp:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._quickack = _QUICKACK if self._is_tcp else None
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def recv_into(self, view: memoryview) -> int | None:
        """Bytes received into ``view``, 0 when the peer closed, None when the tick passed."""
        try:
            count = self._socket.recv_into(view)
        except (BlockingIOError, TimeoutError, InterruptedError):
            return None
        except OSError:
            return 0
        if self._quickack is not None and count:
            # Linux leaves quick acknowledgement mode by itself; a peer with Nagle's algorithm on
            # would then wait 40 ms for every acknowledgement. A lost connection shows at the next call.
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, self._quickack, 1)
        return count

    def send_buffers(self, buffers: Sequence[Buffer]) -> None:
        """Send all, in one system call where the kernel takes it; ConnectionLost or PeerTimeout."""
        try:
            self._send_messages(buffers)
        except (OSError, ValueError) as error:
            raise ConnectionLost(type(error).__name__) from error

    def try_send(self, data: bytes) -> None:
        """Send if that goes at once and the connection is there; else not, or in part."""
        with contextlib.suppress(OSError):
            self._socket.send(data, socket.MSG_DONTWAIT)

    def readable(self, timeout_s: float) -> bool:
        """Whether a receive would not block (bytes, or the end) within ``timeout_s``."""
        return bool(self._poll.poll(timeout_s * 1000))

    def finish(self) -> None:
        """Close our direction: the peer reads what we sent, then the end."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def _send_messages(self, buffers: Sequence[Buffer]) -> None:
        pending = list(buffers)
        since, progress = time.monotonic(), 0
        while pending:
            try:
                sent = self._socket.sendmsg(pending[:MAX_BUFFERS])
            except (BlockingIOError, InterruptedError):
                sent = 0
            since, progress = self._check_progress(since, progress + sent)
            pending = _unsent(pending, sent)

    def _check_progress(self, since: float, progress: int) -> tuple[float, int]:
        if progress >= PROGRESS_BYTES:
            return time.monotonic(), 0
        if time.monotonic() - since > self._deadline_s:
            raise PeerTimeout("taking what we send", self._deadline_s)
        return since, progress


def _unsent(buffers: list[Buffer], sent: int) -> list[Buffer]:
    """What remains of ``buffers`` after ``sent`` bytes."""
    for index, buffer in enumerate(buffers):
        size = len(buffer)
        if sent < size:
            return [memoryview(buffer)[sent:], *buffers[index + 1 :]]
        sent -= size
    return []
