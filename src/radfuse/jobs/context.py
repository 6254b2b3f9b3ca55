"""What a kind of job is given: its job, what is still to do, and where to write what became of it."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import DBAPIError

from radfuse.core.errors import TransientFailure
from radfuse.db import is_out_of_space, read_transaction, write_transaction
from radfuse.jobs.jobs import items_of
from radfuse.jobs.model import Item, ItemState, Job, JobState
from radfuse.jobs.tables import job_table

_WRITE_AFTER_RESULTS: Final = 64
_HOLD_AFTER_RESULTS: Final = 512
_WRITE_AFTER_S: Final = 0.1
_LOOK_EVERY_S: Final = 0.2
_MAX_TEXT: Final = 500

# Said in the driver's words: building these for thousands of items a second would cost more than running them.
_READ_STATES: Final = "SELECT number, state FROM job_item WHERE job_id = ? AND number BETWEEN ? AND ?"
_WRITE_RESULT: Final = (
    "UPDATE job_item SET state = ?, status = ?, comment = ?, changed_s = ? WHERE job_id = ? AND number = ?"
)

_STATE: Final = select(job_table.c.state, job_table.c.attempt)
_DONE: Final = (ItemState.SENT, ItemState.WARNED)

_Result = tuple[str, int | None, str, float, int, int]
"""The values of ``_WRITE_RESULT`` in order."""


class QueueNotWritten(TransientFailure):
    """The queue's own database did not take a result, or was away: no fault of the job."""


