"""The levels of a patient's data as the API calls them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from radfuse.core.levels import Level as QueryLevel


class Level(StrEnum):
    """Patient, study, series or instance."""

    PATIENT = "patient"
    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"

    @property
    def in_query(self) -> QueryLevel:
        """The level of the information models (PS3.4 section C.6)."""
        return _IN_QUERIES[self]


_IN_QUERIES: Final = {
    Level.PATIENT: QueryLevel.PATIENT,
    Level.STUDY: QueryLevel.STUDY,
    Level.SERIES: QueryLevel.SERIES,
    Level.INSTANCE: QueryLevel.IMAGE,
}
