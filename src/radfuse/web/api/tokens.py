"""The tokens of programs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from radfuse.services.roles import Role
from radfuse.services.users import Token as KeptToken
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.identity import identity_of, note
from radfuse.web.problems import HttpProblem


class Token(BaseModel):
    """What a program proves itself with. Times are seconds since 1970 (UTC)."""

    id: str
    name: str
    user: str
    role: Role
    created_s: float
    expires_s: float | None
    last_used_s: float | None

    @classmethod
    def of(cls, token: KeptToken, **more: str) -> Self:
        """The token for the API."""
        return cls(
            id=token.id,
            name=token.name,
            user=token.user,
            role=token.role,
            created_s=token.created_s,
            expires_s=token.expires_s,
            last_used_s=token.last_used_s,
            **more,
        )


class NewToken(Token):
    """A token with its secret, which is shown this once."""

    secret: str


class TokenRequest(BaseModel):
    """A token to be made."""

    name: Annotated[str, Field(max_length=1024, description="What it is for.")]
    role: Role
    days: float | None = Field(None, description="Days until it ends; null: never.")


def router(desk: ApiDesk) -> APIRouter:
    """The routes about tokens."""
    routes = APIRouter(prefix="/tokens", tags=["tokens"])
    tokens, credentials = desk.accounts.tokens, desk.accounts.credentials

    @routes.get("", summary="One's own tokens, or everybody's", responses=refusals(400, 401, 403))
    def list_tokens(
        request: Request,
        everybody: Annotated[bool, Query(alias="all", description="Everybody's; for administrators.")] = False,
    ) -> list[Token]:
        identity = identity_of(request)
        if everybody and identity.role is not Role.ADMINISTRATOR:
            raise HttpProblem(HTTPStatus.FORBIDDEN, "only an administrator sees the tokens of others")
        return [Token.of(token) for token in tokens.all(None if everybody else identity.user)]

    @routes.post("", summary="Make a token", status_code=201, responses=refusals(400, 401, 409))
    def make_token(request: Request, wanted: TokenRequest) -> NewToken:
        identity = identity_of(request)
        if identity.is_single_user:
            raise HttpProblem(HTTPStatus.CONFLICT, "there are no users: programs on this machine need no token")
        if not identity.role.includes(wanted.role):
            # By a token of a lesser role than its owner's: it makes none beyond itself.
            raise HttpProblem(HTTPStatus.FORBIDDEN, f"who asks is {identity.role}: so is what it may make at most")
        note(request, "token made", subject=f"{wanted.name[:64]} ({wanted.role})")
        token, secret = tokens.add(identity.user, wanted.name, wanted.role, wanted.days)
        return NewToken.of(token, secret=secret)

    @routes.delete("/{token}", summary="Remove a token", status_code=204, responses=refusals(401, 404))
    def remove_token(request: Request, token: Annotated[str, Path(max_length=64)]) -> None:
        identity = identity_of(request)
        note(request, "token removed", subject=token)
        tokens.remove(token, None if identity.role is Role.ADMINISTRATOR else identity.user)
        credentials.forget()

    return routes
