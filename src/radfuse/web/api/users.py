"""The users: who may log in, and as what."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from radfuse.services.roles import Role
from radfuse.services.users import Changes
from radfuse.services.users import NewUser as UserToAdd
from radfuse.services.users import User as KeptUser
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.identity import note

_Text = Annotated[str, Field(max_length=1024)]
_Name = Annotated[str, Path(max_length=64, description="The user's name.")]


class User(BaseModel):
    """A person or program that may log in. Times are seconds since 1970 (UTC)."""

    name: str
    full_name: str
    role: Role
    is_enabled: bool
    created_s: float
    last_login_s: float | None
    locked_until_s: float | None = Field(description="Until then no password is looked at, after too many wrong ones.")

    @classmethod
    def of(cls, user: KeptUser, locked_until_s: float | None) -> Self:
        """The user for the API."""
        return cls(
            name=user.name,
            full_name=user.full_name,
            role=user.role,
            is_enabled=user.is_enabled,
            created_s=user.created_s,
            last_login_s=user.last_login_s,
            locked_until_s=locked_until_s,
        )


class NewUser(BaseModel):
    """A user to be added. The first must be an administrator."""

    name: _Text
    full_name: _Text = ""
    role: Role
    password: _Text = Field(description="At least 10 characters, and not the name.")


class UserChange(BaseModel):
    """What is to be changed of a user; what is not there stays as it is."""

    full_name: _Text | None = None
    role: Role | None = None
    is_enabled: bool | None = None
    password: _Text | None = None


def router(desk: ApiDesk) -> APIRouter:
    """The routes about users."""
    routes = APIRouter(prefix="/users", tags=["users"])
    users, login, credentials = desk.accounts.users, desk.accounts.login, desk.accounts.credentials

    def shown(user: KeptUser) -> User:
        return User.of(user, login.throttle.locked_until_s(user.name))

    @routes.get("", summary="All users", responses=refusals(401, 403))
    def list_users() -> list[User]:
        return [shown(user) for user in users.all()]

    @routes.post("", summary="Add a user", status_code=201, responses=refusals(400, 401, 403, 409))
    def add_user(request: Request, new: NewUser) -> User:
        note(request, "user added", subject=f"{new.name[:64]} ({new.role})")
        user = users.add(UserToAdd(new.name, new.role, new.password, new.full_name))
        credentials.forget()
        return shown(user)

    @routes.patch("/{name}", summary="Change a user", responses=refusals(400, 401, 403, 404, 409))
    def change_user(request: Request, name: _Name, change: UserChange) -> User:
        note(request, "user changed", subject=f"{name}: {_said(change)}")
        changes = Changes(change.full_name, change.role, change.is_enabled, change.password)
        user = users.change(name, changes)
        credentials.forget()
        return shown(user)

    @routes.delete("/{name}", summary="Remove a user", status_code=204, responses=refusals(401, 403, 404, 409))
    def remove_user(request: Request, name: _Name) -> None:
        note(request, "user removed", subject=name)
        users.remove(name)
        credentials.forget()

    return routes


def _said(change: UserChange) -> str:
    """What is changed, in words; of a password only that it is."""
    words = {
        "name": change.full_name is not None,
        f"role {change.role}": change.role is not None,
        "enabled" if change.is_enabled else "disabled": change.is_enabled is not None,
        "password": change.password is not None,
    }
    return ", ".join(word for word, is_said in words.items() if is_said) or "nothing"
