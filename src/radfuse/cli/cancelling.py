"""Ctrl-C as a wish that is asked for: the first is noted, the second ends at once.

An exception out of nowhere may come where it is dropped, as while an object is being finalized.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from radfuse.cli.console import warn


class CtrlC:
    """Whether Ctrl-C was pressed. Ask it outside of the signal handler: it then says what happens, if anything."""

    def __init__(self, words: str) -> None:
        self._words = words
        # Plain, not an Event: a signal handler must take no lock.
        self._pressed = False
        self._told = False

    def press(self, _number: int, _frame: FrameType | None) -> None:
        """The signal handler."""
        if self._pressed:
            raise KeyboardInterrupt
        self._pressed = True

    def __call__(self) -> bool:
        """Whether it was."""
        if self._pressed and self._words and not self._told:
            self._told = True
            warn(self._words)
        return self._pressed


@contextlib.contextmanager
def ctrl_c_cancels(words: str = "cancelling at the peer; press Ctrl-C again to end at once") -> Iterator[CtrlC]:
    """Make Ctrl-C a wish to cancel, in the block; ``words`` are said then."""
    ctrl_c = CtrlC(words)
    if threading.current_thread() is not threading.main_thread():
        yield ctrl_c  # only the main thread hears signals
        return
    before = signal.signal(signal.SIGINT, ctrl_c.press)
    try:
        yield ctrl_c
    finally:
        signal.signal(signal.SIGINT, before)
