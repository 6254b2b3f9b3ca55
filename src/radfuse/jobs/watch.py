"""Seeing what changes in a queue, cheaply: for whoever shows it to people as it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Row, Select, func, select

from radfuse.db import CommitWatch, read_transaction
from radfuse.jobs.jobs import Jobs, job_of
from radfuse.jobs.model import FINISHED, Job, JobState
from radfuse.jobs.tables import job_table

MOST_CHANGES: Final = 500
"""More changed jobs than these are not told one by one."""

_NEWEST: Final = 200
"""Finished jobs among these are looked at too: one may be started again and end between two looks."""

_UNFINISHED: Final = tuple(state for state in JobState if state not in FINISHED)
_AT_ONCE: Final = 500
_C: Final = job_table.c
_FACTS: Final = (
    _C.id,
    _C.state,
    _C.attempt,
    _C.priority,
    _C.message,
    _C.live,
    _C.next_attempt_s,
    _C.pending,
    _C.sent,
    _C.warned,
    _C.failed,
)

_Facts: TypeAlias = dict[int, tuple[Any, ...]]
"""What can change of a job, by its number."""


class JobWatch:
    """Gives the jobs that changed since the last look. One thread at a time; holds a connection until ``close``."""

    def __init__(self, jobs: Jobs) -> None:
        self._engine = jobs.engine
        self._commits = CommitWatch(jobs.engine)
        self._known: _Facts | None = None

    def close(self) -> None:
        """Give the connection back."""
        self._commits.close()

    def look(self) -> list[Job] | None:
        """The jobs that are new or not as they were since the last look, by number; none for the first.

        None when they are too many: then all is better read again. Jobs that were forgotten are not told.
        """
        if not self._commits.has_changed():
            return []
        with read_transaction(self._engine) as connection:
            before, self._known = self._known, _lively(connection)
            if before is None:
                return []
            over = [number for number in before if number not in self._known]
            now = self._known | _facts(_rows(connection, select(*_FACTS), over))
            changed = sorted(number for number, facts in now.items() if before.get(number) != facts)
            if len(changed) > MOST_CHANGES:
                return None
            return [job_of(row) for row in _rows(connection, select(job_table), changed)]


def _lively(connection: Connection) -> _Facts:
    """The facts of the jobs that can change: unfinished ones, and the newest of all."""
    newest = connection.scalar(select(func.max(_C.id))) or 0
    wanted = select(*_FACTS)
    return _facts(connection.execute(wanted.where(_C.state.in_(_UNFINISHED)))) | _facts(
        connection.execute(wanted.where(_C.id > newest - _NEWEST))
    )


def _facts(rows: Iterable[Row[Any]]) -> _Facts:
    return {row[0]: tuple(row[1:]) for row in rows}


def _rows(connection: Connection, wanted: Select[Any], numbers: Sequence[int]) -> Iterator[Row[Any]]:
    for begin in range(0, len(numbers), _AT_ONCE):
        yield from connection.execute(wanted.where(_C.id.in_(numbers[begin : begin + _AT_ONCE])).order_by(_C.id))
