"""Volumes coarse to fine: each level has half the voxels of the one before along every long axis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.archive import Archive
from radfuse.core.errors import UnknownEntity
from radfuse.geometry import Affine, Grid
from radfuse.services.viewing.derived import derived
from radfuse.services.viewing.showing import Shown
from radfuse.volume import Volume

_SHORT: Final = 64
_SMALL_BYTES: Final = 2 << 20


@dataclass(frozen=True, eq=False)
class Level:
    """One resolution of a volume."""

    number: int
    """0 is the whole."""
    grid: Grid
    bytes: int


def levels_of(volume: Volume) -> list[Level]:
    """The whole, then ever coarser ones down to one of 2 MB or less."""
    levels = [Level(0, volume.grid, volume.voxels.nbytes)]
    while levels[-1].bytes > _SMALL_BYTES and max(levels[-1].grid.shape) > _SHORT:
        grid = coarser(levels[-1].grid)
        levels.append(Level(len(levels), grid, int(np.prod(grid.shape)) * volume.voxels.itemsize))
    return levels


def voxels_of(archive: Archive, shown: Shown, level: int) -> npt.NDArray[Any]:
    """The voxels of a level, mapped from the cache. Raises UnknownEntity for a level that there is not."""
    if level >= len(levels_of(shown.volume)):
        raise UnknownEntity("level")
    return _at(archive, shown, level).voxels


def _at(archive: Archive, shown: Shown, level: int) -> Volume:
    if level == 0:
        return shown.volume
    key = replace(shown.key, made=f"{shown.key.made}\nlevel {level}")

    def make() -> Volume:
        finer = _at(archive, shown, level - 1)
        grid = coarser(finer.grid)
        return Volume(halved(finer.voxels), grid, finer.unit, replace(finer.source, instance_uids=()))

    return derived(archive, key, make)


def coarser(grid: Grid) -> Grid:
    """The grid of the next level: the same box, but for half a voxel where a count is odd."""
    halves = np.array([size > _SHORT for size in grid.shape[::-1]])
    linear = grid.to_patient.linear * np.where(halves, 2.0, 1.0)
    origin = grid.to_patient.apply(np.where(halves, 0.5, 0.0))
    slices, rows, columns = (_half(size) for size in grid.shape)
    return Grid((slices, rows, columns), Affine.of(linear, origin), grid.frame)


def halved(voxels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The means of neighbours along every axis longer than 64; of an odd count the last stands for two."""
    shape = tuple(_half(size) for size in voxels.shape)
    made = np.empty(shape, voxels.dtype)
    wide = np.int32 if voxels.dtype == np.int16 else np.float32
    in_pairs = [size > _SHORT for size in voxels.shape]
    count = 1 << sum(in_pairs)
    for place in range(shape[0]):
        first = 2 * place if in_pairs[0] else place
        total = voxels[first].astype(wide)
        if in_pairs[0]:
            total += voxels[min(first + 1, voxels.shape[0] - 1)]
        for axis in (0, 1):
            total = _pairs(total, axis) if in_pairs[axis + 1] else total
        made[place] = np.rint(total / count) if wide is np.int32 else total / np.float32(count)
    return made


def _pairs(values: npt.NDArray[Any], axis: int) -> npt.NDArray[Any]:
    """Sums of two neighbours; the last one counts twice where it has none."""
    if values.shape[axis] % 2:
        values = np.concatenate((values, values.take([-1], axis)), axis)
    summed: npt.NDArray[Any] = values[0::2] + values[1::2] if axis == 0 else values[:, 0::2] + values[:, 1::2]
    return summed


def _half(size: int) -> int:
    return (size + 1) // 2 if size > _SHORT else size
