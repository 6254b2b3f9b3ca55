"""Looking through what is kept, as a person does: searching studies, opening one, reading its objects."""

from radfuse.services.browse.badges import Badges, badges_of
from radfuse.services.browse.details import (
    attributes_of,
    has_picture,
    instances_kept,
    instances_of_series,
    study_in_detail,
)
from radfuse.services.browse.history import HistoryEntry, history_of
from radfuse.services.browse.listing import MAX_PAGE, MAX_SEARCH_CHARACTERS, StudySearch, search_studies
from radfuse.services.browse.words import understand

__all__ = [
    "MAX_PAGE",
    "MAX_SEARCH_CHARACTERS",
    "Badges",
    "HistoryEntry",
    "StudySearch",
    "attributes_of",
    "badges_of",
    "has_picture",
    "history_of",
    "instances_kept",
    "instances_of_series",
    "search_studies",
    "study_in_detail",
    "understand",
]
