"""By what uptake is normalised: body weight, lean body mass, body surface, ideal weight.

Formulas as PS3.16 defines SUVbw, SUVlbm, SUVlbm(James128), SUVlbm(Janma), SUVbsa and SUVibw
(DCM 126401 to 126406). Weight in kg, height in cm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from radfuse.core.errors import CannotComputeSUV
from radfuse.volume.suv.ledger import Ledger
from radfuse.volume.suv.words import CautionKind, SuvKind

_GRAMS_ABOVE: Final = 1000.0
_LEAST_KG: Final = 0.5
_MOST_KG: Final = 500.0
_LEAST_CM: Final = 25.0
_MOST_CM: Final = 250.0


@dataclass(frozen=True, slots=True)
class BodySize:
    """What a person's uptake is divided by: grams, or square centimetres for BSA."""

    amount: float
    text: str
    """How it came about, with the numbers."""


def _james(male: float, female: float) -> Callable[[float, float, bool], float]:
    def mass(weight_kg: float, height_cm: float, is_male: bool) -> float:
        linear, square = (1.10, male) if is_male else (1.07, female)
        return linear * weight_kg - square * (weight_kg / height_cm) ** 2

    return mass


def _janmahasatian(weight_kg: float, height_cm: float, is_male: bool) -> float:
    index = weight_kg / (height_cm / 100) ** 2
    return 9270 * weight_kg / ((6680 + 216 * index) if is_male else (8780 + 244 * index))


def _ideal(_weight_kg: float, height_cm: float, is_male: bool) -> float:
    return 48.0 + 1.06 * (height_cm - 152) if is_male else 45.5 + 0.91 * (height_cm - 152)


MASSES: Final[dict[SuvKind, Callable[[float, float, bool], float]]] = {
    SuvKind.LBM_JAMES: _james(128, 148),
    SuvKind.LBM_MORGAN: _james(120, 148),
    SuvKind.LBM_JANMA: _janmahasatian,
    SuvKind.IBW: _ideal,
}
"""Kilograms from weight (kg), height (cm) and whether the person is male."""

_NAMES: Final = {
    SuvKind.LBM_JAMES: "LBM (James)",
    SuvKind.LBM_MORGAN: "LBM (Morgan)",
    SuvKind.LBM_JANMA: "LBM (Janmahasatian)",
    SuvKind.IBW: "IBW",
}
_FALLS_ABOVE: Final = {
    SuvKind.LBM_JAMES: (1.10e4 / (2 * 128), 1.07e4 / (2 * 148)),
    SuvKind.LBM_MORGAN: (1.10e4 / (2 * 120), 1.07e4 / (2 * 148)),
}
"""Body mass index (male, female) above which more weight would mean less lean mass: beyond the formula's reach."""


def body_surface_cm2(weight_kg: float, height_cm: float) -> float:
    """Du Bois and Du Bois 1916, in square centimetres (the formula is made for square metres)."""
    return 71.84 * math.pow(weight_kg, 0.425) * math.pow(height_cm, 0.725)


def body_size(kind: SuvKind, ledger: Ledger) -> BodySize:
    """What ``kind`` divides by, for the patient of the series. Raises CannotComputeSUV."""
    if kind is SuvKind.IBW:  # the only one that needs no weight
        return _sexed(kind, ledger, 0.0)
    weight_kg = _weight_kg(ledger)
    if kind is SuvKind.BW:
        return BodySize(weight_kg * 1000, f"{weight_kg:g} kg * 1000")
    if kind is SuvKind.BSA:
        amount = body_surface_cm2(weight_kg, _height_cm(ledger))
        return BodySize(amount, f"BSA (Du Bois) {amount / 1e4:.4f} m² * 10000")
    return _sexed(kind, ledger, weight_kg)


def _sexed(kind: SuvKind, ledger: Ledger, weight_kg: float) -> BodySize:
    height_cm = _height_cm(ledger)
    sexes = _sexes(ledger)
    masses = [MASSES[kind](weight_kg, height_cm, is_male) for is_male in sexes]
    mass_kg = sum(masses) / len(masses)
    if mass_kg <= 0 or min(masses) <= 0:
        raise CannotComputeSUV(f"{_NAMES[kind]} is not above zero for this weight and height")
    for is_male in sexes:
        limit = _FALLS_ABOVE.get(kind, (1e9, 1e9))[0 if is_male else 1]
        if weight_kg / (height_cm / 100) ** 2 > limit:
            ledger.caution(
                CautionKind.FORMULA,
                f"the body mass index is above {limit:.0f} kg/m²: there {_NAMES[kind]} falls with weight; "
                "use Janmahasatian",
            )
    mean = "" if len(sexes) == 1 else " (mean of male and female)"
    return BodySize(mass_kg * 1000, f"{_NAMES[kind]}{mean} {mass_kg:.3f} kg * 1000")


def _sexes(ledger: Ledger) -> tuple[bool, ...]:
    sex = ledger.text("PatientSex").upper()
    if sex == "O":
        ledger.caution(CautionKind.SEX, "Patient's Sex is O: the mean of the male and the female formula is used")
    found = {"M": (True,), "F": (False,), "O": (True, False)}.get(sex)
    if found is None:
        raise CannotComputeSUV("Patient's Sex is not given, and this kind of SUV needs it; use SUVbw")
    return found


def _weight_kg(ledger: Ledger) -> float:
    weight = ledger.number("PatientWeight")
    if weight is None:
        raise CannotComputeSUV("Patient's Weight is not given")
    if weight <= 0:
        raise CannotComputeSUV("Patient's Weight is 0 or less")
    if weight > _GRAMS_ABOVE:
        ledger.caution(CautionKind.WEIGHT, "Patient's Weight is above 1000, so it is taken as grams")
        weight /= 1000
    if not _LEAST_KG <= weight <= _MOST_KG:
        raise CannotComputeSUV(f"Patient's Weight is not that of a person: not {_LEAST_KG:g} to {_MOST_KG:g} kg")
    return weight


def _height_cm(ledger: Ledger) -> float:
    height = ledger.number("PatientSize")
    if height is None or height <= 0:
        raise CannotComputeSUV("Patient's Size (height) is not given, and this kind of SUV needs it; use SUVbw")
    if height >= _LEAST_CM:
        ledger.caution(CautionKind.HEIGHT, "Patient's Size is above 25, so it is taken as centimetres")
    else:
        height *= 100
    if not _LEAST_CM <= height <= _MOST_CM:
        raise CannotComputeSUV("Patient's Size is not that of a person: not 0.25 to 2.5 m")
    return height
