"""Whether slices lie on a line at equal distances, and where the grid's slices are (PS3.3 section C.7.6.2.1.1).

Regular: every step is within 5 % of the typical one, and no slice lies further than 5 % of a step from
the line fitted through all of them. A slice is never moved in silence: how far the fit is off is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from radfuse.volume.model import Finding, FindingKind

Vectors = npt.NDArray[np.float64]

STEP_TOLERANCE: Final = 0.05
"""Of a step: what its length, and the place of a slice, may differ from the fit."""
_MOST_MISSING: Final = 0.25
"""Of the slices of a series with gaps; beyond that its spacing is variable."""
_MOST_GROWTH: Final = 10
"""How many times the slices there are a resampled series may have."""
_MOST_SLICES: Final = 20_000
_WORTH_SAYING_MM: Final = 0.01
_ROUNDING_MM: Final = 0.05
"""In-plane drift from the first slice to the last that is rounding, no tilt."""


class Repair(StrEnum):
    """What is done to a series only when asked for."""

    GAPS = "gaps"
    """Missing slices are filled in by linear interpolation between their neighbours."""
    VARIABLE = "variable"
    """Slices at unequal distances are resampled to the smallest of them, by linear interpolation."""


class Slot(NamedTuple):
    """A slice of the grid: between two of the series, in its order along the normal; -1 twice for an empty one."""

    low: int
    high: int
    weight: float = 0.0
    """Of the higher one."""

    @property
    def is_plain(self) -> bool:
        """Whether it is one slice as it is."""
        return self.low == self.high >= 0


@dataclass(frozen=True, eq=False)
class Lattice:
    """Where the grid's slices lie, and which of the series they are.

    ``refusal`` says why it must not be used, unless ``repair`` was asked for.
    """

    origin_mm: Vectors
    step_mm: Vectors
    slots: tuple[Slot, ...]
    findings: tuple[Finding, ...] = ()
    refusal: str | None = None
    repair: Repair | None = None


def in_slices(slots: tuple[Slot, ...], finding: Finding) -> Finding:
    """A finding on images of a series, with the slices of the grid that they went into."""
    images = frozenset(finding.slices)
    places = (place for place, slot in enumerate(slots) if not images.isdisjoint((slot.low, slot.high)))
    return replace(finding, slices=tuple(places))


def lattice_of(positions: Vectors, normal: Vectors, *, sparse_mm: float | None = None) -> Lattice:
    """The lattice of two slices or more, sorted along ``normal``, no two at one place.

    ``sparse_mm``: missing slices are empty, as in a segmentation, whose slices are said to be this far
    apart (0: not said).
    """
    steps = np.diff(positions @ normal)
    is_sparse = sparse_mm is not None
    step = _step(steps, sparse_mm or 0.0)
    multiples = np.rint(steps / step)
    if np.abs(steps - multiples * step).max() > STEP_TOLERANCE * step:
        return _variable(positions, normal, steps)
    index = np.concatenate(([0.0], np.cumsum(multiples)))
    count = int(index[-1]) + 1
    missing = count - len(positions)
    if count > _MOST_SLICES:
        return _variable(positions, normal, steps)
    if missing > _MOST_MISSING * count and not is_sparse:
        return _variable(positions, normal, steps)
    origin, through = _fitted(positions, index, normal)
    off_mm = np.linalg.norm(positions - origin - np.outer(index, through), axis=1)
    plain = tuple(Slot(number, number) for number in range(len(positions)))
    lattice = Lattice(origin, through, plain, _jitter(off_mm, step))
    if off_mm.max() > STEP_TOLERANCE * step:
        return replace(lattice, refusal=_sideways(off_mm))
    if not missing:
        return lattice
    return _with_gaps(lattice, index.astype(int), is_sparse)


def _step(steps: Vectors, said_mm: float) -> float:
    """The typical step, or the one that is said where all are whole multiples of it."""
    if said_mm > 0 and np.abs(steps - np.rint(steps / said_mm) * said_mm).max() <= STEP_TOLERANCE * said_mm:
        return said_mm
    return float(np.median(steps[steps <= 1.5 * steps.min()]))


def _fitted(positions: Vectors, index: Vectors, normal: Vectors) -> tuple[Vectors, Vectors]:
    """The line through the slices: where it begins, and its step. A drift that is rounding is taken out."""
    terms = np.stack((np.ones_like(index), index), axis=1)
    origin, through = np.linalg.lstsq(terms, positions, rcond=None)[0]
    straight = (through @ normal) * normal
    if np.linalg.norm(through - straight) * index[-1] <= _ROUNDING_MM:
        middle = origin + through * index.mean()
        return middle - straight * index.mean(), straight
    return origin, through


def _jitter(off_mm: Vectors, step_mm: float) -> tuple[Finding, ...]:
    if off_mm.max() <= _WORTH_SAYING_MM:
        return ()
    sentence = (
        f"the slices lie up to {off_mm.max():.2f} mm beside equal steps of {_mm(step_mm)} mm; "
        "the volume has equal steps, fitted to all of them"
    )
    touched = tuple(int(number) for number in np.flatnonzero(off_mm > _WORTH_SAYING_MM))
    return (Finding(FindingKind.JITTER, sentence, touched),)


def _sideways(off_mm: Vectors) -> str:
    return (
        f"its slices are shifted sideways against each other by up to {off_mm.max():.2f} mm: "
        "no grid has them all; export the parts that belong together as series of their own"
    )


def _with_gaps(lattice: Lattice, index: npt.NDArray[np.int_], is_sparse: bool) -> Lattice:
    """Slots for all places; those without a slice between their neighbours, or empty."""
    places = {int(place): number for number, place in enumerate(index)}
    slots, gaps = [], []
    for place in range(int(index[-1]) + 1):
        if place in places:
            slots.append(Slot(places[place], places[place]))
            continue
        gaps.append(place)
        high = int(np.searchsorted(index, place))
        weight = (place - index[high - 1]) / (index[high] - index[high - 1])
        slots.append(Slot(-1, -1) if is_sparse else Slot(high - 1, high, float(weight)))
    named = _numbered(tuple(gaps))
    if is_sparse:
        finding = Finding(FindingKind.GAP, f"there is no frame for {named}: nothing is segmented there", tuple(gaps))
        return replace(lattice, slots=tuple(slots), findings=(*lattice.findings, finding))
    finding = Finding(
        FindingKind.GAP, f"{named} missing and filled in by linear interpolation", tuple(gaps), repaired=True
    )
    refusal = (
        f"{len(gaps)} of {len(slots)} slices are missing ({named}): get them from where the series came from, "
        "or ask for missing slices to be filled in (repair: gaps)"
    )
    moved = tuple(replace(each, slices=tuple(int(index[n]) for n in each.slices)) for each in lattice.findings)
    return replace(lattice, slots=tuple(slots), findings=(*moved, finding), refusal=refusal, repair=Repair.GAPS)


def _numbered(places: tuple[int, ...]) -> str:
    """ "slice 3", "slices 3, 5 to 7" (numbers from 1)."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    texts = [f"{run[0] + 1} to {run[-1] + 1}" if len(run) > 1 else str(run[0] + 1) for run in runs]
    return f"slice{'s' if len(places) > 1 else ''} {', '.join(texts)}"


