"""What is checked before an object leaves: attributes, values, geometry, and what it refers to."""

from radfuse.objects.checking.check import check, faults_of, require_valid
from radfuse.objects.checking.model import Facts, Fault, facts_of, is_empty, place
from radfuse.objects.checking.references import references_in
from radfuse.objects.checking.values import wrong_values as faults_in_values

__all__ = [
    "Facts",
    "Fault",
    "check",
    "facts_of",
    "faults_in_values",
    "faults_of",
    "is_empty",
    "place",
    "references_in",
    "require_valid",
]
