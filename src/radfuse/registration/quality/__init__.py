"""The report card of a registration: measured, graded, and why."""

from radfuse.registration.quality.card import Check, ReportCard, checked, rows_of
from radfuse.registration.quality.fields import JacobianFacts, jacobian_facts
from radfuse.registration.quality.judging import Evidence, Landmarks, StructurePair, judge
from radfuse.registration.quality.limits import LIMITS, Grade, Limit, Quantity
from radfuse.registration.quality.sampling import carried, values_at
from radfuse.registration.quality.surfaces import Agreement, agreement

__all__ = [
    "LIMITS",
    "Agreement",
    "Check",
    "Evidence",
    "Grade",
    "JacobianFacts",
    "Landmarks",
    "Limit",
    "Quantity",
    "ReportCard",
    "StructurePair",
    "agreement",
    "carried",
    "checked",
    "jacobian_facts",
    "judge",
    "rows_of",
    "values_at",
]
