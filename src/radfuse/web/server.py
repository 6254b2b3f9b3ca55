"""The HTTP server: uvicorn, with bounds on what a client may cost before it is a request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from radfuse.web.endings import STATE, Endings

_CONNECTIONS: Final = 1000
_HEAD_BYTES: Final = 64 << 10
_HEAD_S: Final = 30.0
_KEEP_ALIVE_S: Final = 75
_log = logging.getLogger(__name__)


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with heads of requests that are neither endless in length nor in time."""

    _head_bytes = 0
    _is_in_head = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is here; its first request must come soon."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES and not self.transport.is_closing():
                self._end_head()
                self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._await_head()
        self._is_in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """The head of a request is here."""
        self._end_head()
        super().on_headers_complete()

    def _await_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(_HEAD_S, self._give_up)

    def _end_head(self) -> None:
        self._is_in_head = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()


class WebServer(uvicorn.Server):
    """Serves one application until ``stop``."""

    def __init__(
        self, app: ASGIApp, shutdown_s: float, on_started: Callable[[], None], https: ssl.SSLContext | None = None
    ) -> None:
        """``shutdown_s``: what running requests get to end in. ``on_started``: called once requests are taken.

        ``https``: what to shake hands with; None: plain HTTP.
        """
        config = uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="none",
            loop="uvloop",
            lifespan="on",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            headers=[("Server", "Radfuse")],
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, round(shutdown_s)),
            ssl_context_factory=None if https is None else lambda _config, _default: https,
        )
        super().__init__(config)
        self._on_started = on_started

    def stop(self) -> None:
        """Take no more requests, and end with those that run; safe in a signal handler."""
        self.should_exit = True

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve on listening ``sockets``."""
        super().run(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        if self.started:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections; break off those that are still there when the time is over."""
        endings = self.lifespan.state.get(STATE)
        if isinstance(endings, Endings):
            endings.end()
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()  # the loop would wait for clients that take nothing
        await asyncio.sleep(0)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Whoever runs the process handles its signals."""
        yield
