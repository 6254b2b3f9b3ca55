"""What changes while people look: jobs as they go on, studies as they come and go."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from radfuse.archive import Archive, queries
from radfuse.db import CommitWatch
from radfuse.jobs import Job, Jobs, JobState, JobWatch

MOST_STUDIES: Final = 50
"""More studies than these are not named."""

_EVERY_S: Final = 0.3
_SHARE: Final = 10
"""Looking takes at most one part in so many of the time."""

_AFTER_TROUBLE_S: Final = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobsChanged:
    """Jobs that are new or not as they were."""

    jobs: Sequence[Job]
    totals: Mapping[JobState, int]


@dataclass(frozen=True, slots=True)
class ArchiveChanged:
    """Something was stored or is gone. ``studies``: to which something came; none: read all again."""

    database: str
    studies: Sequence[str]


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """From here on changes are told; what is known from before may be out of date."""


Change: TypeAlias = JobsChanged | ArchiveChanged | ReadAgain
Tell: TypeAlias = Callable[[Change], None]


class Live:
    """Looks at the queue and the indexes in a thread of its own, only from ``start`` to ``stop``.

    A look at what has not changed costs some microseconds. Other processes' changes are seen too.
    """

    def __init__(self, jobs: Jobs, archives: Mapping[str, Archive], every_s: float = _EVERY_S) -> None:
        self._jobs = jobs
        self._archives = archives
        self._every_s = every_s
        self._stopped: threading.Event | None = None

    def start(self, tell: Tell) -> None:
        """Tell of what changes from now on: ReadAgain first, once it is so. ``tell`` is called in the thread."""
        self.stop()
        self._stopped = stopped = threading.Event()
        threading.Thread(target=self._run, args=(tell, stopped), name="live").start()

    def stop(self) -> None:
        """Tell no more; returns at once, the thread ends with the look that it may be at."""
        if self._stopped is not None:
            self._stopped.set()
            self._stopped = None

    def _run(self, tell: Tell, stopped: threading.Event) -> None:
        told_of_trouble = False
        while not stopped.is_set():
            try:
                with _lookout(self._jobs, self._archives) as lookout:
                    lookout.look()
                    tell(ReadAgain())
                    self._follow(lookout, tell, stopped)
            except Exception as error:  # a database that is away comes back: this thread must live on
                if not told_of_trouble:
                    _log.warning("changes cannot be followed now", extra={"error": type(error).__name__})
                told_of_trouble = True
                stopped.wait(_AFTER_TROUBLE_S)

    def _follow(self, lookout: _Lookout, tell: Tell, stopped: threading.Event) -> None:
        took_s = 0.0
        while not stopped.wait(max(self._every_s, _SHARE * took_s)):
            begun_s = time.monotonic()
            for change in lookout.look():
                if stopped.is_set():
                    return
                tell(change)
            took_s = time.monotonic() - begun_s


@dataclass(frozen=True, slots=True)
class _Lookout:
    """Sees what changed in the queue and in each index."""

    jobs: Jobs
    queue: JobWatch
    indexes: Mapping[str, _IndexWatch]

    def look(self) -> list[Change]:
        """What changed since the last look; nothing the first time."""
        changes: list[Change] = []
        jobs = self.queue.look()
        if jobs is None:
            changes.append(ReadAgain())
        elif jobs:
            changes.append(JobsChanged(jobs, self.jobs.totals()))
        for name, watch in self.indexes.items():
            studies = watch.look()
            if studies is not None:
                changes.append(ArchiveChanged(name, studies))
        return changes


@contextlib.contextmanager
def _lookout(jobs: Jobs, archives: Mapping[str, Archive]) -> Iterator[_Lookout]:
    with contextlib.ExitStack() as stack:
        queue = stack.enter_context(contextlib.closing(JobWatch(jobs)))
        indexes = {name: stack.enter_context(contextlib.closing(_IndexWatch(each))) for name, each in archives.items()}
        yield _Lookout(jobs, queue, indexes)


class _IndexWatch:
    """Sees what changed in one index."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._commits = CommitWatch(archive.engine)
        self._mark: queries.IndexMark | None = None

    def close(self) -> None:
        self._commits.close()

    def look(self) -> Sequence[str] | None:
        """The studies to which something came since the last look, none when they cannot be told; None: no change."""
        if not self._commits.has_changed():
            return None
        with self._archive.reading() as connection:
            before, self._mark = self._mark, queries.mark_of(connection)
            if before is None or before == self._mark:
                return None
            if before.deletions != self._mark.deletions:
                return ()
            return queries.studies_between(connection, before, self._mark, MOST_STUDIES) or ()
