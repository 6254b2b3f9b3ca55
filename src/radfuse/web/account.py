"""Every request is given an id, measured, and said in one line of the log: no UIDs, no query, no patient data."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from radfuse.web.metrics import Measured, Metrics
from radfuse.web.problems import HttpProblem, problem_response

_NO_ROUTE: Final = "(none)"
_STATE: Final = "stored"
_GONE: Final = 499
"""The client went away before there was an answer; no status of the standard, but the usual one in logs."""
_STOPPING: Final = HttpProblem(HTTPStatus.SERVICE_UNAVAILABLE, "the service is stopping")
_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
# A client's own id is taken when it is hexadecimal: nothing that could be a UID or a name gets into the log.
_ID: Final = re.compile(rb"[0-9A-Fa-f-]{8,64}\Z")
# Patients' data on machines that people share: what has a tag may be kept, but is never shown without asking again.
_NOT_KEPT: Final = (b"cache-control", b"no-store")
_ASKED_AGAIN: Final = (b"cache-control", b"private, no-cache")
_log = logging.getLogger("radfuse.access")


def note_stored(scope: Scope, kept: int, refused: int) -> None:
    """Say what a store request has stored, for its line in the log."""
    scope.setdefault("state", {})[_STATE] = kept, refused


class Account:
    """Keeps account of the requests to ``app``; ``templates``: the path template of each endpoint."""

    def __init__(self, app: ASGIApp, metrics: Metrics, templates: Mapping[Any, str]) -> None:
        self._app = app
        self._metrics = metrics
        self._templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        self._metrics.running.inc()
        try:
            with structlog.contextvars.bound_contextvars(request=exchange.id):
                await self._app(scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:
            # Only the end of the server cancels. What has begun is broken off by it; the rest is told.
            if not exchange.is_begun:
                await problem_response(_STOPPING)(scope, receive, exchange.send)
        except Exception:
            # It has been logged and answered (500). Once it is answered whole, the server has no use for it.
            if not exchange.is_complete:
                raise
        finally:
            self._metrics.running.dec()
            self._note(scope, exchange)

    def _note(self, scope: Scope, exchange: _Exchange) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        kept, refused = scope.get("state", {}).get(_STATE, (0, 0))
        measured = Measured(
            method,
            self._templates.get(scope.get("endpoint"), _NO_ROUTE),
            exchange.status,
            time.perf_counter() - exchange.started_s,
            exchange.received_bytes,
            exchange.sent_bytes,
            kept,
            refused,
        )
        self._metrics.count(measured)
        facts: dict[str, object] = {
            "request": exchange.id,
            "method": measured.method,
            "route": measured.route,
            "status": measured.status,
            "seconds": round(measured.seconds, 4),
            "received_bytes": measured.received_bytes,
            "sent_bytes": measured.sent_bytes,
            "address": (scope.get("client") or ("",))[0],
        }
        if not exchange.is_complete:
            facts["broken_off"] = True
        if kept or refused:
            facts |= {"kept": kept, "refused": refused}
        _log.info("request", extra=facts)


class _Exchange:
    """A request and its response, as they pass by."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.id = _id_of(scope)
        self.started_s = time.perf_counter()
        self.status = _GONE
        self.received_bytes = 0
        self.sent_bytes = 0
        self.is_begun = False
        self.is_complete = False
        self._receive = receive
        self._send = send
        self._caching = _NOT_KEPT if scope["path"].startswith("/api") else _ASKED_AGAIN
        # Nothing here is to be read by a page of another origin, as a picture or script either.
        self._headers = [
            (b"x-request-id", self.id.encode("ascii")),
            (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]

    async def receive(self) -> Message:
        message = await self._receive()
        self.received_bytes += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_begun, self.status = True, message["status"]
            headers = [*message.get("headers", ()), *self._headers]
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append(self._caching)
            message["headers"] = headers
        await self._send(message)
        if message["type"] == "http.response.body":
            self.sent_bytes += len(message.get("body", b""))
            self.is_complete = not message.get("more_body", False)


def _id_of(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.match(value):
            return str(value, "ascii")
    return secrets.token_hex(8)
