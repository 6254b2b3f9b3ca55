"""Sessions of those who logged in: they survive a restart, and end when nothing is done or when a day's work is."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import Final

from sqlalchemy import Engine, delete, insert, select, update

from radfuse.core.errors import UnknownUser
from radfuse.db import write_transaction
from radfuse.services.config_schema import session_table, user_table

_SECRET_BYTES: Final = 32
_LONGEST_SECRET: Final = 128


def digest_of(secret: str) -> str:
    """What is kept of a secret of ours: with 256 random bits, one round of SHA-256 is enough."""
    return hashlib.sha256(secret[:_LONGEST_SECRET].encode("utf-8", "replace")).hexdigest()


class Sessions:
    """The sessions in the configuration database."""

    def __init__(self, engine: Engine, idle_s: float, lifetime_s: float) -> None:
        self._engine = engine
        self.idle_s = idle_s
        self.lifetime_s = lifetime_s

    def start(self, name: str) -> str:
        """A session of an enabled user, begun now; gives its secret, which nobody else knows. Raises UnknownUser."""
        secret, now = secrets.token_urlsafe(_SECRET_BYTES), time.time()
        over = (session_table.c.created_s < now - self.lifetime_s) | (session_table.c.seen_s < now - self.idle_s)
        its_row = (user_table.c.name == name) & user_table.c.is_enabled
        with write_transaction(self._engine) as connection:
            connection.execute(delete(session_table).where(over))
            user_id = connection.scalar(select(user_table.c.id).where(its_row))
            if user_id is None:
                raise UnknownUser(name)
            connection.execute(update(user_table).where(user_table.c.id == user_id).values(last_login_s=now))
            values = {"digest": digest_of(secret), "user_id": user_id, "created_s": now, "seen_s": now}
            connection.execute(insert(session_table).values(**values))
        return secret

    def end(self, secret: str) -> None:
        """End a session, if there is one of this secret."""
        with write_transaction(self._engine) as connection:
            connection.execute(delete(session_table).where(session_table.c.digest == digest_of(secret)))
