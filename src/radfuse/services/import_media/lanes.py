"""Work done by several threads, its results in the order of the work; memory stays bounded."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Self

from radfuse.archive import Archive
from radfuse.services.import_media.taking import Result, Taken, Taking, Work

_THREADS: Final = 4
"""While one waits for a slow medium, the others read."""

_WAITED_S: Final = 0.1
_WAITED_SHARE: Final = 0.5
"""Waiting, as a share of the time that the work itself took, from which on all threads work at once.

With files that come at once one thread is the fastest: several pass the interpreter to and fro at every system call.
"""

_AT_ONCE: Final = 32
"""Pieces of work that one thread takes at a time: what it keeps shares one disk sync."""

_WAITING: Final = 2 * _THREADS


class Threads:
    """The threads of one import."""

    def __init__(self, archive: Archive, should_stop: Callable[[], bool] = lambda: False) -> None:
        self._stop = threading.Event()
        self._taking = Taking(archive, lambda: self._stop.is_set() or should_stop())
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="import")
        self._turns = threading.Semaphore(1)
        self._is_alone = True
        self._worked_s = 0.0
        self._waited_s = 0.0

    def __enter__(self) -> Self:
        """Use as a context manager."""
        return self

    def __exit__(self, *_details: object) -> None:
        """Let what runs end; what has not begun does not begin."""
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)

    def take(self, works: list[Work]) -> Future[Taken]:
        """Do ``works`` in a thread: one after the other, or several at once when the medium is slow."""
        return self._pool.submit(self._take, works)

    def _take(self, works: list[Work]) -> Taken:
        with self._turns:
            begin_s, begin_work_s = time.monotonic(), time.thread_time()
            taken = self._taking.take(works)
            if self._is_alone:
                worked_s = time.thread_time() - begin_work_s
                self._worked_s += worked_s
                self._waited_s += time.monotonic() - begin_s - worked_s
                if self._waited_s > max(_WAITED_S, _WAITED_SHARE * self._worked_s):
                    self._is_alone = False
                    self._turns.release(_THREADS - 1)
        return taken


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
            self._running.append((works, self._threads.take(works)))

    def _finished(self) -> Iterator[tuple[Work, Result]]:
        works, future = self._running.popleft()
        taken = future.result()
        # What was done is told before what ended it; when it was stopped there are fewer results than works.
        yield from zip(works, taken.results, strict=False)
        if taken.error is not None:
            raise taken.error
