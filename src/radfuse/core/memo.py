"""Answers that are worth keeping for a while, in memory, by whatever they depend on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Answer = TypeVar("_Answer")


class Memo(Generic[_Key, _Answer]):
    """The ``most`` answers that were asked for last; for any thread. None is no answer."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._answers: OrderedDict[_Key, _Answer] = OrderedDict()

    def get(self, key: _Key) -> _Answer | None:
        """What was kept; None where nothing was."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def put(self, key: _Key, answer: _Answer) -> None:
        """Keep an answer, and let those go that nobody asked for longest."""
        with self._lock:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)

    def of(self, key: _Key, find: Callable[[], _Answer]) -> _Answer:
        """The answer, found first where it was not kept. Two who ask at once may both find it."""
        known = self.get(key)
        if known is None:
            known = find()
            self.put(key, known)
        return known
