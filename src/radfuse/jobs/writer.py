"""The thread that writes the results of running jobs, so that their kinds need not wait for the disk."""

from __future__ import annotations

import logging
import threading
from typing import Final

from radfuse.jobs.context import JobContext

_log = logging.getLogger(__name__)

_STEP_S: Final = 0.1


class Writer:
    """Writes what the contexts given to it have buffered, from ``start`` to ``stop``."""

    def __init__(self) -> None:
        self._contexts: set[JobContext] = set()
        self._lock = threading.Lock()
        self._something = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job results", daemon=True)
        self._stopping = False

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what is left the contexts write themselves when their jobs end."""
        self._stopping = True
        self._something.set()
        self._thread.join()

    def wake(self) -> None:
        """There is enough to write, do not wait longer."""
        self._something.set()

    def add(self, context: JobContext) -> None:
        """Look after a job that begins."""
        with self._lock:
            self._contexts.add(context)

    def remove(self, context: JobContext) -> None:
        """A job ends and writes the rest itself."""
        with self._lock:
            self._contexts.discard(context)

    def _run(self) -> None:
        while not self._stopping:
            self._something.wait(_STEP_S)
            self._something.clear()
            with self._lock:
                contexts = list(self._contexts)
            for context in contexts:
                try:
                    context.flush_if_due()
                except Exception:  # this thread serves all jobs; the kind meets the same error when it ends
                    _log.exception("results were not written", extra={"job": context.job.id})
