"""Kernels on several processors, without any threading layer of numba.

numba's own layers either end the process when two threads use them at once, or when it forks. Here
plain Python threads run kernels that have released the interpreter's lock, each on some of the
slices. Every kernel computes a voxel by one fixed sequence of operations, so that the number of
threads does not change a bit of the result.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Part: TypeAlias = tuple[int, int]
"""The first slice of some, and the one after their last."""

THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_LEAST_VOXELS: Final = 8192
"""Less are not worth another thread."""


def over(kernel: Callable[..., None], shape: tuple[int, ...], *arguments: Any) -> None:
    """Run ``kernel(*arguments, part)`` for parts that are all slices of ``shape`` (its last three axes) together."""
    slices, rows, columns = shape[-3:]
    parts = max(1, min(THREADS, slices, slices * rows * columns // _LEAST_VOXELS))
    ends = [slices * at // parts for at in range(parts + 1)]
    others = [_pool().submit(kernel, *arguments, part) for part in pairwise(ends[1:])]
    kernel(*arguments, (ends[0], ends[1]))
    for each in others:
        each.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, THREADS - 1), "deformable")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)
