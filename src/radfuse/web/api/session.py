"""Logging in and out, and who one is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from radfuse import __version__
from radfuse.core.errors import WrongPassword
from radfuse.services.roles import Role
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.authentication import SESSION_COOKIE, session_cookies
from radfuse.web.identity import Identity, identity_of, note, set_identity
from radfuse.web.problems import HttpProblem

_LOGINS_WAITING: Final = 32
"""More at once are turned away: each takes its turn of a tenth of a second."""

_Result = TypeVar("_Result")
_Text = Annotated[str, Field(max_length=1024)]


class Session(BaseModel):
    """Who one is, and where."""

    user: str
    full_name: str
    role: Role
    mode: Literal["login", "single-user"]
    is_encrypted: bool
    expires_s: float | None
    version: str
    ae_title: str
    databases: list[str]


class Login(BaseModel):
    """Name and password."""

    name: _Text
    password: _Text


class PasswordChange(BaseModel):
    """The password as it is, and as it is to be."""

    old_password: _Text
    new_password: _Text


class Turnstile:
    """Lets one through at a time, and few wait: passwords are looked at in one thread, whatever the flood."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """Do ``work`` in a thread. Raises 503 when too many wait."""
        if self._waiting >= _LOGINS_WAITING:
            raise HttpProblem(HTTPStatus.SERVICE_UNAVAILABLE, "too many log in at this moment; try again soon")
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


class _SessionDoor:
    """Begins, shows and ends sessions."""

    def __init__(self, desk: ApiDesk) -> None:
        self._desk = desk
        self._accounts = desk.accounts
        self._turnstile = Turnstile()

    def show(self, request: Request) -> Session:
        """Who one is."""
        return self._session_of(request, identity_of(request))

    async def log_in(self, request: Request, response: Response, login: Login) -> Session:
        """Begin a session."""
        if not self._accounts.credentials.has_users():
            raise HttpProblem(HTTPStatus.CONFLICT, "there are no users: nobody needs to log in on this machine")
        name = await asyncio.to_thread(self._accounts.login.known_name, login.name)
        note(request, "login")
        set_identity(request.scope, Identity(name, Role.READER))
        address = _address(request)
        started = await self._slowed(lambda: self._accounts.login.log_in(login.name, login.password, address))
        identity = await asyncio.to_thread(self._begin, request, response, started.secret)
        set_identity(request.scope, identity)
        return self._session_of(request, identity)

    def log_out(self, request: Request, response: Response) -> None:
        """End the session."""
        if identity_of(request).is_session:
            note(request, "logout")
        for secret in session_cookies(request.scope):
            self._accounts.sessions.end(secret)
        self._accounts.credentials.forget()
        response.delete_cookie(**_cookie(request, self._desk))

    async def change_password(self, request: Request, response: Response, change: PasswordChange) -> None:
        """Another password; all other sessions end."""
        identity, address = identity_of(request), _address(request)
        if identity.is_single_user:
            raise HttpProblem(HTTPStatus.CONFLICT, "there are no users: nobody has a password")
        if not identity.is_session:
            raise HttpProblem(HTTPStatus.FORBIDDEN, "a token cannot change the password: log in for that")
        note(request, "password changed", subject=identity.user)
        old, new = change.old_password, change.new_password
        try:
            await self._slowed(lambda: self._accounts.login.change_password(identity.user, old, new, address))
        except WrongPassword as error:
            # Not 401: who asks is logged in, and stays so.
            raise HttpProblem(HTTPStatus.FORBIDDEN, "the old password is wrong") from error
        secret = await asyncio.to_thread(self._accounts.sessions.start, identity.user)
        await asyncio.to_thread(self._begin, request, response, secret)

    def _begin(self, request: Request, response: Response, secret: str) -> Identity:
        """Give the browser a session of its own; one that it had, or that somebody planted there, ends."""
        for given in session_cookies(request.scope):
            self._accounts.sessions.end(given)
        self._accounts.credentials.forget()
        known = self._accounts.credentials.of(secret)
        if known is None:
            raise HttpProblem(HTTPStatus.CONFLICT, "the user was changed at this very moment; log in again")
        response.set_cookie(value=secret, **_cookie(request, self._desk))
        return Identity(known.user, known.role, full_name=known.full_name, is_session=True, ends_s=known.ends_s)

    async def _slowed(self, work: Callable[[], _Result]) -> _Result:
        """Look at a password; the answer to a wrong one comes late. Others are not held up by it."""
        try:
            return await self._turnstile.run(work)
        except WrongPassword as error:
            await asyncio.sleep(error.delay_s)
            raise

    def _session_of(self, request: Request, identity: Identity) -> Session:
        first = next(iter(self._desk.databases.values()))
        return Session(
            user=identity.user,
            full_name=identity.full_name,
            role=identity.role,
            mode="single-user" if identity.is_single_user else "login",
            is_encrypted=_is_encrypted(request, self._desk),
            expires_s=identity.ends_s,
            version=__version__,
            ae_title=first.ae_title,
            databases=list(self._desk.databases),
        )


def router(desk: ApiDesk) -> APIRouter:
    """The routes about one's own session."""
    routes = APIRouter(prefix="/session", tags=["session"])
    door = _SessionDoor(desk)
    routes.get("", summary="Who one is", responses=refusals(401))(door.show)
    routes.post("", summary="Log in", responses=refusals(400, 401, 409, 429, 503))(door.log_in)
    routes.delete("", summary="Log out", status_code=204)(door.log_out)
    changing = refusals(400, 401, 403, 409, 429, 503)
    routes.put("/password", summary="Change one's own password", status_code=204, responses=changing)(
        door.change_password
    )
    return routes


def _is_encrypted(request: Request, desk: ApiDesk) -> bool:
    """Whether the browser talks to us, or to what stands before us, over TLS."""
    return request.url.scheme == "https" or desk.public_url.startswith("https:")


def _cookie(request: Request, desk: ApiDesk) -> dict[str, Any]:
    return {
        "key": SESSION_COOKIE,
        "path": "/",
        "secure": _is_encrypted(request, desk),
        "httponly": True,
        "samesite": "strict",
    }


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""
