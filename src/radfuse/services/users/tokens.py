"""Tokens, with which programs prove who they are."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, RowMapping, delete, func, insert, select

from radfuse.core.errors import ConfigurationError, UnknownToken, UnknownUser
from radfuse.db import read_transaction, write_transaction
from radfuse.services.config_schema import token_table, user_table
from radfuse.services.roles import Role
from radfuse.services.users.sessions import digest_of

TOKEN_PREFIX: Final = "rf_"  # noqa: S105
_SECRET_BYTES: Final = 32
_MAX_NAME: Final = 64
_MAX_DAYS: Final = 3650.0
_MAX_TOKENS: Final = 100
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a user, without its secret."""

    id: str
    name: str
    user: str
    role: Role
    created_s: float
    expires_s: float | None
    last_used_s: float | None


class Tokens:
    """The tokens in the configuration database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self, user: str | None = None) -> Sequence[Token]:
        """The tokens of a user, or of all, the newest first."""
        query = select(token_table, user_table.c.name.label("user"), user_table.c.role.label("user_role"))
        query = query.join(user_table).order_by(token_table.c.created_s.desc(), token_table.c.id)
        if user is not None:
            query = query.where(user_table.c.name == user)
        with read_transaction(self._engine) as connection:
            return [_of_row(row) for row in connection.execute(query).mappings()]

    def add(self, user: str, name: str, role: Role, days: float | None = None) -> tuple[Token, str]:
        """A new token of a user, and its secret, which is not kept.

        Raises UnknownUser, and ConfigurationError for a role beyond the user's.
        """
        name = _checked_label(name)
        if days is not None and not 0 < days <= _MAX_DAYS:
            raise ConfigurationError("days", f"needs a number of days up to {_MAX_DAYS:g}, or nothing for no end")
        secret, now = TOKEN_PREFIX + secrets.token_urlsafe(_SECRET_BYTES), time.time()
        expires_s = None if days is None else now + days * _DAY_S
        token = Token(secrets.token_hex(8), name, user, role, now, expires_s, None)
        with write_transaction(self._engine) as connection:
            its_row = (user_table.c.name == user) & user_table.c.is_enabled
            owner = connection.execute(select(user_table.c.id, user_table.c.role).where(its_row)).one_or_none()
            if owner is None:
                raise UnknownUser(user)
            if not Role(owner.role).includes(role):
                raise ConfigurationError("role", f"a token of {user} can be {owner.role} at most")
            its_tokens = select(func.count()).select_from(token_table).where(token_table.c.user_id == owner.id)
            if (connection.scalar(its_tokens) or 0) >= _MAX_TOKENS:
                raise ConfigurationError("name", f"{user} has {_MAX_TOKENS} tokens: remove one first")
            connection.execute(
                insert(token_table).values(
                    id=token.id,
                    digest=digest_of(secret),
                    user_id=owner.id,
                    name=name,
                    role=role.value,
                    created_s=now,
                    expires_s=token.expires_s,
                )
            )
        return token, secret

    def remove(self, token_id: str, user: str | None = None) -> Token:
        """Remove a token, of ``user`` only if that is given; it ends at once. Raises UnknownToken."""
        for token in self.all(user):
            if token.id == token_id:
                with write_transaction(self._engine) as connection:
                    connection.execute(delete(token_table).where(token_table.c.id == token_id))
                return token
        raise UnknownToken(token_id)


def _checked_label(name: str) -> str:
    label = name.strip()
    if not label or len(label) > _MAX_NAME or not label.isprintable():
        raise ConfigurationError("name", f"needs 1 to {_MAX_NAME} characters that can be shown")
    return label


def _of_row(row: RowMapping) -> Token:
    # A user who is an operator no more has no tokens of one any more.
    role = min(Role(row["role"]), Role(row["user_role"]), key=list(Role).index)
    return Token(row["id"], row["name"], row["user"], role, row["created_s"], row["expires_s"], row["last_used_s"])
