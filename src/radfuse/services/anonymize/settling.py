"""Drafts get their names, many at a time and beside the work: one wait for the disk serves them all.

A journal of a file system is written once for all that waits for it. So the drafts of all processes
are gathered, synced by several threads at once, named, and only then told of.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from radfuse.core.errors import CannotAnonymize
from radfuse.services.anonymize.results import Outcome, Verdict
from radfuse.services.anonymize.writing import Draft, OutputFolder, full_volumes

_MOST_OBJECTS: Final = 64
_MOST_BYTES: Final = 32 << 20
_LONGEST_WAIT_S: Final = 0.5
_MOST_BATCHES: Final = 2
"""Under way at once: more would fill memory with what the disk has not taken yet."""
_SYNCED_AT_ONCE: Final = 8


class Settler:
    """Names the drafts of outcomes, and passes on all others as they are."""

    def __init__(self, to: OutputFolder) -> None:
        self._to = to
        self._gathered: list[Outcome] = []
        self._bytes = 0
        self._since_s = 0.0
        self._under_way: deque[Future[list[Outcome]]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="settle")
        self._syncers = ThreadPoolExecutor(_SYNCED_AT_ONCE, thread_name_prefix="sync")

    def __enter__(self) -> Self:
        """Use it in a block."""
        return self

    def __exit__(self, *_details: object) -> None:
        """Drop what has no name yet."""
        self._thread.shutdown(wait=True)
        self._syncers.shutdown(wait=True)
        for outcome in self._gathered:
            _drop(outcome)

    def take(self, outcome: Outcome) -> Iterator[Outcome]:
        """One more; yields those of which everything is done. Raises OutOfSpace, OSError."""
        if outcome.draft is None:
            yield outcome
        else:
            self._since_s = self._since_s if self._gathered else time.monotonic()
            self._gathered.append(outcome)
            self._bytes += outcome.draft.size_bytes
            is_late = time.monotonic() - self._since_s > _LONGEST_WAIT_S
            if len(self._gathered) >= _MOST_OBJECTS or self._bytes >= _MOST_BYTES or is_late:
                self._begin()
        while self._under_way and (self._under_way[0].done() or len(self._under_way) > _MOST_BATCHES):
            yield from self._under_way.popleft().result()

    def rest(self) -> Iterator[Outcome]:
        """The others, once everything is done. Raises OutOfSpace, OSError."""
        self._begin()
        while self._under_way:
            yield from self._under_way.popleft().result()

    def _begin(self) -> None:
        batch, self._gathered, self._bytes = self._gathered, [], 0
        if batch:
            self._under_way.append(self._thread.submit(self._settle, batch))

    def _settle(self, batch: Sequence[Outcome]) -> list[Outcome]:
        waiting = deque(batch)
        try:
            with full_volumes():
                if self._to.durable:
                    list(self._syncers.map(Draft.sync, [each.draft for each in batch if each.draft is not None]))
                done = []
                while waiting:
                    done.append(self._named(waiting.popleft()))
                if self._to.durable:
                    self._to.settle(Path(self._to.folder, each.path) for each in done if each.path)
        finally:
            for outcome in waiting:
                _drop(outcome)
        return done

    def _named(self, outcome: Outcome) -> Outcome:
        assert outcome.draft is not None  # noqa: S101 - only those are gathered
        try:
            verdict = Verdict.ANONYMIZED if outcome.draft.keep() else Verdict.ALREADY_THERE
        except CannotAnonymize as error:
            return Outcome(outcome.name, Verdict.REFUSED, reason=str(error))
        return replace(outcome, verdict=verdict, draft=None)


def _drop(outcome: Outcome) -> None:
    if outcome.draft is not None:
        with contextlib.suppress(OSError):
            outcome.draft.drop()
