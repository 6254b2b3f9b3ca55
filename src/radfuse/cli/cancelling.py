"""Ctrl-C while a peer is asked: the first cancels at the peer, the second ends at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from radfuse.cli.console import warn


class CtrlC:
    """Whether Ctrl-C was pressed. Ask it outside of the signal handler: it then says what happens."""

    def __init__(self) -> None:
        # Plain, not an Event: a signal handler must take no lock.
        self._pressed = False
        self._told = False

    def press(self, _number: int, _frame: FrameType | None) -> None:
        """The signal handler."""
        if self._pressed:
            raise KeyboardInterrupt
        self._pressed = True

    def __call__(self) -> bool:
        """Whether to cancel."""
        if self._pressed and not self._told:
            self._told = True
            warn("cancelling at the peer; press Ctrl-C again to end at once")
        return self._pressed


@contextlib.contextmanager
def ctrl_c_cancels() -> Iterator[CtrlC]:
    """Make Ctrl-C a wish to cancel, in the block."""
    ctrl_c = CtrlC()
    if threading.current_thread() is not threading.main_thread():
        yield ctrl_c  # only the main thread hears signals
        return
    before = signal.signal(signal.SIGINT, ctrl_c.press)
    try:
        yield ctrl_c
    finally:
        signal.signal(signal.SIGINT, before)
