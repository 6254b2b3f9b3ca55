"""What is asked for when two series are registered."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Final

from radfuse.core.errors import CannotRegister
from radfuse.services.measure import Image

Point = tuple[float, float, float]

_NUMBERS: Final = 6
_MOST_LANDMARKS: Final = 1000


class RegisterKind(StrEnum):
    """How two series are registered."""

    RIGID = "rigid"
    AFFINE = "affine"
    DEFORMABLE = "deformable"
    LANDMARKS = "landmarks"
    """By the pairs of points alone, rigidly."""
    MANUAL = "manual"
    """By six numbers that a person gives."""


@dataclass(frozen=True, slots=True)
class LandmarkPair:
    """Two points that show the same place, in mm of the fixed and of the moving frame of reference."""

    fixed_mm: Point
    moving_mm: Point
    name: str = ""


@dataclass(frozen=True, slots=True)
class Structures:
    """RT Structure Sets or Segmentations of both series (SOP Instance UIDs or files); what has one name is compared."""

    fixed: str | Path
    moving: str | Path


@dataclass(frozen=True, slots=True)
class Region:
    """The part of the fixed images that is compared: a ball, or a box whose edges run along their columns, rows and
    slices. Mm of the fixed frame of reference. Raises CannotRegister for what holds nothing, or is both."""

    centre_mm: Point
    radius_mm: float = 0.0
    size_mm: Point | None = None
    """Whole lengths of the box: along increasing columns, rows, slices."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        is_finite = all(map(isfinite, self.numbers))
        if not is_finite or (self.radius_mm > 0) == (self.size_mm is not None) or self.radius_mm < 0:
            raise CannotRegister("a region is a sphere with a radius of more than 0 mm, or a box")
        if self.size_mm is not None and not min(self.size_mm) > 0:
            raise CannotRegister("a region that is a box has three lengths of more than 0 mm")

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Region:
        """The centre, then the radius of a ball or the three lengths of a box. Raises CannotRegister."""
        x, y, z, *size = numbers
        if len(size) == _NUMBERS // 2:
            return cls((x, y, z), size_mm=(size[0], size[1], size[2]))
        if len(size) != 1:
            raise CannotRegister("a region is x,y,z,radius of a sphere, or x,y,z and three lengths of a box, in mm")
        return cls((x, y, z), size[0])

    @property
    def numbers(self) -> tuple[float, ...]:
        """As ``of`` takes them."""
        return (*self.centre_mm, *(self.size_mm or (self.radius_mm,)))

    @property
    def words(self) -> str:
        """Where it is and how large."""
        x, y, z = self.centre_mm
        where = f"{x:g}, {y:g}, {z:g} mm"
        if self.size_mm is None:
            return f"{where}, radius {self.radius_mm:g} mm"
        columns, rows, slices = self.size_mm
        return f"{where}, {columns:g} x {rows:g} x {slices:g} mm along columns, rows and slices"


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a person has said yes to."""

    other_patient: bool = False
    same_frame: bool = False
    """Register also what lies in one frame of reference already."""


@dataclass(frozen=True, slots=True)
class RegisterAsk:
    """Two series, and how they are registered. Raises CannotRegister for what does not go together.

    ``clicks``: about the same place in both images, to begin from. ``landmarks`` judge the result; three
    and more also give the start where there is no click. ``region`` limits what is compared. ``from_path``
    begins from the registrations that are kept.
    """

    fixed: Image
    moving: Image
    kind: RegisterKind = RegisterKind.RIGID
    clicks: tuple[LandmarkPair, ...] = ()
    landmarks: tuple[LandmarkPair, ...] = ()
    region: Region | None = None
    structures: Structures | None = None
    from_path: bool = False
    check_back: bool = True
    """Also register the fixed images to the moving ones, which measures the inverse consistency of a deformation."""
    allowed: Allowed = field(default_factory=Allowed)
    manual: tuple[Point, Point] | None = None
    """By hand: shifts in mm, turns in degrees, as ``registration.manual.SixParameters`` means them."""

    def __post_init__(self) -> None:
        """Check what goes together."""
        if self.kind is RegisterKind.LANDMARKS and (not self.landmarks or self.clicks or self.from_path):
            raise CannotRegister("a registration by landmarks needs landmarks, and no other start")
        is_manual = self.kind is RegisterKind.MANUAL
        if is_manual != (self.manual is not None) or (is_manual and (self.clicks or self.from_path)):
            raise CannotRegister("a registration by hand needs its three shifts and three turns, and no other start")
        if self.clicks and self.from_path:
            raise CannotRegister("it begins from a click or from the kept registrations, not from both")


def pair_of(text: str) -> LandmarkPair:
    """``x,y,z:x,y,z``: a point in the fixed images and one in the moving images. Raises CannotRegister."""
    numbers = [number for part in text.split(":") for number in part.split(",")]
    if text.count(":") != 1 or len(numbers) != _NUMBERS:
        raise CannotRegister("a pair of points is x,y,z:x,y,z in mm, first fixed, then moving")
    return _pair(numbers, "")


def read_landmarks(file: Path) -> tuple[LandmarkPair, ...]:
    """Landmarks of a CSV file: each line six numbers (fixed x, y, z, moving x, y, z), after a name or not.

    A first line without numbers is a heading. Raises CannotRegister naming the line, and OSError.
    """
    pairs: list[LandmarkPair] = []
    try:
        lines = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CannotRegister(f"{file.name} is no CSV file") from error
    for number, cells in enumerate(lines, start=1):
        words = [cell.strip() for cell in cells]
        if not any(words) or (number == 1 and not _is_number(words[-1])):
            continue
        if len(words) not in (_NUMBERS, _NUMBERS + 1) or not all(map(_is_number, words[-_NUMBERS:])):
            raise CannotRegister(f"line {number} of {file.name} is not fixed x, y, z and moving x, y, z in mm")
        pairs.append(_pair(words[-_NUMBERS:], words[0] if len(words) > _NUMBERS else ""))
    if not pairs or len(pairs) > _MOST_LANDMARKS:
        raise CannotRegister(f"{file.name} has {len(pairs)} landmarks; 1 to {_MOST_LANDMARKS} can be used")
    return tuple(pairs)


def _is_number(word: str) -> bool:
    try:
        return abs(float(word)) < float("inf")
    except ValueError:
        return False


def _pair(numbers: list[str], name: str) -> LandmarkPair:
    if not all(map(_is_number, numbers)):
        raise CannotRegister("a point is three finite numbers in mm")
    x, y, z, u, v, w = map(float, numbers)
    return LandmarkPair((x, y, z), (u, v, w), name)
