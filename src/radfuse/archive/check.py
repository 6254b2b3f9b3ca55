"""Checking an archive: is every object there, byte-equal and indexed? And putting right what is not.

The index is read once, into a temporary table by blob id; then that table and the files of the
store, which come in the same order, are walked side by side. So a check of any size needs little
memory and keeps no long transaction, and a running service goes on meanwhile: whatever looks wrong
is looked at again in the index of that moment before it counts.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import delete, literal, select
from sqlalchemy.exc import IntegrityError

from radfuse.archive.archive import Archive
from radfuse.archive.index import schema
from radfuse.archive.index.write import IndexWriter
from radfuse.archive.rebuild import QUARANTINE, ensure_sound, put_away
from radfuse.archive.recover import JOURNAL_SUFFIX, entry_of_file, noted_ids
from radfuse.archive.whole import read_content
from radfuse.core.errors import DataSetError
from radfuse.db import translate_database_errors, write_transaction

Progress: TypeAlias = Callable[[int, int], None]
"""Called with how many objects are done and how many there are in all."""

_SETTLING_S: Final = 60.0
"""While anything writes to the archive, a file younger than this may still be about to get its row."""
_PROGRESS_EVERY: Final = 64
_ROWS_AT_ONCE: Final = 1000
_OBJECT_TABLES: Final = (schema.instance, schema.non_patient_object)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found. Objects are named by blob id, the name of their file: no patient data."""

    indexed: int
    """Rows of the index."""
    files: int
    """Files of the store."""
    missing: tuple[str, ...]
    """Indexed, but without a file."""
    orphaned: tuple[str, ...]
    """Files that are not indexed."""
    damaged: tuple[str, ...]
    """Files that are not what was stored."""
    repaired: int
    """How many of these findings were put right."""


class _Row(NamedTuple):
    """What the index says of one object."""

    blob_id: bytes
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    size_bytes: int
    digest: bytes
    arrived_s: int


def check_archive(archive: Archive, repair: bool = False, progress: Progress | None = None) -> CheckReport:
    """Check that every indexed object is there and byte-equal, and that every file is indexed.

    With ``repair``: whole objects that are not indexed are indexed, unless another object with
    their SOP Instance UID is; that, damaged files and files that are no objects go to the folder
    ``quarantine``; rows without a good file are dropped, so that the object is taken when it is
    sent again; files of objects that were deleted or replaced on purpose are removed.

    Raises IndexDamaged when the index itself cannot be read.
    """
    with contextlib.ExitStack() as stack, translate_database_errors("the index"):
        ensure_sound(archive.engine, archive.settings.folder)
        archive.settle()
        rows = stack.enter_context(contextlib.closing(_rows_by_blob_id(archive)))
        (indexed,) = rows.execute("SELECT count(*) FROM expected").fetchone()
        check = _Check(archive, stack.enter_context(_repairing(archive)) if repair else None)
        expected = map(_Row._make, rows.execute("SELECT * FROM expected ORDER BY blob_id"))
        for done, (row, blob_id) in enumerate(_side_by_side(expected, archive.store.ids()), 1):
            check.look_at(row, blob_id)
            if progress is not None and done % _PROGRESS_EVERY == 0:
                progress(done, max(done, indexed))
        if progress is not None:
            progress(indexed, indexed)
        return check.report(indexed)


def _rows_by_blob_id(archive: Archive) -> sqlite3.Connection:
    """The index's objects in a private table on disk, which SQLite removes when it is closed."""
    rows = sqlite3.connect("", isolation_level=None)
    rows.execute(
        "CREATE TABLE expected (blob_id BLOB PRIMARY KEY, sop_class_uid, sop_instance_uid, transfer_syntax_uid, "
        "size_bytes, digest, arrived_s) WITHOUT ROWID"
    )
    classes, syntaxes = schema.uid_word.alias(), schema.uid_word.alias()
    rows.execute("BEGIN")
    with archive.reading() as connection:
        for table in _OBJECT_TABLES:
            its = table.c
            statement = (
                select(
                    its.blob_id,
                    classes.c.uid,
                    its.sop_instance_uid,
                    syntaxes.c.uid,
                    its.size_bytes,
                    its.digest,
                    its.arrived_s,
                )
                .join(classes, classes.c.id == its.sop_class_fk)
                .join(syntaxes, syntaxes.c.id == its.transfer_syntax_fk)
                .execution_options(yield_per=_ROWS_AT_ONCE)
            )
            for batch in connection.execute(statement).partitions():
                rows.executemany("INSERT OR REPLACE INTO expected VALUES (?, ?, ?, ?, ?, ?, ?)", map(tuple, batch))
    rows.execute("COMMIT")
    return rows


