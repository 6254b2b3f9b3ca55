"""Making the commits of the index durable: SQLite writes them without a sync of each."""

from __future__ import annotations

import contextlib
import os

from sqlalchemy import Engine


def sync_index(engine: Engine) -> None:
    """Make everything that was committed so far durable, and keep SQLite's log short outside the writers' way."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
    with contextlib.suppress(FileNotFoundError):
        file = os.open(f"{engine.url.database}-wal", os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)
