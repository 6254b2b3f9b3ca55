"""Which voxels of a box, as lengths of runs: outside and inside in turn, outside first."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion

_RUN: Final = np.dtype("<u4")
_MOST_VOXELS: Final = 1 << 28


def encoded(inside: npt.NDArray[np.bool_]) -> bytes:
    """The runs of an array in its own order (slices, rows, columns) as little endian uint32."""
    flat = np.ascontiguousarray(inside).reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    lengths = np.diff(np.concatenate(([0], changes, [flat.size])))
    if flat.size and flat[0]:
        lengths = np.concatenate(([0], lengths))
    return lengths.astype(_RUN).tobytes()


def decoded(runs: bytes, shape: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    """The array of ``shape`` that has these runs. Raises InvalidRegion where they do not fill it."""
    size = int(np.prod(shape, dtype=np.int64))
    if len(runs) % _RUN.itemsize or size > _MOST_VOXELS:
        raise InvalidRegion("its runs are no whole numbers of four bytes, or it is far too large")
    lengths = np.frombuffer(runs, _RUN).astype(np.int64)
    if int(lengths.sum()) != size:
        raise InvalidRegion(f"its runs are {int(lengths.sum())} voxels long, its box holds {size}")
    is_inside = (np.arange(len(lengths)) & 1).astype(np.bool_)
    return np.repeat(is_inside, lengths).reshape(shape)
