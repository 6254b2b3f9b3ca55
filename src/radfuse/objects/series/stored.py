"""Voxels as stored 16-bit numbers, with the rescale that gives them back (PS3.3 section C.11.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import InvalidObject

_Numbers: TypeAlias = npt.NDArray[Any]

_LEAST: Final = -(1 << 15)
_MOST: Final = (1 << 15) - 1
_MOST_UNSIGNED: Final = (1 << 16) - 1
_UPWARD: Final = 1 + 1e-8
"""A slope is rounded to nine digits: upward, so that the largest value still fits."""


@dataclass(frozen=True, slots=True)
class Rescale:
    """What a stored number means: ``stored * slope + intercept``. No voxel is off by more than half a slope."""

    slope: float = 1.0
    intercept: float = 0.0
    signed: bool = True

    def store(self, values: _Numbers) -> _Numbers:
        """Values as stored numbers, the nearest ones."""
        kind = np.int16 if self.signed else np.uint16
        if self == Rescale() and values.dtype == np.int16:
            return values
        scaled = np.rint((values.astype(np.float64) - self.intercept) / self.slope)
        limits = np.iinfo(kind)
        return np.clip(scaled, limits.min, limits.max).astype(kind)

    @property
    def slope_text(self) -> str:
        """As a Decimal String of at most 16 characters that is exactly the slope."""
        return _text(self.slope)

    @property
    def intercept_text(self) -> str:
        """As a Decimal String of at most 16 characters that is exactly the intercept."""
        return _text(self.intercept)


def _text(number: float) -> str:
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else f"{number:.8e}"


def require_numbers(values: _Numbers) -> None:
    """Raise InvalidObject when a voxel is no finite number."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InvalidObject(("a voxel has no value: resample with a number for what lies outside",))


def whole(values: _Numbers) -> Rescale:
    """One rescale for whole numbers (HU): slope 1, no intercept where 16 bits hold them all.

    Beyond that an intercept, and for more than 65,536 numbers a slope.
    """
    low, high = _ends(values)
    low, high = np.rint(low), np.rint(high)
    if low >= _LEAST and high <= _MOST:
        return Rescale()
    if high - low <= _MOST - _LEAST:
        return Rescale(intercept=float(low - _LEAST))
    return _linear(low, high)


def scaled(values: _Numbers) -> Rescale:
    """One rescale for numbers of any kind: none for whole numbers that fit, else the finest that holds them all."""
    low, high = _ends(values)
    if low >= _LEAST and high <= _MOST and (values.dtype.kind == "i" or bool((values == np.rint(values)).all())):
        return Rescale()
    return _linear(low, high)


def counts(values: _Numbers) -> Rescale:
    """One rescale without intercept for counts, unsigned where none is below 0."""
    low, high = _ends(values)
    if low < 0:
        return proportional(values)
    if high <= _MOST_UNSIGNED and (values.dtype.kind == "i" or bool((values == np.rint(values)).all())):
        return Rescale(signed=False)
    return Rescale(_rounded(high / _MOST_UNSIGNED), 0.0, signed=False)


def proportional(values: _Numbers) -> Rescale:
    """The finest rescale without intercept, as PET demands it (C.8.9.4): for one slice."""
    low, high = _ends(values)
    largest = max(-low, high)
    return Rescale(_rounded(largest / _MOST)) if largest else Rescale()


def _linear(low: float, high: float) -> Rescale:
    if low == high:
        return Rescale(1.0, _rounded(low) if low else 0.0)
    slope = _rounded((high - low) / (_MOST - _LEAST - 2))
    return Rescale(slope, float(f"{(low + high) / 2:.8e}"))


def _rounded(slope: float) -> float:
    return float(f"{slope * _UPWARD:.8e}")


def _ends(values: _Numbers) -> tuple[float, float]:
    return float(values.min()), float(values.max())