def _variable(positions: Vectors, normal: Vectors, steps: Vectors) -> Lattice:
    """Slices at unequal distances, as a lattice of the smallest of them."""
    step = float(steps.min())
    along = positions @ normal
    terms = np.stack((np.ones_like(along), along - along[0]), axis=1)
    origin, slope = np.linalg.lstsq(terms, positions, rcond=None)[0]
    off_mm = np.linalg.norm(positions - terms @ np.stack((origin, slope)), axis=1)
    said = f"its slices are {_mm(steps.min())} to {_mm(steps.max())} mm apart"
    # A hair's breadth more than whole steps is rounding.
    count = int(np.floor((along[-1] - along[0]) / step + STEP_TOLERANCE)) + 1
    bare = Lattice(origin, slope * step, tuple(Slot(n, n) for n in range(len(positions))))
    if off_mm.max() > STEP_TOLERANCE * step:
        return replace(bare, refusal=_sideways(off_mm))
    if count > _MOST_GROWTH * len(positions):
        return replace(bare, refusal=f"{said}: export the parts of equal spacing as series of their own")
    slots = tuple(_between(along, along[0] + number * step) for number in range(count))
    made = tuple(number for number, slot in enumerate(slots) if not slot.is_plain)
    finding = Finding(
        FindingKind.VARIABLE,
        f"{said}; the volume was resampled to {_mm(step)} mm by linear interpolation",
        made,
        repaired=True,
    )
    refusal = (
        f"{said}: use the parts of equal spacing as series of their own, "
        f"or ask for it to be resampled to {_mm(step)} mm (repair: variable)"
    )
    return replace(bare, slots=slots, findings=(finding,), refusal=refusal, repair=Repair.VARIABLE)


def _mm(value: float) -> str:
    return f"{round(value, 3):g}"


def _between(along: Vectors, place: float) -> Slot:
    high = int(np.clip(np.searchsorted(along, place), 1, len(along) - 1))
    weight = float(np.clip((place - along[high - 1]) / (along[high] - along[high - 1]), 0, 1))
    if weight < 1e-3 or weight > 1 - 1e-3:
        nearest = high - 1 if weight < 0.5 else high
        return Slot(nearest, nearest)
    return Slot(high - 1, high, weight)
