"""Compiling numeric functions with numba, which is loaded only by modules that compile something."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")


def compiled(function: Callable[P, T]) -> Callable[P, T]:
    """The function as machine code for the types it is first called with; it runs without the interpreter's lock.

    The code is kept beside the source or in the user's cache folder, so that only the first
    process waits for the compiler; where neither can be written, every process compiles.
    """
    import numba

    try:
        made = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # nowhere to keep the code
        made = numba.njit(nogil=True)(function)
    return cast(Callable[P, T], made)
