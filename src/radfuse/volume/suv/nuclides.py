"""The radionuclides of PET: codes (PS3.16 CID 4020), half-lives, and how much of each a person is given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Nuclide:
    """One radionuclide; activities outside the bounds are typing mistakes, not doses."""

    symbol: str
    half_life_s: float
    least_mbq: float
    most_mbq: float
    codes: tuple[str, ...]
    """SNOMED CT, and the SNOMED RT code of older images."""

    def has_half_life(self, half_life_s: float) -> bool:
        """Whether a half-life from a header is that of this nuclide: within 3 %, as scanners round."""
        return abs(half_life_s / self.half_life_s - 1) <= 0.03


NUCLIDES: Final = (
    Nuclide("F-18", 6586.2, 5, 1500, ("77004003", "C-111A1")),
    Nuclide("Ga-68", 4062.6, 5, 800, ("35337001", "C-131A3")),
    Nuclide("C-11", 1221.8, 10, 3000, ("40565003", "C-105A1")),
    Nuclide("N-13", 597.9, 10, 3000, ("21576001", "C-107A1")),
    Nuclide("O-15", 122.24, 10, 5000, ("129504001", "C-B1038")),
    Nuclide("Rb-82", 75.45, 50, 5000, ("79197006", "C-159A2")),
    Nuclide("Cu-64", 45724, 5, 1500, ("3932008", "C-127A2")),
    Nuclide("Cu-60", 1422, 5, 1500, ("425364008", "C-127A4")),
    Nuclide("Cu-61", 12020, 5, 1500, ("71425003", "C-127A1")),
    Nuclide("Cu-62", 580.2, 5, 3000, ("422934004", "C-127A5")),
    Nuclide("Zr-89", 282280, 1, 500, ("63360001", "C-168A4")),
    Nuclide("I-124", 360800, 1, 2000, ("40937006", "C-114A5")),
    Nuclide("Y-86", 53064, 5, 1000, ("10738001", "C-162A3")),
    Nuclide("Y-90", 230550, 50, 20000, ("14691008", "C-162A7")),
    Nuclide("Br-76", 58320, 5, 1000, ("79523006", "C-113A2")),
    Nuclide("Ga-66", 34160, 5, 800, ("79477007", "C-131A1")),
    Nuclide("Sc-44", 14550, 5, 1000, ("126600",)),
    Nuclide("Sc-43", 14010, 5, 1000, ("126605",)),
    Nuclide("Tc-94m", 3120, 10, 2000, ("424079002", "C-163AA")),
    Nuclide("Tb-152", 64360, 5, 1000, ("126606",)),
    Nuclide("Mn-52", 483060, 1, 500, ("37225000", "C-149A1")),
    Nuclide("K-38", 458.2, 10, 3000, ("423764008", "C-135A4")),
    Nuclide("Ge-68", 23410000, 0.1, 1000, ("53315004", "C-128A2")),
)
"""Half-lives as evaluated for nuclear data, F-18 as scanners write it. Ge-68 is the nuclide of phantoms."""

ANY_NUCLIDE: Final = Nuclide("an unknown nuclide", 0, 1, 5000, ())

_ELEMENTS: Final = {
    "fluorine": "F", "gallium": "Ga", "carbon": "C", "nitrogen": "N", "oxygen": "O", "rubidium": "Rb", "copper": "Cu",
    "zirconium": "Zr", "iodine": "I", "yttrium": "Y", "bromine": "Br", "scandium": "Sc", "technetium": "Tc",
    "terbium": "Tb", "manganese": "Mn", "potassium": "K", "germanium": "Ge",
}  # fmt: skip
_MASS_FIRST: Final = re.compile(r"(?<!\d)(\d{2,3}m?)([a-z]+)")
_MASS_LAST: Final = re.compile(r"([a-z]+)(\d{2,3}m?)(?!\d)")
_BY_CODE: Final = {code: nuclide for nuclide in NUCLIDES for code in nuclide.codes}
_BY_SYMBOL: Final = {nuclide.symbol.lower(): nuclide for nuclide in NUCLIDES}


def nuclide_of_code(code: str) -> Nuclide | None:
    """The nuclide of a code value of CID 4020, whatever scheme it claims to come from."""
    return _BY_CODE.get(code.strip())


def nuclide_of_text(text: str) -> Nuclide | None:
    """The nuclide that a code meaning or the name of a drug says: ``^18^Fluorine``, ``18F``, ``Ga68-PSMA``."""
    plain = re.sub(r"[\s^_-]", "", re.sub(r"[\[\](),;]", "|", text.lower()))
    if "fdg" in plain or "fluorodeoxyglucose" in plain:
        return _BY_SYMBOL["f-18"]
    pairs = [(name, mass) for mass, name in _MASS_FIRST.findall(plain)] + _MASS_LAST.findall(plain)
    for name, mass in pairs:
        for symbol in _symbols(name):
            if found := _BY_SYMBOL.get(f"{symbol}-{mass}".lower()):
                return found
    return None


def _symbols(name: str) -> list[str]:
    """What the letters beside a mass number may mean: a whole name, or a symbol at either end."""
    names = [symbol for element, symbol in _ELEMENTS.items() if name.startswith(element) or name.endswith(element)]
    return [*names, name, name[:2], name[-2:], name[:1], name[-1:]]


def nuclide_of_half_life(half_life_s: float) -> Nuclide | None:
    """The nuclide with this half-life: within 1 %, and only one."""
    near = [nuclide for nuclide in NUCLIDES if abs(half_life_s / nuclide.half_life_s - 1) <= 0.01]
    return near[0] if len(near) == 1 else None
