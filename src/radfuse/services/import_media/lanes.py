"""Work done by several threads, its results in the order of the work; memory stays bounded."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Self

from radfuse.archive import Archive
from radfuse.services.import_media.taking import Result, Taken, Taking, Work

_THREADS: Final = 4
"""While one waits for the disk, the others read."""

_AT_ONCE: Final = 32
"""Pieces of work that one thread takes at a time: what it keeps shares one disk sync."""

_WAITING: Final = 2 * _THREADS


class Threads:
    """The threads of one import."""

    def __init__(self, archive: Archive, should_stop: Callable[[], bool] = lambda: False) -> None:
        self._stop = threading.Event()
        self.taking = Taking(archive, lambda: self._stop.is_set() or should_stop())
        self.pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="import")

    def __enter__(self) -> Self:
        """Use as a context manager."""
        return self

    def __exit__(self, *_details: object) -> None:
        """Let what runs end; what has not begun does not begin."""
        self._stop.set()
        self.pool.shutdown(cancel_futures=True)


class Lane:
    """Work in a row."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._running: deque[tuple[list[Work], Future[Taken]]] = deque()
        self._next: list[Work] = []

    def put(self, work: Work) -> Iterator[tuple[Work, Result]]:
        """Do ``work``, soon; yields what has been done meanwhile. Raises OutOfSpace."""
        self._next.append(work)
        if len(self._next) >= _AT_ONCE:
            self._start()
            while len(self._running) >= _WAITING:
                yield from self._finished()

    def drain(self) -> Iterator[tuple[Work, Result]]:
        """Wait for everything that was put. Raises OutOfSpace."""
        self._start()
        while self._running:
            yield from self._finished()

    def _start(self) -> None:
        works, self._next = self._next, []
        if works:
            self._running.append((works, self._threads.pool.submit(self._threads.taking.take, works)))

    def _finished(self) -> Iterator[tuple[Work, Result]]:
        works, future = self._running.popleft()
        taken = future.result()
        # What was done is told before what ended it; when it was stopped there are fewer results than works.
        yield from zip(works, taken.results, strict=False)
        if taken.error is not None:
            raise taken.error
