"""The vault: what pseudonyms stand for, in a file of its own that only its owner may read. Made only when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from radfuse.core.errors import ConfigurationError


class Original(NamedTuple):
    """A pseudonym and what it stands for; ``kind`` is the keyword of the attribute."""

    kind: str
    pseudonym: str
    original: str


class Vault:
    """One vault file. Raises OutOfSpace where its volume is full."""

    def __init__(self, path: Path, *, must_exist: bool = False) -> None:
        from radfuse.deid import vault_file  # SQLAlchemy, which processes that anonymize do without

        if must_exist and not path.is_file():
            raise ConfigurationError(str(path), "there is no such vault")
        self._file = vault_file
        self._engine = vault_file.open_file(path)

    def __enter__(self) -> Self:
        """Use it in a block."""
        return self

    def __exit__(self, *_details: object) -> None:
        """Close it."""
        self._engine.dispose()

    def note(self, originals: Iterable[Original]) -> None:
        """Keep them, durably when this returns; those that are known already stay."""
        self._file.note(self._engine, [each._asdict() for each in originals])

    def originals_of(self, pseudonym: str) -> Sequence[Original]:
        """What a pseudonym stands for: a patient's has a name and an ID."""
        return [Original(*row) for row in self._file.rows_of(self._engine, pseudonym)]

    def __iter__(self) -> Iterator[Original]:
        """All."""
        yield from [Original(*row) for row in self._file.rows_of(self._engine)]
