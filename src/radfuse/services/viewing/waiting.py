"""Long readings: whoever asks waits a little, is told how far it is, and asks again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from radfuse.services.viewing.working import begun
from radfuse.services.volumes import Progress

_T = TypeVar("_T")

_KEPT_S: Final = 5.0
"""An answer that nobody fetched: a registration may have come or gone since."""


@dataclass(frozen=True, slots=True)
class HowFar:
    """What has been read of a series: objects; of 0 nobody knows yet."""

    done: int
    total: int


@dataclass(eq=False)
class _Reading:
    """One reading that goes on, or has ended and was not fetched."""

    future: Future[Any]
    how_far: HowFar = HowFar(0, 0)
    ended_s: float = field(default=float("inf"))


def read_within(key: Hashable, work: Callable[[Progress], _T], wait_s: float) -> _T | HowFar:
    """What ``work`` gives, if that is within ``wait_s``; else how far it is: ask again with the same ``key``.

    It is done once for all who ask meanwhile, in a thread of lower priority. Raises what it raises.
    """
    with _LOCK:
        _forget_unfetched()
        reading = _READINGS.get(key)
        if reading is None:
            reading = _READINGS[key] = _begin(work)
    try:
        found: _T = reading.future.result(wait_s)
    except TimeoutError:
        if not reading.future.done():
            return reading.how_far
        found = reading.future.result()
    except BaseException:
        _fetched(key, reading)
        raise
    _fetched(key, reading)
    return found


def _begin(work: Callable[[Progress], Any]) -> _Reading:
    reading = _Reading(Future())

    def tell(done: int, total: int) -> None:
        reading.how_far = HowFar(done, total)

    def run() -> None:
        try:
            reading.future.set_result(work(tell))
        except BaseException as error:
            reading.future.set_exception(error)
        reading.ended_s = time.monotonic()

    begun(run)
    return reading


def _fetched(key: Hashable, reading: _Reading) -> None:
    with _LOCK:
        if _READINGS.get(key) is reading:
            del _READINGS[key]


def _forget_unfetched() -> None:
    now = time.monotonic()
    for key, reading in list(_READINGS.items()):
        if now - reading.ended_s > _KEPT_S:
            del _READINGS[key]


_LOCK: Final = threading.Lock()
_READINGS: Final[dict[Hashable, _Reading]] = {}
