"""What is kept for a time only, and removed when it is older."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterable
from pathlib import Path


def remove_older(paths: Iterable[Path], kept_s: float, now_s: float | None = None) -> int:
    """Remove the files and folders that were last changed longer ago than ``kept_s``; how many. Raises OSError."""
    oldest_s = (time.time() if now_s is None else now_s) - kept_s
    removed = 0
    for each in paths:
        with contextlib.suppress(FileNotFoundError):  # somebody else was faster
            if each.stat().st_mtime < oldest_s:
                shutil.rmtree(each) if each.is_dir() else each.unlink()
                removed += 1
    return removed
