"""``python -m tests.faults.forking DATA``: has everything imported and forks a job worker on each "start".

A killed worker is a killed process with all that belongs to it; only the second of imports is saved.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import dbos  # noqa: F401 - what a worker imports when it has work

import radfuse.app.kinds  # noqa: F401
from radfuse.app.settings import load_settings
from radfuse.app.worker import run_worker


def main() -> None:
    """Answer "start" with "started" and "kill" with "killed", line by line, until the end of the input."""
    settings = load_settings(Path(sys.argv[1]))
    child = 0
    for line in sys.stdin:
        if line == "start\n":
            child = os.fork()
            if not child:
                run_worker(settings, lambda: None)
                os._exit(0)
        elif child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            child = 0
        print(f"{line.strip()}ed", flush=True)
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
