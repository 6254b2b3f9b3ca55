"""The levels of the Query/Retrieve information models (PS3.4 section C.6)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Level(IntEnum):
    """Patient, study, series, instance; a greater value lies deeper."""

    PATIENT = 0
    STUDY = 1
    SERIES = 2
    IMAGE = 3


UNIQUE_KEYS: Final = {
    Level.PATIENT: "PatientID",
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.IMAGE: "SOPInstanceUID",
}
"""The unique key of each level, by keyword (PS3.4 section C.6.1.1)."""
