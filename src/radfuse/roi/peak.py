"""The peak of a region: the highest mean over a ball of 1 cm3 (SUVpeak, SULpeak)."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Grid, Mask, Points
from radfuse.roi.balls import Ball, Balls
from radfuse.roi.sampling import RegionVoxels, voxels_of
from radfuse.roi.statistics import Position, as_position
from radfuse.volume import Unit, Volume

PEAK_RADIUS_MM: Final = 10 * (3 / (4 * pi)) ** (1 / 3)
"""6.2035 mm: the ball of 1 cm3."""

STEP_MM: Final = 0.25
"""Centres between voxels are looked for down to this step or a finer one."""

_MOST_PRODUCTS: Final = 300_000_000
_COARSE_STEP_MM: Final = 2.0
_STARTS: Final = 4
_CANDIDATES: Final = 500
_WHOLE: Final = 0.999
_NEIGHBOURS: Final = np.array([(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest mean over a ball whose centre lies in the region; a voxel counts by its part in the ball.

    ``value`` allows centres between voxels, on a lattice of ``step_mm`` or finer; ``value_at_voxels`` only
    centres of voxels, "SUVpeak (voxel centres)". The ball may reach out of the region. ``volume_ml`` is
    what of it lies in the image.
    """

    unit: Unit
    value: float
    centre_mm: Position
    volume_ml: float
    value_at_voxels: float
    voxel_centre_mm: Position
    radius_mm: float
    step_mm: float
    notes: tuple[str, ...] = ()


def peak_of(volume: Volume, mask: Mask, radius_mm: float = PEAK_RADIUS_MM) -> Peak:
    """The peak of ``volume`` in ``mask``. Raises InvalidRegion and FramesDiffer as ``voxels_of``."""
    return PeakFinder(volume, radius_mm).find(voxels_of(volume, mask))


class PeakFinder:
    """Finds peaks of several regions of one volume."""

    def __init__(self, volume: Volume, radius_mm: float = PEAK_RADIUS_MM) -> None:
        """Raises InvalidRegion for a radius that is none."""
        if not 0 < radius_mm < np.inf:
            raise InvalidRegion("a ball needs a radius above 0 mm")
        self._volume = volume
        self._radius_mm = radius_mm
        self._balls = Balls(volume.grid, radius_mm)

    def find(self, region: RegionVoxels) -> Peak:
        """The peak of ``region``, whose voxels are those of this volume.

        All its voxels are tried as centres (of a large region on fine voxels those of a coarse lattice
        first), then the best of them are moved by ever smaller steps, down to ``STEP_MM``.
        """
        means = _Means(self._volume, region, self._balls)
        starts = means.best_voxels()
        step = 2.0 ** np.arange(int(np.log2(means.stride)) - 1, -1, -1) if means.stride > 1 else ()
        starts = [means.climb(start, step) for start in starts]
        at_voxel = max(starts, key=means.at)
        fine = self._fine_steps()
        found = max((means.climb(start, fine) for start in starts), key=means.at)
        volume_ml = means.share(found) * self._volume.grid.voxel_volume_mm3 / 1000
        whole_ml = 4 / 3 * pi * self._radius_mm**3 / 1000
        notes = region.notes
        if volume_ml < _WHOLE * whole_ml:
            notes = (*notes, f"the peak's ball reaches out of the image: {volume_ml:.3f} of {whole_ml:.3f} ml count")
        to_patient = self._volume.grid.to_patient
        return Peak(
            unit=self._volume.unit,
            value=means.at(found),
            centre_mm=as_position(to_patient.apply(found)),
            volume_ml=volume_ml,
            value_at_voxels=means.at(at_voxel),
            voxel_centre_mm=as_position(to_patient.apply(at_voxel)),
            radius_mm=self._radius_mm,
            step_mm=float(fine[-1] * _largest_spacing(self._volume.grid)),
            notes=notes,
        )

    def _fine_steps(self) -> npt.NDArray[np.float64]:
        """Half a voxel, a quarter and so on."""
        count = max(1, int(np.ceil(np.log2(_largest_spacing(self._volume.grid) / STEP_MM))))
        steps: npt.NDArray[np.float64] = np.power(0.5, np.arange(1, count + 1))
        return steps


def _largest_spacing(grid: Grid) -> float:
    return float(np.linalg.norm(grid.to_patient.linear, axis=0).max())


