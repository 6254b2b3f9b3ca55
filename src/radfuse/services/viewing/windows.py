"""How a volume is shown at first: windows, presets, colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.fusion import ColourMap
from radfuse.volume import Unit, Volume

_SAMPLES: Final = 200_000
_PERCENTILES: Final = (0.5, 99.5)
_HOTTEST: Final = 99.95
_HOT: Final = frozenset(("PT", "NM"))


@dataclass(frozen=True, slots=True)
class Preset:
    """Values between black and white."""

    name: str
    low: float
    high: float


_CT: Final = (
    Preset("Soft tissue", -160, 240),
    Preset("Lung", -1350, 150),
    Preset("Bone", -450, 1050),
    Preset("Brain", 0, 80),
    Preset("Liver", -45, 105),
    Preset("Mediastinum", -125, 225),
)
_SUV: Final = tuple(Preset(f"0 to {most}", 0, most) for most in (7, 5, 10, 15, 20))
"""Of SUV by weight or lean mass; those by body surface are some 40 times smaller."""
_FRACTION: Final = (Preset("All", 0, 1),)


def presets_of(volume: Volume) -> tuple[Preset, ...]:
    """Windows to choose from; the first is the one to begin with."""
    if volume.unit is Unit.HU:
        return _CT
    if volume.unit.is_suv and volume.unit is not Unit.SUV_BSA:
        return _SUV
    if volume.unit is Unit.FRACTION:
        return _FRACTION
    return _of_values(volume)


def colours_of(modality: str) -> ColourMap:
    """The colour map to begin with."""
    if modality == "RTDOSE":
        return ColourMap.SPECTRUM
    return ColourMap.HOT_IRON if modality in _HOT else ColourMap.GRAY


def range_of(volume: Volume) -> tuple[float, float]:
    """The lowest and the highest value; of numbers that are none, nothing."""
    voxels = volume.voxels
    low, high = float(voxels.min()), float(voxels.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = voxels[np.isfinite(voxels)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return low, high


def _of_values(volume: Volume) -> tuple[Preset, ...]:
    some = _some(volume.voxels)
    low, high = (float(each) for each in np.percentile(some, _PERCENTILES)) if some.size else (0.0, 1.0)
    first = Preset("Usual", low, high)
    if volume.unit is Unit.GY:
        # Its highest values are what matters.
        first = Preset("Usual", 0, range_of(volume)[1])
    elif volume.source.modality in _HOT:
        first = Preset("Usual", 0, float(np.percentile(some, _HOTTEST)) if some.size else 1.0)
    whole = Preset("All", *range_of(volume))
    return tuple(each if each.low < each.high else Preset(each.name, each.low, each.low + 1) for each in (first, whole))


def _some(voxels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Some of the finite voxels, evenly taken."""
    step = max(1, int(np.cbrt(voxels.size / _SAMPLES)))
    some = voxels[::step, ::step, ::step].astype(np.float64).ravel()
    finite: npt.NDArray[np.float64] = some[np.isfinite(some)]
    return finite
