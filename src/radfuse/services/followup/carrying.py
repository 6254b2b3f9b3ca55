"""The prior's regions on the current images: each on the part of the grid that it reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from radfuse.geometry import Grid
from radfuse.roi.boxes import Box, Part
from radfuse.services.registrations import RegistrationPath, applying

_SOME: Final = 2000
_AROUND_MM: Final = 20.0
_OUTSIDE: Final = "the current images do not show where it was"


@dataclass(frozen=True, eq=False)
class Carried:
    """A region on the current grid; empty where the images do not show its place."""

    part: Part
    notes: tuple[str, ...] = ()


def carried_over(path: RegistrationPath, region: Part, grid: Grid) -> Carried:
    """A region of the prior on the voxels of the current images."""
    mask = region.mask
    voxels = np.argwhere(mask.inside)
    some = voxels[:: max(len(voxels) // _SOME, 1)]
    arrived = applying.points_to_fixed(path, mask.grid.to_patient.apply(some[:, ::-1]))
    arrived = arrived[np.isfinite(arrived).all(axis=-1)]
    arrived = arrived[grid.contains(arrived)] if len(arrived) else arrived
    if not len(arrived):
        return Carried(Part.nothing(grid), (_OUTSIDE,))
    index = np.rint(grid.from_patient.apply(arrived))[:, ::-1].astype(np.int64)
    slice_, row, column = np.maximum(index.min(axis=0), 0).tolist()
    slices, rows, columns = (index.max(axis=0) + 1 - (slice_, row, column)).tolist()
    box = Box((slice_, row, column), (slices, rows, columns)).padded(grid, _AROUND_MM)
    made = applying.carry_mask(path, mask, box.of(grid))
    return Carried(Part(grid, box, made.mask.inside), made.notes)
