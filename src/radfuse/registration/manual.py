"""Registration by hand: three shifts and three turns of the moving images, and back from any rigid transform."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from radfuse.core.errors import CannotRegister
from radfuse.geometry import Affine, Grid, Points
from radfuse.registration.rigid_starts import angles, rotation

Three: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class SixParameters:
    """How the moving images are carried to the fixed ones, as a person sees it.

    First turned about ``centre_mm`` (the middle of the moving volume, in its own frame) by
    ``turn_degrees`` about the patient's x, then y, then z axis, right-handed; then shifted by
    ``shift_mm`` along these axes.
    """

    centre_mm: Three
    shift_mm: Three = (0.0, 0.0, 0.0)
    turn_degrees: Three = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        """Raises CannotRegister for numbers that are not finite."""
        if not np.isfinite((self.centre_mm, self.shift_mm, self.turn_degrees)).all():
            raise CannotRegister("a shift or a turn is no finite number")

    @classmethod
    def centred(cls, fixed: Grid, moving: Grid) -> SixParameters:
        """Nothing turned, and the middle of the moving volume on that of the fixed one."""
        middle = _three(moving.corners_mm.mean(axis=0))
        return cls(middle, _three(fixed.corners_mm.mean(axis=0) - middle))

    @classmethod
    def of(cls, transform: Affine, moving: Grid) -> SixParameters:
        """The parameters of a transform from fixed to moving points. Raises CannotRegister unless it is rigid.

        The turn about y lies within 90 degrees; at 90 that about z is 0.
        """
        if not transform.is_rigid:
            raise CannotRegister("six parameters hold turns and shifts only; this transform also scales or shears")
        carried = transform.inverse()
        middle: Points = moving.corners_mm.mean(axis=0)
        return cls(_three(middle), _three(carried.apply(middle) - middle), _three(np.degrees(angles(carried.linear))))

    @property
    def transform(self) -> Affine:
        """From fixed to moving points, as every registration."""
        turn = rotation(*np.radians(self.turn_degrees))
        centre = np.array(self.centre_mm)
        return Affine.of(turn, centre + self.shift_mm - turn @ centre).inverse()

    def nudged(self, shift_mm: Three = (0.0, 0.0, 0.0), turn_degrees: Three = (0.0, 0.0, 0.0)) -> SixParameters:
        """Shifted a little more, and turned a little more about where the centre now is, along the patient's axes."""
        shift = _three(np.add(self.shift_mm, shift_mm))
        if not any(turn_degrees):  # the angles stay as they were typed
            return replace(self, shift_mm=shift)
        turn = rotation(*np.radians(turn_degrees)) @ rotation(*np.radians(self.turn_degrees))
        return replace(self, shift_mm=shift, turn_degrees=_three(np.degrees(angles(turn))))


def _three(values: Iterable[float]) -> Three:
    x, y, z = (float(value) for value in values)
    return x, y, z
