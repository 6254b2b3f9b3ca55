"""Rebuilding the index from the files of the store: each file knows what it is and when it came.

A new index is made beside the place of the old one and moved there when it is complete, so that
a rebuild that is interrupted is simply begun again. Nothing is thrown away: a damaged index is
moved aside, and of two files with one SOP Instance UID the one that loses goes to quarantine.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import logging
import mmap
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from radfuse.archive.blobs import BlobStore, sync_folder
from radfuse.archive.index.entry import Entry
from radfuse.archive.index.write import IndexWriter
from radfuse.archive.recover import JournalState, entry_of_file, journal_state, noted_ids
from radfuse.core.errors import DataSetError, IndexDamaged
from radfuse.db import Schema, create_database_engine, prepare_schema, sqlite_url

INDEX_FILE: Final = "index.sqlite"
QUARANTINE: Final = "quarantine"
_REBUILDING: Final = "index.sqlite.rebuilding"
_LOCK: Final = "index.lock"
_SQLITE_PARTS: Final = ("", "-wal", "-shm")
_QUICK_CHECK_BYTES: Final = 16 << 20
"""An index up to this size is checked whole at every start, a larger one only after a crash."""
_BATCH: Final = 1000
_LOG_EVERY: Final = 10_000
_log = logging.getLogger(__name__)


def _no_progress(_done: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class IndexPlace:
    """One archive's folder as a rebuild needs it."""

    folder: Path
    store: BlobStore
    latest_wins: bool = False
    """Of two files with one SOP Instance UID the later is indexed (policy "replace"), else the earlier."""
    progress: Callable[[int], None] = _no_progress
    """Called with the number of files read so far."""


def open_index(place: IndexPlace) -> Engine:
    """The archive's own SQLite index with the newest schema, rebuilt first if it is gone or damaged.

    Processes that open the archive at the same time wait for the one that does it. Raises
    IndexDamaged when another process is writing to the archive with the old index, SchemaTooNew.
    """
    path = place.folder / INDEX_FILE
    with index_lock(place.folder):
        journals = journal_state(place.folder / "journal")
        if not _is_sound(path, journals):
            if journals.living:
                raise IndexDamaged(str(place.folder))
            _move_aside(path)
            if next(place.store.ids(), None) is not None:
                _log.warning("the index is missing or damaged; it is rebuilt from the stored objects")
                _rebuild(place)
        engine = create_database_engine(sqlite_url(path))
        prepare_schema(engine, Schema.INDEX)
    return engine


@contextlib.contextmanager
def index_lock(folder: Path) -> Iterator[None]:
    """One process at a time makes, upgrades or rebuilds the index."""
    file = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def ensure_sound(engine: Engine, folder: Path) -> None:
    """Raise IndexDamaged when SQLite finds its file damaged. PostgreSQL looks after itself."""
    if engine.dialect.name != "sqlite":
        return
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    except DatabaseError as error:
        raise IndexDamaged(str(folder)) from error
    if found != "ok":
        raise IndexDamaged(str(folder))


def _is_sound(path: Path, journals: JournalState) -> bool:
    """Whether the file is an index: readable, with a schema, and whole as far as it is worth checking."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return False
    if size == 0:
        return False
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection:
            connection.execute("SELECT version_num FROM alembic_version").fetchone()
            if size > _QUICK_CHECK_BYTES and not journals.abandoned:
                return True
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError as error:
        # A table that is not there tells of an empty database; a locked or unreadable file is another matter.
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            return False
        raise
    except sqlite3.DatabaseError:
        return False


def _move_aside(path: Path) -> None:
    """Keep what is left of a damaged index, its write-ahead log with it (it must not meet a new index)."""
    now = datetime.datetime.now(datetime.UTC)
    aside = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S.%fZ}")
    for part in _SQLITE_PARTS:
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{path}{part}", f"{aside}{part}")


def put_away(path: Path, quarantine: Path) -> None:
    """Move a file out of the store, for a person to look at. One that is gone already is left alone."""
    quarantine.mkdir(mode=0o750, exist_ok=True)
    target = quarantine / path.name
    number = 1
    while target.exists():
        number += 1
        target = quarantine / f"{path.name}-{number}"
    with contextlib.suppress(FileNotFoundError):
        path.rename(target)


def _rebuild(place: IndexPlace) -> None:
    path = place.folder / _REBUILDING
    for part in _SQLITE_PARTS:
        Path(f"{path}{part}").unlink(missing_ok=True)
    engine = create_database_engine(sqlite_url(path))
    try:
        prepare_schema(engine, Schema.INDEX)
        with contextlib.closing(IndexWriter(engine)) as index:
            _Rebuild(place, index).run()
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()
    with path.open("rb") as file:
        os.fsync(file)
    path.rename(place.folder / INDEX_FILE)
    sync_folder(place.folder)


class _Rebuild:
    """Fills a new index from the files of the store."""

    def __init__(self, place: IndexPlace, index: IndexWriter) -> None:
        self._place = place
        self._index = index
        # The journal's replay, which comes next, puts these in place: their files may not be whole.
        self._left_to_replay = noted_ids(place.folder / "journal")
        self._indexed = 0
        self._unreadable = 0
        self._duplicates = 0

    def run(self) -> None:
        """Index every file that is an object of ours."""
        batch: list[Entry] = []
        read = 0
        for read, blob_id in enumerate(self._place.store.ids(), 1):
            entry = None if blob_id in self._left_to_replay else self._entry(blob_id)
            if entry is not None:
                batch.append(entry)
            if len(batch) >= _BATCH:
                self._insert(batch)
                batch = []
            self._tell(read)
        self._insert(batch)
        self._place.progress(read)
        _log.warning(
            "the index was rebuilt: %d objects indexed, %d duplicates in quarantine, %d files cannot be read"
            " ('radfuse check' reports them)",
            self._indexed,
            self._duplicates,
            self._unreadable,
        )

    def _tell(self, read: int) -> None:
        if read % _BATCH == 0:
            self._place.progress(read)
        if read % _LOG_EVERY == 0:
            _log.info("rebuilding the index: %d files read", read)

    def _entry(self, blob_id: bytes) -> Entry | None:
        """Without reading all its bytes: that is the check's work, and would take hours here."""
        try:
            with (
                open(self._place.store.path(blob_id), "rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
            ):
                return entry_of_file(content, blob_id, verify=False)
        except (DataSetError, OSError, ValueError):
            self._unreadable += 1
            return None

    def _insert(self, batch: list[Entry]) -> None:
        for entry, inserted in zip(batch, self._index.insert(batch), strict=True):
            if inserted:
                self._indexed += 1
            else:
                self._settle_duplicate(entry)

    def _settle_duplicate(self, entry: Entry) -> None:
        existing = self._index.find_existing(entry.sop_instance_uid)
        if existing is None:
            return
        loser = entry.blob_id
        is_later = self._came(entry.blob_id) > self._came(existing.blob_id)
        if is_later is self._place.latest_wins:
            self._index.insert([replace(entry, replaces=existing.blob_id)])
            loser = existing.blob_id
        self._duplicates += 1
        put_away(Path(self._place.store.path(loser)), self._place.folder / QUARANTINE)

    def _came(self, blob_id: bytes) -> tuple[int, int]:
        """When the object came: by its seal, to the second; then by its file."""
        entry = self._entry(blob_id)
        return (entry.arrived_s if entry else 0, os.stat(self._place.store.path(blob_id)).st_mtime_ns)