def _side_by_side(rows: Iterator[_Row], ids: Iterator[bytes]) -> Iterator[tuple[_Row | None, bytes | None]]:
    """Rows and files of the same blob id together, in order of it; None where one of them is lacking."""
    row, blob_id = next(rows, None), next(ids, None)
    while row is not None or blob_id is not None:
        if row is not None and (blob_id is None or row.blob_id < blob_id):
            yield row, None
            row = next(rows, None)
        elif row is None or blob_id != row.blob_id:
            yield None, blob_id
            blob_id = next(ids, None)
        else:
            yield row, blob_id
            row, blob_id = next(rows, None), next(ids, None)


def _is_as_stored(row: _Row, path: str) -> bool:
    """Whether the file is what the index says. Raises FileNotFoundError."""
    file = read_content(path)
    if file is None:
        return False
    meta, seal = file.meta, file.seal
    read = _Row(
        row.blob_id,
        meta.sop_class_uid,
        meta.sop_instance_uid,
        meta.transfer_syntax_uid,
        file.size_bytes,
        file.digest,
        seal.arrived_s,
    )
    return read == row and seal.digest == row.digest


class _Check:
    """One walk over the archive and what it found so far."""

    def __init__(self, archive: Archive, repair: _Repair | None) -> None:
        self._archive = archive
        self._repair = repair
        self._journals = archive.settings.folder / "journal"
        self._noted: set[bytes] = set()
        self._noted_at_s = 0.0
        self._files = 0
        self._missing: list[str] = []
        self._orphaned: list[str] = []
        self._damaged: list[str] = []

    def look_at(self, row: _Row | None, blob_id: bytes | None) -> None:
        """Judge one object by its row and its file."""
        if blob_id is not None:
            self._files += 1
        if row is None:
            if blob_id is not None:
                self._without_row(blob_id)
            return
        if blob_id is not None:
            with contextlib.suppress(FileNotFoundError):
                if not _is_as_stored(row, self._archive.store.path(blob_id)) and self._is_indexed(row):
                    self._damaged.append(blob_id.hex())
                    if self._repair is not None:
                        self._repair.drop_damaged(row)
                return
        if self._is_lost(row):
            self._missing.append(row.blob_id.hex())
            if self._repair is not None:
                self._repair.drop_row(row)

    def _is_lost(self, row: _Row) -> bool:
        """Whether the object has no file and none is to come: one in a journal may be without for a while."""
        under_way = self._has_journals() and (
            time.time() - row.arrived_s < _SETTLING_S or self._is_noted(row.blob_id, row.arrived_s + _SETTLING_S)
        )
        return not under_way and self._is_indexed(row) and not self._archive.store.exists(row.blob_id)

    def _is_indexed(self, row: _Row) -> bool:
        """Whether the row is still there: the object may have been replaced while we looked."""
        return self._indexed_blob(row.sop_instance_uid) == row.blob_id

    def _indexed_blob(self, sop_instance_uid: str) -> bytes | None:
        with self._archive.reading() as connection:
            for table in _OBJECT_TABLES:
                found = select(table.c.blob_id).where(table.c.sop_instance_uid == sop_instance_uid)
                blob_id = connection.scalar(found)
                if blob_id is not None:
                    return bytes(blob_id)
        return None

    def _without_row(self, blob_id: bytes) -> None:
        path = self._archive.store.path(blob_id)
        try:
            if not self._is_settled(blob_id, path):
                return
            file = read_content(path)
        except FileNotFoundError:
            return
        # Only now: whoever was committing it when we saw it first has ended by now.
        if file is not None and self._indexed_blob(file.meta.sop_instance_uid) == blob_id:
            return
        self._orphaned.append(blob_id.hex())
        if self._repair is not None:
            self._repair.settle_orphan(blob_id, is_whole=file is not None and file.digest == file.seal.digest)

    def _is_settled(self, blob_id: bytes, path: str) -> bool:
        """Whether nobody can be about to index the file. Raises FileNotFoundError."""
        if not self._has_journals():
            return True
        status = os.stat(path)
        # The change of status counts too: a spooled file was written before it was moved here.
        placed_s = max(status.st_mtime, status.st_ctime)
        return time.time() - placed_s >= _SETTLING_S and not self._is_noted(blob_id, placed_s)

    def _has_journals(self) -> bool:
        """Whether anything may be under way: whoever writes to the archive has a journal for as long."""
        return any(self._journals.glob(f"*{JOURNAL_SUFFIX}"))

    def _is_noted(self, blob_id: bytes, by_s: float) -> bool:
        """Whether a journal holds the object, which would have been noted by this time."""
        if by_s >= self._noted_at_s:
            now_s = time.time()
            self._noted, self._noted_at_s = noted_ids(self._journals), now_s
        return blob_id in self._noted

    def report(self, indexed: int) -> CheckReport:
        """Everything found."""
        found = (self._missing, self._orphaned, self._damaged)
        missing, orphaned, damaged = (tuple(ids) for ids in found)
        return CheckReport(
            indexed, self._files, missing, orphaned, damaged, self._repair.repaired if self._repair else 0
        )


