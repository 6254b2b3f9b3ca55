"""Deleting objects: out of the index first, then their files.

The rows and their tombstones go in one transaction, so that queries never meet half an object and
the replay of a journal never brings one back. Files follow once that is durable: after a power
failure an entry without a file would be an error, a file without an entry is only rubbish, which
'radfuse check --repair' and the next start after a crash know by its tombstone.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from radfuse.archive.blobs import BlobStore
from radfuse.archive.index.durability import sync_index
from radfuse.archive.index.model import StoredObject
from radfuse.archive.index.write import IndexWriter
from radfuse.archive.placing import PLACED_WITHIN_S, Placements
from radfuse.db import translate_database_errors

_AT_ONCE: Final = 5000
"""Objects in one transaction: arriving objects wait for it, about 0.1 s."""
_ATTEMPTS: Final = 10
_POLL_S: Final = 0.02
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deleting:
    """Deletes from one archive; ``placements`` are this process's objects that have no file yet."""

    engine: Engine
    store: BlobStore
    placements: Placements | None

    def mark_leaving(self, objects: Iterable[StoredObject]) -> None:
        """As ``Archive.mark_leaving``."""
        with contextlib.closing(IndexWriter(self.engine)) as index, translate_database_errors("the index"):
            index.mark_leaving([stored.blob_id for stored in objects])

    def unmark_leaving(self, objects: Iterable[StoredObject]) -> None:
        """As ``Archive.unmark_leaving``."""
        with contextlib.closing(IndexWriter(self.engine)) as index, translate_database_errors("the index"):
            index.unmark_leaving([stored.blob_id for stored in objects])

    def delete(self, objects: Iterable[StoredObject], *, leaving_only: bool = False) -> list[StoredObject]:
        """As ``Archive.delete``."""
        removed: list[StoredObject] = []
        remaining = iter(objects)
        # A writer of our own: the archive's may be in use by whoever receives objects in this process.
        with contextlib.closing(IndexWriter(self.engine)) as index, translate_database_errors("the index"):
            while batch := list(itertools.islice(remaining, _AT_ONCE)):
                arrivals = self._remove_rows(index, batch, leaving_only)
                if arrivals:
                    sync_index(self.engine)
                    self._remove_files(arrivals)
                removed += [stored for stored in batch if stored.blob_id in arrivals]
        return removed

    @staticmethod
    def _remove_rows(index: IndexWriter, batch: list[StoredObject], leaving_only: bool) -> dict[bytes, int]:
        wanted = [(stored.sop_instance_uid, stored.blob_id) for stored in batch]
        for attempt in itertools.count(1):
            try:
                return index.remove(wanted, int(time.time()), leaving_only=leaving_only)
            except index.integrity_error:  # PostgreSQL: an object arrived below an entity that was empty just now
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def _remove_files(self, arrivals: dict[bytes, int]) -> None:
        """Remove the files; what cannot be removed is left to the check, the objects are gone for everyone."""
        try:
            late = [blob_id for blob_id in arrivals if not self._remove_file(blob_id)]
            deadline = time.monotonic() + PLACED_WITHIN_S  # the clock may have been set back since they arrived
            while late := [blob_id for blob_id in late if time.time() - arrivals[blob_id] <= PLACED_WITHIN_S]:
                if time.monotonic() > deadline:
                    return
                time.sleep(_POLL_S)
                late = [blob_id for blob_id in late if not self._remove_file(blob_id)]
        except OSError:
            _log.exception("files of deleted objects were left; 'radfuse check --repair' removes them")

    def _remove_file(self, blob_id: bytes) -> bool:
        """Remove the file; False when it is lost, or still to be written by this or another process."""
        if self.placements is not None and self.placements.holds(blob_id):
            self.placements.settle(blob_id)
        return self.store.remove(blob_id)
