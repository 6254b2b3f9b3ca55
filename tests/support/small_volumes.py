"""A small file system of its own, to be filled."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest


def require_root() -> None:
    """Skip for whom nothing is mounted."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")


@contextlib.contextmanager
def mounted(target: Path, options: Sequence[str]) -> Iterator[Path]:
    """A file system on a new folder ``target``, by the words of ``mount``. Skips where nothing may be mounted."""
    require_root()
    target.mkdir()
    done = subprocess.run(["mount", *options, str(target)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")
    try:
        yield target
    finally:
        subprocess.run(["umount", str(target)], check=True)


def in_memory(size: str) -> list[str]:
    """The words of ``mount`` for a file system in memory: "8m"."""
    return ["-t", "tmpfs", "-o", f"size={size}", "tmpfs"]