@contextlib.contextmanager
def _repairing(archive: Archive) -> Iterator[_Repair]:
    # A writer of our own: the archive's may be in use by whoever receives objects in this process.
    with contextlib.closing(IndexWriter(archive.engine)) as index:
        repair = _Repair(archive, index)
        yield repair
        if repair.dropped_rows:
            _remove_empty_parents(archive)
    if repair.repaired:
        _log.warning("%d findings of the check were put right", repair.repaired)


class _Repair:
    """Puts findings right."""

    def __init__(self, archive: Archive, index: IndexWriter) -> None:
        self._archive = archive
        self._index = index
        self._quarantine = archive.settings.folder / QUARANTINE
        self.repaired = 0
        self.dropped_rows = 0

    def drop_row(self, row: _Row) -> None:
        """Forget an object whose file is gone. No tombstone: its file may come back from a backup."""
        with write_transaction(self._archive.engine) as connection:
            for table in _OBJECT_TABLES:
                its = table.c
                connection.execute(
                    delete(table).where(its.sop_instance_uid == row.sop_instance_uid, its.blob_id == row.blob_id)
                )
        self.dropped_rows += 1
        self.repaired += 1

    def drop_damaged(self, row: _Row) -> None:
        """Put a damaged file away and forget it."""
        self.drop_row(row)
        self._put_away(row.blob_id)

    def settle_orphan(self, blob_id: bytes, *, is_whole: bool) -> None:
        """Index a file, or put it away."""
        if self._index.is_deleted(blob_id):
            self._archive.store.remove(blob_id)
        elif not (is_whole and self._insert(blob_id)):
            self._put_away(blob_id)
        self.repaired += 1

    def _insert(self, blob_id: bytes) -> bool:
        path = self._archive.store.path(blob_id)
        try:
            with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                entry = entry_of_file(content, blob_id, verify=False)
        except (DataSetError, OSError, ValueError):
            return False
        if self._index.find_existing(entry.sop_instance_uid) is not None:
            return False
        return self._index.insert([entry])[0]

    def _put_away(self, blob_id: bytes) -> None:
        put_away(Path(self._archive.store.path(blob_id)), self._quarantine)


def _remove_empty_parents(archive: Archive) -> None:
    """Remove series, studies and patients without objects.

    Other processes remember rows of series. One that uses a removed row is refused by the foreign
    key and makes it again; ids are never given twice, so it cannot hit another series.
    """
    parents: list[tuple[Any, Any]] = [
        (schema.series, schema.instance.c.series_fk),
        (schema.study, schema.series.c.study_fk),
        (schema.patient, schema.study.c.patient_fk),
    ]
    try:
        with write_transaction(archive.engine) as connection:
            for parent, child in parents:
                its_child = select(literal(1)).where(child == parent.c.id).exists()
                connection.execute(delete(parent).where(~its_child))
    except IntegrityError:
        _log.warning("entities without objects were left in the index: one of them is being used")
