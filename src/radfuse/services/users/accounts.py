"""All about users, opened together."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sqlalchemy import Engine

from radfuse.services.config_schema import open_configuration
from radfuse.services.users.credentials import Credentials
from radfuse.services.users.login import Login
from radfuse.services.users.passwords import Passwords
from radfuse.services.users.sessions import Sessions
from radfuse.services.users.throttle import Throttle
from radfuse.services.users.tokens import Tokens
from radfuse.services.users.users import Users

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Accounts:
    """Users, sessions, tokens, and who is who."""

    users: Users
    sessions: Sessions
    tokens: Tokens
    credentials: Credentials
    login: Login
    _engine: Engine = field(repr=False)

    @classmethod
    def open(
        cls, folder: Path, idle_s: float = _HOUR_S, lifetime_s: float = 12 * _HOUR_S, passwords: Passwords | None = None
    ) -> Self:
        """Those of a data folder. Raises SchemaTooNew."""
        engine = open_configuration(folder)
        passwords = passwords or Passwords()
        users, sessions = Users(engine, passwords), Sessions(engine, idle_s, lifetime_s)
        login = Login(users, sessions, passwords, Throttle())
        return cls(users, sessions, Tokens(engine), Credentials(engine, sessions), login, engine)

    def close(self) -> None:
        """Close the database."""
        self.credentials.close()
        self._engine.dispose()
