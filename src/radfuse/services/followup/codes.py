"""Coded concepts of the change table: those of the standard, and those that no standard has."""

from __future__ import annotations

from typing import Final

from radfuse.objects.common import Code
from radfuse.objects.sr import codes
from radfuse.services.followup.model import Quantity, Status
from radfuse.services.measure.numbers import coded
from radfuse.volume import Unit

_SCHEME: Final = "99RADFUSE"

LESION: Final = Code("52988006", "SCT", "Lesion")
DIFFERENCE: Final = Code("DIFFERENCE", _SCHEME, "Current minus prior")
PERCENT_CHANGE: Final = Code("PERCENT_CHANGE", _SCHEME, "Change in per cent of the prior")
CHANGE_OF: Final = Code("CHANGE_OF", _SCHEME, "Statistic of the region that changed")
PRIOR_VALUE: Final = Code("PRIOR_VALUE", _SCHEME, "Value at the prior time point")
CURRENT_VALUE: Final = Code("CURRENT_VALUE", _SCHEME, "Value at the current time point")
STATUS: Final = Code("LESION_STATUS", _SCHEME, "Lesion status since the prior")
FINDING: Final = Code("COMPARABILITY", _SCHEME, "What makes the time points less comparable")
NOTE: Final = Code("FOLLOWUP_NOTE", _SCHEME, "Note")
REGISTRATION: Final = Code("REGISTRATION_USED", _SCHEME, "Registration that the regions were carried by")
CARRIED: Final = Code("CARRIED_REGIONS", _SCHEME, "Regions carried over from the prior")
STRUCTURES: Final = Code("PRIOR_REGIONS", _SCHEME, "Regions that were drawn at the prior")
REGISTERED: Final = Code("REGISTERED_BY", _SCHEME, "How the time points are registered")

STATUSES: Final = {status: Code(status.name, _SCHEME, status.value.capitalize()) for status in Status}

_LONG_AXIS: Final = Code("103339001", "SCT", "Long Axis")
_SHORT_AXIS: Final = Code("103340004", "SCT", "Short Axis")
_DERIVATIONS: Final = {Quantity.MAXIMUM: codes.MAXIMUM, Quantity.PEAK: codes.PEAK, Quantity.MEAN: codes.MEAN}


def measured(quantity: Quantity, unit: Unit) -> tuple[Code, Code, Code | None]:
    """Name, unit and derivation (CID 7466, 7469, 7464). Raises InvalidRegion for a unit that has no code."""
    match quantity:
        case Quantity.VOLUME:
            return (codes.METABOLIC_VOLUME if unit.is_suv else codes.VOLUME), codes.MILLILITRE, None
        case Quantity.TLG:
            return codes.TOTAL_LESION_GLYCOLYSIS, codes.GRAM, None
        case Quantity.LONG_AXIS:
            return _LONG_AXIS, codes.MILLIMETRE, None
        case Quantity.SHORT_AXIS:
            return _SHORT_AXIS, codes.MILLIMETRE, None
        case _:
            name, of = coded(unit)
            return name, of, _DERIVATIONS[quantity]
