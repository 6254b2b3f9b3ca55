"""Writing the index: one object is one row, its parents are made once and then remembered.

This is the hot path of storing. Statements are compiled for the database's dialect once and given
to the driver as they are; the rows of known series, SOP classes and transfer syntaxes are cached.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Dialect, Engine, bindparam, delete, insert, select
from sqlalchemy.sql.expression import Executable

from radfuse.archive.index import schema
from radfuse.archive.index.entry import Entry, Parents

_CACHED_SERIES: Final = 20_000
_log = logging.getLogger(__name__)


class Cursor(Protocol):
    """The part of a driver's cursor that is used here."""

    rowcount: int

    def fetchone(self) -> Any:
        """The next row or None."""


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


class IndexWriter:
    """Inserts entries. One thread at a time may use it; it owns one database connection."""

    def __init__(self, engine: Engine) -> None:
        self._sqlite = engine.dialect.name == "sqlite"
        self._compile = _Compiler(engine)
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
        self._statements = _Statements(self._compile)

    def _connect(self) -> None:
        self._pooled = self._engine.raw_connection()
        self._driver: DriverConnection = self._pooled.driver_connection  # type: ignore[assignment]
        if not self._sqlite:
            self._driver.autocommit = True  # type: ignore[attr-defined]

    def close(self) -> None:
        """Give the connection back."""
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
        return None if row is None else Existing(bytes(row[0]), bytes(row[1]), row[2])

    def insert(self, entries: Sequence[Entry]) -> list[bool]:
        """Insert all ``entries`` in one transaction.

        Returns, for each, whether it is now the object kept under its SOP Instance UID; False
        when another one was there first. Nothing is written when this raises.
        """
        with self._transaction():
            return [self._insert_one(entry) for entry in entries]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """A transaction that writes. Processes take turns by a file lock.

        SQLite alone would let a process that finds the database locked sleep for milliseconds,
        many times as long as the lock is held.
        """
        if self._turn is not None:
            fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            self._driver.execute("BEGIN IMMEDIATE" if self._sqlite else "BEGIN")
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
        # So that replaying a journal after a crash does not bring the object back.
        self._driver.execute(self._statements.insert_deleted, (blob_id, deleted_s))

    def is_deleted(self, blob_id: bytes) -> bool:
        """Whether this blob was dropped on purpose."""
        return self._driver.execute(self._statements.select_deleted, (blob_id,)).fetchone() is not None

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


class _Statements:
    """The fixed statements, compiled for the dialect."""

    def __init__(self, compiler: _Compiler) -> None:
        objects = (schema.instance, schema.non_patient_object)
        object_columns = [column.name for column in schema.non_patient_object.columns if column.name != "id"]
        self.select_existing = " UNION ALL ".join(
            compiler.text(
                select(table.c.blob_id, table.c.digest, table.c.arrived_s).where(
                    table.c.sop_instance_uid == bindparam("uid")
                )
            )
            for table in objects
        )
        self.delete_object = [
            compiler.text(
                delete(table).where(table.c.sop_instance_uid == bindparam("uid"), table.c.blob_id == bindparam("blob"))
            )
            for table in objects
        ]
        self.insert_instance = compiler.insert("instance", ("series_fk", "instance_number", *object_columns))
        self.insert_non_patient = compiler.insert("non_patient_object", tuple(object_columns))
        self.insert_deleted = compiler.insert("deleted_blob", ("blob_id", "deleted_s"))
        self.select_deleted = compiler.text(
            select(schema.deleted_blob.c.deleted_s).where(schema.deleted_blob.c.blob_id == bindparam("blob"))
        )
        self.select_study_patient = compiler.text(
            select(schema.study.c.patient_fk).where(schema.study.c.id == bindparam("id"))
        )


def _postgresql() -> Dialect:
    from sqlalchemy.dialects import postgresql

    # psycopg's own connection takes %s; the default paramstyle of the dialect is by name.
    return postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]


class _Compiler:
    """Statements as text in the dialect of the database, positional parameters in order."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect if engine.dialect.name == "sqlite" else _postgresql()
        self._upserts: dict[tuple[str, tuple[str, ...]], tuple[str, str]] = {}

    def text(self, statement: Executable) -> str:
        """The statement's SQL text."""
        return str(statement.compile(dialect=self._dialect))  # type: ignore[attr-defined]

    def insert(self, table: str, columns: tuple[str, ...]) -> str:
        """An INSERT that does nothing when the row is already there."""
        values: dict[str, Any] = {name: bindparam(name) for name in columns}
        # Inline: without the RETURNING that PostgreSQL's dialect would put before what we append.
        statement = insert(schema.metadata.tables[table]).values(values).inline()
        compiled = statement.compile(dialect=self._dialect, column_keys=list(columns))
        order = compiled.positiontup or []
        if tuple(order) != columns:
            raise AssertionError(f"columns of {table} must be given in the order of the table: {order}")
        return f"{compiled} ON CONFLICT DO NOTHING"

    def upsert(self, table: str, identity: tuple[str, ...], columns: tuple[str, ...]) -> tuple[str, str]:
        """SELECT of the id by identity, and the INSERT."""
        key = (table, columns)
        if key not in self._upserts:
            target = schema.metadata.tables[table]
            where = [target.c[name] == bindparam(name) for name in identity]
            self._upserts[key] = (self.text(select(target.c.id).where(*where)), self.insert(table, columns))
        return self._upserts[key]
