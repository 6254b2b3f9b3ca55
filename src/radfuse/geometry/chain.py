"""Chains: several transforms one after the other, and the way back through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from radfuse.geometry.affine import Affine, Points
from radfuse.geometry.field import DisplacementField

_MOST_ROUNDS: Final = 150
_CLOSE_MM: Final = 1e-4
_PARTS: Final = (1.0, 0.5, 0.25)


@dataclass(frozen=True, eq=False)
class InverseField:
    """The way back through a displacement field: for each point the one that the field sends there."""

    field: DisplacementField

    def apply(self, points_mm: npt.ArrayLike) -> Points:
        """Where points come from, by fixed point iteration; NaN where that leads out of the field, or to no end."""
        wanted = np.asarray(points_mm, dtype=np.float64).reshape(-1, 3)
        found = np.full_like(wanted, np.nan)
        for part in _PARTS:
            open_ = np.isnan(found).any(axis=1)
            if open_.any():
                found[open_] = self._sought(wanted[open_], part)
        return found.reshape(np.shape(points_mm))

    def _sought(self, wanted: Points, part: float) -> Points:
        """By steps of this part of what is missing: whole ones go to and fro where the field doubles lengths."""
        found, left = wanted.copy(), np.full(len(wanted), np.inf)
        for _ in range(_MOST_ROUNDS):
            open_ = left > _CLOSE_MM
            if not open_.any():
                break
            off = wanted[open_] - self.field.apply(found[open_])
            found[open_] += part * off
            left[open_] = np.linalg.norm(off, axis=1)  # NaN outside: not open any more, and NaN it stays
        found[~(left <= _CLOSE_MM)] = np.nan
        return found


Step: TypeAlias = Affine | DisplacementField | InverseField


@dataclass(frozen=True, eq=False)
class Chain:
    """Steps that are taken in order; none at all moves nothing."""

    steps: tuple[Step, ...] = ()

    @property
    def is_affine(self) -> bool:
        """Whether one matrix says it all."""
        return all(isinstance(step, Affine) for step in self.steps)

    def apply(self, points_mm: npt.ArrayLike) -> Points:
        """Where points go; NaN where a field says nothing."""
        points: Points = np.asarray(points_mm, dtype=np.float64)
        for step in self.steps:
            points = step.apply(points)
        return points

    def inverse(self) -> Chain:
        """The way back: affine steps exactly, fields to 0.0001 mm where they do not fold."""
        return Chain(tuple(_inverse(step) for step in reversed(self.steps)))

    def then(self, more: Chain) -> Chain:
        """This one first, then ``more``; neighbouring affine steps become one."""
        steps: list[Step] = []
        for step in (*self.steps, *more.steps):
            last = steps[-1] if steps else None
            if isinstance(step, Affine) and isinstance(last, Affine):
                steps[-1] = step.after(last)
            else:
                steps.append(step)
        return Chain(tuple(steps))

    def affine(self) -> Affine:
        """The one matrix of a chain that ``is_affine``."""
        whole = Affine.identity()
        for step in self.steps:
            assert isinstance(step, Affine)  # noqa: S101 asked for before
            whole = step.after(whole)
        return whole


def _inverse(step: Step) -> Step:
    if isinstance(step, Affine):
        return step.inverse()
    return step.field if isinstance(step, InverseField) else InverseField(step)
