"""Wrong passwords are slowed: by name, so that one user's cannot be guessed, and by address, so that not all can."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_KEPT: Final = 10_000
"""Names and addresses remembered; the oldest are forgotten first."""

_FORGOTTEN_S: Final = 30 * 60.0
_LONGEST_LOCK_S: Final = 15 * 60.0
_FIRST_LOCK_S: Final = 5.0
_FREE_BY_NAME: Final = 5
_FREE_BY_ADDRESS: Final = 20
"""Wrong ones before the first lock. Many people may come from one address (a proxy, a terminal server)."""

_FIRST_DELAY_S: Final = 0.25
_LONGEST_DELAY_S: Final = 2.0
_NAME_LENGTH: Final = 64


@dataclass(slots=True)
class _Count:
    wrong: int = 0
    last_s: float = 0.0
    locked_until_s: float = 0.0


class Throttle:
    """Counts wrong passwords. An attempt counts as wrong from its beginning: many at once gain nothing.

    Somebody who has logged in from an address is not locked out there by what others try elsewhere.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._places: OrderedDict[tuple[str, str], None] = OrderedDict()

    def begin(self, name: str, address: str) -> float:
        """Begin an attempt: 0, or the seconds until one may be made again."""
        now = self._now()
        with self._lock:
            counts = self._both(name, address)
            wait_s = max(each.locked_until_s for each, _ in counts) - now
            if wait_s > 0:
                return wait_s
            for each, free in counts:
                each.wrong = 1 if now - each.last_s > _FORGOTTEN_S else each.wrong + 1
                each.last_s = now
                if each.wrong >= free:
                    doubled = _FIRST_LOCK_S * 2 ** min(each.wrong - free, 16)
                    each.locked_until_s = now + min(doubled, _LONGEST_LOCK_S)
            return 0.0

    def succeeded(self, name: str, address: str) -> None:
        """The attempt was right: what was wrong before is forgotten (not what others did to the name elsewhere)."""
        with self._lock:
            for key in self._keys(name, address):
                self._counts.pop(key, None)
            self._places[name[:_NAME_LENGTH], address] = None
            self._places.move_to_end((name[:_NAME_LENGTH], address))
            while len(self._places) > _KEPT:
                self._places.popitem(last=False)

    def delay_s(self, name: str, address: str) -> float:
        """How long the answer to a wrong attempt is kept back."""
        with self._lock:
            wrong = max(each.wrong for each, _ in self._both(name, address))
        return float(min(_FIRST_DELAY_S * 2 ** min(wrong - 1, 16), _LONGEST_DELAY_S))

    def locked_until_s(self, name: str) -> float | None:
        """Until when no password of this user is looked at; None when it is."""
        with self._lock:
            found = self._counts.get(("name", name[:_NAME_LENGTH]))
            return found.locked_until_s if found is not None and found.locked_until_s > self._now() else None

    def _keys(self, name: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
        name = name[:_NAME_LENGTH]
        if (name, address) in self._places:
            return (f"name at {address}", name), ("address", address)
        return ("name", name), ("address", address)

    def _both(self, name: str, address: str) -> list[tuple[_Count, int]]:
        by_name, by_address = self._keys(name, address)
        return [(self._count(by_name), _FREE_BY_NAME), (self._count(by_address), _FREE_BY_ADDRESS)]

    def _count(self, key: tuple[str, str]) -> _Count:
        found = self._counts.setdefault(key, _Count())
        self._counts.move_to_end(key)
        while len(self._counts) > _KEPT:
            self._counts.popitem(last=False)
        return found
