"""What somebody made in the workstation, as its objects are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from radfuse.geometry import Mask
from radfuse.services.drawing import Numbers
from radfuse.services.series_views import SeriesView

Vector: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """The window and the colours of a series."""

    low: float
    high: float
    colours: str = "gray"
    """Name of a ``fusion.ColourMap``."""
    is_inverted: bool = False


@dataclass(frozen=True, eq=False)
class Scene:
    """What is on the screen."""

    base: SeriesView | None
    overlay: SeriesView | None = None
    looks: Mapping[str, Look] = field(default_factory=lambda: MappingProxyType({}))
    """By Series Instance UID."""
    mode: str = "blend"
    blend: float = 0.5
    slab_mm: float = 0.0
    projection: str = "thin"
    cursor_mm: Vector | None = None
    turn: tuple[float, ...] | None = None
    """What stands for left, back and head: nine numbers."""
    active: str = "axial"
    """The plane that is meant by its picture: axial, coronal or sagittal."""


@dataclass(frozen=True, eq=False)
class SavedRegion:
    """A region with its numbers."""

    id: str
    name: str
    number: int
    colour: tuple[int, int, int]
    series: str
    mask: Mask
    """On voxels of its series."""
    kind: str
    """lesion, structure or measurement."""
    rule: Mapping[str, Any]
    """JSON."""
    numbers: tuple[Numbers, ...] = ()

    @property
    def label(self) -> str:
        """A name in any case, as long as a Long String may be."""
        return self.name.strip()[:64] or f"Region {self.number}"


@dataclass(frozen=True, slots=True)
class SavedLine:
    """A length, an angle, or an arrow with its text; points in the frame of its series."""

    id: str
    kind: str
    points_mm: tuple[Vector, ...]
    series: str
    text: str
    value: float | None
    unit: str


@dataclass(frozen=True, eq=False)
class SavedBookmark:
    """A named view."""

    id: str
    name: str
    note: str
    scene: Scene


@dataclass(frozen=True, slots=True)
class SegmentOfRegion:
    """Where a region went."""

    segmentation: str
    number: int
    digest: str
    """Of its voxels."""
    tracking_uid: str
