"""Dose metrics as people write them: D95, D2cc, V20Gy, V20Gycc."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from radfuse.core.errors import InvalidRegion
from radfuse.roi.dose import DoseVolume

_DOSE_TO: Final = re.compile(r"D(?P<number>\d+(?:\.\d+)?)(?P<what>%|cc|ml)?", re.IGNORECASE)
_VOLUME_OF: Final = re.compile(r"V(?P<number>\d+(?:\.\d+)?)Gy(?P<what>%|cc|ml)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DoseMetric:
    """A metric: ``of`` is the per cent or millilitres of a D, the dose in Gy of a V."""

    name: str
    of: float
    is_dose: bool
    """A D, in Gy; else a V."""
    in_ml: bool
    """Of a D: of millilitres, not per cent; of a V: in millilitres, not per cent."""

    @property
    def unit(self) -> str:
        """Of the value."""
        if self.is_dose:
            return "Gy"
        return "ml" if self.in_ml else "%"

    def value(self, dose: DoseVolume) -> float:
        """The value. Raises InvalidRegion when a D is asked for more millilitres than there are."""
        if self.is_dose:
            return dose.dose_to_ml(self.of) if self.in_ml else dose.dose_to_percent(self.of)
        return dose.volume_above_ml(self.of) if self.in_ml else dose.percent_above(self.of)


def dose_metric(text: str) -> DoseMetric:
    """Read a metric. Raises InvalidRegion for what is none."""
    for pattern, is_dose in ((_DOSE_TO, True), (_VOLUME_OF, False)):
        if found := pattern.fullmatch(text.strip()):
            in_ml = (found["what"] or "%").lower() in ("cc", "ml")
            of = float(found["number"])
            if is_dose and not in_ml and of > 100:
                break
            return DoseMetric(text.strip(), of, is_dose, in_ml)
    raise InvalidRegion(f"{text!r} is no dose metric; there are D95 (of 95 %), D2cc, V20Gy (in %) and V20Gycc")


USUAL: Final = tuple(dose_metric(text) for text in ("D98", "D95", "D50", "D2"))
