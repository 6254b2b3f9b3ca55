"""Engines and transactions: SQLite in WAL mode by default, PostgreSQL beyond one machine."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from radfuse.core.errors import ConfigurationError, OutOfSpace

_BUSY_TIMEOUT_MS: Final = 30_000
_WAL_RETRY_S: Final = 0.02
_BEGIN_OPTION: Final = "radfuse_begin"
_OUT_OF_SPACE_WORDS: Final = ("disk is full", "disk I/O error", "No space left")


def sqlite_url(path: Path) -> str:
    """The database URL of a SQLite file."""
    return f"sqlite:///{quote(str(path))}"


def create_database_engine(url: str, *, synced_commits: bool = False) -> Engine:
    """An engine for ``url`` (``sqlite:///...`` or ``postgresql+psycopg://...``).

    SQLite: with ``synced_commits`` every commit is on stable storage when it returns
    (synchronous FULL). Without, a commit survives the death of the process but may need the
    ingest journal after a power failure; the archive uses this, since the journal is synced first.
    """
    try:
        if not url.startswith("sqlite"):
            return create_engine(url, pool_pre_ping=True)
        engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000})
    except Exception as error:
        raise ConfigurationError("database", f"cannot use this database URL: {type(error).__name__}") from error
    synchronous = "FULL" if synced_commits else "NORMAL"

    # Registered before the first connection is pooled: a connection made earlier would keep
    # SQLite's defaults and break the durability promise for whoever gets it.
    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        cursor = connection.cursor()
        _use_wal(cursor)
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA case_sensitive_like=ON")
        cursor.execute("PRAGMA cache_size=-16384")
        cursor.execute("PRAGMA wal_autocheckpoint=4000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN_OPTION, "BEGIN"))

    return engine


def _use_wal(cursor: sqlite3.Cursor) -> None:
    """The first connection changes the file; SQLite does not wait for others that do so at the same moment."""
    deadline_s = time.monotonic() + _BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline_s:
                raise
        time.sleep(_WAL_RETRY_S)


@contextlib.contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write; committed at the end of the block, else rolled back.

    SQLite takes its write lock at once: a transaction that read first and wrote later could find
    another writer's changes in between and would have to fail.
    """
    with engine.connect().execution_options(**{_BEGIN_OPTION: "BEGIN IMMEDIATE"}) as connection, connection.begin():
        yield connection


@contextlib.contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    """One consistent view of the database."""
    with engine.connect() as connection, connection.begin():
        yield connection


def is_out_of_space(error: BaseException) -> bool:
    """Whether a database error says that the volume is full."""
    if isinstance(error, DBAPIError):
        return is_out_of_space(error.orig) if error.orig is not None else False
    return isinstance(error, sqlite3.OperationalError | OSError) and any(
        words in str(error) for words in _OUT_OF_SPACE_WORDS
    )


@contextlib.contextmanager
def translate_database_errors(what: str) -> Iterator[None]:
    """Turn the database's "disk full" into OutOfSpace; other errors pass."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        if is_out_of_space(error):
            raise OutOfSpace(what) from error
        raise
