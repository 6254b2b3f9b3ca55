"""Who a session or a token belongs to: asked at every request, answered from memory."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, RowMapping, Table, select, update
from sqlalchemy.exc import SQLAlchemyError

from radfuse.db import CommitWatch, read_transaction, write_transaction
from radfuse.services.config_schema import session_table, token_table, user_table
from radfuse.services.roles import Role
from radfuse.services.users.sessions import Sessions, digest_of
from radfuse.services.users.tokens import TOKEN_PREFIX

_LOOKED_EVERY_S: Final = 1.0
"""How soon a change by another process is seen."""

_NOTED_EVERY_S: Final = 60.0
"""How exactly it is kept when a session or token was last used."""

_KEPT: Final = 1000
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Known:
    """Somebody who has proved who they are."""

    user: str
    full_name: str
    role: Role
    is_session: bool
    ends_s: float | None
    """When the session or token ends in any case."""
    used_s: float
    noted_s: float

    def is_over(self, now: float, idle_s: float) -> bool:
        """Whether it has ended, or nothing was done for too long."""
        if self.ends_s is not None and now >= self.ends_s:
            return True
        return self.is_session and now - self.used_s >= idle_s


class Credentials:
    """Finds out who sessions and tokens belong to, and whether there are users at all."""

    def __init__(self, engine: Engine, sessions: Sessions) -> None:
        self._engine = engine
        self._sessions = sessions
        self._lock = threading.RLock()
        self._watch = CommitWatch(engine)
        self._looked_s = 0.0
        self._generation = 0
        self._known: OrderedDict[str, Known | None] = OrderedDict()
        self._has_users: bool | None = None

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._watch.close()

    def forget(self) -> None:
        """Something was changed: ask the database again."""
        with self._lock:
            self._generation += 1
            self._known.clear()
            self._has_users = None

    def has_users(self) -> bool:
        """Whether anybody can log in; if not, everyone on this machine is the administrator."""
        self._look()
        found = self._has_users
        if found is None:
            with self._lock:
                generation = self._generation
            with read_transaction(self._engine) as connection:
                found = connection.scalar(select(user_table.c.id).limit(1)) is not None
            with self._lock:
                if generation == self._generation:
                    self._has_users = found
        return found

    def at_hand(self, secret: str, *, is_active: bool = True) -> Known | None:
        """As ``of``, where it can be said without the database; None: ask there."""
        self._look()
        known, now = self._known.get(digest_of(secret)), time.time()
        if known is None or now - known.noted_s >= _NOTED_EVERY_S or known.is_over(now, self._sessions.idle_s):
            return None
        if is_active:
            known.used_s = now
        return known

    def of(self, secret: str, *, is_active: bool = True) -> Known | None:
        """Who ``secret``, of a session or a token, belongs to now; None: nobody.

        ``is_active``: a person or program does something, so that its session stays.
        """
        self._look()
        digest, now = digest_of(secret), time.time()
        with self._lock:
            is_remembered, generation = digest in self._known, self._generation
            known = self._known.get(digest)
        if not is_remembered:
            known = self._read(secret, digest)
            with self._lock:
                if generation == self._generation:
                    self._known[digest] = known
                    while len(self._known) > _KEPT:
                        self._known.popitem(last=False)
        if known is None or known.is_over(now, self._sessions.idle_s):
            return None
        if is_active:
            known.used_s = now
            if now - known.noted_s >= _NOTED_EVERY_S:
                known.noted_s = now
                self._note_used(digest, known)
        return known

    def _look(self) -> None:
        """Forget what is remembered when another connection has changed the database."""
        now = time.monotonic()
        if now - self._looked_s < _LOOKED_EVERY_S:
            return
        with self._lock:
            self._looked_s = now
            if self._watch.has_changed():
                self.forget()

    def _read(self, secret: str, digest: str) -> Known | None:
        is_token = secret.startswith(TOKEN_PREFIX)
        table = token_table if is_token else session_table
        columns = (user_table.c.name.label("user"), user_table.c.full_name, user_table.c.role.label("user_role"))
        query = select(table, *columns).join(user_table).where(table.c.digest == digest, user_table.c.is_enabled)
        with read_transaction(self._engine) as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        return _known_by_token(row) if is_token else self._known_by_session(row)

    def _known_by_session(self, row: RowMapping) -> Known:
        ends_s = row["created_s"] + self._sessions.lifetime_s
        seen_s = row["seen_s"]
        return Known(row["user"], row["full_name"], Role(row["user_role"]), True, ends_s, seen_s, seen_s)

    def _note_used(self, digest: str, known: Known) -> None:
        table: Table = session_table if known.is_session else token_table
        values = {"seen_s" if known.is_session else "last_used_s": known.used_s}
        try:
            with write_transaction(self._engine) as connection:
                connection.execute(update(table).where(table.c.digest == digest).values(**values))
        except SQLAlchemyError as error:
            # Who may read must not depend on whether there is room to write.
            _log.warning("the use of a session or token could not be noted: %s", type(error).__name__)


def _known_by_token(row: RowMapping) -> Known:
    role = min(Role(row["role"]), Role(row["user_role"]), key=list(Role).index)
    noted_s = row["last_used_s"] or 0.0
    return Known(row["user"], row["full_name"], role, False, row["expires_s"], noted_s, noted_s)
