"""Dose in a structure: dose-volume histogram, Dx, Vx, equivalent uniform dose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidRegion
from radfuse.geometry import Grid, Mask, Points
from radfuse.volume import Unit, Volume

STEP_MM: Final = 1.0
"""Each voxel of a structure is divided until its parts are not longer than this, if there is room."""

_MOST_SAMPLES: Final = 4_000_000
_AT_ONCE: Final = 500_000
_SAME_DOSE: Final = 1e-6
"""Doses are float32 numbers: what is nearer to a dose than this part of it is that dose."""

Doses = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DoseVolume:
    """The dose in a structure as samples of equal meaning, the hottest first.

    ``doses_gy`` are the doses at the middles of the parts of the structure's voxels, trilinear between dose
    points; ``volumes_ml`` the volumes of the parts. Volumes in per cent refer to ``volume_ml``, the part of
    the structure that has a dose; ``outside_ml`` has none, because the dose grid ends before it.
    """

    doses_gy: Doses
    volumes_ml: Doses
    outside_ml: float
    step_mm: tuple[float, float, float]
    """Length of the parts along rows, columns and slices of the structure's grid."""
    notes: tuple[str, ...] = ()

    @property
    def volume_ml(self) -> float:
        """Volume of the structure where there is a dose."""
        return float(self.volumes_ml.sum())

    @property
    def minimum_gy(self) -> float:
        """The lowest sample."""
        return float(self.doses_gy[-1])

    @property
    def maximum_gy(self) -> float:
        """The highest sample."""
        return float(self.doses_gy[0])

    @property
    def mean_gy(self) -> float:
        """The mean, weighted by volume."""
        return float(np.average(self.doses_gy, weights=self.volumes_ml))

    def dose_to_percent(self, percent: float) -> float:
        """Dx: the lowest dose in the hottest ``percent`` of the volume, as D95, D50, D2, in Gy.

        Raises InvalidRegion unless 0 <= percent <= 100.
        """
        if not 0 <= percent <= 100:
            raise InvalidRegion("a dose is asked for 0 to 100 per cent of a volume")
        return self._dose_to(percent / 100 * self.volume_ml)

    def dose_to_ml(self, volume_ml: float) -> float:
        """The lowest dose in the hottest ``volume_ml``, as D0.1cc, D2cc, in Gy.

        Raises InvalidRegion when it is more than ``self.volume_ml``.
        """
        if not 0 <= volume_ml <= self.volume_ml:
            raise InvalidRegion(f"a dose is asked for {volume_ml:g} ml of a structure of {self.volume_ml:.4g} ml")
        return self._dose_to(volume_ml)

    def volume_above_ml(self, dose_gy: float) -> float:
        """Vx: the volume that receives ``dose_gy`` or more, in ml."""
        reached = self.doses_gy >= dose_gy - _SAME_DOSE * abs(dose_gy)
        return float(self.volumes_ml[reached].sum())

    def percent_above(self, dose_gy: float) -> float:
        """The same in per cent of the volume."""
        return 100 * self.volume_above_ml(dose_gy) / self.volume_ml

    def equivalent_uniform_gy(self, a: float) -> float:
        """Generalized equivalent uniform dose: (sum v_i d_i^a)^(1/a) over volume fractions v_i.

        Raises InvalidRegion for a = 0. A negative ``a`` (a tumour) with a sample without dose gives 0.
        """
        if a == 0 or not np.isfinite(a):
            raise InvalidRegion("the parameter a of an equivalent uniform dose is a finite number other than 0")
        if self.maximum_gy <= 0 or (a < 0 and self.minimum_gy <= 0):
            return 0.0
        relative = np.clip(self.doses_gy, 0, None) / self.maximum_gy  # powers of large doses overflow
        return float(self.maximum_gy * np.average(relative**a, weights=self.volumes_ml) ** (1 / a))

    def histogram(self, bin_gy: float = 0.1) -> Histogram:
        """The dose-volume histogram in bins of ``bin_gy`` from 0 Gy. Raises InvalidRegion for a width that is none."""
        if not bin_gy > 0 or self.maximum_gy / bin_gy > 1_000_000:
            raise InvalidRegion("a histogram needs bins above 0 Gy, and not more than a million of them")
        # A dose that is nearly an edge reaches it, as in volume_above_ml.
        bins = np.floor(np.clip(self.doses_gy, 0, None) / bin_gy * (1 + _SAME_DOSE)).astype(np.int64)
        differential: Doses = np.bincount(bins, weights=self.volumes_ml).astype(np.float64)
        edges: Doses = np.arange(len(differential) + 1, dtype=np.float64) * bin_gy
        cumulative = np.append(np.cumsum(differential[::-1])[::-1], 0.0)
        return Histogram(edges, cumulative, differential)

    def _dose_to(self, volume_ml: float) -> float:
        # A sample stands for the middle of its own part of the volume; equal doses stay a plateau.
        reached = np.cumsum(self.volumes_ml) - self.volumes_ml / 2
        return float(np.interp(volume_ml, reached, self.doses_gy))


@dataclass(frozen=True, eq=False)
class Histogram:
    """A dose-volume histogram: ``cumulative_ml[i]`` receives ``edges_gy[i]`` or more, ``differential_ml[i]`` less
    than ``edges_gy[i + 1]`` of it."""

    edges_gy: Doses
    cumulative_ml: Doses
    differential_ml: Doses


