"""Keeping objects: journal, store and index in one step for everyone who waits at that moment.

Each association's thread submits its object and waits. The first to get hold of the lock becomes
the leader and commits all that are waiting, so that one disk sync and one index transaction serve
many associations, and a lone association pays no thread switch.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from functools import partial
from typing import Final

from radfuse.archive.blobs import BlobStore
from radfuse.archive.incoming import Incoming
from radfuse.archive.index.entry import Entry
from radfuse.archive.index.write import Existing, IndexWriter
from radfuse.archive.journal import Journal, Record, RecordKind
from radfuse.archive.placing import PLACED_WITHIN_S, Placements
from radfuse.archive.whole import read_content
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
    distrusts: bytes | None = None
    """Blob id of a kept copy that turned out to be damaged."""
    same: Existing | None = None
    """The copy that made it the same bytes again, while nothing of this one was written anywhere."""
    outcome: Outcome | None = None
    error: BaseException | None = None

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
    placements: Placements
    _waiting: list[_Pending] = field(default_factory=list)
    _lead: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, incoming: Incoming, entry: Entry) -> Outcome:
        """Make the object durable and visible; returns only then.

        Raises OutOfSpace, DuplicateRejected, or the error of disk or database; the object is not
        kept then.
        """
        (outcome,) = self.keep_all([(incoming, entry)])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def keep_all(self, objects: Sequence[tuple[Incoming, Entry]]) -> list[Outcome | Exception]:
        """``keep`` for objects that are here together, which then share their syncs; what each would have raised."""
        pendings = [_Pending(incoming, entry) for incoming, entry in objects]
        outcomes = self._settle(pendings)
        for place, pending in enumerate(pendings):
            if pending.same is not None and not self._is_whole(pending.same):
                blob_id = pending.same.blob_id
                _log.warning("a damaged object came again and is replaced", extra={"blob": blob_id.hex()})
                again = _Pending(pending.incoming, pending.entry, distrusts=blob_id)
                outcomes[place : place + 1] = self._settle([again])
        return outcomes

    def _settle(self, pendings: Sequence[_Pending]) -> list[Outcome | Exception]:
        self._waiting.extend(pendings)  # atomic: list.extend of a list holds the interpreter lock
        with self._lead:
            for pending in pendings:
                while pending.is_open:
                    self._commit_some()
        return [_outcome_of(pending) for pending in pendings]

    def _commit_some(self) -> None:
        """Commit those that wait first, as many as one append of the journal takes."""
        batch = self._waiting[:_MAX_BATCH]
        if len(batch) > 1:
            batch = batch[: self.journal.how_many_fit([len(each.incoming.content()) for each in batch])]
        del self._waiting[: len(batch)]
        self._commit_safely(batch)

    def rotate_journal(self) -> None:
        """Let the background sync free the journal while nothing is half-way through.

        Never waits: a leader may itself be waiting for the background sync, which calls this.
        """
        if self._lead.acquire(blocking=False):
            try:
                self.journal.rotate()
            finally:
                self._lead.release()

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
        generation = self.journal.append([_record(pending) for pending in fresh])
        for pending in fresh:
            if pending.incoming.is_spooled:
                self._adopt(pending)
        safe = [pending for pending in fresh if pending.is_open]
        inserted = self._insert([pending.entry for pending in safe])
        for pending, is_kept in zip(safe, inserted, strict=True):
            if is_kept:
                self._note_kept(pending, generation)
        for pending in safe:
            if pending.is_open:
                self._note_lost(pending)

    def _look_for_existing(self, pending: _Pending) -> None:
        entry = pending.entry
        existing = self.index.find_existing(entry.sop_instance_uid)
        if existing is None:
            return
        may_rely = not existing.is_leaving
        if existing.digest == entry.digest:
            if may_rely and existing.blob_id != pending.distrusts and self._is_there(existing):
                pending.outcome, pending.same = Outcome.SAME_AGAIN, existing
            else:  # its file was lost or damaged, or will be deleted: what arrives now takes its place
                pending.entry = replace(entry, replaces=existing.blob_id)
        elif self.policy is DuplicatePolicy.REPLACE:
            pending.entry = replace(entry, replaces=existing.blob_id)
        elif self.policy is DuplicatePolicy.REJECT:
            pending.error = DuplicateRejected()
        elif may_rely:
            pending.outcome = Outcome.FIRST_KEPT
        else:
            pending.entry = replace(entry, replaces=existing.blob_id)

    def _is_there(self, existing: Existing) -> bool:
        """Whether the object's file is there, or about to be (here or in another process)."""
        return (
            self.store.exists(existing.blob_id)
            or self.placements.holds(existing.blob_id)
            or time.time() - existing.arrived_s < PLACED_WITHIN_S
        )

    def _is_whole(self, existing: Existing) -> bool:
        """Whether the object's file has the bytes that were stored; one that cannot be read now is not judged.

        Whoever sends it again may rely on our success and delete its own copy.
        """
        try:
            content = read_content(self.store.path(existing.blob_id))
        except OSError:  # or its file is just being written
            return True
        return content is not None and content.digest == existing.digest

    def _adopt(self, pending: _Pending) -> None:
        try:
            self.store.adopt(pending.entry.blob_id, pending.incoming.hand_over_file())
        except Exception as error:
            self._undo([pending], error)

    def _insert(self, entries: Sequence[Entry]) -> list[bool]:
        if not entries:
            return []
        try:
            return self.index.insert(entries)
        except self.index.integrity_error:
            # A remembered parent row was removed by another process; its cache is empty now.
            return self.index.insert(entries)

    def _note_kept(self, pending: _Pending, generation: int) -> None:
        """Its row is committed: nothing may fail from here on, or the row would lose its file."""
        entry = pending.entry
        if not pending.incoming.is_taken:
            self.placements.add(entry.blob_id, generation, pending.incoming.content())
            pending.incoming.housekeeping = partial(self.placements.finish, entry.blob_id)
        pending.outcome = Outcome.KEPT
        if entry.replaces is not None:
            pending.outcome = Outcome.REPLACED
            self._remove_replaced(entry.replaces)

    def _remove_replaced(self, blob_id: bytes) -> None:
        try:
            self.placements.settle(blob_id)
            self.store.remove(blob_id)
        except Exception:
            _log.exception("the file of a replaced object could not be removed; 'radfuse check' will report it")

    def _note_lost(self, pending: _Pending) -> None:
        """Another process, or another object of this batch, was faster with the same UID."""
        self._undo([pending], None)
        self._look_for_existing(pending)
        pending.same = None
        if pending.is_open:
            pending.outcome = Outcome.FIRST_KEPT

    def _undo(self, batch: list[_Pending], error: BaseException | None) -> None:
        """Take back what was placed and tell the journal never to bring it back."""
        for pending in batch:
            pending.error = error
        if not batch:
            return
        try:
            for pending in batch:
                self.store.remove(pending.entry.blob_id)
            self.journal.append([Record(RecordKind.ABORTED, pending.entry.blob_id) for pending in batch])
        except Exception:  # e.g. a volume that turned read-only; whoever waits must still be told
            _log.exception("refused objects could not be taken back; 'radfuse check' will report them")


def _outcome_of(pending: _Pending) -> Outcome | Exception:
    if pending.outcome is not None:
        return pending.outcome
    if pending.error is None:
        raise AssertionError("an object was settled without an outcome")
    if not isinstance(pending.error, Exception):
        raise pending.error
    return pending.error


def _record(pending: _Pending) -> Record:
    if pending.incoming.is_spooled:
        return Record(RecordKind.FILE, pending.entry.blob_id)
    incoming = pending.incoming
    return Record(RecordKind.BYTES, pending.entry.blob_id, incoming.content(), incoming.frame)
