"""Who makes a request, and what the access log is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import Scope

from radfuse.services.roles import Role

ALLOW_FAILED: Final = "allow failed registration"
ALLOW_OTHER_PATIENT: Final = "allow other patient"
ALLOW_OTHER_SIDE: Final = "allow other side"
"""Deliberate answers to what is refused otherwise, for the access log."""

KEEP_DRAFT: Final = "keep draft"

_IDENTITY: Final = "identity"
_ACCESSES: Final = "accesses"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who makes a request."""

    user: str
    role: Role
    is_single_user: bool = False
    """Whether that is everyone on this machine, since there are no users."""
    full_name: str = ""
    is_session: bool = False
    """Whether a person logged in; else a token is used, or nothing."""
    ends_s: float | None = None
    """When the session or the token ends, in seconds since 1970."""

    @property
    def person(self) -> str:
        """The name that objects are signed with; "" where there are no users."""
        return "" if self.is_single_user else self.full_name or self.user


EVERYONE_HERE: Final = Identity("local", Role.ADMINISTRATOR, is_single_user=True)
"""Whoever reaches a service that has no users: only this machine can."""

NOBODY: Final = Identity("", Role.READER)
"""Whoever asks for what needs no login."""


@dataclass(frozen=True, slots=True)
class Access:
    """One thing that was done, for the access log."""

    action: str
    study: str = ""
    subject: str = ""


def set_identity(scope: Scope, identity: Identity) -> None:
    """Say who makes a request."""
    scope.setdefault("state", {})[_IDENTITY] = identity


def identity_of(request: HTTPConnection) -> Identity:
    """Who makes this request."""
    return identity_in(request.scope)


def identity_in(scope: Scope) -> Identity:
    """Who makes the request of this scope."""
    identity: Identity = scope.get("state", {}).get(_IDENTITY, EVERYONE_HERE)
    return identity


def note(request: HTTPConnection, action: str, *, study: str = "", subject: str = "") -> None:
    """Tell the access log of something that this request does; its outcome is that of the response."""
    request.scope.setdefault("state", {}).setdefault(_ACCESSES, []).append(Access(action, study, subject))


def forget_notes(request: HTTPConnection) -> None:
    """Nothing of this request is told: it repeats one that was."""
    request.scope.setdefault("state", {})[_ACCESSES] = []


def noted(scope: Scope) -> list[Access]:
    """What was noted of a request."""
    found: list[Access] = scope.get("state", {}).get(_ACCESSES, [])
    return found