def dose_in(
    dose: Volume, mask: Mask, fractions: npt.NDArray[np.float32] | None = None, step_mm: float = STEP_MM
) -> DoseVolume:
    """The dose in a structure on its own grid, which may be another one of the same frame of reference.

    ``fractions`` (in the shape of the mask) say how much of each voxel of the mask belongs to the structure.
    Raises InvalidRegion when it is empty, the volume is no dose or none of the structure lies on the dose
    grid, FramesDiffer when the two cannot be compared.
    """
    if dose.unit is not Unit.GY:
        raise InvalidRegion(f"a dose is asked for, but the volume is in {dose.unit}")
    if not mask.inside.any():
        raise InvalidRegion("it is empty")
    if mask.grid is not dose.grid and not mask.grid.matches(dose.grid):
        mask.grid.frame.require_same(dose.grid.frame, "The structure and the dose")
    weights = _weights(mask, fractions)
    parts = _parts(mask, step_mm)
    doses, volumes = _samples(dose, mask, weights, parts)
    doses, volumes = doses[volumes > 0], volumes[volumes > 0]
    has_dose = np.isfinite(doses)
    if not has_dose.any():
        raise InvalidRegion("it lies outside the dose grid")
    outside_ml = float(volumes[~has_dose].sum())
    notes = []
    if outside_ml > 0:
        share = 100 * outside_ml / volumes.sum()
        notes.append(
            f"{outside_ml:.4g} ml ({share:.3g} %) of the structure have no dose: the dose grid ends before them"
        )
    order = np.argsort(-doses[has_dose], kind="stable")
    step = np.linalg.norm(mask.grid.to_patient.linear, axis=0) / parts
    return DoseVolume(
        doses[has_dose][order],
        volumes[has_dose][order],
        outside_ml,
        (float(step[0]), float(step[1]), float(step[2])),
        tuple(notes),
    )


def _weights(mask: Mask, fractions: npt.NDArray[np.float32] | None) -> Doses:
    """The part of each voxel inside that belongs to the structure, in the order slice, row, column."""
    if fractions is None:
        return np.ones(mask.voxels)
    if fractions.shape != mask.inside.shape:
        raise InvalidRegion("the fractions have another shape than the mask")
    weights = fractions[mask.inside].astype(np.float64)
    if not np.all((weights >= 0) & (weights <= 1)) or not weights.any():
        raise InvalidRegion("the fractions of voxels lie between 0 and 1, and some are above 0")
    return weights


def _parts(mask: Mask, step_mm: float) -> npt.NDArray[np.int64]:
    """Into how many parts the voxels are divided along rows, columns and slices."""
    if not 0 < step_mm < np.inf:
        raise InvalidRegion("the step must be above 0 mm")
    lengths = np.linalg.norm(mask.grid.to_patient.linear, axis=0)
    parts: npt.NDArray[np.int64] = np.maximum(np.ceil(lengths / step_mm - 1e-6), 1).astype(np.int64)
    while parts.prod() * mask.voxels > _MOST_SAMPLES and parts.max() > 1:
        parts[np.argmax(parts)] -= 1
    return parts


def _samples(dose: Volume, mask: Mask, weights: Doses, parts: npt.NDArray[np.int64]) -> tuple[Doses, Doses]:
    """Doses (NaN outside the grid) and volumes in ml of all parts of all voxels."""
    offsets = np.stack(
        np.meshgrid(*((np.arange(count) + 0.5) / count - 0.5 for count in parts), indexing="ij"), axis=-1
    ).reshape(-1, 3)
    to_dose = dose.grid.from_patient.after(mask.grid.to_patient)
    index = np.argwhere(mask.inside)[:, ::-1]
    at_once = max(1, _AT_ONCE // len(offsets))
    doses = [
        trilinear(
            dose.voxels, dose.grid, to_dose.apply((index[start : start + at_once, None] + offsets).reshape(-1, 3))
        )
        for start in range(0, len(index), at_once)
    ]
    part_ml = mask.grid.voxel_volume_mm3 / 1000 / len(offsets)
    return np.concatenate(doses), np.repeat(weights * part_ml, len(offsets))


def trilinear(voxels: npt.NDArray[np.generic], grid: Grid, index: Points) -> Doses:
    """Values between voxel centres (indices in the order column, row, slice); NaN outside the voxels.

    From the outermost centres to the voxels' edges the outermost value goes on.
    """
    size = np.array(grid.shape[::-1])
    inside = np.all((index >= -0.5) & (index <= size - 0.5), axis=1)
    result = np.full(len(index), np.nan)
    at = np.clip(index[inside], 0, size - 1)
    low = np.minimum(at.astype(np.int64), np.maximum(size - 2, 0))
    high = np.minimum(low + 1, size - 1)
    part = at - low
    total = np.zeros(len(at))
    for corner in np.ndindex(2, 2, 2):
        x, y, z = np.where(corner, high, low).T
        total += np.prod(np.where(corner, part, 1 - part), axis=1) * voxels[z, y, x].astype(np.float64)
    result[inside] = total
    return result
