"""How a region comes about, as it is asked for. Points are in the frame of reference of the base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from radfuse.geometry import Mask
from radfuse.services.series_views import SeriesView

Vector: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Ball:
    """A ball by its centre and its diameter in mm: what to draw, or where to look."""

    centre_mm: Vector
    diameter_mm: float


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse in a plane, one slice thick."""

    centre_mm: Vector
    right: Vector
    down: Vector
    radii_mm: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Limit:
    """From which value on a voxel belongs."""

    of: Literal["max", "absolute", "liver", "adaptive"]
    value: float = 0.0
    """In per cent of the highest value, or in the unit of the view."""
    liver: Ball | None = None
    """Where PERCIST measures the liver."""


@dataclass(frozen=True, slots=True)
class Hot:
    """What hangs together with the hottest voxel (26 neighbours), from a limit on.

    That is the hottest within 10 mm of the seed; without a seed the hottest of ``within``.
    """

    seed_mm: Vector | None
    limit: Limit
    within: Ball | None = None


@dataclass(frozen=True, slots=True)
class Grow:
    """What hangs together with the voxel of the seed (6 neighbours), from ``low`` to ``high``."""

    seed_mm: Vector
    low: float
    high: float
    within: Ball | None = None


@dataclass(frozen=True, eq=False)
class Given:
    """Voxels that somebody chose."""

    mask: Mask


@dataclass(frozen=True, eq=False)
class Combine:
    """Two regions as one."""

    operation: Literal["add", "subtract", "intersect"]
    first: Mask
    second: Mask


@dataclass(frozen=True, eq=False)
class Widen:
    """A region grown or shrunk by mm: along x, y and z of the patient, to both sides."""

    mask: Mask
    mm: Vector


@dataclass(frozen=True, slots=True)
class Outlines:
    """Closed outlines in parallel planes."""

    planes_mm: tuple[tuple[Vector, ...], ...]
    interpolate: bool
    """Whether slices between the planes are filled by shapes between them."""


@dataclass(frozen=True, eq=False)
class Carried:
    """A region of another series, brought here through the registrations."""

    mask: Mask
    origin: SeriesView


@dataclass(frozen=True, slots=True)
class OfObject:
    """A structure of an RT Structure Set, or a segment of a Segmentation."""

    sop_instance_uid: str
    number: int


Rule: TypeAlias = Ball | Ellipse | Hot | Grow | Given | Combine | Widen | Outlines | Carried | OfObject
