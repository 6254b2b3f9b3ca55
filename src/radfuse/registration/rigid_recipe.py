"""Everything that decides an automatic rigid or affine registration, and what it gives back, as values."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from radfuse.geometry import Affine


class Kind(StrEnum):
    """What may change."""

    RIGID = "rigid"
    AFFINE = "affine"


@dataclass(frozen=True, slots=True)
class RigidRecipe:
    """Every parameter of an automatic registration; the defaults were measured best (docs/registration.md)."""

    kind: Kind = Kind.RIGID
    spacings_mm: tuple[float, float, float] = (8.0, 4.0, 2.0)
    """Voxel sizes at which the images are compared, coarse to fine; small images take finer ones, in proportion."""
    least_voxels: int = 4_000
    """The smaller image is never compared with fewer voxels than that, where it has them."""
    turn_degrees: float = 30.0
    """Turns of this much about each axis, either way, are tried at every start."""
    shift_mm: float = 20.0
    """Shifts of this much along each axis, either way, are tried at every start, and twice as much."""
    most_turned_degrees: float = 60.0
    """A result that is turned further from every start is dropped."""
    climbed: int = 36
    """How many of the best of these are followed uphill at the coarse size."""
    kept: tuple[int, int] = (4, 1)
    """How many different ones of the best go on to the middle size, and to the fine one."""
    bins: int = 50
    samples: int = 30_000
    """Places at which the images are compared at the middle and the fine size."""
    iterations: int = 80
    least_overlap: float = 0.3
    """Share of the smaller image (or of the region) that must lie within the other."""
    seed: int = 7

    def described(self) -> dict[str, str]:
        """Every parameter by name, as text."""
        return {each.name: str(getattr(self, each.name)) for each in fields(self)}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a rigid or affine result, and what against it; the report card judges by it.

    All of it is found at the coarse and the middle voxel size, so differences of less than 1 mm are seen as none.
    """

    information: float
    """Mutual information of the finest comparison, in nats: larger is better."""
    chance: float
    """Mutual information when one image is put elsewhere by 20 mm to 60 mm: the mean of many places."""
    chance_spread: float
    """Standard deviation of the same."""
    overlap: float
    """Share of the smaller image (or of the region) that lies within the other."""
    starts: int
    """How many starts were looked at."""
    followed: int
    """How many of them were followed uphill at the coarse size."""
    agreeing: int
    """How many of those ended within two coarse voxels of the result."""
    rival: float
    """Score of the best different place at the coarse size, as a share of the result's; 0 when there was none."""
    halves_apart_mm: float
    """How far apart the results of two halves lie, the worst of three cuts, at the corners of a box of 100 mm
    (of the images, where they are smaller): large when the parts moved differently, or the result is wrong.
    NaN where they are too small to be cut."""
    back_apart_mm: float
    """Inverse consistency: how far the way there and an independent way back (moving to fixed) miss each
    other, not exceeded at 95 % of what was compared."""

    @property
    def above_chance(self) -> float:
        """How many standard deviations the information lies above that of other places."""
        return (self.information - self.chance) / self.chance_spread if self.chance_spread > 0 else 0.0


@dataclass(frozen=True, eq=False)
class RigidResult:
    """A transform from the fixed frame's points to the moving frame's, and what speaks for it."""

    transform: Affine
    evidence: Evidence
