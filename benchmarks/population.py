"""A made-up hospital for the index: which patients, studies and series a million instances belong to.

Everything follows from the number of the instance, so that a query can be made whose answer is known.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from dataclasses import dataclass

_FAMILY = (
    "Adler",
    "Becker",
    "Chen",
    "Dubois",
    "Eriksson",
    "Fischer",
    "Garcia",
    "Hansen",
    "Ito",
    "Jensen",
    "Kowalski",
    "Lehmann",
    "Moreau",
    "Nowak",
    "Okafor",
    "Petrov",
    "Rossi",
    "Schmidt",
    "Tanaka",
    "Vogel",
    "Weber",
    "Yilmaz",
)
_GIVEN = ("Anna", "Boris", "Clara", "David", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jonas", "Kenji", "Lea", "Mila")
_FIRST_DAY = datetime.date(2015, 1, 1)
_DAYS = 3650
_UID_ROOT = "2.25.213456789012345678901234567890123456789"


@dataclass(frozen=True, slots=True)
class Record:
    """What the index keeps of one instance, as text of the header."""

    patient_id: str
    patient_name: str
    birth_date: str
    sex: str
    study_uid: str
    study_date: str
    study_time: str
    accession_number: str
    study_description: str
    series_uid: str
    series_number: str
    modality: str
    sop_class_uid: str
    sop_instance_uid: str
    instance_number: str


@dataclass(frozen=True, slots=True)
class Population:
    """How many instances there are, and how they are spread."""

    instances: int
    per_series: int = 10
    series_per_study: int = 1
    studies_per_patient: int = 2

    @property
    def studies(self) -> int:
        """How many studies there are; a last one that is not full counts."""
        return -(-self.instances // (self.per_series * self.series_per_study))

    @property
    def patients(self) -> int:
        """How many patients there are."""
        return -(-self.studies // self.studies_per_patient)

    def records(self) -> Iterator[Record]:
        """Every instance, study by study."""
        for number in range(self.instances):
            yield self.record(number)

    def record(self, number: int) -> Record:
        """The instance of this number."""
        series, place = divmod(number, self.per_series)
        study, series_place = divmod(series, self.series_per_study)
        patient = study // self.studies_per_patient
        return Record(
            patient_id=patient_id(patient),
            patient_name=patient_name(patient),
            birth_date=(_FIRST_DAY - datetime.timedelta(days=patient % 30000)).strftime("%Y%m%d"),
            sex="FM"[patient % 2],
            study_uid=uid(1, study),
            study_date=study_date(study),
            study_time=f"{study % 24:02d}{study % 60:02d}{study * 7 % 60:02d}",
            accession_number=f"A{study:09d}",
            study_description=("CT Thorax", "MR Head", "CR Chest", "PET/CT whole body")[study % 4],
            series_uid=uid(2, series),
            series_number=str(series_place + 1),
            modality=("CT", "MR", "CR", "PT")[study % 4],
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            sop_instance_uid=uid(3, number),
            instance_number=str(place + 1),
        )


def uid(arc: int, number: int) -> str:
    """A UID of 60 characters."""
    head = f"{_UID_ROOT}.{arc}."
    return head + str(10 ** (59 - len(head)) + number)


def patient_id(patient: int) -> str:
    """The ID of this patient."""
    return f"P{patient * 7919 % 10_000_000:07d}"


def patient_name(patient: int) -> str:
    """The name of this patient: the family name carries a number, so a prefix can be made rare or common."""
    family = _FAMILY[patient % len(_FAMILY)]
    return f"{family}{patient // len(_FAMILY):05d}^{_GIVEN[patient * 31 % len(_GIVEN)]}"


def study_date(study: int, days_later: int = 0) -> str:
    """The date of this study (spread over ten years), or a day some days later."""
    return (_FIRST_DAY + datetime.timedelta(days=study * 37 % _DAYS + days_later)).strftime("%Y%m%d")


def queries(population: Population, kind: str, count: int) -> list[dict[int, str]]:
    """``count`` study-level identifiers of one kind, each for another patient or day."""
    chance = random.Random(kind)
    return [_STUDY_KEYS | _KINDS[kind](chance.randrange(population.patients)) for _ in range(count)]


PATIENT_NAME, PATIENT_ID, STUDY_DATE = 0x00100010, 0x00100020, 0x00080020
_STUDY_KEYS = {
    0x00080020: "",
    0x00080030: "",
    0x00080050: "",
    0x00080052: "STUDY",
    0x00081030: "",
    0x00100010: "",
    0x00100020: "",
    0x00100030: "",
    0x0020000D: "",
    0x00201206: "",
    0x00201208: "",
}


def _by_id(patient: int) -> dict[int, str]:
    return {PATIENT_ID: patient_id(patient)}


def _by_prefix(patient: int) -> dict[int, str]:
    return {PATIENT_NAME: patient_name(patient).split("^")[0][:-1] + "*"}


def _by_date(patient: int) -> dict[int, str]:
    return {STUDY_DATE: f"{study_date(patient * 2)}-{study_date(patient * 2, days_later=14)}"}


def _by_infix(patient: int) -> dict[int, str]:
    return {PATIENT_NAME: f"*{patient // len(_FAMILY):05d}^{_GIVEN[patient * 31 % len(_GIVEN)][:2]}*"}


_KINDS = {"patient ID": _by_id, "name prefix": _by_prefix, "date range": _by_date, "infix wildcard": _by_infix}
KINDS = tuple(_KINDS)