class _Means:
    """Means over balls around points of one region; points are indices in the order column, row, slice."""

    def __init__(self, volume: Volume, region: RegionVoxels, balls: Balls) -> None:
        self._voxels = volume.voxels
        self._limits = np.array(volume.grid.shape[::-1])
        self._balls = balls
        self._index = region.index
        self._first = region.index.min(axis=0)
        self._inside = np.zeros(region.index.max(axis=0) - self._first + 1, dtype=np.bool_)
        self._inside[tuple((region.index - self._first).T)] = True
        self._spacing_mm = np.linalg.norm(volume.grid.to_patient.linear, axis=0)
        self._known: dict[tuple[float, ...], float] = {}
        products = len(region.index) * len(balls.at(0, 0, 0).weights)
        finest = float(self._spacing_mm.min())
        self.stride = 1
        while products > _MOST_PRODUCTS and self.stride * finest * 2 <= _COARSE_STEP_MM:
            self.stride *= 2
            products //= 8

    def best_voxels(self) -> list[Points]:
        """The voxels with the highest means, apart from each other; on the lattice of ``stride``."""
        index = self._index
        if self.stride > 1:
            coarse = index[np.all(index % self.stride == 0, axis=1)]
            index = coarse if len(coarse) else index[:: self.stride**3]
        ball = self._balls.at(0, 0, 0)
        means = self._means(ball, index)
        found: list[Points] = []
        for number in np.argsort(-means, kind="stable")[:_CANDIDATES]:
            point = index[number].astype(np.float64)
            apart = [np.linalg.norm((point - other) * self._spacing_mm) > self._balls.radius_mm / 2 for other in found]
            if all(apart):
                found.append(point)
            if len(found) == _STARTS:
                break
        return found

    def climb(self, start: Points, steps: npt.ArrayLike) -> Points:
        """The highest point that is reached from ``start`` by steps along the axes, at each size until none helps."""
        here = start
        for step in np.asarray(steps, dtype=np.float64):
            while True:
                around = [here + step * way for way in _NEIGHBOURS]
                best = max((point for point in around if self._is_inside(point)), key=self.at, default=here)
                if self.at(best) <= self.at(here):
                    break
                here = best
        return here

    def at(self, point: Points) -> float:
        """The mean over the ball around ``point``."""
        key = tuple(point.tolist())
        if key not in self._known:
            self._known[key] = self._mean_at(point)
        return self._known[key]

    def share(self, point: Points) -> float:
        """How many voxels of the image the ball around ``point`` holds, parts counted as parts."""
        ball, base = self._ball(point)
        exists = np.all((ball.steps + base >= 0) & (ball.steps + base < self._limits), axis=1)
        return float(ball.weights[exists].sum())

    def _ball(self, point: Points) -> tuple[Ball, npt.NDArray[np.int64]]:
        base = np.floor(point + 0.5).astype(np.int64)
        return self._balls.at(*(point - base).tolist()), base

    def _mean_at(self, point: Points) -> float:
        ball, base = self._ball(point)
        at = ball.steps + base
        exists = np.all((at >= 0) & (at < self._limits), axis=1)
        at = at[exists]
        values = self._voxels[at[:, 2], at[:, 1], at[:, 0]].astype(np.float64)
        has_value = np.isfinite(values)
        return float(np.average(values[has_value], weights=ball.weights[exists][has_value]))

    def _means(self, ball: Ball, index: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """The same around many voxels at once."""
        reach = np.abs(ball.steps).max(axis=0)
        first = index.min(axis=0) - reach
        shape = (index.max(axis=0) + reach - first + 1)[::-1]
        values, exists = self._block(first, shape)
        strides = np.array((1, shape[2], shape[1] * shape[2]))
        places = (index - first) @ strides
        total, weight = np.zeros(len(index)), np.zeros(len(index))
        for offset, part in zip(ball.steps @ strides, ball.weights, strict=True):
            at = places + offset
            total += part * values[at]
            weight += part * exists[at]
        means: npt.NDArray[np.float64] = total / weight
        return means

    def _block(
        self, first: npt.NDArray[np.int64], shape: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Voxels from ``first`` on in one row, 0 where there is none or it has no value, and where there is one."""
        values = np.zeros(shape, dtype=np.float32)
        exists = np.zeros(shape, dtype=np.bool_)
        low = np.maximum(first, 0)
        high = np.minimum(first + shape[::-1], self._limits)
        here = tuple(slice(a, b) for a, b in zip((low - first)[::-1], (high - first)[::-1], strict=True))
        there = tuple(slice(a, b) for a, b in zip(low[::-1], high[::-1], strict=True))
        exists[here] = np.isfinite(self._voxels[there])
        values[here] = np.where(exists[here], self._voxels[there], 0)
        return values.ravel(), exists.ravel()

    def _is_inside(self, point: Points) -> bool:
        at = np.floor(point + 0.5).astype(np.int64) - self._first
        return bool(np.all((at >= 0) & (at < self._inside.shape))) and bool(self._inside[tuple(at)])
