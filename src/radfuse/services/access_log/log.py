"""Writes the access log: in batches, by a thread of its own; at once for what changes something."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from radfuse.db import (
    Schema,
    create_database_engine,
    make_private,
    prepare_schema,
    read_transaction,
    sqlite_url,
    write_transaction,
)
from radfuse.services.access_log.model import AccessEntry, AccessQuery, access_table
from radfuse.services.access_log.reading import page

_BATCH_S: Final = 1.0
_ONE_LINE_S: Final = 300.0
"""The same thing within so long is one line."""

_LINES_OPEN: Final = 10_000
_MOST_WAITING: Final = 50_000
_DAY_S: Final = 86_400.0
_PRUNED_EVERY_S: Final = 3600.0
_PRUNED_AT_ONCE: Final = 5000
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Line:
    """A line that more can be added to."""

    id: int
    entry: AccessEntry


@dataclass(slots=True)
class _Waiting:
    """What waits to be written: the first of several, when the last came, and how many there are."""

    entry: AccessEntry
    last_s: float
    count: int

    def joined(self) -> AccessEntry:
        return replace(self.entry, last_s=self.last_s, count=self.count)


class AccessLog:
    """The access log of a data folder. ``keep_days``: older lines are removed; 0: never."""

    def __init__(self, folder: Path, keep_days: float = 0.0) -> None:
        path = folder / "audit.sqlite"
        make_private(path)
        self._engine = create_database_engine(sqlite_url(path), synced_commits=True)
        prepare_schema(self._engine, Schema.AUDIT)
        self._keep_s = keep_days * _DAY_S
        self._waiting: dict[tuple[str, ...], _Waiting] = {}
        self._apart: list[AccessEntry] = []
        """Searches that wait too, and whose words are not those that are typed now."""
        self._lost = 0
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._lines: OrderedDict[tuple[str, ...], _Line] = OrderedDict()
        self._something = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what waits, and close the database."""
        self._closing.set()
        self._something.set()
        self._thread.join()
        self._engine.dispose()

    def note(self, entry: AccessEntry) -> None:
        """Add an entry, on disk within about a second."""
        key, last_s = entry.key, entry.last_s or time.time()
        with self._lock:
            before = self._waiting.get(key)
            if before is None:
                if len(self._waiting) + len(self._apart) >= _MOST_WAITING:
                    self._lost += 1
                    return
                self._waiting[key] = _Waiting(_timed(entry), last_s, entry.count)
            elif entry.goes_with(before.entry):
                # Of many of a kind none costs more than this.
                before.last_s = last_s
                before.count += entry.count
                if entry.subject != before.entry.subject:
                    before.entry = replace(before.entry, subject=entry.subject)
            else:
                self._apart.append(before.joined())
                self._waiting[key] = _Waiting(_timed(entry), last_s, entry.count)
        if not self._something.is_set():
            self._something.set()

    def write(self, entries: Iterable[AccessEntry]) -> None:
        """Add entries, on disk when this returns."""
        rows = [_timed(entry).as_row() for entry in entries]
        if rows:
            with write_transaction(self._engine) as connection:
                connection.execute(insert(access_table), rows)

    def flush(self) -> None:
        """Write what waits. Raises what the database raises; then it waits on."""
        with self._writing:
            with self._lock:
                batch = [*self._apart, *(each.joined() for each in self._waiting.values())]
                self._apart, self._waiting = [], {}
            if not batch:
                return
            try:
                with write_transaction(self._engine) as connection:
                    lines = [self._write_line(connection, entry) for entry in batch]
            except Exception:
                with self._lock:
                    # The newer ones of the same lines are apart from these: nothing is counted twice.
                    self._apart[:0] = batch
                raise
            for line in lines:
                self._lines[line.entry.key] = line
                self._lines.move_to_end(line.entry.key)
            while len(self._lines) > _LINES_OPEN:
                self._lines.popitem(last=False)

    def page(self, query: AccessQuery) -> tuple[list[AccessEntry], bool]:
        """Entries that ``query`` wants, the newest first, and whether there are more."""
        with read_transaction(self._engine) as connection:
            return page(connection, query)

    def prune(self, now_s: float | None = None) -> int:
        """Remove lines that are too old; how many there were."""
        if not self._keep_s:
            return 0
        before_s, removed = (now_s or time.time()) - self._keep_s, 0
        while not self._closing.is_set():
            its_ids = select(access_table.c.id).where(access_table.c.time_s < before_s).limit(_PRUNED_AT_ONCE)
            with write_transaction(self._engine) as connection:
                count = connection.execute(
                    delete(access_table).where(access_table.c.id.in_(its_ids.scalar_subquery()))
                ).rowcount
            removed += count
            if count < _PRUNED_AT_ONCE:
                break
        return removed

    def _write_line(self, connection: Connection, entry: AccessEntry) -> _Line:
        line = self._lines.get(entry.key)
        if line is None or entry.last_s - line.entry.time_s > _ONE_LINE_S or not entry.goes_with(line.entry):
            made = connection.execute(insert(access_table).values(entry.as_row())).inserted_primary_key
            return _Line(int(made[0]) if made else 0, entry)
        row = entry.as_row()
        values = {"last_s": entry.last_s, "subject": row["subject"], "count": access_table.c.count + entry.count}
        connection.execute(update(access_table).where(access_table.c.id == line.id).values(**values))
        return _Line(line.id, replace(entry, time_s=line.entry.time_s))

    def _run(self) -> None:
        pruned_s = 0.0
        while True:
            self._something.wait(_PRUNED_EVERY_S)
            self._closing.wait(_BATCH_S)
            self._something.clear()
            try:
                self.flush()
                if time.monotonic() - pruned_s >= _PRUNED_EVERY_S or not pruned_s:
                    pruned_s = time.monotonic()
                    self.prune()
                self._tell_lost()
            except Exception as error:
                _log.error("the access log could not be written: %s", type(error).__name__)
                self._something.set()
            if self._closing.is_set():
                return

    def _tell_lost(self) -> None:
        with self._lock:
            lost, self._lost = self._lost, 0
        if lost:
            _log.error("the access log could not keep up", extra={"entries_lost": lost})


def _timed(entry: AccessEntry) -> AccessEntry:
    if entry.time_s:
        return entry
    now = time.time()
    return replace(entry, time_s=now, last_s=now)
