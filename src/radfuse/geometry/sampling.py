"""Chains as one displacement field: exactly where that is possible, else sampled at the points of a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.geometry.affine import Affine
from radfuse.geometry.chain import Chain
from radfuse.geometry.field import DisplacementField
from radfuse.geometry.frame import FrameOfReference
from radfuse.geometry.grid import Grid

_FAR_MM: Final = 1e6
"""Where points go that the chain says nothing of: out of every image."""


@dataclass(frozen=True, eq=False)
class SampledChain:
    """A chain as a field on a grid, linear in between. Cells of the grid with a corner that is not ``known`` say
    nothing: the vectors of such corners lead out of every image."""

    field: DisplacementField
    known: npt.NDArray[np.bool_]
    """Of the shape of the field's grid."""

    def known_at(self, grid: Grid) -> npt.NDArray[np.bool_]:
        """Which points of another grid over the same box, with the same axes, lie in cells that are known."""
        if self.known.all():
            return np.ones(grid.shape, np.bool_)
        cells = self.known.copy()
        for axis, size in enumerate(self.known.shape):
            if size > 1:
                cells = cells.take(range(size - 1), axis) & cells.take(range(1, size), axis)
        places = [
            np.minimum((np.arange(size) * (own - 1) / max(size - 1, 1)).astype(int), max(own - 2, 0))
            for size, own in zip(grid.shape, self.known.shape, strict=True)
        ]
        found: npt.NDArray[np.bool_] = cells[np.ix_(*places)]
        return found


def single_field(chain: Chain, frame: FrameOfReference) -> DisplacementField | None:
    """A chain with one field, and matrices before or after it, as one field in ``frame`` that says the very same.

    None for a chain of other steps. It is exact: matrices keep what is linear between grid points.
    """
    fields = [place for place, step in enumerate(chain.steps) if isinstance(step, DisplacementField)]
    if len(fields) != 1 or not all(isinstance(step, Affine | DisplacementField) for step in chain.steps):
        return None
    place = fields[0]
    before, after = Chain(chain.steps[:place]).affine(), Chain(chain.steps[place + 1 :]).affine()
    field = chain.steps[place]
    assert isinstance(field, DisplacementField)  # noqa: S101 chosen as such
    grid = Grid(field.grid.shape, before.inverse().after(field.grid.to_patient), frame)
    vectors = np.empty((*grid.shape, 3), np.float32)
    for index in range(grid.shape[0]):
        start = field.grid.slice_points_mm(index) + field.vectors_mm[index]
        vectors[index] = after.apply(start) - grid.slice_points_mm(index)
    return DisplacementField(grid, vectors)


def sampled(chain: Chain, grid: Grid, spacing_mm: float) -> SampledChain:
    """The chain at points that lie ``spacing_mm`` or less apart, from the first to the last voxel of ``grid``."""
    coarse = _coarser(grid, spacing_mm)
    vectors = np.empty((*coarse.shape, 3), np.float32)
    known = np.empty(coarse.shape, np.bool_)
    for index in range(coarse.shape[0]):
        points = coarse.slice_points_mm(index)
        moved = chain.apply(points)
        known[index] = np.isfinite(moved).all(axis=-1)
        vectors[index] = np.where(known[index][..., None], moved - points, _FAR_MM)
    return SampledChain(DisplacementField(coarse, vectors), known)


def _coarser(grid: Grid, spacing_mm: float) -> Grid:
    """The same box from first to last voxel centre, with points no more than ``spacing_mm`` apart, never finer."""
    steps = np.linalg.norm(grid.to_patient.linear, axis=0)
    size = np.array(grid.shape[::-1])
    fewer = np.minimum(np.ceil((size - 1) * steps / spacing_mm - 1e-6).astype(int) + 1, size)
    ratio = (size - 1) / np.maximum(fewer - 1, 1)
    ratio[fewer == 1] = 1.0
    columns, rows, slices = (int(count) for count in fewer)
    to_patient = Affine.of(grid.to_patient.linear * ratio, grid.to_patient.translation)
    return Grid((slices, rows, columns), to_patient, grid.frame)
