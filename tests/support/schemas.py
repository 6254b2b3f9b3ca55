"""New SQLite databases without the migrations: the schema that they made once in this process, written anew.

Tests make thousands of databases. The migrations take twenty times as long as the statements of what they end in,
and it is ``tests/db`` that proves them.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config

from radfuse.db import Schema

migrate: Final = command.upgrade
"""What alembic does."""

_IDENTITY: Final = "UPDATE index_identity SET identity = ?"
"""Every index has one of its own."""

_known: Final[dict[str, tuple[str, ...]]] = {}
"""By the folder of the migrations: the statements of an empty database of the newest schema."""


def upgrade(config: Config, revision: str, *more: Any, **others: Any) -> None:
    """As alembic's command; an empty SQLite database gets at once what the migrations made of the first one."""
    connection = config.attributes.get("connection")
    if connection is None or connection.dialect.name != "sqlite" or revision != "head":
        migrate(config, revision, *more, **others)
        return
    database: sqlite3.Connection = connection.connection.driver_connection
    place = str(config.get_main_option("script_location"))
    is_empty = database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    if is_empty and place in _known:
        for statement in _known[place]:
            database.execute(statement)
        if Path(place).name == Schema.INDEX.value:
            database.execute(_IDENTITY, (secrets.token_hex(16),))
        return
    migrate(config, revision, *more, **others)
    if is_empty:
        _known[place] = tuple(database.iterdump())[1:-1]  # without its own BEGIN and COMMIT


@contextmanager
def written_at_once() -> Iterator[None]:
    """Within the block."""
    command.upgrade = upgrade
    try:
        yield
    finally:
        command.upgrade = migrate
