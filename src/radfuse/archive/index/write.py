"""Writing the index: one object is one row, its parents are made once and then remembered.

This is the hot path of storing. Statements are compiled for the database's dialect once and given
to the driver as they are; the rows of known series, SOP classes and transfer syntaxes are cached.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Engine

from radfuse.archive.index import schema
from radfuse.archive.index.entry import Entry, Parents
from radfuse.archive.index.statements import Compiler, Prune, Statements

_CACHED_SERIES: Final = 20_000
_BEGIN_IMMEDIATE: Final = "BEGIN IMMEDIATE"
# PostgreSQL lets many write at a time. Who removes entities must not meet those who put objects below
# them: each would wait for the other's rows.
_BEGIN_WITH_OTHERS: Final = "BEGIN; SELECT pg_advisory_xact_lock_shared(7233571)"
_BEGIN_ALONE: Final = "BEGIN; SELECT pg_advisory_xact_lock(7233571)"
_END_OF_TIME_S: Final = 1 << 62
_log = logging.getLogger(__name__)


class Cursor(Protocol):
    """The part of a driver's cursor that is used here."""

    rowcount: int

    def fetchone(self) -> Any:
        """The next row or None."""

    def __iter__(self) -> Iterator[Any]:
        """The rows."""


class DriverConnection(Protocol):
    """A driver's own connection (sqlite3 or psycopg) in autocommit mode."""

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """Run one statement."""


@dataclass(frozen=True, slots=True)
class Existing:
    """The object already kept under a SOP Instance UID."""

    blob_id: bytes
    digest: bytes
    arrived_s: int
    is_leaving: bool
    """Whether it will be deleted once another node has it: nobody may rely on it any more."""


