"""Standardized uptake values from the headers of a PET series, with evidence, or a refusal with a reason."""

from radfuse.volume.suv.computing import suv_evidence
from radfuse.volume.suv.evidence import SuvEvidence
from radfuse.volume.suv.reading import read_frames, read_headers
from radfuse.volume.suv.words import (
    Branch,
    Caution,
    CautionKind,
    Check,
    DecayReference,
    SuvKind,
    UsedAttribute,
    stored_kind,
)

__all__ = [
    "Branch",
    "Caution",
    "CautionKind",
    "Check",
    "DecayReference",
    "SuvEvidence",
    "SuvKind",
    "UsedAttribute",
    "read_frames",
    "read_headers",
    "stored_kind",
    "suv_evidence",
]
