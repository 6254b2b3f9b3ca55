"""The body of a request, handed from the event loop to a thread in bounded memory."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

from starlette.requests import ClientDisconnect, Request

from radfuse.web.problems import HttpProblem, bad_request, too_large, unsupported_type

_HIGH_BYTES: Final = 4 << 20
_IDLE_S: Final = 60.0
_LOW_BYTES: Final = 1 << 20


@contextlib.asynccontextmanager
async def body_of(request: Request, limit_bytes: int) -> AsyncIterator[BodyChannel]:
    """The body of a request, pumped while the block runs; a client that does not send its rest is not waited for.

    Raises 413 for one that says it is longer, 415 for a compressed one: it is never inflated.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise unsupported_type("a compressed body is not taken")
    if int(request.headers.get("content-length", "0")) > limit_bytes:
        raise too_large(f"the request has more than {limit_bytes:,} bytes")
    channel = BodyChannel(limit_bytes)
    pump = asyncio.ensure_future(channel.pump(request))
    try:
        yield channel
    finally:
        channel.close()
        pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pump


class BodyChannel:
    """``pump`` runs in the event loop, ``read`` in one thread; what is between them is bounded."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._loop = asyncio.get_running_loop()
        self._chunks: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._room = asyncio.Event()
        self._is_ended = False
        self._is_closed = False
        self._error: Exception | None = None

    async def pump(self, request: Request) -> None:
        """Take the body from the client as fast as ``read`` uses it up, to its end or the reader's."""
        received = 0
        try:
            async for chunk in request.stream():
                received += len(chunk)
                if received > self._limit_bytes:
                    raise too_large(f"the request has more than {self._limit_bytes:,} bytes")
                if not self._put(chunk):
                    await self._room.wait()
                if self._is_closed:
                    break
        except ClientDisconnect:
            self._error = bad_request("the client went away before the end of its request")
        except Exception as error:
            self._error = error
        with self._changed:
            self._is_ended = True
            self._changed.notify()

    def _put(self, chunk: bytes) -> bool:
        """Whether there is room for more."""
        with self._changed:
            if chunk:
                self._chunks.append(chunk)
                self._waiting_bytes += len(chunk)
                self._changed.notify()
            if self._waiting_bytes < _HIGH_BYTES or self._is_closed:
                return True
            self._room.clear()
            return False

    def read(self) -> bytes:
        """What has come since, waiting for some; b"" at the end. Raises what broke the body off."""
        with self._changed:
            while not self._chunks and not self._is_ended:
                if not self._changed.wait(_IDLE_S):
                    raise HttpProblem(HTTPStatus.REQUEST_TIMEOUT, f"nothing came for {_IDLE_S:g} s")
            if not self._chunks:
                if self._error is not None:
                    raise self._error
                return b""
            chunk = self._chunks.popleft()
            was_full = self._waiting_bytes >= _HIGH_BYTES
            self._waiting_bytes -= len(chunk)
            has_room = self._waiting_bytes < _LOW_BYTES or (was_full and not self._chunks)
        if has_room and not self._room.is_set():
            self._loop.call_soon_threadsafe(self._room.set)
        return chunk

    def close(self) -> None:
        """Nothing more is read; a reader that still waits is told so."""
        with self._changed:
            self._is_closed = True
            if not self._is_ended:
                self._is_ended = True
                self._error = HttpProblem(HTTPStatus.SERVICE_UNAVAILABLE, "the request was given up")
            self._changed.notify()
        self._loop.call_soon_threadsafe(self._room.set)
