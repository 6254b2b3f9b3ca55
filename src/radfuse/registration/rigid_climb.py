"""The coarse search: thousands of starts by their mutual information, the best of them followed uphill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Affine, Points
from radfuse.registration.rigid_images import Ready
from radfuse.registration.rigid_starts import Matrix, moved_about, sent

_MOST_BINS: Final = 24
_LEAST_BINS: Final = 8
_SAMPLES_A_CELL: Final = 10
_SAMPLES: Final = 5_000
_LEAST_SAMPLES: Final = 50
_HALVINGS: Final = 4


@dataclass(frozen=True, eq=False)
class Found:
    """A transform and how it scored."""

    matrix: Matrix
    score: float
    information: float
    overlap: float

    @cached_property
    def transform(self) -> Affine:
        """The same, checked: thousands are looked at, few are kept."""
        return Affine(self.matrix)


class Screen:
    """Two images of one level, compared at some points of the first."""

    def __init__(self, fixed: Ready, moving: Ready, seed: int, samples: int = _SAMPLES) -> None:
        """Draw the points, and put the values into bins."""
        self.points_mm, values = fixed.points_mm(samples, seed)
        self._bins = int(np.clip(np.sqrt(len(values) / _SAMPLES_A_CELL), _LEAST_BINS, _MOST_BINS))
        self._fixed_bins = _in_bins(values, self._bins).astype(np.int64)
        self._moving = np.ascontiguousarray(_in_bins(moving.voxels, self._bins), dtype=np.float32)
        self._to_index = moving.grid.from_patient.matrix
        self.middle_mm: Points = (self.points_mm.min(axis=0) + self.points_mm.max(axis=0)) / 2
        self.radius_mm = float(np.sqrt(np.mean(np.sum((self.points_mm - self.middle_mm) ** 2, axis=1))))

    def look(self, matrix: Matrix, least_overlap: float = 0.0) -> Found:
        """The mutual information at a transform; its score is 0 where too little overlaps."""
        from radfuse.registration.rigid_kernels import joint_histogram

        to_index = np.ascontiguousarray((self._to_index @ matrix)[:3])
        counts = joint_histogram(self.points_mm, self._fixed_bins, self._moving, to_index, self._bins)
        total = float(counts.sum())
        overlap = total / len(self.points_mm)
        if overlap < least_overlap or total < _LEAST_SAMPLES:
            return Found(matrix, 0.0, 0.0, overlap)
        information = _information(counts, total)
        return Found(matrix, information * float(np.sqrt(overlap)), information, overlap)

    def climb(self, start: Found, step_mm: float, least_overlap: float) -> Found:
        """The top of the hill on which ``start`` lies, by steps along and about each axis that become shorter."""
        best, step = start, step_mm
        for _ in range(_HALVINGS):
            for _ in range(8):
                before = best
                for axis in range(6):
                    best = self._along(best, axis, step, least_overlap)
                if best is before:
                    break
            step /= 2
        return best

    def _along(self, best: Found, axis: int, step_mm: float, least_overlap: float) -> Found:
        for sign in (1.0, -1.0):
            six = np.zeros(6)
            six[axis] = sign * (step_mm if axis < 3 else np.degrees(step_mm / self.radius_mm))
            tried = self.look(moved_about(best.matrix, self.middle_mm, six[:3], six[3:]), least_overlap)
            if tried.score > best.score:
                return tried
        return best


def apart_mm(one: Matrix, other: Matrix, middle_mm: Points, half_mm: float = 50.0) -> float:
    """The largest distance between where two transforms send the corners of a box."""
    signs = np.stack(np.meshgrid((-1, 1), (-1, 1), (-1, 1), indexing="ij"), axis=-1).reshape(8, 3)
    box = middle_mm + half_mm * signs
    return float(np.linalg.norm(sent(one, box) - sent(other, box), axis=1).max())


def distinct(found: Sequence[Found], kept: int, middle_mm: Points, least_mm: float) -> list[Found]:
    """The best that are not the same one again."""
    chosen: list[Found] = []
    for each in sorted(found, key=lambda one: -one.score):
        if len(chosen) == kept:
            break
        if each.score > 0 and all(apart_mm(each.matrix, o.matrix, middle_mm) > least_mm for o in chosen):
            chosen.append(each)
    return chosen


def _in_bins(values: npt.NDArray[np.float32], bins: int) -> npt.NDArray[np.float32]:
    low, high = float(values.min()), float(values.max())
    scale = (bins - 1) / (high - low) if high > low else 0.0
    return (values - low) * np.float32(scale)


def _information(counts: npt.NDArray[np.float64], total: float) -> float:
    """Mutual information in nats, less what as many independent values would show (Miller and Madow)."""
    joint = counts / total
    fixed, moving = joint.sum(axis=1), joint.sum(axis=0)
    used = joint > 0
    information = float((joint[used] * np.log(joint[used] / np.outer(fixed, moving)[used])).sum())
    by_chance = (np.count_nonzero(fixed) - 1) * (np.count_nonzero(moving) - 1) / (2 * total)
    return max(0.0, information - float(by_chance))
