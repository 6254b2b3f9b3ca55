"""Long responses, read by threads a step ahead of the client and never further."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from typing import Any, Final, TypeAlias

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

Chunk: TypeAlias = bytes | bytearray | memoryview
_END: Final = bytearray()
"""This very object: there are no more chunks."""
_log = logging.getLogger(__name__)


class StreamedResponse(Response):
    """Sends what ``chunks`` yields. An error on the way breaks the connection: it never looks complete.

    ``length`` is the whole length when it is known. ``first`` reads the first chunk, so that an error
    there can still become a status.
    """

    def __init__(
        self,
        chunks: Iterator[Chunk],
        pool: Executor,
        media_type: str,
        *,
        length: int | None = None,
        headers: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> None:
        super().__init__(None, status, headers, media_type)
        self._chunks = chunks
        self._pool = pool
        del self.headers["content-length"]
        if length is not None:
            self.headers["content-length"] = str(length)
        self._first: Chunk | None = None

    async def first(self) -> StreamedResponse:
        """Read the first chunk now; raises what the reading raises."""
        self._first = await self._next()
        return self

    async def _next(self) -> Chunk:
        return await asyncio.get_running_loop().run_in_executor(self._pool, _next_of, self._chunks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it all, or until the client is gone."""
        gone = asyncio.ensure_future(client_gone(receive))
        chunk: Chunk = self._first if self._first is not None else await self._next()
        ahead: asyncio.Future[Chunk] | None = None
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                chunk = _END
            while chunk is not _END and not gone.done():
                ahead = asyncio.ensure_future(self._next())
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                chunk = await ahead
                ahead = None
            if not gone.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Exception as error:
            # Returning without an end makes the server break the connection.
            _log.warning("a download was broken off: %s", error)
        finally:
            gone.cancel()
            if ahead is not None:
                with contextlib.suppress(Exception):
                    await ahead
            await self._close()

    async def _close(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is None:
            return
        try:
            closing = asyncio.get_running_loop().run_in_executor(self._pool, close)
        except RuntimeError:  # the threads have ended: the server stops
            close()
        else:
            await closing


def _next_of(chunks: Iterator[Chunk]) -> Chunk:
    """The next chunk with something in it: an empty one would end the body."""
    return next((chunk for chunk in chunks if len(chunk)), _END)


async def client_gone(receive: Receive) -> None:
    """Until the client has closed the connection."""
    message: Any = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()
