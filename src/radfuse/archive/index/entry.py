"""What the index notes of an object, taken from its header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

from radfuse.archive.index.matching import date_key, time_key
from radfuse.core.sop_classes import NON_PATIENT_CLASSES
from radfuse.dicom import Header
from radfuse.dicom.words import fold_groups

_PATIENT_NAME: Final = 0x00100010
_PATIENT_ID: Final = 0x00100020
_ISSUER_OF_PATIENT_ID: Final = 0x00100021
_BIRTH_DATE: Final = 0x00100030
_SEX: Final = 0x00100040
_STUDY_DATE: Final = 0x00080020
_STUDY_TIME: Final = 0x00080030
_ACCESSION_NUMBER: Final = 0x00080050
_STUDY_ID: Final = 0x00200010
_STUDY_DESCRIPTION: Final = 0x00081030
_REFERRING_PHYSICIAN: Final = 0x00080090
_MODALITY: Final = 0x00080060
_SERIES_NUMBER: Final = 0x00200011
_SERIES_DATE: Final = 0x00080021
_SERIES_TIME: Final = 0x00080031
_SERIES_DESCRIPTION: Final = 0x0008103E
_BODY_PART: Final = 0x00180015
_FRAME_OF_REFERENCE_UID: Final = 0x00200052
_INSTANCE_NUMBER: Final = 0x00200013

_SEPARATOR: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class ParentColumns:
    """The rows above an instance, as column values in the order of their tables."""

    patient: dict[str, Any]
    study: dict[str, Any]
    series: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parents:
    """The patient, study and series of an object; decoded only when they are not known yet."""

    study_instance_uid: str
    series_instance_uid: str
    header: Header

    def columns(self) -> ParentColumns:
        """Patient, study and series as rows (keys to other rows are added by the writer)."""
        header = self.header
        return ParentColumns(_patient(header), _study(header), _series(header))


@dataclass(frozen=True, slots=True)
class Entry:
    """One object for the index. ``parents`` is None for a Non-Patient Object."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    blob_id: bytes
    size_bytes: int
    digest: bytes
    arrived_s: int
    instance_number: str = ""
    parents: Parents | None = None
    replaces: bytes | None = None
    """Blob id of the object whose row gives way to this one."""

    @classmethod
    def from_header(
        cls,
        header: Header,
        blob_id: bytes,
        size_bytes: int,
        digest: bytes,
        arrived_s: int,
        replaces: bytes | None = None,
    ) -> Self:
        """The entry of an object whose header has been checked."""
        parents = None
        if header.sop_class_uid not in NON_PATIENT_CLASSES:
            parents = Parents(header.study_instance_uid, header.series_instance_uid, header)
        return cls(
            header.sop_class_uid,
            header.sop_instance_uid,
            header.transfer_syntax_uid,
            blob_id,
            size_bytes,
            digest,
            arrived_s,
            header.text(_INSTANCE_NUMBER).strip(),
            parents,
            replaces,
        )


def _person(prefix: str, value: str) -> dict[str, str]:
    alphabetic, ideographic, phonetic = fold_groups(value)
    return {
        prefix: value,
        f"{prefix}_alphabetic": alphabetic,
        f"{prefix}_ideographic": ideographic,
        f"{prefix}_phonetic": phonetic,
    }


def _patient(header: Header) -> dict[str, Any]:
    """The patient's row.

    Identity is Patient ID and issuer, and also name and birth date: two people under one Patient
    ID (a common mistake) stay visibly two, and objects without an ID do not become one person.
    """
    patient_id = header.text(_PATIENT_ID).strip()
    issuer = header.text(_ISSUER_OF_PATIENT_ID).strip()
    name = header.text(_PATIENT_NAME)
    birth_date = date_key(header.text(_BIRTH_DATE))
    person = _person("name", name)
    identity = _SEPARATOR.join((patient_id, issuer, *list(person.values())[1:], birth_date))
    return {
        "identity_key": identity,
        "patient_id": patient_id,
        "issuer": issuer,
        **person,
        "birth_date": birth_date,
        "sex": header.text(_SEX).strip(),
    }


def _study(header: Header) -> dict[str, Any]:
    return {
        "patient_fk": 0,
        "study_instance_uid": header.study_instance_uid,
        "study_date": date_key(header.text(_STUDY_DATE)),
        "study_time": header.text(_STUDY_TIME).strip(),
        "study_time_key": time_key(header.text(_STUDY_TIME)),
        "accession_number": header.text(_ACCESSION_NUMBER).strip(),
        "study_id": header.text(_STUDY_ID).strip(),
        "description": header.text(_STUDY_DESCRIPTION).strip(),
        **_person("referring_physician", header.text(_REFERRING_PHYSICIAN)),
    }


def _series(header: Header) -> dict[str, Any]:
    return {
        "study_fk": 0,
        "series_instance_uid": header.series_instance_uid,
        "modality": header.text(_MODALITY).strip(),
        "series_number": header.text(_SERIES_NUMBER).strip(),
        "series_date": date_key(header.text(_SERIES_DATE)),
        "series_time": header.text(_SERIES_TIME).strip(),
        "series_time_key": time_key(header.text(_SERIES_TIME)),
        "description": header.text(_SERIES_DESCRIPTION).strip(),
        "body_part": header.text(_BODY_PART).strip(),
        "frame_of_reference_uid": header.text(_FRAME_OF_REFERENCE_UID).strip(),
    }
