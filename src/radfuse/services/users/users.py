"""The users of a data folder. There is an administrator among them, or there are none."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, select, update

from radfuse.core.errors import ConfigurationError, LastAdministrator, UnknownUser, UserExists
from radfuse.db import read_transaction, write_transaction
from radfuse.services.config_schema import session_table, token_table, user_table
from radfuse.services.roles import Role
from radfuse.services.users.passwords import Passwords, checked_password

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.@-]{0,63}\Z")
_MAX_FULL_NAME: Final = 128


@dataclass(frozen=True, slots=True)
class User:
    """A person, or a program, that may log in."""

    name: str
    full_name: str
    role: Role
    is_enabled: bool
    created_s: float
    last_login_s: float | None


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to be added."""

    name: str
    role: Role
    password: str
    full_name: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is changed of a user; None stays as it is."""

    full_name: str | None = None
    role: Role | None = None
    is_enabled: bool | None = None
    password: str | None = None


def checked_name(name: str) -> str:
    """``name`` as it is kept: in lower case. Raises ConfigurationError."""
    normal = name.strip().lower()
    if not _NAME.match(normal):
        raise ConfigurationError("name", "is no user's name: 1 to 64 of the letters a-z, digits, '_', '.', '@', '-'")
    return normal


def _checked_full_name(full_name: str) -> str:
    normal = unicodedata.normalize("NFC", full_name).strip()
    if len(normal) > _MAX_FULL_NAME or not normal.isprintable():
        raise ConfigurationError("full_name", f"needs at most {_MAX_FULL_NAME} characters that can be shown")
    return normal


class Users:
    """The users in the configuration database."""

    def __init__(self, engine: Engine, passwords: Passwords) -> None:
        self._engine = engine
        self._passwords = passwords

    def all(self) -> Sequence[User]:
        """All users by name."""
        with read_transaction(self._engine) as connection:
            rows = connection.execute(select(user_table).order_by(user_table.c.name)).mappings().all()
        return [_of_row(row) for row in rows]

    def get(self, name: str) -> User:
        """The user of this name. Raises UnknownUser."""
        with read_transaction(self._engine) as connection:
            return _of_row(_row(connection, name))

    def is_empty(self) -> bool:
        """Whether there are no users: then nobody can log in, and only this machine is answered."""
        with read_transaction(self._engine) as connection:
            return connection.scalar(select(user_table.c.id).limit(1)) is None

    def add(self, new: NewUser) -> User:
        """Add a user. Raises UserExists, ConfigurationError; the first one must be an administrator."""
        name = checked_name(new.name)
        kept = self._passwords.hash(checked_password(new.password, name))
        values = {
            "name": name,
            "full_name": _checked_full_name(new.full_name),
            "role": new.role.value,
            "password": kept,
            "is_enabled": True,
            "created_s": time.time(),
        }
        with write_transaction(self._engine) as connection:
            if connection.scalar(select(user_table.c.id).where(user_table.c.name == name)) is not None:
                raise UserExists(name)
            connection.execute(insert(user_table).values(**values))
            if not _administrators(connection):
                raise ConfigurationError("role", "the first user must be an administrator: nobody else could add more")
        return self.get(name)

    def change(self, name: str, changes: Changes) -> User:
        """Change a user; all but a new full name ends their sessions, being disabled their tokens too.

        Raises UnknownUser, ConfigurationError, LastAdministrator.
        """
        name = checked_name(name)
        values: dict[str, Any] = {}
        if changes.full_name is not None:
            values["full_name"] = _checked_full_name(changes.full_name)
        if changes.password is not None:
            values["password"] = self._passwords.hash(checked_password(changes.password, name))
        with write_transaction(self._engine) as connection:
            row = _row(connection, name)
            if changes.role is not None and changes.role != row["role"]:
                values["role"] = changes.role.value
            if changes.is_enabled is not None and changes.is_enabled != row["is_enabled"]:
                values["is_enabled"] = changes.is_enabled
            if values:
                connection.execute(update(user_table).where(user_table.c.id == row["id"]).values(**values))
                _require_administrator(connection, name)
            if values.keys() - {"full_name"}:
                connection.execute(delete(session_table).where(session_table.c.user_id == row["id"]))
            if values.get("is_enabled") is False:
                connection.execute(delete(token_table).where(token_table.c.user_id == row["id"]))
            return _of_row(_row(connection, name))

    def remove(self, name: str) -> None:
        """Remove a user with sessions and tokens. Raises UnknownUser, LastAdministrator."""
        with write_transaction(self._engine) as connection:
            row = _row(connection, name)
            connection.execute(delete(user_table).where(user_table.c.id == row["id"]))
            _require_administrator(connection, row["name"])

    def keep_password(self, name: str, kept: str) -> None:
        """Keep another hash of the same password."""
        with write_transaction(self._engine) as connection:
            connection.execute(update(user_table).where(user_table.c.name == name).values(password=kept))

    def password_of(self, name: str) -> str | None:
        """What is kept of the password of an enabled user; None when there is no such user."""
        its_row = (user_table.c.name == name) & user_table.c.is_enabled
        with read_transaction(self._engine) as connection:
            found: str | None = connection.scalar(select(user_table.c.password).where(its_row))
        return found


def _administrators(connection: Connection) -> int:
    its_rows = (user_table.c.role == Role.ADMINISTRATOR.value) & user_table.c.is_enabled
    return connection.scalar(select(func.count()).select_from(user_table).where(its_rows)) or 0


def _require_administrator(connection: Connection, name: str) -> None:
    # In the transaction of the change: two administrators who remove each other come one after the other.
    if not _administrators(connection):
        raise LastAdministrator(name)


def _row(connection: Connection, name: str) -> RowMapping:
    its_row = user_table.c.name == name.strip().lower()
    row = connection.execute(select(user_table).where(its_row)).mappings().one_or_none()
    if row is None:
        raise UnknownUser(name)
    return row


def _of_row(row: RowMapping) -> User:
    return User(
        row["name"], row["full_name"], Role(row["role"]), row["is_enabled"], row["created_s"], row["last_login_s"]
    )
