"""Database files that nobody else on the machine may read."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

_OWN: Final = 0o600
_BESIDE: Final = ("", "-wal", "-shm")


def make_private(path: Path) -> None:
    """Make the SQLite file at ``path``, and those beside it, readable by its owner alone; it may not be there yet.

    SQLite gives the files that it puts beside it the same rights. The file itself is never opened here: to
    close it would end all locks that this process has on it (POSIX), and another process would then take
    its own connection for the last one and remove the write-ahead log under ours.
    """
    if not path.exists():
        _make(path)
    for ending in _BESIDE:
        # It may be gone, or be another one's, who gave it to a group: that stays.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            os.chmod(f"{path}{ending}", _OWN)


def _make(path: Path) -> None:
    """An empty file with its rights from the beginning, unless another process is faster."""
    other = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    os.close(os.open(other, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWN))
    try:
        # Not every file system has links: there SQLite makes the file.
        with contextlib.suppress(OSError):
            os.link(other, path)
    finally:
        os.unlink(other)