class JobContext:
    """One attempt at a job, as its kind sees it.

    Results are written together: after 64 of them or 0.1 s, by the worker's own thread (``wake``
    tells it that there is something) while the kind goes on. Once written, an item is never given to
    a kind again unless the user restarts what failed. All methods may be called from several threads.
    """

    def __init__(
        self,
        engine: Engine,
        job: Job,
        stopping: Callable[[], bool] = lambda: False,
        wake: Callable[[], None] | None = None,
    ) -> None:
        self.job = job
        self.told_to_stop = False
        """Whether the kind was told to stop: it may then have left work undone."""

        self.was_in_trouble = False
        """Whether the queue could not be written at some time: the kind may then have left work undone."""

        self._engine = engine
        self._stopping = stopping
        self._wake = wake
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._results: dict[int, _Result] = {}
        self._texts: dict[str, str] = {}
        """Columns of the job's row that are to be written."""

        self._buffered_since_s = 0.0
        self._looked_s = time.monotonic()
        self._current = True
        self._trouble: DBAPIError | None = None

    def pending(self, after: int = 0, limit: int | None = None) -> list[Item]:
        """What is still to do, by number; in pages for jobs of very many items."""
        self.flush()
        with self._reading() as connection:
            return items_of(connection, self.job.id, (ItemState.PENDING,), after, limit)

    def record(self, item_number: int, state: ItemState, status: int | None = None, comment: str = "") -> None:
        """Write down what became of an item; ``comment`` says to a person what to do and holds no patient data.

        Raises TransientFailure when earlier results could not be written: let it pass. What was recorded is not
        lost: it is written as soon as the database takes it.
        """
        result = (str(state), status, comment[:_MAX_TEXT], time.time(), self.job.id, item_number)
        with self._lock:
            if not self._results:
                self._buffered_since_s = time.monotonic()
            self._results[item_number] = result
            waiting = len(self._results)
        if self._trouble is not None:
            self._raise_trouble()
        if waiting >= (_WRITE_AFTER_RESULTS if self._wake is None else _HOLD_AFTER_RESULTS):
            self.flush()
        elif waiting == _WRITE_AFTER_RESULTS and self._wake is not None:
            self._wake()

    def say(self, message: str) -> None:
        """Show a person what is going on; the last word stays when the job is done."""
        self._put("message", message[:_MAX_TEXT])

    def show(self, facts: Mapping[str, Any]) -> None:
        """Let people watch some facts while the job runs, in place of those before; no patient data, no more than a
        few numbers, and what JSON can hold. Raises ValueError for what it cannot."""
        self._put("live", json.dumps(facts, allow_nan=False))

    def _put(self, column: str, text: str) -> None:
        with self._lock:
            if not self._results and not self._texts:
                self._buffered_since_s = time.monotonic()
            self._texts[column] = text

    def should_stop(self) -> bool:
        """Whether to return early: the job was cancelled or paused, the worker stops, or nothing can be written."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now_s
            self._current = self._is_current()
        self.told_to_stop |= not self._current or self._stopping() or self._trouble is not None
        return self.told_to_stop

    def flush(self) -> None:
        """Write what is buffered, now. Raises TransientFailure when the database cannot take it."""
        self._write_or_remember()
        if self._trouble is not None:
            self._raise_trouble()

    def flush_if_due(self) -> None:
        """Write what has waited for long; for the worker: what went wrong the kind learns with its next call."""
        if self._trouble is not None or not (self._results or self._texts):
            return
        waited_s = time.monotonic() - self._buffered_since_s
        if waited_s >= _WRITE_AFTER_S or len(self._results) >= _WRITE_AFTER_RESULTS:
            self._write_or_remember()

    def _write_or_remember(self) -> None:
        """Write what is buffered; what could not be written stays in the buffer."""
        with self._writing:
            with self._lock:
                results, self._results = self._results, {}
                texts, self._texts = self._texts, {}
            try:
                self._write(results, texts)
            except BaseException as error:
                with self._lock:
                    self._results = results | self._results
                    self._texts = texts | self._texts
                if not isinstance(error, DBAPIError):
                    raise
                self._trouble = error
                self.was_in_trouble = True
            else:
                self._trouble = None

    def _raise_trouble(self) -> None:
        error = self._trouble
        if error is not None:
            raise QueueNotWritten(cannot_write_sentence(error)) from error

    def _is_current(self) -> bool:
        with self._reading() as connection:
            row = connection.execute(_STATE.where(job_table.c.id == self.job.id)).one_or_none()
        return row is not None and row.state == JobState.RUNNING and row.attempt == self.job.attempt

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with read_transaction(self._engine) as connection:
                yield connection
        except DBAPIError as error:
            self.was_in_trouble = True
            raise QueueNotWritten(cannot_write_sentence(error)) from error

    def _write(self, results: Mapping[int, _Result], texts: Mapping[str, str]) -> None:
        """One transaction: the items, and the counts of the job with them."""
        if not results and not texts:
            return
        values: dict[Any, Any] = {}
        with write_transaction(self._engine) as connection:
            row = connection.execute(_STATE.where(job_table.c.id == self.job.id).with_for_update()).one_or_none()
            if row is None or row.attempt != self.job.attempt:
                # Forgotten, or started again meanwhile: then what failed here is to be done once more.
                results = {number: result for number, result in results.items() if result[0] in _DONE}
            elif row.state == JobState.RUNNING:
                values |= texts
            if results:
                for name, change in _changes(self._states(connection, results), results).items():
                    values[name] = job_table.c[name] + change
                connection.exec_driver_sql(self._words(_WRITE_RESULT), list(results.values()))
            if values:
                connection.execute(update(job_table).where(job_table.c.id == self.job.id).values(values))

    def _states(self, connection: Connection, results: Mapping[int, _Result]) -> dict[int, str]:
        """The states of these items before: mostly neighbours, read in one go."""
        first, last = min(results), max(results)
        span = (self.job.id, first, last)
        spans = [span] if last - first < 8 * len(results) else [(self.job.id, number, number) for number in results]
        words = self._words(_READ_STATES)
        return {number: state for each in spans for number, state in connection.exec_driver_sql(words, each)}

    def _words(self, statement: str) -> str:
        return statement if self._engine.dialect.paramstyle == "qmark" else statement.replace("?", "%s")


def cannot_write_sentence(error: BaseException) -> str:
    """What a person can do about a queue that cannot be written."""
    if is_out_of_space(error):
        return "no space left for the queue: make room on the volume of the data folder, the job then goes on"
    return "the queue's database cannot be used now: the job goes on when it can"


def _changes(before: Mapping[int, str], results: Mapping[int, _Result]) -> dict[str, int]:
    """By how much the count of each state changes."""
    changes = dict.fromkeys((str(state) for state in ItemState), 0)
    for number, old in before.items():
        if number in results:
            changes[old] -= 1
            changes[results[number][0]] += 1
    return {name: change for name, change in changes.items() if change}
