"""Coded concepts of the report card that no standard has, and the units of its numbers."""

from __future__ import annotations

from typing import Final

from radfuse.objects.common import Code
from radfuse.objects.sr import codes
from radfuse.registration.quality import Grade, Quantity

_SCHEME: Final = "99RADFUSE"

JUDGED_REGISTRATION: Final = Code("REGISTRATION", _SCHEME, "Judged registration")
GRADE: Final = Code("GRADE", _SCHEME, "Registration grade")
GRADE_REASON: Final = Code("GRADE_REASON", _SCHEME, "Registration grade reason")
CONCERN: Final = Code("CONCERN", _SCHEME, "Concern about a registration")
NOT_MEASURED: Final = Code("NOT_MEASURED", _SCHEME, "What could not be measured")
SUBJECT: Final = Code("SUBJECT", _SCHEME, "Subject of a check")
CHECK_GRADE: Final = Code("CHECK_GRADE", _SCHEME, "Grade of a check")
BEFORE: Final = Code("BEFORE", _SCHEME, "Value before the registration")

GRADES: Final = {grade: Code(grade.name, _SCHEME, grade.value) for grade in Grade}
QUANTITIES: Final = {quantity: Code(quantity.name[:16], _SCHEME, quantity.value) for quantity in Quantity}

UNITS: Final = {
    "mm": codes.MILLIMETRE,
    "%": codes.PERCENT,
    "1": codes.ONE,
    "nat": Code("{nat}", "UCUM", "natural units of information"),
    "sd": Code("{sd}", "UCUM", "standard deviations"),
}
