"""How much an archive holds and what came in each hour, kept up to date without counting everything again."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from radfuse.archive import Archive, queries

HOURS: Final = 24
_HOUR_S: Final = 3600
_FRESH_S: Final = 3.0
"""Who asks again sooner is told the same."""
_SHARE_OF_TIME: Final = 0.05
"""Counting everything again, after something was deleted, may take so much of all time."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What an archive holds; ``size_bytes`` is that of the instances."""

    patients: int
    studies: int
    series: int
    instances: int
    size_bytes: int
    arrivals: Mapping[int, queries.Amount]
    """What came in each of the last 24 hours that anything came in, by the beginning of the hour."""


_NOTHING: Final = queries.Amount(0, 0)


class Holdings:
    """Counts one archive. Thread-safe.

    Sizes are added up once, and then only those of what came since. What is deleted is noticed by the
    number of instances, and makes it add up all of them again.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = threading.Lock()
        self._index = ""
        self._newest = 0
        self._all = _NOTHING
        self._by_hour: dict[int, queries.Amount] = {}
        self._may_count_all_s = 0.0
        self._holding: Holding | None = None
        self._fresh_until_s = 0.0

    def now(self) -> Holding:
        """What it holds, at most some seconds ago."""
        with self._lock:
            if self._holding is None or time.monotonic() >= self._fresh_until_s:
                self._holding = self._count()
                self._fresh_until_s = time.monotonic() + _FRESH_S
            return self._holding

    def _count(self) -> Holding:
        now_s = int(time.time())
        since_s = now_s - now_s % _HOUR_S - (HOURS - 1) * _HOUR_S
        with self._archive.reading() as connection:
            if (index := queries.identity_of(connection)) != self._index:
                # A rebuilt index numbers everything anew.
                self._index, self._newest, self._all, self._by_hour = index, 0, _NOTHING, {}
            totals = queries.totals(connection)
            came = queries.added(connection, self._newest, since_s)
            self._add(came, since_s)
            if self._all.objects != totals["instance"] and time.monotonic() >= self._may_count_all_s:
                began_s = time.monotonic()
                everything = queries.added(connection, 0, now_s)
                self._all, self._newest = everything.all, max(self._newest, everything.newest)
                took_s = time.monotonic() - began_s
                self._may_count_all_s = time.monotonic() + took_s / _SHARE_OF_TIME
        return Holding(
            totals["patient"],
            totals["study"],
            totals["series"],
            totals["instance"],
            self._all.size_bytes,
            dict(self._by_hour),
        )

    def _add(self, came: queries.Added, since_s: int) -> None:
        self._newest = came.newest
        self._all = _sum(self._all, came.all)
        for hour, amount in came.by_hour.items():
            self._by_hour[hour] = _sum(self._by_hour.get(hour, _NOTHING), amount)
        self._by_hour = {hour: amount for hour, amount in self._by_hour.items() if hour >= since_s}


def _sum(one: queries.Amount, other: queries.Amount) -> queries.Amount:
    return queries.Amount(one.objects + other.objects, one.size_bytes + other.size_bytes)
