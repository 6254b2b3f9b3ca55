"""How alike two images are where a transform puts them on each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.geometry import Chain, Grid, Mask, Points
from radfuse.registration.quality.sampling import Truths, some_points, values_at, within
from radfuse.volume import Volume

POINTS: Final = 30_000
_FEWEST: Final = 200
_BINS: Final = 32
_SHIFTS_MM: Final = (2.5, 5.0, 10.0)
_SHIFTED_POINTS: Final = 8_000
_BODY: Final = 0.1

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """Of two images on what they share."""

    correlation: float
    """Normalized cross-correlation, -1 to 1."""
    information: float
    """Mutual information of 32 x 32 grey levels in nats, without the bias of few points."""


class Compared:
    """Points of the fixed images, with their values; asked what the moving images show there.

    ``region`` (of the fixed frame) limits the points.
    """

    def __init__(self, fixed: Volume, moving: Volume, region: Mask | None = None) -> None:
        self._moving = moving
        points = some_points(fixed.grid if region is None else _box_grid(region), POINTS)
        if region is not None:
            points = points[within(region, points)]
        values, inside = values_at(fixed, points)
        self.points_mm: Points = points[inside]
        self._values = values[inside]
        self._levels = _range(fixed), _range(moving)

    @property
    def body_mm(self) -> Points:
        """The points at which the fixed images show more than background; all where few do."""
        low, high = self._levels[0]
        body = self.points_mm[self._values > low + _BODY * (high - low)]
        return body if len(body) >= _FEWEST else self.points_mm

    def overlap(self, transform: Chain) -> float:
        """The share of the points that lie in the moving images."""
        return float(self._at(self.points_mm, transform)[1].mean()) if len(self.points_mm) else 0.0

    def likeness(self, transform: Chain, also: Chain | None = None) -> Likeness | None:
        """On what lies in the moving images, under ``also`` too if that leaves enough; None on too few points."""
        values, inside = self._at(self.points_mm, transform)
        if also is not None:
            both = inside & self._at(self.points_mm, also)[1]
            inside = both if both.sum() >= max(_FEWEST, 0.2 * inside.sum()) else inside
        return self._likeness(self._values, values, inside)

    def remaining_shift_mm(self, transform: Chain) -> float | None:
        """The length of the shift along x, y or z after which the images would tell most about each other."""
        some = slice(None, None, max(1, len(self.points_mm) // _SHIFTED_POINTS))
        points, values = self.points_mm[some], self._values[some]
        at_rest = self._likeness(values, *self._at(points, transform))
        if at_rest is None:
            return None
        best, length = at_rest.information, 0.0
        for direction in np.concatenate((np.eye(3), -np.eye(3))):
            for shift in _SHIFTS_MM:
                found = self._likeness(values, *self._at(points + shift * direction, transform))
                if found is not None and found.information > best:
                    best, length = found.information, shift
        return length

    def _at(self, points_mm: Points, transform: Chain) -> tuple[npt.NDArray[np.float32], Truths]:
        return values_at(self._moving, transform.apply(points_mm))

    def _likeness(
        self, own: npt.NDArray[np.float32], values: npt.NDArray[np.float32], inside: Truths
    ) -> Likeness | None:
        if inside.sum() < _FEWEST:
            return None
        one, other = own[inside].astype(np.float64), values[inside].astype(np.float64)
        first, second = (_levels(each, *range_) for each, range_ in zip((one, other), self._levels, strict=True))
        return Likeness(_correlation(one, other), _information(first, second))


def _box_grid(region: Mask) -> Grid:
    index = np.argwhere(region.inside)
    first, last = index.min(axis=0), index.max(axis=0)
    slices, rows, columns = (int(size) for size in last - first + 1)
    return region.grid.cropped((int(first[0]), int(first[1]), int(first[2])), (slices, rows, columns))


def _range(volume: Volume) -> tuple[float, float]:
    low, high = np.percentile(volume.voxels[::2, ::2, ::2], (0.5, 99.5))
    return float(low), float(high)


def _levels(values: Numbers, low: float, high: float) -> npt.NDArray[np.int64]:
    if high <= low:
        return np.zeros(len(values), dtype=np.int64)
    levels: npt.NDArray[np.int64] = np.clip((values - low) / (high - low) * _BINS, 0, _BINS - 1).astype(np.int64)
    return levels


def _correlation(one: Numbers, other: Numbers) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / scale if scale else 0.0


def _information(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> float:
    joint = np.bincount(one * _BINS + other, minlength=_BINS * _BINS).reshape(_BINS, _BINS)
    total = joint.sum()
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    k, m = np.nonzero(joint)
    share = joint[k, m] / total
    found = float((share * np.log(share * total * total / (rows[k] * columns[m]))).sum())
    # Few points fill few of the pairs of levels: what is found too much (Miller 1955).
    bias = (len(k) - np.count_nonzero(rows) - np.count_nonzero(columns) + 1) / (2 * total)
    return found - float(bias)
