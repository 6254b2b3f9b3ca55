"""The vault's one table in a file of SQLite: loaded by those alone who asked for a vault."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, Engine, MetaData, Table, Text, select
from sqlalchemy.dialects.sqlite import insert

from radfuse.db import (
    create_database_engine,
    make_private,
    read_transaction,
    sqlite_url,
    translate_database_errors,
    write_transaction,
)

_WHAT: Final = "the vault"
_metadata: Final = MetaData()
_originals: Final = Table(
    "originals",
    _metadata,
    Column("kind", Text, primary_key=True),
    Column("pseudonym", Text, primary_key=True),
    Column("original", Text, primary_key=True),
    sqlite_with_rowid=False,
)


def open_file(path: Path) -> Engine:
    """The file, made when it is not there, readable by its owner alone. Raises OutOfSpace."""
    make_private(path)
    engine = create_database_engine(sqlite_url(path), synced_commits=True)
    with translate_database_errors(_WHAT), write_transaction(engine) as connection:
        _metadata.create_all(connection)
    make_private(path)
    return engine


def note(engine: Engine, rows: Sequence[dict[str, Any]]) -> None:
    """Keep them, durably when this returns; those that are known already stay. Raises OutOfSpace."""
    if rows:
        with translate_database_errors(_WHAT), write_transaction(engine) as connection:
            connection.execute(insert(_originals).on_conflict_do_nothing(), rows)


def rows_of(engine: Engine, pseudonym: str | None = None) -> list[tuple[str, str, str]]:
    """Kind, pseudonym and original of those of a pseudonym, or of all."""
    wanted = select(_originals).order_by(_originals.c.kind)
    if pseudonym is not None:
        wanted = wanted.where(_originals.c.pseudonym == pseudonym)
    with read_transaction(engine) as connection:
        return [(row.kind, row.pseudonym, row.original) for row in connection.execute(wanted)]