class IndexWriter:
    """Inserts entries. One thread at a time may use it; it owns one database connection."""

    def __init__(self, engine: Engine) -> None:
        self._sqlite = engine.dialect.name == "sqlite"
        self._compile = Compiler(engine)
        self._turn: int | None = None
        if self._sqlite and engine.url.database:
            lock = Path(engine.url.database).parent / "index.turn"
            self._turn = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._engine = engine
        self._connect()
        self.integrity_error: type[Exception] = engine.dialect.loaded_dbapi.IntegrityError
        """What the driver raises when a remembered parent row is gone."""
        self._words: dict[str, int] = {}
        self._series: dict[tuple[str, str], int] = {}
        self._statements = Statements(self._compile)

    def _connect(self) -> None:
        self._pooled = self._engine.raw_connection()
        self._driver: DriverConnection = self._pooled.driver_connection  # type: ignore[assignment]
        if not self._sqlite:
            self._driver.autocommit = True  # type: ignore[attr-defined]

    def close(self) -> None:
        """Give the connection back; not one of PostgreSQL, which commits by itself: others would not expect that."""
        if not self._sqlite and self._pooled.is_valid:
            self._pooled.invalidate()
        self._pooled.close()
        if self._turn is not None:
            os.close(self._turn)
            self._turn = None

    def find_existing(self, sop_instance_uid: str) -> Existing | None:
        """What is kept under this UID, with or without a patient.

        The first question about every object: one that meets a database which was restarted is
        asked again over a new connection.
        """
        key = (sop_instance_uid, sop_instance_uid)
        try:
            row = self._driver.execute(self._statements.select_existing, key).fetchone()
        except Exception:
            if self._sqlite or not self._driver.closed:  # type: ignore[attr-defined]
                raise
            _log.warning("the connection to the index was lost; connecting again")
            self._pooled.invalidate()
            self._connect()
            row = self._driver.execute(self._statements.select_existing, key).fetchone()
        return None if row is None else Existing(bytes(row[0]), bytes(row[1]), row[2], bool(row[3]))

    def insert(self, entries: Sequence[Entry]) -> list[bool]:
        """Insert all ``entries`` in one transaction.

        Returns, for each, whether it is now the object kept under its SOP Instance UID; False
        when another one was there first. Nothing is written when this raises.
        """
        with self._transaction():
            return [self._insert_one(entry) for entry in entries]

    @contextlib.contextmanager
    def _transaction(self, *, alone: bool = False) -> Iterator[None]:
        """A transaction that writes; ``alone``: while no other does. With SQLite processes take turns by a file lock.

        SQLite alone would let a process that finds the database locked sleep for milliseconds,
        many times as long as the lock is held.
        """
        if self._turn is not None:
            fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            self._driver.execute(_BEGIN_IMMEDIATE if self._sqlite else _BEGIN_ALONE if alone else _BEGIN_WITH_OTHERS)
            yield
            self._driver.execute("COMMIT")
        except BaseException:
            # What was cached may name rows that are rolled back now.
            self._words.clear()
            self._series.clear()
            self._roll_back()
            raise
        finally:
            if self._turn is not None:
                fcntl.flock(self._turn, fcntl.LOCK_UN)

    def _roll_back(self) -> None:
        # SQLite has rolled back by itself when the disk is full; what went wrong first must be told.
        with contextlib.suppress(Exception):
            self._driver.execute("ROLLBACK")

    def _insert_one(self, entry: Entry) -> bool:
        if entry.replaces is not None:
            self._drop(entry.sop_instance_uid, entry.replaces, entry.arrived_s)
        sop_class = self._word(entry.sop_class_uid)
        transfer_syntax = self._word(entry.transfer_syntax_uid)
        common = (
            entry.sop_instance_uid,
            sop_class,
            transfer_syntax,
            entry.blob_id,
            entry.size_bytes,
            entry.digest,
            entry.arrived_s,
        )
        if entry.parents is None:
            cursor = self._driver.execute(self._statements.insert_non_patient, common)
        else:
            values = (self._series_row(entry.parents), entry.instance_number, *common)
            cursor = self._driver.execute(self._statements.insert_instance, values)
        return cursor.rowcount == 1

    def drop(self, sop_instance_uid: str, blob_id: bytes, deleted_s: int) -> None:
        """Take one object out of the index, in a transaction of its own."""
        with self._transaction():
            self._drop(sop_instance_uid, blob_id, deleted_s)

    def _drop(self, sop_instance_uid: str, blob_id: bytes, deleted_s: int) -> None:
        for statement in self._statements.delete_object:
            self._driver.execute(statement, (sop_instance_uid, blob_id))
        self._driver.execute(self._statements.delete_leaving, (blob_id,))
        # So that replaying a journal after a crash does not bring the object back.
        self._driver.execute(self._statements.insert_deleted, (blob_id, deleted_s))

    def mark_leaving(self, blob_ids: Iterable[bytes]) -> None:
        """Let objects that come again under the UIDs of these from now on be kept as new ones."""
        with self._transaction():
            for blob_id in blob_ids:
                self._driver.execute(self._statements.insert_leaving, (blob_id,))

    def unmark_leaving(self, blob_ids: Iterable[bytes]) -> None:
        """Take the mark of ``mark_leaving`` back."""
        with self._transaction():
            for blob_id in blob_ids:
                self._driver.execute(self._statements.delete_leaving, (blob_id,))

    def remove(
        self, objects: Iterable[tuple[str, bytes]], deleted_s: int, *, leaving_only: bool = False
    ) -> dict[bytes, int]:
        """Take objects, each a SOP Instance UID and a blob id, out of the index in one transaction.

        Entities that have no object any more go with them. Returns the blob ids that were there,
        each with the time of its arrival in seconds since 1970. Raises ``integrity_error``, with
        nothing removed, when one of those entities is just being used by another process.
        """
        removed: dict[bytes, int] = {}
        emptied: set[int] = set()
        statements = self._statements.select_leaving if leaving_only else self._statements.select_object
        with self._transaction(alone=True):
            for uid, blob_id in objects:
                for statement in statements:
                    row = self._driver.execute(statement, (uid, blob_id)).fetchone()
                    if row is not None:
                        self._drop(uid, blob_id, deleted_s)
                        removed[blob_id] = row[0]
                        emptied.update(row[1:])
            for level in self._statements.prune:
                emptied = self._prune(level, emptied)
        return removed

    def _prune(self, statements: Prune, ids: Iterable[int]) -> set[int]:
        """Remove those of the entities ``ids`` that are empty; returns the entities above them."""
        above = set()
        for row_id in ids:
            parent = self._driver.execute(statements.select_parent, (row_id,)).fetchone()
            if self._driver.execute(statements.delete_if_empty, (row_id,)).rowcount == 1:
                above.add(parent[0])
        return above

    def is_deleted(self, blob_id: bytes) -> bool:
        """Whether this blob was dropped on purpose."""
        return self._driver.execute(self._statements.select_deleted, (blob_id,)).fetchone() is not None

    def tombstones(self, before_s: int = _END_OF_TIME_S) -> list[bytes]:
        """The blobs that were dropped, before then (seconds since 1970) if it is given."""
        return [bytes(row[0]) for row in self._driver.execute(self._statements.select_tombstones, (before_s,))]

    def forget_tombstones(self, blob_ids: Iterable[bytes]) -> None:
        """Forget that these were dropped: nothing can bring them back any more."""
        with self._transaction():
            for blob_id in blob_ids:
                self._driver.execute(self._statements.delete_tombstone, (blob_id,))

    def _word(self, uid: str) -> int:
        row_id = self._words.get(uid)
        if row_id is None:
            row_id = self._upsert(schema.uid_word.name, ("uid",), {"uid": uid})
            self._words[uid] = row_id
        return row_id

    def _series_row(self, parents: Parents) -> int:
        key = (parents.study_instance_uid, parents.series_instance_uid)
        row_id = self._series.get(key)
        if row_id is None:
            row_id = self._make_series(parents)
            if len(self._series) >= _CACHED_SERIES:
                self._series.clear()
            self._series[key] = row_id
        return row_id

    def _make_series(self, parents: Parents) -> int:
        columns = parents.columns()
        patient = self._upsert("patient", ("identity_key",), columns.patient)
        study = self._upsert("study", ("study_instance_uid",), columns.study | {"patient_fk": patient})
        owner = self._driver.execute(self._statements.select_study_patient, (study,)).fetchone()[0]
        if owner != patient:
            # The first patient keeps the study; a silent second patient row would split it.
            _log.warning("a study arrived again under another patient; it stays with the first")
        return self._upsert("series", ("study_fk", "series_instance_uid"), columns.series | {"study_fk": study})

    def _upsert(self, table: str, identity: tuple[str, ...], values: dict[str, Any]) -> int:
        """The id of the row with this identity, made if it is not there."""
        find, make = self._compile.upsert(table, identity, tuple(values))
        key = tuple(values[name] for name in identity)
        row = self._driver.execute(find, key).fetchone()
        if row is None:
            self._driver.execute(make, tuple(values.values()))
            row = self._driver.execute(find, key).fetchone()
        return int(row[0])
