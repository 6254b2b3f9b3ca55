"""Threads that compute for viewers: of lower priority, so that what arrives meanwhile is stored as fast as ever."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

_T = TypeVar("_T")

_THREADS: Final = 4
_NICE: Final = 10


def computed(work: Callable[[], _T]) -> _T:
    """What ``work`` gives, computed in a thread of lower priority; raises what it raises.

    Threads that it starts are of that priority too (Linux).
    """
    if getattr(_MINE, "is_low", False):
        return work()
    return _POOL.submit(work).result()


def begun(work: Callable[[], None]) -> None:
    """Do ``work`` some time, in such a thread."""
    _POOL.submit(work)


def _lower_priority() -> None:
    _MINE.is_low = True
    with contextlib.suppress(OSError, AttributeError):  # no Linux: then it is as all others
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICE)


_MINE: Final = threading.local()
_POOL: Final = ThreadPoolExecutor(_THREADS, "viewing", _lower_priority)
