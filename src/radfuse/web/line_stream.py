"""Lines of JSON while they come, from work that waits for somebody else: each in a thread of its own, a few at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Generator
from http import HTTPStatus
from typing import Final, TypeAlias

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from radfuse.web.endings import Endings
from radfuse.web.problems import HttpProblem
from radfuse.web.streaming import client_gone

_LINES_AHEAD: Final = 256
"""Lines that wait for a slow client; the work waits then."""

_LOOK_S: Final = 0.2
_log = logging.getLogger(__name__)

Work: TypeAlias = Callable[[Callable[[], bool]], Generator[bytes, None, None]]
"""Given what says whether it should stop, yields lines."""


class Places:
    """Room for some of these responses at once; ``what`` they are called in the refusal of one more."""

    def __init__(self, count: int, what: str) -> None:
        self._free = threading.Semaphore(count)
        self._what = what

    def take(self) -> None:
        """Take a place, or raise 503."""
        if not self._free.acquire(blocking=False):
            raise HttpProblem(HTTPStatus.SERVICE_UNAVAILABLE, f"too many {self._what} run now; try again in a moment")

    def give_back(self) -> None:
        """The place is free again."""
        self._free.release()


class LinesResponse(Response):
    """Sends the lines of ``work`` until it ends; tells it to stop when the client or the server ends it before."""

    media_type = "application/x-ndjson"

    def __init__(self, work: Work, places: Places, endings: Endings) -> None:
        """Raises 503 where there is no place."""
        super().__init__(None, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        places.take()
        self._work = work
        self._places = places
        self._endings = endings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the lines."""
        lines = _Lines(asyncio.get_running_loop())
        # A daemon: a peer that never answers must not keep the process from ending.
        threading.Thread(target=self._run, args=(lines,), name="lines", daemon=True).start()
        gone = asyncio.ensure_future(client_gone(receive))
        gone.add_done_callback(lambda _: lines.stop())
        try:
            with self._endings.telling(lines.stop):
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                while some := await lines.take():
                    await send({"type": "http.response.body", "body": some, "more_body": True})
                if lines.is_whole:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            lines.stop()

    def _run(self, lines: _Lines) -> None:
        try:
            with contextlib.closing(self._work(lines.should_stop)) as work:
                for line in work:
                    if not lines.put(line):
                        return
            lines.end()
        except Exception:
            _log.exception("a stream of lines was broken off")
            lines.stop()
        finally:
            self._places.give_back()


class _Lines:
    """Lines on their way from a thread to the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.is_whole = False
        self._loop = loop
        self._room = threading.Semaphore(_LINES_AHEAD)
        self._stopped = threading.Event()
        self._waiting: list[bytes] = []
        self._something = asyncio.Event()
        self._is_over = False

    # In the thread:

    def should_stop(self) -> bool:
        """Whether nobody waits for more."""
        return self._stopped.is_set()

    def put(self, line: bytes) -> bool:
        """Pass a line on, once there is room; false when nobody waits for it."""
        while not self._room.acquire(timeout=_LOOK_S):
            if self._stopped.is_set():
                return False
        return self._call(self._put, line)

    def end(self) -> None:
        """There are no more; but work that ended because it was told to stop is not whole."""
        self._call(self._end, not self._stopped.is_set())

    def _call(self, what: Callable[..., None], *words: object) -> bool:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(what, *words)
            return True
        return False

    # In the loop:

    def _put(self, line: bytes) -> None:
        self._waiting.append(line)
        self._something.set()

    def _end(self, is_whole: bool) -> None:
        self.is_whole |= is_whole
        self._is_over = True
        self._something.set()

    async def take(self) -> bytes:
        """The lines that are there, or will be; nothing at the end."""
        while not self._waiting and not self._is_over:
            await self._something.wait()
            self._something.clear()
        lines, self._waiting = self._waiting, []
        for _ in lines:
            self._room.release()
        return b"".join(lines)

    # In either:

    def stop(self) -> None:
        """End it before its time."""
        self._stopped.set()
        self._call(self._end, False)
