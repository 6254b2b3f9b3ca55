"""What small objects say, remembered by what they are: their digest. Asked for again and again by a viewer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from radfuse.archive import StoredObject

_T = TypeVar("_T")

_SMALL_BYTES: Final = 64 * 1024
_MOST: Final = 512


class Memory(Generic[_T]):
    """A bounded memory for one kind of fact; of larger objects it remembers nothing. Thread-safe."""

    def __init__(self) -> None:
        self._facts: dict[bytes, _T] = {}
        self._lock = threading.Lock()

    def of(self, stored: StoredObject, find: Callable[[], tuple[_T, bool]]) -> _T:
        """What is remembered of the object, else what ``find`` finds, and whether its bytes alone decide that."""
        with self._lock:
            if stored.digest in self._facts:
                return self._facts[stored.digest]
        fact, is_lasting = find()
        if is_lasting and stored.size_bytes <= _SMALL_BYTES:
            with self._lock:
                if len(self._facts) >= _MOST:
                    self._facts.pop(next(iter(self._facts)))
                self._facts[stored.digest] = fact
        return fact
