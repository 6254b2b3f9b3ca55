"""The vault: what pseudonyms stand for, in a file of its own that only its owner may read. Made only when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

from sqlalchemy import Column, MetaData, Table, Text, select
from sqlalchemy.dialects.sqlite import insert

from radfuse.core.errors import ConfigurationError
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


class Original(NamedTuple):
    """A pseudonym and what it stands for; ``kind`` is the keyword of the attribute."""

    kind: str
    pseudonym: str
    original: str


class Vault:
    """One vault file. Raises OutOfSpace where its volume is full."""

    def __init__(self, path: Path, *, must_exist: bool = False) -> None:
        if must_exist and not path.is_file():
            raise ConfigurationError(str(path), "there is no such vault")
        make_private(path)
        self._engine = create_database_engine(sqlite_url(path), synced_commits=True)
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            _metadata.create_all(connection)
        make_private(path)

    def __enter__(self) -> Self:
        """Use it in a block."""
        return self

    def __exit__(self, *_details: object) -> None:
        """Close it."""
        self._engine.dispose()

    def note(self, originals: Iterable[Original]) -> None:
        """Keep them, durably when this returns; those that are known already stay."""
        rows = [each._asdict() for each in originals]
        if rows:
            with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
                connection.execute(insert(_originals).on_conflict_do_nothing(), rows)

    def originals_of(self, pseudonym: str) -> Sequence[Original]:
        """What a pseudonym stands for: a patient's has a name and an ID."""
        wanted = select(_originals).where(_originals.c.pseudonym == pseudonym).order_by(_originals.c.kind)
        with read_transaction(self._engine) as connection:
            return [Original(*row) for row in connection.execute(wanted)]

    def __iter__(self) -> Iterator[Original]:
        """All."""
        with read_transaction(self._engine) as connection:
            yield from [Original(*row) for row in connection.execute(select(_originals))]
