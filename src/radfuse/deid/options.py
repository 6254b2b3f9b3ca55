"""What may stay or be cleaned instead of removed: the options of PS3.15 section E.3, and a profile made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from radfuse.core.errors import ConfigurationError


class Option(StrEnum):
    """The options of the Basic Application Level Confidentiality Profile."""

    PIXELS = "pixels"
    FACES = "faces"
    GRAPHICS = "graphics"
    STRUCTURED_CONTENT = "structured-content"
    DESCRIPTORS = "descriptors"
    FULL_DATES = "dates"
    SHIFTED_DATES = "shifted-dates"
    PATIENT = "patient"
    DEVICE = "device"
    UIDS = "uids"
    PRIVATE = "private"
    INSTITUTION = "institution"


BASIC_CODE: Final = ("113100", "Basic Application Confidentiality Profile")

OPTION_CODES: Final[Mapping[Option, tuple[str, str]]] = {
    Option.PIXELS: ("113101", "Clean Pixel Data Option"),
    Option.FACES: ("113102", "Clean Recognizable Visual Features Option"),
    Option.GRAPHICS: ("113103", "Clean Graphics Option"),
    Option.STRUCTURED_CONTENT: ("113104", "Clean Structured Content Option"),
    Option.DESCRIPTORS: ("113105", "Clean Descriptors Option"),
    Option.FULL_DATES: ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    Option.SHIFTED_DATES: ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    Option.PATIENT: ("113108", "Retain Patient Characteristics Option"),
    Option.DEVICE: ("113109", "Retain Device Identity Option"),
    Option.UIDS: ("113110", "Retain UIDs Option"),
    Option.PRIVATE: ("113111", "Retain Safe Private Option"),
    Option.INSTITUTION: ("113112", "Retain Institution Identity Option"),
}
"""Code values and meanings, coding scheme DCM (PS3.16 CID 7050)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The Basic Profile with these options. Raises ConfigurationError for two that exclude each other."""

    options: frozenset[Option] = frozenset()

    def __post_init__(self) -> None:
        """Raise ConfigurationError."""
        if {Option.FULL_DATES, Option.SHIFTED_DATES} <= self.options:
            raise ConfigurationError("retain", "dates are either kept or shifted, not both")

    def __contains__(self, option: Option) -> bool:
        """Whether it has this option."""
        return option in self.options

    @property
    def temporal_information(self) -> str:
        """Longitudinal Temporal Information Modified (0028,0303), PS3.3 section C.7.6.1.1.7."""
        if Option.FULL_DATES in self.options:
            return "UNMODIFIED"
        return "MODIFIED" if Option.SHIFTED_DATES in self.options else "REMOVED"


PET_QUANTITY: Final = Profile(frozenset({Option.SHIFTED_DATES, Option.PATIENT, Option.DEVICE}))
"""What SUV needs stays true: times between injection and scan, weight, height and sex, and which scanner it was."""
