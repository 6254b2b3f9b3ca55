"""Points carried over, and the CSV files that they come from and go to."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from radfuse.archive import Archive
from radfuse.core.errors import InvalidRegion
from radfuse.services.carry.finding import path_notes, path_of
from radfuse.services.registrations import RegistrationPath, Wish
from radfuse.services.registrations.applying import points_to_fixed

_NUMBERS: Final = 3
_MOST_POINTS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class NamedPoint:
    """A place in mm of its frame of reference; None: the registration says nothing of it."""

    mm: tuple[float, float, float] | None
    name: str = ""


@dataclass(frozen=True, eq=False)
class CarriedPoints:
    """Points in the fixed frame of reference, in the order they came."""

    points: tuple[NamedPoint, ...]
    path: RegistrationPath
    notes: tuple[str, ...] = ()


def carry_points(
    archive: Archive, fixed: str, moving: str, points: Sequence[NamedPoint], wish: Wish | None = None
) -> CarriedPoints:
    """Points of the moving series' frame of reference in that of the fixed one. Raises UnknownEntity, NotOverlaid."""
    found = path_of(archive, fixed, moving, wish or Wish())
    moved = points_to_fixed(found, np.array([point.mm or (np.nan,) * 3 for point in points]).reshape(-1, 3))
    known = np.asarray(np.isfinite(moved).all(axis=1))
    carried = tuple(
        NamedPoint((float(x), float(y), float(z)) if is_known else None, point.name)
        for point, (x, y, z), is_known in zip(points, moved, known, strict=True)
    )
    lost = len(points) - int(np.count_nonzero(known))
    notes = [f"the registration says nothing of {lost} of {len(points)} points"] if lost else []
    return CarriedPoints(carried, found, (*notes, *path_notes(found)))


def read_points(file: Path) -> tuple[NamedPoint, ...]:
    """Points of a CSV file: each line x, y, z in mm, after a name or not; a first line without numbers is a heading.

    Raises InvalidRegion naming the line, and OSError.
    """
    try:
        lines = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidRegion(f"{file.name} is no CSV file") from error
    points = []
    for number, cells in enumerate(lines, start=1):
        words = [cell.strip() for cell in cells]
        if not any(words) or (number == 1 and _numbers(words[-1:]) is None):
            continue
        found = _numbers(words[-_NUMBERS:])
        if found is None or len(words) not in (_NUMBERS, _NUMBERS + 1):
            raise InvalidRegion(f"line {number} of {file.name} is not x, y, z in mm, or a name before them")
        x, y, z = found
        points.append(NamedPoint((x, y, z), words[0] if len(words) > _NUMBERS else ""))
    if not 0 < len(points) <= _MOST_POINTS:
        raise InvalidRegion(f"{file.name} has {len(points)} points; 1 to {_MOST_POINTS:,} can be carried")
    return tuple(points)


def write_points(points: Sequence[NamedPoint]) -> str:
    """Points as ``read_points`` reads them, with a heading; without numbers where nothing is known."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("name", "x", "y", "z"))
    table.writerows(
        (point.name, *((f"{one:.4f}" for one in point.mm) if point.mm else ("", "", ""))) for point in points
    )
    return text.getvalue()


def _numbers(words: Sequence[str]) -> list[float] | None:
    try:
        found = [float(word) for word in words]
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None
