"""Who asks, whether they may, and what the access log is told of it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from radfuse.services.access_log import AccessEntry, AccessLog, Outcome
from radfuse.services.users import TOKEN_PREFIX, Credentials, Known
from radfuse.web.guard import is_foreign
from radfuse.web.identity import (
    ALLOW_FAILED,
    ALLOW_OTHER_PATIENT,
    ALLOW_OTHER_SIDE,
    EVERYONE_HERE,
    KEEP_DRAFT,
    NOBODY,
    Access,
    Identity,
    identity_in,
    noted,
    set_identity,
)
from radfuse.web.policy import Row, row_for, sentence, study_of
from radfuse.web.problems import HttpProblem, problem_response

SESSION_COOKIE: Final = "radfuse_session"
_REFUSALS: Final = frozenset((HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS))
_BATCHED: Final = frozenset(
    ("search", "view", "download", "store", "access", KEEP_DRAFT, ALLOW_FAILED, ALLOW_OTHER_PATIENT, ALLOW_OTHER_SIDE)
)
"""What happens many times a second, and changes nothing that its own log does not have: written soon, not at once."""

_STILL_THERE_S: Final = 2.0
"""How often it is looked whether who watches may still."""

_UID: Final = re.compile(r"[0-9.]{1,64}\Z")
_NOT_WORDS: Final = frozenset(("limit", "offset", "includefield", "fuzzymatching"))
_MOST_COOKIES: Final = 4
_NO_USERS: Final = "there are no users yet: add one on the machine itself with 'radfuse users add NAME'"


class Authentication:
    """Lets requests to ``app`` pass that their users may make, and keeps the access log."""

    def __init__(self, app: ASGIApp, credentials: Credentials, log: AccessLog, *, is_local: bool) -> None:
        """``is_local``: only this machine can reach us. While there are no users, everybody here is trusted then."""
        self._app = app
        self._credentials = credentials
        self._log = log
        self._is_local = is_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 or 403, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        row = row_for(scope["method"], scope["path"])
        identity = await self._identity(scope, row)
        set_identity(scope, identity or NOBODY)
        answer = _Answer(scope, row, send, self)
        try:
            if row.needs is not None and (identity is None or not identity.role.includes(row.needs)):
                await self._refuse(scope, receive, answer.send, row)
            else:
                await self._app(scope, receive, answer.send)
        finally:
            if not answer.is_told:
                await answer.tell(HTTPStatus.INTERNAL_SERVER_ERROR)

    async def is_still(self, scope: Scope, row: Row) -> bool:
        """Whether who made the request may still make it."""
        identity = await self._identity(scope, row)
        return identity is not None and row.needs is not None and identity.role.includes(row.needs)

    async def keep(self, entries: list[AccessEntry]) -> None:
        """Write entries to the access log: at once those of a change, soon the others."""
        at_once = [entry for entry in entries if _is_at_once(entry)]
        for entry in entries:
            if not _is_at_once(entry):
                self._log.note(entry)
        if at_once:
            try:
                await asyncio.to_thread(self._log.write, at_once)
            except SQLAlchemyError:
                # The change is made. It is written as soon as there is room again.
                for entry in at_once:
                    self._log.note(entry)

    async def _identity(self, scope: Scope, row: Row) -> Identity | None:
        if not self._credentials.has_users():
            return EVERYONE_HERE if self._is_local else None
        for secret in _secrets(scope):
            if known := await self._known(secret, is_active=not row.is_watching):
                return Identity(
                    known.user,
                    known.role,
                    full_name=known.full_name,
                    is_session=known.is_session,
                    ends_s=known.ends_s,
                )
        return None

    async def _known(self, secret: str, *, is_active: bool) -> Known | None:
        if known := self._credentials.at_hand(secret, is_active=is_active):
            return known
        return await asyncio.to_thread(self._credentials.of, secret, is_active=is_active)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, row: Row) -> None:
        if identity_in(scope) is not NOBODY:
            await problem_response(HttpProblem(HTTPStatus.FORBIDDEN, sentence(row)))(scope, receive, send)
            return
        detail = "log in first" if self._is_local or self._credentials.has_users() else _NO_USERS
        response = problem_response(HttpProblem(HTTPStatus.UNAUTHORIZED, detail))
        response.headers.append("WWW-Authenticate", 'Bearer realm="Radfuse"')
        if not any(name == b"sec-fetch-mode" for name, _ in scope["headers"]):
            # A browser would ask for name and password in a box of its own, in the middle of our page.
            response.headers.append("WWW-Authenticate", 'Basic realm="Radfuse", charset="UTF-8"')
        await response(scope, receive, send)


class _Answer:
    """A response, as it passes by to the one who asked."""

    def __init__(self, scope: Scope, row: Row, send: Send, authentication: Authentication) -> None:
        self.is_told = False
        self._scope = scope
        self._row = row
        self._send = send
        self._authentication = authentication
        self._looked_s = time.monotonic()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            # Before the answer: who is told that something was changed can find it in the log.
            await self.tell(message["status"])
        elif self._row.is_watching and message.get("more_body") and not await self._is_still():
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            raise OSError("who watched may not any more")
        await self._send(message)

    async def tell(self, status: int) -> None:
        """Tell the access log what became of the request."""
        self.is_told = True
        await self._authentication.keep(list(_entries(self._scope, self._row, status)))

    async def _is_still(self) -> bool:
        now = time.monotonic()
        if now - self._looked_s < _STILL_THERE_S:
            return True
        self._looked_s = now
        return await self._authentication.is_still(self._scope, self._row)


# --- what was shown to prove who asks ------------------------------------------------------------


def _secrets(scope: Scope) -> list[str]:
    """Sessions and tokens in the headers of a request. Never in its address, which others log."""
    headers = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
    if headers:
        found = _in_authorization(headers[0]) if len(headers) == 1 else None
        return [found] if found else []
    if is_foreign(scope):
        return []
    return list(session_cookies(scope))[:_MOST_COOKIES]


def _in_authorization(header: str) -> str | None:
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value if value.startswith(TOKEN_PREFIX) else None
    if scheme.lower() != "basic":
        return None
    try:
        _, _, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return password if password.startswith(TOKEN_PREFIX) else None


def session_cookies(scope: Scope) -> Iterator[str]:
    """The secrets of sessions in the cookies of a request; another port of this host may have added its own."""
    for name, value in scope["headers"]:
        if name != b"cookie":
            continue
        for part in value.decode("latin-1").split(";"):
            key, _, secret = part.strip().partition("=")
            if key == SESSION_COOKIE and secret and not secret.startswith(TOKEN_PREFIX):
                yield secret


# --- what the access log is told ------------------------------------------------------------------


def _is_at_once(entry: AccessEntry) -> bool:
    if entry.action in _BATCHED:
        return False
    return entry.outcome is not Outcome.REFUSED or entry.action == "login"


def _entries(scope: Scope, row: Row, status: int) -> Iterator[AccessEntry]:
    identity = identity_in(scope)
    outcome = Outcome.DONE if status < HTTPStatus.BAD_REQUEST else Outcome.FAILED
    accesses = noted(scope) or _of_row(scope, row)
    if status in _REFUSALS:
        outcome = Outcome.REFUSED
        if not accesses and not row.is_watching:
            accesses = [Access("access", subject=f"{scope['method'][:10]} {row.path}")]
    if not accesses:
        return
    request = str(structlog.contextvars.get_contextvars().get("request", ""))
    address = (scope.get("client") or ("",))[0]
    role = identity.role.value if identity.user else ""
    for each in accesses:
        yield AccessEntry(identity.user, role, address, each.action, outcome, each.study, each.subject, request)


def _of_row(scope: Scope, row: Row) -> list[Access]:
    if not row.action:
        return []
    study = study_of(row, scope["path"])
    words = _words(scope) if row.action == "search" else ""
    return [Access(row.action, study if _UID.match(study) else "", words)]


def _words(scope: Scope) -> str:
    """What was searched for."""
    pairs = parse_qsl(scope["query_string"][:2000].decode("latin-1"), keep_blank_values=False, errors="replace")
    return " ".join(f"{name}={value}" for name, value in pairs if name not in _NOT_WORDS)
