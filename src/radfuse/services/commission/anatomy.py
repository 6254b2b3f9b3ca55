"""The patient of the commission: a trunk of ellipsoids with a texture, as formulas of the place.

Lengths are mm in the patient's coordinate system, around its origin. Every value is computed at any point
exactly: images of one anatomy on different grids, turned or deformed, differ by nothing but what is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Values: TypeAlias = npt.NDArray[np.float32]
Places: TypeAlias = npt.NDArray[np.float64]

_SEED: Final = 20260105
_WAVES: Final = 48
_WAVELENGTHS_MM: Final = (18.0, 80.0)
_NODULES: Final = 240
_EDGE_MM: Final = 2.0
"""Over how many mm one tissue becomes the other."""


@dataclass(frozen=True, slots=True)
class Tissue:
    """What the modalities see: a mean, and how strongly the texture shows (it varies by about 1 around 0)."""

    hu: float
    hu_texture: float
    signal: float
    signal_texture: float
    suv: float


@dataclass(frozen=True, eq=False)
class Organ:
    """An ellipsoid; a cylinder along z where a half-axis is infinite."""

    name: str
    centre_mm: tuple[float, float, float]
    half_axes_mm: tuple[float, float, float]
    tissue: Tissue

    def inside(self, points_mm: Places) -> npt.NDArray[np.bool_]:
        """Which points lie in it."""
        part = (points_mm - np.array(self.centre_mm)) / np.array(self.half_axes_mm)
        within: npt.NDArray[np.bool_] = np.einsum("...i,...i->...", part, part) <= 1
        return within


_FAT: Final = Tissue(-95, 45, 420, 90, 0.4)
_MUSCLE: Final = Tissue(50, 60, 170, 55, 0.8)
_LUNG: Final = Tissue(-780, 110, 50, 18, 0.4)
_LIVER: Final = Tissue(95, 40, 250, 60, 2.2)
_HEART: Final = Tissue(60, 35, 130, 30, 3.0)
_BONE: Final = Tissue(420, 110, 90, 30, 1.2)
_KIDNEY: Final = Tissue(150, 30, 330, 45, 3.2)
_VESSEL: Final = Tissue(170, 15, 60, 10, 1.6)
_LESION: Final = Tissue(70, 20, 370, 35, 8.0)

_LIGHT: Final = Tissue(-90, 20, 400, 40, 0.5)
_DENSE: Final = Tissue(190, 20, 90, 20, 1.5)

BODY: Final = Organ("body", (0, 0, 0), (114, 90, 300), _FAT)
WALL: Final = Organ("muscle", (0, 4, 0), (101, 77, 280), _MUSCLE)

ORGANS: Final = (
    BODY,
    WALL,
    Organ("right lung", (-50, -2, 52), (40, 52, 62), _LUNG),
    Organ("left lung", (52, 2, 54), (38, 50, 58), _LUNG),
    Organ("heart", (17, -24, 26), (34, 30, 36), _HEART),
    Organ("liver", (-38, -10, -30), (52, 50, 36), _LIVER),
    Organ("spleen", (62, 18, -26), (24, 30, 28), _HEART),
    Organ("right kidney", (-44, 40, -84), (17, 19, 30), _KIDNEY),
    Organ("left kidney", (48, 38, -80), (17, 19, 30), _KIDNEY),
    Organ("spine", (0, 58, 0), (17, 17, np.inf), _BONE),
    Organ("canal", (0, 64, 0), (7, 7, np.inf), _LIGHT),
    Organ("aorta", (14, 34, 0), (9, 9, np.inf), _VESSEL),
    Organ("lesion", (-46, 6, 40), (13, 11, 12), _LESION),
    Organ("node", (24, 2, -12), (9, 9, 9), _LESION),
)
"""Later ones lie over earlier ones."""

CONTOURED: Final = ("liver", "heart", "spleen", "lesion")
"""The organs that are contoured."""


def organ(name: str) -> Organ:
    """An organ by its name."""
    return next(one for one in ORGANS if one.name == name)


def _nodules() -> tuple[Organ, ...]:
    """Small lumps all over the trunk, what a registration can hold on to; the same in every run."""
    random = np.random.default_rng(_SEED)
    made: list[Organ] = []
    while len(made) < _NODULES:
        x, y, z = random.uniform((-108, -84, -135), (108, 84, 135))
        if (x / 108) ** 2 + (y / 84) ** 2 > 1:
            continue
        radii = random.uniform(4.0, 9.0, 3)
        tissue = (_LIGHT, _DENSE)[len(made) % 2]
        made.append(
            Organ("", (float(x), float(y), float(z)), (float(radii[0]), float(radii[1]), float(radii[2])), tissue)
        )
    return tuple(made)


NODULES: Final = _nodules()

_ALL: Final = (*ORGANS[:-2], *NODULES, *ORGANS[-2:])


def _waves() -> tuple[Values, Values]:
    random = np.random.default_rng(_SEED + 1)
    directions = random.normal(size=(_WAVES, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = np.geomspace(*_WAVELENGTHS_MM, _WAVES)[:, None]
    return (2 * np.pi * directions / lengths).astype(np.float32), random.uniform(0, 2 * np.pi, _WAVES).astype(
        np.float32
    )


_NUMBERS, _PHASES = _waves()


def texture(points_mm: Places) -> Values:
    """A sum of plane waves of 18 to 80 mm: mean 0, standard deviation 1."""
    waves = points_mm.astype(np.float32) @ _NUMBERS.T
    waves += _PHASES
    total: Values = np.cos(waves, out=waves).sum(axis=-1, dtype=np.float32)
    return total * np.float32(np.sqrt(2 / _WAVES))


@dataclass(frozen=True, eq=False)
class Shown:
    """What the modalities see at some points: HU, MR signal, SUVbw, without noise and blur."""

    hu: Values
    signal: Values
    suv: Values


def shown(points_mm: Places) -> Shown:
    """The anatomy at points."""
    wave = texture(points_mm)
    # MR shows the texture turned over and bent: no formula takes one image to the other.
    bent = 0.5 * wave * wave - 0.8 * wave - 0.5
    means = np.empty((5, *points_mm.shape[:-1]), np.float32)
    means[:] = np.array((-1000, 0, 4, 0, 0), np.float32).reshape(5, *[1] * wave.ndim)
    low, high = (edge(points_mm.reshape(-1, 3), axis=0) for edge in (np.min, np.max))
    for one in _ALL:
        reach = np.array(one.half_axes_mm) + _EDGE_MM
        if (one.centre_mm + reach < low).any() or (one.centre_mm - reach > high).any():
            continue
        _paint(means, points_mm, one)
    hu, hu_texture, signal, signal_texture, suv = means
    return Shown(hu + hu_texture * wave, np.abs(signal + signal_texture * bent), suv * np.exp(0.15 * wave))


def _paint(means: Values, points_mm: Places, one: Organ) -> None:
    part = (points_mm - np.array(one.centre_mm)) / np.array(one.half_axes_mm)
    away_mm = (1 - np.sqrt(np.einsum("...i,...i->...", part, part))) * min(one.half_axes_mm)
    share = np.clip(away_mm / _EDGE_MM + 0.5, 0, 1).astype(np.float32)
    touched = share > 0
    tissue = one.tissue
    facts = (tissue.hu, tissue.hu_texture, tissue.signal, tissue.signal_texture, tissue.suv)
    for mean, fact in zip(means, facts, strict=True):
        mean[touched] += (np.float32(fact) - mean[touched]) * share[touched]
