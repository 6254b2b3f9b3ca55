"""Margins: regions grown and shrunk by millimetres, exactly, on grids of any spacing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Grid, Mask

_MOST_MM: Final = 200.0
_EXACT: Final = 1e-6
_SURFACE: Final = 0.3
"""The surface lies this part of a voxel beyond the outermost centres, in the mean over all directions (half a
voxel along the grid's axes, next to nothing across them): so much is added to a margin, or grown spheres would
be too small. Measured: docs/regions.md."""

_ALIGNED: Final = 1e-3
"""Largest sine of the angle between a grid's axis and a patient's axis that are treated as one."""


@dataclass(frozen=True, slots=True)
class Margin:
    """How far to grow (or to shrink, where negative) in each direction of the patient, in mm.

    Between two directions it is a quarter of an ellipse, so equal numbers make a ball.
    Raises InvalidRegion for numbers that are not finite, or over 200 mm.
    """

    left: float = 0.0
    right: float = 0.0
    anterior: float = 0.0
    posterior: float = 0.0
    superior: float = 0.0
    inferior: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not all(abs(mm) <= _MOST_MM for mm in self.ends_mm.ravel()):
            raise InvalidRegion(f"a margin is a number of mm, at most {_MOST_MM:.0f}")

    @classmethod
    def all_round(cls, mm: float) -> Margin:
        """The same in all directions."""
        return cls(mm, mm, mm, mm, mm, mm)

    @property
    def ends_mm(self) -> npt.NDArray[np.float64]:
        """For x, y, z: towards smaller and towards larger coordinates (LPS)."""
        pairs = (self.right, self.left), (self.anterior, self.posterior), (self.inferior, self.superior)
        return np.array(pairs, dtype=np.float64)


def with_margin(mask: Mask, margin: Margin) -> Mask:
    """The region with a margin: first grown where the margin is positive, then shrunk where it is negative.

    A voxel belongs to the grown region when the body of the margin (plus 0.3 of a voxel, from the
    centres to the surface), put on the centre of one of the region's voxels, holds its centre; to the
    shrunk one when no voxel outside does that to it. What lies beyond the grid is outside, and growing
    ends at the grid's edge.
    """
    ends = margin.ends_mm
    inside = mask.inside
    if (ends > 0).any():
        inside = _grown(inside, mask.grid, np.maximum(ends, 0))
    if (ends < 0).any():
        inside = _shrunk(inside, mask.grid, np.maximum(-ends, 0))
    return Mask(mask.grid, inside)


def _grown(inside: npt.NDArray[np.bool_], grid: Grid, ends_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    result = np.zeros_like(inside)
    box = _box(inside, _reach(grid, ends_mm)[::-1])
    if box is not None:
        result[box] = _spread(inside[box], grid, ends_mm)
    return result


def _shrunk(inside: npt.NDArray[np.bool_], grid: Grid, ends_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """A region shrinks as its surroundings grow in the opposite directions; beyond the grid all is surroundings."""
    result = np.zeros_like(inside)
    box = _box(inside, [0, 0, 0])
    if box is not None:
        reach = _reach(grid, ends_mm)[::-1]
        around = np.pad(~inside[box], [(number, number) for number in reach], constant_values=True)
        crop = tuple(slice(number, -number or None) for number in reach)
        result[box] = ~_spread(around, grid, ends_mm[:, ::-1])[crop]
    return result


def _reach(grid: Grid, ends_mm: npt.NDArray[np.float64]) -> list[int]:
    """Columns, rows, slices that the margin can reach."""
    longest = ends_mm.max() + _SURFACE * max(grid.spacing_mm)
    return [int(np.ceil(number)) for number in np.linalg.norm(grid.from_patient.linear, axis=1) * longest]


def _box(inside: npt.NDArray[np.bool_], reach: list[int]) -> tuple[slice, slice, slice] | None:
    """The part of the grid that the region can reach; None for an empty one."""
    parts = []
    for axis, more in enumerate(reach):
        used = np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis)))
        if not len(used):
            return None
        parts.append(slice(max(int(used[0]) - more, 0), int(used[-1]) + more + 1))
    return parts[0], parts[1], parts[2]


def _spread(inside: npt.NDArray[np.bool_], grid: Grid, ends_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    along = _axes_mm(grid, ends_mm)
    return _by_axes(inside, along) if along is not None else _by_rows(inside, grid, ends_mm)


def _axes_mm(grid: Grid, ends_mm: npt.NDArray[np.float64]) -> list[tuple[float, float, float]] | None:
    """For slices, rows, columns: their spacing, and the margins towards lower and higher indices.

    None where the margin's body is not separable along the grid's axes.
    """
    directions, spacing = grid.directions, grid.spacing_mm
    if grid.is_sheared:
        return None
    if np.ptp(ends_mm) == 0:
        ends = [float(ends_mm[0, 0]) + _SURFACE * spacing[axis] for axis in range(3)]
        return [(spacing[axis], ends[axis], ends[axis]) for axis in (2, 1, 0)]
    patient = np.abs(directions).argmax(axis=0)
    if np.sqrt(np.maximum(1 - np.abs(directions).max(axis=0) ** 2, 0)).max() > _ALIGNED:
        return None
    result = []
    for axis in (2, 1, 0):
        low, high = np.where(ends_mm[patient[axis]] > 0, ends_mm[patient[axis]] + _SURFACE * spacing[axis], 0)
        forwards = directions[patient[axis], axis] > 0
        result.append((spacing[axis], float(low if forwards else high), float(high if forwards else low)))
    return result


def _by_axes(inside: npt.NDArray[np.bool_], along: list[tuple[float, float, float]]) -> npt.NDArray[np.bool_]:
    """One axis after the other: the least sum of squares (distance / margin) on the way to a voxel of the region."""
    cost = np.where(inside, np.float32(0), np.float32(np.inf))
    for axis, (spacing, low, high) in enumerate(along):
        lowest = cost.copy()
        for sign, reach in ((-1, low), (1, high)):
            for steps in range(1, min(int(reach / spacing + _EXACT), cost.shape[axis] - 1) + 1):
                added = np.float32((steps * spacing / reach) ** 2)
                here, there = _shifted(axis, sign * steps)
                np.minimum(lowest[here], cost[there] + added, out=lowest[here])
        cost = lowest
    return cost <= 1 + 4 * np.finfo(np.float32).eps


def _shifted(axis: int, steps: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where voxels land that move by ``steps`` along an axis, and where they come from."""
    here, there = [slice(None)] * 3, [slice(None)] * 3
    here[axis] = slice(steps, None) if steps > 0 else slice(None, steps)
    there[axis] = slice(None, -steps) if steps > 0 else slice(-steps, None)
    return tuple(here), tuple(there)


def _by_rows(inside: npt.NDArray[np.bool_], grid: Grid, ends_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Any grid: every run of voxels of the margin's body along a row, put on the whole region at once."""
    runs = _runs(grid, ends_mm)
    columns = inside.shape[2]
    before = np.zeros((*inside.shape[:2], columns + 1), dtype=np.int32)
    np.cumsum(inside, axis=2, out=before[:, :, 1:])
    result = inside.copy()
    at = np.arange(columns)
    for slices, rows, first, last in runs:
        # Voxel x is reached when the region has a voxel between x - last and x - first.
        start, stop = np.clip(at - last, 0, columns), np.clip(at - first + 1, 0, columns)
        here_s, there_s = _overlap(slices, inside.shape[0])
        here_r, there_r = _overlap(rows, inside.shape[1])
        counts = before[there_s, there_r]
        result[here_s, here_r] |= counts[:, :, stop] > counts[:, :, start]
    return result


def _overlap(steps: int, size: int) -> tuple[slice, slice]:
    return (
        slice(max(steps, 0), max(size + min(steps, 0), 0)),
        slice(max(-steps, 0), max(size - max(steps, 0), 0)),
    )


def _runs(grid: Grid, ends_mm: npt.NDArray[np.float64]) -> list[tuple[int, int, int, int]]:
    """The voxels of the margin's body around a voxel: slice, row, first and last column, all relative."""
    reach = _reach(grid, ends_mm)
    columns, rows, slices = (np.arange(-n, n + 1) for n in reach)
    index = np.stack(np.meshgrid(slices, rows, columns, indexing="ij")[::-1], axis=-1)
    offset = index @ grid.to_patient.linear.T
    voxel = np.linalg.norm(grid.directions * grid.spacing_mm, axis=1)[:, None]
    longer = np.where(ends_mm > 0, ends_mm + _SURFACE * voxel, 0)
    ends = np.where(offset < 0, longer[:, 0], longer[:, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(np.abs(offset) <= _EXACT, 0.0, np.abs(offset) / ends)
    within = (part**2).sum(axis=-1) <= 1 + _EXACT
    found = []
    for slice_number, row in zip(*np.nonzero(within.any(axis=2)), strict=True):
        hit = columns[within[slice_number, row]]
        found.append((int(slices[slice_number]), int(rows[row]), int(hit[0]), int(hit[-1])))
    return found
