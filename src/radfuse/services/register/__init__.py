"""Two series registered, judged, and kept as standard objects."""

from radfuse.services.register.asking import (
    Allowed,
    LandmarkPair,
    Region,
    RegisterAsk,
    RegisterKind,
    Structures,
    pair_of,
    read_landmarks,
)
from radfuse.services.register.registering import Progress, Registered, register
from radfuse.services.register.results import as_json, result_objects, save, write_report

__all__ = [
    "Allowed",
    "LandmarkPair",
    "Progress",
    "Region",
    "RegisterAsk",
    "RegisterKind",
    "Registered",
    "Structures",
    "as_json",
    "pair_of",
    "read_landmarks",
    "register",
    "result_objects",
    "save",
    "write_report",
]
