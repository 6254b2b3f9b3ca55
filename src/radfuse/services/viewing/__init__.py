"""Volumes for viewers: facts, voxels coarse to fine, values, pictures, and what to open of a patient."""

from radfuse.services.viewing.facts import Facts, facts_of
from radfuse.services.viewing.levels import voxels_of
from radfuse.services.viewing.openings import Opening, opening_of
from radfuse.services.viewing.pictures import Look, Outlined, Place, picture
from radfuse.services.viewing.rotating import rotating_pictures
from radfuse.services.viewing.showing import show
from radfuse.services.viewing.values import values_at
from radfuse.services.viewing.waiting import HowFar, read_within
from radfuse.services.viewing.working import computed

__all__ = [
    "Facts",
    "HowFar",
    "Look",
    "Opening",
    "Outlined",
    "Place",
    "computed",
    "facts_of",
    "opening_of",
    "picture",
    "read_within",
    "rotating_pictures",
    "show",
    "values_at",
    "voxels_of",
]
