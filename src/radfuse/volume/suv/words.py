"""The words of an SUV computation: its kinds, the ways a scanner may have taken, what was read and what was noticed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from radfuse.volume.model import Unit


class SuvKind(StrEnum):
    """By what the uptake is normalised. The value is what the command line takes."""

    BW = "bw"
    LBM_JAMES = "lbm-james"
    LBM_MORGAN = "lbm-morgan"
    LBM_JANMA = "lbm"
    BSA = "bsa"
    IBW = "ibw"

    @property
    def unit(self) -> Unit:
        """The unit of a volume of this kind."""
        return Unit[f"SUV_{self.name}"]

    @classmethod
    def of(cls, unit: Unit) -> SuvKind | None:
        """The kind of a unit; None for a unit that is no SUV."""
        return next((kind for kind in cls if kind.unit is unit), None)


_STORED: Final = {
    ("GML", ""): SuvKind.BW,
    ("GML", "BW"): SuvKind.BW,
    ("GML", "LBM"): SuvKind.LBM_MORGAN,
    ("GML", "LBMJAMES128"): SuvKind.LBM_JAMES,
    ("GML", "LBMJANMA"): SuvKind.LBM_JANMA,
    ("GML", "IBW"): SuvKind.IBW,
    ("CM2ML", ""): SuvKind.BSA,
    ("CM2ML", "BSA"): SuvKind.BSA,
}
"""Units (0054,1001) and SUV Type (0054,1006), PS3.3 C.8.9.1. LBM is DCM 126402: 120 for men, as Morgan has it."""


def stored_kind(units: str, suv_type: str) -> SuvKind | None:
    """What the values are already normalised by; None when they are no SUV."""
    return _STORED.get((units.strip().upper(), suv_type.strip().upper()))


class Branch(StrEnum):
    """How the stored values become SUV."""

    STANDARD = "standard"
    GE_SCAN_TIME = "GE private scan time"
    PHILIPS_SUV = "Philips SUV factor"
    PHILIPS_ACTIVITY = "Philips activity factor"
    NORMALISED = "already SUV"


class DecayReference(StrEnum):
    """To which moment the values are decay-corrected: Decay Correction (0054,1102), PS3.3 C.8.9.1."""

    START = "START"
    ADMIN = "ADMIN"
    NONE = "NONE"


class CautionKind(StrEnum):
    """What a person should look at before trusting the number."""

    SEX = "sex"
    WEIGHT = "weight"
    HEIGHT = "height"
    FORMULA = "formula"
    DOSE = "dose"
    NUCLIDE = "nuclide"
    DATE = "date"
    MIDNIGHT = "midnight"
    INJECTION = "injection"
    CLOCK = "clock"
    REFERENCE = "reference"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class Caution:
    """Something assumed or doubtful, as a sentence for a person. It holds no name, date or identifier."""

    kind: CautionKind
    sentence: str


@dataclass(frozen=True, slots=True)
class UsedAttribute:
    """An attribute that went into the computation, as the images have it."""

    keyword: str
    tag: str
    value: str
    origin: str
    """Where it stands: all images, one image, or an item of a sequence."""


@dataclass(frozen=True, slots=True)
class Check:
    """A second way to the same factor, and how far it is from the one used."""

    name: str
    difference_percent: float
