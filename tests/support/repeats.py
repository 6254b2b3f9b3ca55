"""How often a test that draws its faults at random repeats: a few times in every run, many with RADFUSE_TEST_LONG=1."""

from __future__ import annotations

import os


def repeats(always: int, long: int) -> int:
    """``always``, or ``long`` in a long run."""
    return long if os.environ.get("RADFUSE_TEST_LONG") else always
