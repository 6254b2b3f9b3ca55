"""Requests that a web page elsewhere makes in a user's browser are refused, unless that page is one of those allowed.

Where nobody logs in, whoever reaches the port is believed. That is this machine alone, and with it
every page that its browsers show: a page may point its own name at this machine (DNS rebinding), or
send a form here. Where people log in, the browser sends their session with such a form.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from radfuse.web.problems import HttpProblem, bad_request, problem_response

_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_FROM_ELSEWHERE: Final = frozenset((b"cross-site", b"same-site"))
_FOREIGN: Final = "is_foreign"
_DICOMWEB: Final = "dicom-web"
_PREFLIGHT_HEADERS: Final = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, If-None-Match, If-Range, Range, X-Request-ID",
    "Access-Control-Max-Age": "600",
}
_EXPOSED: Final = b"Content-Location, Content-Range, ETag, Location, Retry-After, Warning, X-Request-ID"


@dataclass(frozen=True, slots=True)
class Entrance:
    """What the service is called by, and who else's pages may use its DICOMweb."""

    public_url: str = ""
    """The address that browsers see, such as ``https://pacs.example``; empty: what each request says it is."""
    cors_origins: frozenset[str] = frozenset()
    """Origins of pages that may read and store over DICOMweb, with a token, never with a user's session."""
    proxies: frozenset[str] = frozenset()
    """Addresses of what stands before us under ``public_url``: it tells who asks."""


def is_foreign(scope: Scope) -> bool:
    """Whether a page of another, allowed origin asks: its user's session here is not its to use."""
    return bool(scope.get("state", {}).get(_FOREIGN, False))


class Guard:
    """Lets requests to ``app`` pass that no page elsewhere can have made, and those of allowed ones."""

    def __init__(self, app: ASGIApp, entrance: Entrance, *, only_loopback_names: Callable[[], bool]) -> None:
        """``only_loopback_names``: whether to answer only those who call this machine by its own names."""
        self._app = app
        self._entrance = entrance
        self._only_loopback_names = only_loopback_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 400, 403 or 421, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._see_through_proxy(scope)
        origin = self._allowed_origin(scope)
        problem = self._problem(scope, is_allowed=origin is not None)
        if problem is not None:
            await problem_response(problem)(scope, receive, send)
        elif origin is None:
            await self._app(scope, receive, send)
        else:
            await self._pass_on_foreign(origin, scope, receive, send)

    async def _pass_on_foreign(self, origin: str, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})[_FOREIGN] = True
        allowed = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]

        async def send_allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                exposed = (b"access-control-expose-headers", _EXPOSED)
                message["headers"] = [*message.get("headers", ()), *allowed, exposed]
            await send(message)

        if scope["method"] == "OPTIONS" and _values(scope, b"access-control-request-method"):
            await Response(None, HTTPStatus.NO_CONTENT, _PREFLIGHT_HEADERS)(scope, receive, send_allowed)
        else:
            await self._app(scope, receive, send_allowed)

    def _see_through_proxy(self, scope: Scope) -> None:
        """Have the address of who asks in the scope, not that of the proxy: logins are slowed by address."""
        client = scope.get("client")
        if not self._entrance.public_url or client is None or client[0] not in self._entrance.proxies:
            return
        # The last one was written by the proxy itself, those before it by whoever asked.
        said = [part for value in _values(scope, b"x-forwarded-for") for part in value.decode("latin-1").split(",")]
        with contextlib.suppress(ValueError, IndexError):
            scope["client"] = (str(ipaddress.ip_address(said[-1].strip())), 0)

    def _allowed_origin(self, scope: Scope) -> str | None:
        """The origin of the page that asks, where it is another one's that may."""
        if not self._entrance.cors_origins or not _is_dicomweb(scope["path"]):
            return None
        origins = _values(scope, b"origin")
        origin = origins[0].decode("latin-1") if len(origins) == 1 else ""
        return origin if origin in self._entrance.cors_origins else None

    def _problem(self, scope: Scope, *, is_allowed: bool) -> HttpProblem | None:
        headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
        hosts = _values(scope, b"host")
        if len(hosts) > 1:
            return bad_request("the request has several Host headers")
        host = hosts[0].decode("latin-1").lower() if hosts else ""
        if self._only_loopback_names() and not is_loopback_name(host):
            return HttpProblem(HTTPStatus.MISDIRECTED_REQUEST, "this service is asked for as localhost only")
        if is_allowed or scope["method"] in _SAFE:
            return None
        if any(self._is_from_elsewhere(name, value, host) for name, value in headers):
            return HttpProblem(HTTPStatus.FORBIDDEN, "a page of another origin may change nothing here")
        return None

    def _is_from_elsewhere(self, name: bytes, value: bytes, host: str) -> bool:
        if name == b"origin":
            origin = value.decode("latin-1").lower()
            return origin != self._entrance.public_url and _authority(origin) != host
        return name == b"sec-fetch-site" and value in _FROM_ELSEWHERE


def _values(scope: Scope, wanted: bytes) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == wanted]


def _is_dicomweb(path: str) -> bool:
    segments = path.split("/")
    return segments[1] == _DICOMWEB or (segments[1] == "databases" and segments[3:4] == [_DICOMWEB])


def _authority(origin: str) -> str:
    """Host and port of an origin; something that is no host for "null" or nonsense."""
    try:
        return urlsplit(origin).netloc or "null"
    except ValueError:
        return "null"


def is_loopback_name(host: str) -> bool:
    """Whether a Host header, in lower case, names this machine by a name that nobody else can give out."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in ("localhost", "localhost.") or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
