"""Whether a database has changed, without asking it what."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, PoolProxiedConnection

_VERSION: Final = "PRAGMA data_version"


class CommitWatch:
    """Tells whether others have committed since it was asked last. One thread at a time; holds one connection.

    SQLite knows it without reading a page. Other databases do not say: there it is always "perhaps".
    """

    def __init__(self, engine: Engine) -> None:
        self._connection: PoolProxiedConnection | None = None
        self._version = -1
        if engine.dialect.name == "sqlite":
            self._connection = engine.raw_connection()

    def has_changed(self) -> bool:
        """Whether there may be something new; true when asked for the first time."""
        if self._connection is None:
            return True
        cursor = self._connection.cursor()
        try:
            (version,) = cursor.execute(_VERSION).fetchone()
        finally:
            cursor.close()
        before, self._version = self._version, version
        return bool(version != before)

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
