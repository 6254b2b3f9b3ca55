"""What is asked for when something is carried from one series to another."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from radfuse.services.registrations import Wish
from radfuse.volume import Unit


class Form(StrEnum):
    """What regions become."""

    CONTOURS = "contours"
    """An RT Structure Set, every point moved on its own."""
    SLICES = "slices"
    """An RT Structure Set, drawn anew on the slices that the region arrives on."""
    SEG = "seg"
    """A Segmentation on the voxels that the region arrives on."""


@dataclass(frozen=True, slots=True)
class Regions:
    """Regions of an RT Structure Set or Segmentation: of the archive by its UID or that of its series; or of a file."""

    where: str | Path
    names: tuple[str, ...] = ()
    """By name or number; none: all."""
    form: Form | None = None
    """None: a Segmentation stays one, contours stay contours unless the path deforms them: then slices."""


@dataclass(frozen=True, slots=True)
class Images:
    """The images of the moving series."""

    unit: Unit | None = None
    """None: the unit the images are in."""


@dataclass(frozen=True, slots=True)
class CarryAsk:
    """What of the series ``moving`` is carried to the series ``fixed``, both of the archive."""

    fixed: str
    moving: str
    what: Regions | Images
    wish: Wish = field(default_factory=Wish)
    fixed_stack: int | None = None
    """Which volume of the series, from 1, where its images make several."""
    moving_stack: int | None = None
    notes: tuple[str, ...] = ()
    """What is known of the path already."""
