"""The types of directory records, where they stand, and which one an object gets (PS3.3 sections F.4 and F.5)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from radfuse.core.sop_classes import NON_PATIENT_CLASSES, STORAGE_CLASSES

PRIVATE_RECORD_UID: Final = "2.25.139011497767646001217004217260399069860"
"""Private Record UID (0004,1432) of our PRIVATE records: an object of a class that has no record type."""


class Place(IntEnum):
    """How deep a record stands below the root (PS3.3 table F.4-1)."""

    ROOT = 0
    """As PATIENT, or an object that has no patient."""
    STUDY = 1
    SERIES = 2
    OBJECT = 3


class RecordType(NamedTuple):
    """A directory record type: its defined term, where it stands, and the section of its keys."""

    name: str
    place: Place
    section: str


RECORD_TYPES: Final = {
    row.name: row
    for row in (
        RecordType("PATIENT", Place.ROOT, "F.5.1"),
        RecordType("STUDY", Place.STUDY, "F.5.2"),
        RecordType("SERIES", Place.SERIES, "F.5.3"),
        RecordType("IMAGE", Place.OBJECT, "F.5.4"),
        RecordType("RT DOSE", Place.OBJECT, "F.5.19"),
        RecordType("RT STRUCTURE SET", Place.OBJECT, "F.5.20"),
        RecordType("RT PLAN", Place.OBJECT, "F.5.21"),
        RecordType("RT TREAT RECORD", Place.OBJECT, "F.5.22"),
        RecordType("PRESENTATION", Place.OBJECT, "F.5.23"),
        RecordType("WAVEFORM", Place.OBJECT, "F.5.24"),
        RecordType("SR DOCUMENT", Place.OBJECT, "F.5.25"),
        RecordType("KEY OBJECT DOC", Place.OBJECT, "F.5.26"),
        RecordType("SPECTROSCOPY", Place.OBJECT, "F.5.27"),
        RecordType("RAW DATA", Place.OBJECT, "F.5.28"),
        RecordType("REGISTRATION", Place.OBJECT, "F.5.29"),
        RecordType("FIDUCIAL", Place.OBJECT, "F.5.30"),
        RecordType("HANGING PROTOCOL", Place.ROOT, "F.5.31"),
        RecordType("ENCAP DOC", Place.OBJECT, "F.5.32"),
        RecordType("VALUE MAP", Place.OBJECT, "F.5.34"),
        RecordType("STEREOMETRIC", Place.OBJECT, "F.5.35"),
        RecordType("PALETTE", Place.ROOT, "F.5.36"),
        RecordType("IMPLANT", Place.ROOT, "F.5.37"),
        RecordType("IMPLANT ASSY", Place.ROOT, "F.5.38"),
        RecordType("IMPLANT GROUP", Place.ROOT, "F.5.39"),
        RecordType("PLAN", Place.OBJECT, "F.5.40"),
        RecordType("MEASUREMENT", Place.OBJECT, "F.5.41"),
        RecordType("SURFACE", Place.OBJECT, "F.5.42"),
        RecordType("SURFACE SCAN", Place.OBJECT, "F.5.43"),
        RecordType("TRACT", Place.OBJECT, "F.5.44"),
        RecordType("ASSESSMENT", Place.OBJECT, "F.5.45"),
        RecordType("RADIOTHERAPY", Place.OBJECT, "F.5.46"),
        RecordType("ANNOTATION", Place.OBJECT, "F.5.47"),
        RecordType("INVENTORY", Place.ROOT, "F.5.48"),
        RecordType("PRIVATE", Place.OBJECT, "F.6.1"),
    )
}
"""Every type that is not retired, by its defined term."""

_IMAGE: Final = "1.2.840.10008.5.1.4.1.1."
_OTHER_CLASSES: Final = {
    "HANGING PROTOCOL": ("1.2.840.10008.5.1.4.38.1",),
    "PALETTE": ("1.2.840.10008.5.1.4.39.1",),
    "INVENTORY": (f"{_IMAGE}201.1",),
    "PLAN": ("1.2.840.10008.5.1.4.34.10", *(f"{_IMAGE}481.{number}" for number in (21, 22, 25))),
    "SURFACE SCAN": (f"{_IMAGE}68.1", f"{_IMAGE}68.2"),
    "TRACT": (f"{_IMAGE}66.6",),
    "ASSESSMENT": (f"{_IMAGE}90.1",),
    "ANNOTATION": (f"{_IMAGE}91.1",),
    "RADIOTHERAPY": tuple(f"{_IMAGE}481.{number}" for number in range(10, 16)),
    "RT TREAT RECORD": tuple(f"{_IMAGE}481.{number}" for number in range(16, 21)),
    "PRESENTATION": tuple(f"{_IMAGE}11.{number}" for number in range(6, 13)),
    "WAVEFORM": tuple(f"{_IMAGE}9.{tail}" for tail in ("1.4", "6.2", "7.1", "7.2", "7.3", "7.4", "8.1")),
    "SR DOCUMENT": tuple(f"{_IMAGE}88.{number}" for number in (34, 35, 68, 71, 72, 73, 74, 75, 76, 77)),
    "ENCAP DOC": tuple(f"{_IMAGE}104.{number}" for number in (3, 4, 5)),
    "IMAGE": tuple(
        f"{_IMAGE}{tail}"
        for tail in (
            *("2.2", "4.4", "6.3", "12.3", "13.1.4", "13.1.5", "30", "77.1.5.5", "77.1.5.6", "77.1.5.7", "77.1.5.8"),
            *("77.1.7", "77.1.8", "77.1.9", "81.1", "82.1", "128.1", "481.23", "481.24"),
        )
    ),
}
"""Classes beyond the 102 that an archive may hold, by record type (PS3.3 section F.5)."""

_TYPE_BY_CLASS: Final = {row.uid: row.record_type for row in STORAGE_CLASSES} | {
    uid: name for name, uids in _OTHER_CLASSES.items() for uid in uids
}


def record_type_of(sop_class_uid: str) -> RecordType:
    """The type of the record of an object of this SOP class; PRIVATE when PS3.3 has none for it."""
    found = RECORD_TYPES[_TYPE_BY_CLASS.get(sop_class_uid, "PRIVATE")]
    # A PRIVATE record may stand anywhere (PS3.3 table F.4-1): at the root when there is no patient.
    return found._replace(place=Place.ROOT) if sop_class_uid in NON_PATIENT_CLASSES else found
