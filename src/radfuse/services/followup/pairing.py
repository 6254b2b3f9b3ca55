"""Which region of the current object is which lesion of the prior: by hand, or by where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from radfuse.core.errors import InvalidRegion
from radfuse.roi.boxes import Part
from radfuse.services.followup.asking import PairByHand
from radfuse.services.followup.regions import Drawn, Region


@dataclass(frozen=True, eq=False)
class Pairing:
    """The current regions of each lesion of the prior, by its place in the list; and those that are of none."""

    of: dict[int, list[Region]] = field(default_factory=dict)
    by_hand: frozenset[int] = frozenset()
    new: tuple[Region, ...] = ()
    notes: tuple[str, ...] = ()


def paired(
    prior: Sequence[Region], areas: Sequence[Part | None], current: Drawn | None, pairs: Sequence[PairByHand]
) -> Pairing:
    """Pairs by hand first; then each region belongs to the carried lesion whose search area it overlaps most.

    ``areas``: where each lesion of the prior may lie, None where nobody knows. Raises InvalidRegion for pairs of
    regions that are not there.
    """
    if current is None:
        return Pairing()
    whole = Drawn("", tuple(prior))
    found: dict[int, list[Region]] = {}
    taken: set[int] = set()
    for pair in pairs:
        number, region = whole.regions.index(whole.named(pair.prior)), current.named(pair.current)
        if id(region) in taken:
            raise InvalidRegion("a current region is paired twice")
        taken.add(id(region))
        found.setdefault(number, []).append(region)
    by_hand = frozenset(found)
    new, notes = [], []
    for region in current.regions:
        if id(region) in taken:
            continue
        shares = [
            0 if number in by_hand or area is None else area.common(region.part) for number, area in enumerate(areas)
        ]
        best = int(np.argmax(shares)) if shares else 0
        if shares and shares[best]:
            found.setdefault(best, []).append(region)
            if sum(1 for share in shares if share) > 1:
                notes.append(f"current region {region.number} lies where several lesions of the prior may be")
        else:
            new.append(region)
    return Pairing(found, by_hand, tuple(new), tuple(notes))
