"""Server-sent events (WHATWG HTML section 9.2): one source, any number of listeners, none of whom can hold it up."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from radfuse.web.endings import Endings
from radfuse.web.streaming import client_gone

HELLO: Final = "hello"
"""The event at the start and after a gap: read everything again."""

MOST_WAITING: Final = 32
"""Events that wait for one listener; a slower one is told to read again."""

_KEEP_ALIVE_S: Final = 15.0
_LIFETIME_S: Final = 3600.0
"""Then the browser asks again by itself."""

_KEEP_ALIVE: Final = b":\n\n"
_RECONNECT: Final = b"retry: 2000\n\n"
_HEADERS: Final = {
    "Cache-Control": "no-store",
    # Proxies that collect responses before they pass them on are told not to.
    "X-Accel-Buffering": "no",
}


def encoded(name: str, data: bytes = b"{}") -> bytes:
    """One event; ``data`` is JSON on one line."""
    return b"event: %s\ndata: %s\n\n" % (name.encode("ascii"), data)


_HELLO: Final = encoded(HELLO)


class Broadcast:
    """Passes events on to all listeners, encoded once. ``start`` and ``stop`` the source with the first and last.

    All of it belongs to the event loop; ``start`` is given what the source calls, from any thread.
    """

    def __init__(self, start: Callable[[Callable[[bytes], None]], None], stop: Callable[[], None]) -> None:
        self._start = start
        self._stop = stop
        self._listeners: set[Listener] = set()
        self._has_begun = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[Listener]:
        """A listener until the end of the block: it is told hello as soon as nothing can be missed any more."""
        listener = Listener()
        self._listeners.add(listener)
        if len(self._listeners) == 1:
            self._has_begun = False
            loop = asyncio.get_running_loop()
            self._start(lambda event: _call_soon(loop, self._pass_on, event))
        elif self._has_begun:
            listener.put(_HELLO)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._stop()

    def _pass_on(self, event: bytes) -> None:
        self._has_begun |= event == _HELLO
        for listener in self._listeners:
            listener.put(event)


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[bytes], None], event: bytes) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended before the source
        loop.call_soon_threadsafe(call, event)


class Listener:
    """The events that wait for one client."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._something = asyncio.Event()
        self.is_closed = False

    def put(self, event: bytes) -> None:
        """One more event; what a slow client has not taken is given up when it is too much."""
        if len(self._waiting) >= MOST_WAITING or event == _HELLO:
            self._waiting.clear()
            event = _HELLO
        self._waiting.append(event)
        self._something.set()

    def close(self) -> None:
        """There will be no more."""
        self.is_closed = True
        self._something.set()

    async def take(self) -> bytes:
        """What waits, or will; a sign of life when nothing comes for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_KEEP_ALIVE_S):
                await self._something.wait()
        self._something.clear()
        events = b"".join(self._waiting) or _KEEP_ALIVE
        self._waiting.clear()
        return events


class EventStreamResponse(Response):
    """Sends what a broadcast says, until the client or the server ends it."""

    media_type = "text/event-stream"

    def __init__(self, broadcast: Broadcast, endings: Endings) -> None:
        super().__init__(None, headers=_HEADERS)
        del self.headers["content-length"]
        self._broadcast = broadcast
        self._endings = endings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events as they come."""
        gone = asyncio.ensure_future(client_gone(receive))
        try:
            with self._broadcast.listening() as listener, self._endings.telling(listener.close):
                gone.add_done_callback(lambda _: listener.close())
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await self._pass_on(listener, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            pass  # who listened may not any more, and was told so
        finally:
            gone.cancel()

    async def _pass_on(self, listener: Listener, send: Send) -> None:
        now_s = asyncio.get_running_loop().time
        ends_s = now_s() + _LIFETIME_S
        events = _RECONNECT
        while not listener.is_closed and now_s() < ends_s:
            await send({"type": "http.response.body", "body": events, "more_body": True})
            events = await listener.take()
