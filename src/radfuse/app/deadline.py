"""The end of a process that was told to stop, and hangs: it comes all the same."""

from __future__ import annotations

import _thread
import logging
import math
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)
_FOR_THE_LOG_S: Final = 2
_FRAMES: Final = 8


class LastDeadline:
    """Ends this process, with exit code 1, when it still runs some time after ``start``.

    Nothing is lost that was acknowledged: what is answered was committed before.
    """

    def __init__(self, process: str, after_s: float) -> None:
        """``process``: what the log calls it."""
        self._process = process
        self._after_s = after_s
        self._is_running = False

    def start(self) -> None:
        """The process begins to stop. Safe in a signal handler and in any thread; only the first call counts."""
        if self._is_running:
            return
        self._is_running = True
        # The kernel's own end, for a process in which no thread of Python runs any more, or none can log.
        signal.alarm(math.ceil(self._after_s) + _FOR_THE_LOG_S)
        # Not a Thread: starting one takes a lock that the code under a signal handler may hold.
        _thread.start_new_thread(self._wait, ())

    def _wait(self) -> None:
        time.sleep(self._after_s)
        try:
            _log.error(
                "the %s did not end in time; ending it at once",
                self._process,
                extra={"waited_s": self._after_s, "main_thread_in": _place_of_main_thread()},
            )
        finally:
            os._exit(1)


def _place_of_main_thread() -> list[str]:
    """Where the main thread hangs, the innermost call last."""
    main = threading.main_thread().ident
    frame = sys._current_frames().get(main) if main is not None else None
    calls = traceback.extract_stack(frame)[-_FRAMES:]
    return [f"{Path(call.filename).name}:{call.lineno} {call.name}" for call in calls]
