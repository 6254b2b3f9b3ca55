"""Keeping objects: journal, store and index in one step for everyone who waits at that moment.

Each association's thread submits its object and waits. The first to get hold of the lock becomes
the leader and commits all that are waiting, so that one disk sync and one index transaction serve
many associations, and a lone association pays no thread switch.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from typing import Final

from sqlalchemy.exc import IntegrityError

from radfuse.archive.blobs import BlobStore
from radfuse.archive.incoming import Incoming
from radfuse.archive.index.entry import Entry
from radfuse.archive.index.write import IndexWriter
from radfuse.archive.journal import Journal, Record, RecordKind
from radfuse.core.errors import DuplicateRejected
from radfuse.db import translate_database_errors

_MAX_BATCH: Final = 64
_log = logging.getLogger(__name__)


class DuplicatePolicy(StrEnum):
    """What happens to an object whose SOP Instance UID is kept already with other bytes."""

    KEEP = "keep"
    """Answer success, keep the first, log it."""

    REPLACE = "replace"
    """Answer success, keep the new one."""

    REJECT = "reject"
    """Answer 0111H (duplicate SOP instance)."""


class Outcome(Enum):
    """What became of an object."""

    KEPT = "kept"
    SAME_AGAIN = "the same bytes were kept already"
    FIRST_KEPT = "other bytes are kept under this UID; they stay"
    REPLACED = "the bytes kept before were replaced"


@dataclass(slots=True)
class _Pending:
    """One object between its arrival and its outcome."""

    incoming: Incoming
    entry: Entry
    outcome: Outcome | None = None
    error: BaseException | None = None
    placed: bool = False

    @property
    def is_open(self) -> bool:
        return self.outcome is None and self.error is None


@dataclass(slots=True)
class Committer:
    """Commits objects to one archive. Thread-safe."""

    journal: Journal
    store: BlobStore
    index: IndexWriter
    policy: DuplicatePolicy
    _waiting: list[_Pending] = field(default_factory=list)
    _lead: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, incoming: Incoming, entry: Entry) -> Outcome:
        """Make the object durable and visible; returns only then.

        Raises OutOfSpace, DuplicateRejected, or the error of disk or database; the object is not
        kept then.
        """
        pending = _Pending(incoming, entry)
        self._waiting.append(pending)  # atomic: list.append holds the interpreter lock
        with self._lead:
            while pending.is_open:
                batch = self._waiting[:_MAX_BATCH]
                del self._waiting[: len(batch)]
                self._commit_safely(batch)
        if pending.outcome is None:
            raise pending.error or AssertionError("an object was settled without an outcome")
        return pending.outcome

    def rotate_journal(self) -> None:
        """Let the background sync free the journal while nothing is half-way through."""
        with self._lead:
            self.journal.rotate()

    def _commit_safely(self, batch: list[_Pending]) -> None:
        try:
            with translate_database_errors("the index"):
                self._commit(batch)
        except BaseException as error:
            self._undo([pending for pending in batch if pending.is_open], error)
            if not isinstance(error, Exception):
                raise

    def _commit(self, batch: list[_Pending]) -> None:
        for pending in batch:
            self._look_for_existing(pending)
        fresh = [pending for pending in batch if pending.is_open]
        if not fresh:
            return
        self.journal.append([_record(pending) for pending in fresh])
        for pending in fresh:
            self._place(pending)
        placed = [pending for pending in fresh if pending.is_open]
        for pending, inserted in zip(placed, self._insert([pending.entry for pending in placed]), strict=True):
            self._settle(pending, inserted)

    def _look_for_existing(self, pending: _Pending) -> None:
        entry = pending.entry
        existing = self.index.find_existing(entry.sop_instance_uid)
        if existing is None:
            return
        if existing.digest == entry.digest:
            if self.store.exists(existing.blob_id):
                pending.outcome = Outcome.SAME_AGAIN
            else:  # its file was lost: what arrives now heals the archive
                pending.entry = replace(entry, replaces=existing.blob_id)
        elif self.policy is DuplicatePolicy.REPLACE:
            pending.entry = replace(entry, replaces=existing.blob_id)
        elif self.policy is DuplicatePolicy.REJECT:
            pending.error = DuplicateRejected()
        else:
            pending.outcome = Outcome.FIRST_KEPT

    def _place(self, pending: _Pending) -> None:
        blob_id = pending.entry.blob_id
        try:
            if pending.incoming.is_spooled:
                self.store.adopt(blob_id, pending.incoming.hand_over_file())
            else:
                self.store.write(blob_id, pending.incoming.content())
            pending.placed = True
        except Exception as error:
            self._undo([pending], error)

    def _insert(self, entries: Sequence[Entry]) -> list[bool]:
        if not entries:
            return []
        try:
            return self.index.insert(entries)
        except (IntegrityError, sqlite3.IntegrityError):
            # A remembered parent row was removed by another process; its cache is empty now.
            return self.index.insert(entries)

    def _settle(self, pending: _Pending, inserted: bool) -> None:
        entry = pending.entry
        if inserted:
            pending.outcome = Outcome.REPLACED if entry.replaces is not None else Outcome.KEPT
            if entry.replaces is not None:
                self.store.remove(entry.replaces)
            return
        # Another process, or another object of this batch, was faster with the same UID.
        self._undo([pending], None)
        self._look_for_existing(pending)
        if pending.is_open:
            pending.outcome = Outcome.FIRST_KEPT

    def _undo(self, batch: list[_Pending], error: BaseException | None) -> None:
        """Take back what was placed and tell the journal never to bring it back."""
        for pending in batch:
            pending.error = error
            self.store.remove(pending.entry.blob_id)
        try:
            self.journal.append([Record(RecordKind.ABORTED, pending.entry.blob_id) for pending in batch])
        except Exception:
            _log.exception("the ingest journal could not note refused objects")


def _record(pending: _Pending) -> Record:
    if pending.incoming.is_spooled:
        return Record(RecordKind.FILE, pending.entry.blob_id)
    return Record(RecordKind.BYTES, pending.entry.blob_id, pending.incoming.content())
