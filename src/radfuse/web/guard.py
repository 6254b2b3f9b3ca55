"""Who may ask: requests that a web page elsewhere makes in a user's browser are refused.

While nobody can log in, whoever reaches the port is believed. That is this machine alone, and with it
every page that its browsers show: a page may point its own name at this machine (DNS rebinding), or
send a form here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from radfuse.web.problems import HttpProblem, bad_request, problem_response

_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_FROM_ELSEWHERE: Final = frozenset((b"cross-site", b"same-site"))


class Guard:
    """Lets requests to ``app`` pass that no page elsewhere can have made."""

    def __init__(self, app: ASGIApp, *, only_loopback_names: bool) -> None:
        self._app = app
        self._only_loopback_names = only_loopback_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 400, 403 or 421, or pass on."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        await (self._app if problem is None else problem_response(problem))(scope, receive, send)

    def _problem(self, scope: Scope) -> HttpProblem | None:
        headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) > 1:
            return bad_request("the request has several Host headers")
        host = hosts[0].decode("latin-1").lower() if hosts else ""
        if self._only_loopback_names and not is_loopback_name(host):
            return HttpProblem(HTTPStatus.MISDIRECTED_REQUEST, "this service is asked for as localhost only")
        if scope["method"] not in _SAFE and any(map(_is_from_elsewhere, headers, [host] * len(headers))):
            return HttpProblem(HTTPStatus.FORBIDDEN, "a page of another origin may change nothing here")
        return None


def _is_from_elsewhere(header: tuple[bytes, bytes], host: str) -> bool:
    name, value = header
    if name == b"origin":
        return _authority(value.decode("latin-1").lower()) != host
    return name == b"sec-fetch-site" and value in _FROM_ELSEWHERE


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
