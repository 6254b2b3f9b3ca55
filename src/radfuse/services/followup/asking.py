"""What is asked for when two time points are compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from radfuse.core.errors import InvalidRegion

MARGIN_MM: Final = 10.0
_MOST_MARGIN_MM: Final = 100.0
_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?) ?%")
_ABSOLUTE: Final = re.compile(r"(?:SUV ?)?(\d+(?:\.\d+)?)", re.IGNORECASE)


class RuleKind(StrEnum):
    """How the voxels of a lesion are told from its region."""

    CONTOUR = "contour"
    """All voxels of the region."""
    PERCENT = "percent"
    """Those of at least a part of the highest value that hang together with it."""
    ABSOLUTE = "absolute"
    """Those from a value on."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, the same at both time points; ``value`` in per cent, or in the unit of the images."""

    kind: RuleKind
    value: float = 0.0

    def __post_init__(self) -> None:
        """Check the value. Raises InvalidRegion."""
        if self.kind is RuleKind.PERCENT and not 0 < self.value <= 100:
            raise InvalidRegion("a rule in per cent lies above 0 and up to 100")

    def __str__(self) -> str:
        """As it is typed."""
        return {
            RuleKind.CONTOUR: "contour",
            RuleKind.PERCENT: f"{self.value:g}%",
            RuleKind.ABSOLUTE: f"{self.value:g}",
        }[self.kind]


USUAL_RULE: Final = Rule(RuleKind.PERCENT, 41.0)
"""For PET, where nobody says another one; CT and MR are compared by contours."""


class Linking(StrEnum):
    """What may be done where the time points are not registered yet."""

    DEFORMABLE = "deformable"
    """Rigid, then deformable; where that fails, rigid alone."""
    RIGID = "rigid"
    NONE = "none"
    """Only registrations that are kept are used."""


@dataclass(frozen=True, slots=True)
class PairByHand:
    """A region of the prior and one of the current object, by name or number, that are one lesion."""

    prior: str
    current: str


@dataclass(frozen=True, slots=True)
class FollowupAsk:
    """What is compared. Raises InvalidRegion for what does not go together."""

    current: str
    """Series Instance UID."""
    prior: str = ""
    """Series Instance UID; empty: it is looked for."""
    structures: str | Path = ""
    """What has the prior's lesions: an object or its series by UID, or a file; empty: the only one there is."""
    names: tuple[str, ...] = ()
    """Which of them, by name or number; empty: all."""
    current_structures: str | Path = ""
    """What is drawn on the current images, if anything."""
    pairs: tuple[PairByHand, ...] = ()
    rule: Rule | None = None
    """None: 41 % of the maximum for PET, contours for all else."""
    margin_mm: float = MARGIN_MM
    """How far around a carried region the lesion is looked for."""
    linking: Linking = Linking.DEFORMABLE
    allow_other_patient: bool = False

    def __post_init__(self) -> None:
        """Check what goes together."""
        if self.pairs and not self.current_structures:
            raise InvalidRegion("pairs by hand need what is drawn on the current images")
        if not 0 <= self.margin_mm <= _MOST_MARGIN_MM:
            raise InvalidRegion(f"the margin is 0 to {_MOST_MARGIN_MM:g} mm")
        if self.prior and self.prior == self.current:
            raise InvalidRegion("the prior is the current series itself: name another one")


def rule_of(text: str) -> Rule:
    """``41%``, ``SUV 4``, ``4`` or ``contour``. Raises InvalidRegion."""
    plain = text.strip()
    if plain.casefold() == RuleKind.CONTOUR.value:
        return Rule(RuleKind.CONTOUR)
    if found := _PERCENT.fullmatch(plain):
        return Rule(RuleKind.PERCENT, float(found[1]))
    if found := _ABSOLUTE.fullmatch(plain):
        return Rule(RuleKind.ABSOLUTE, float(found[1]))
    raise InvalidRegion("a rule is 41%, SUV 4, a number in the unit of the images, or contour")


def pair_of(text: str) -> PairByHand:
    """``PRIOR=CURRENT``, names or numbers of regions. Raises InvalidRegion."""
    prior, equals, current = (word.strip() for word in text.partition("="))
    if not (prior and equals and current):
        raise InvalidRegion("a pair is PRIOR=CURRENT, names or numbers of the regions that are one lesion")
    return PairByHand(prior, current)
