"""Objects that are safe in the journal and in the index, on their way to their files.

An object is durable once the journal is synced; its own file can be written after the peer has its
answer, in the time that the peer needs for its next object: a small one by the thread that
received it, a larger one by a thread of its own while the next is being received. A reader that
wants the object earlier, or the background sync before it frees the journal, writes it itself.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from radfuse.archive.blobs import BlobStore
from radfuse.core.errors import OutOfSpace

_SMALL_BYTES: Final = 64 << 10
_MOST_QUEUED: Final = 4
"""More would only hold more memory: whoever comes then writes its object itself."""
_WAIT_S: Final = 5.0
_SLOWEST_WRITE_S: Final = 60.0

PLACED_WITHIN_S: Final = 10.0
"""An indexed object whose file is missing for longer than this is lost, not on its way."""

_log = logging.getLogger(__name__)
_Job = tuple[bytes, Callable[[], None]]


class Placements:
    """The objects of this process that are not in the store yet. Thread-safe."""

    def __init__(self, store: BlobStore, spool: Path) -> None:
        self._store = store
        self._spool = str(spool)
        self._changed = threading.Condition()
        self._waiting: dict[bytes, tuple[int, memoryview]] = {}
        self._running: dict[bytes, int] = {}
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def close(self) -> None:
        """Write what is queued and end the thread."""
        with self._changed:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            thread.join()

    def finish(self, blob_id: bytes, release: Callable[[], None]) -> None:
        """Write the object's file, now or soon; ``release`` is called when its content is free again.

        The object is safe already. A failure is logged, and the background sync tries again; the
        content stays here then.
        """
        with self._changed:
            found = self._waiting.get(blob_id)
            later = found is not None and len(found[1]) > _SMALL_BYTES and self._jobs.qsize() < _MOST_QUEUED
            if later and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="archive-place", daemon=True)
                self._thread.start()
        if later:
            self._jobs.put((blob_id, release))
        else:
            self._finish_now(blob_id, release)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._finish_now(*job)

    def _finish_now(self, blob_id: bytes, release: Callable[[], None]) -> None:
        try:
            if self.settle(blob_id):
                release()
        except (OSError, OutOfSpace):
            _log.exception("an object waits in the ingest journal: its file could not be written")

    def add(self, blob_id: bytes, generation: int, content: memoryview) -> None:
        """Note an object whose journal record lies in the half of ``generation``."""
        with self._changed:
            self._waiting[blob_id] = (generation, content)

    def holds(self, blob_id: bytes) -> bool:
        """Whether the object is here, its file still to come."""
        with self._changed:
            return blob_id in self._waiting or blob_id in self._running

    def place(self, blob_id: bytes) -> None:
        """Write the object's file, unless somebody has or is about to.

        Raises OutOfSpace or OSError; the object then stays here and in the journal.
        """
        with self._changed:
            found = self._waiting.pop(blob_id, None)
            if found is None:
                return
            self._running[blob_id] = found[0]
        try:
            self._store.write(blob_id, found[1], self._spool)
        except BaseException:
            with self._changed:
                self._waiting[blob_id] = found
            raise
        finally:
            with self._changed:
                del self._running[blob_id]
                self._changed.notify_all()

    def settle(self, blob_id: bytes) -> bool:
        """``place``, and wait if another thread is writing the file; whether it is there now."""
        self.place(blob_id)
        with self._changed:
            self._changed.wait_for(lambda: blob_id not in self._running, timeout=_WAIT_S)
            return blob_id not in self._running and blob_id not in self._waiting

    def settle_until(self, generation: int) -> None:
        """Place everything recorded up to the half of ``generation``; returns when it is in the store."""
        with self._changed:
            left = [blob_id for blob_id, (recorded, _) in self._waiting.items() if recorded <= generation]
        for blob_id in left:
            self.place(blob_id)
        with self._changed:
            done = self._changed.wait_for(
                lambda: min(self._running.values(), default=generation + 1) > generation, _SLOWEST_WRITE_S
            )
        if not done:
            raise OSError("objects could not be written to the store in time")
