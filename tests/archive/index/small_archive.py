"""Small archives for tests of the search: made in memory, written to the index table by table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, create_engine, event, insert
from sqlalchemy.pool import StaticPool

from radfuse.archive.index.find import find
from radfuse.archive.index.matching import time_key
from radfuse.archive.index.model import HeaderReader, InformationModel, Query, QueryKey
from radfuse.archive.index.schema import instance, metadata, patient, series, study, uid_word
from radfuse.core.levels import Level
from radfuse.dicom import Element
from radfuse.dicom.words import fold_groups

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
PET_IMAGE = "1.2.840.10008.5.1.4.1.1.128"
EXPLICIT = "1.2.840.10008.1.2.1"
AE_TITLE = "RADFUSE_TEST"


@dataclass(frozen=True)
class AnInstance:
    uid: str
    number: str = ""
    sop_class: str = CT_IMAGE
    transfer_syntax: str = EXPLICIT


@dataclass(frozen=True)
class ASeries:
    uid: str
    instances: tuple[AnInstance, ...]
    modality: str = "CT"
    number: str = ""
    date: str = ""
    time: str = ""
    description: str = ""


@dataclass(frozen=True)
class AStudy:
    uid: str
    series: tuple[ASeries, ...]
    date: str = ""
    time: str = ""
    accession_number: str = ""
    study_id: str = ""
    description: str = ""
    referring_physician: str = ""


@dataclass(frozen=True)
class APatient:
    patient_id: str
    name: str
    studies: tuple[AStudy, ...]
    birth_date: str = ""
    sex: str = ""


@dataclass
class _Filler:
    connection: Connection
    words: dict[str, int] = field(default_factory=dict)

    def add(self, table: Table, **values: Any) -> int:
        result = self.connection.execute(insert(table).values(**values).returning(table.c.id))
        return int(result.scalar_one())

    def word(self, uid: str) -> int:
        if uid not in self.words:
            self.words[uid] = self.add(uid_word, uid=uid)
        return self.words[uid]

    def add_patient(self, place: int, person: APatient) -> None:
        patient_fk = self.add(
            patient,
            identity_key=f"{place}",
            patient_id=person.patient_id,
            birth_date=person.birth_date,
            sex=person.sex,
            **_name("name", person.name),
        )
        for each in person.studies:
            study_fk = self.add(
                study,
                patient_fk=patient_fk,
                study_instance_uid=each.uid,
                study_date=each.date,
                study_time=each.time,
                study_time_key=time_key(each.time),
                accession_number=each.accession_number,
                study_id=each.study_id,
                description=each.description,
                **_name("referring_physician", each.referring_physician),
            )
            for one in each.series:
                self.add_series(study_fk, one)

    def add_series(self, study_fk: int, one: ASeries) -> None:
        series_fk = self.add(
            series,
            study_fk=study_fk,
            series_instance_uid=one.uid,
            modality=one.modality,
            series_number=one.number,
            series_date=one.date,
            series_time=one.time,
            series_time_key=time_key(one.time),
            description=one.description,
        )
        for stored in one.instances:
            self.add(
                instance,
                series_fk=series_fk,
                instance_number=stored.number,
                sop_instance_uid=stored.uid,
                sop_class_fk=self.word(stored.sop_class),
                transfer_syntax_fk=self.word(stored.transfer_syntax),
                blob_id=stored.uid.encode(),
                size_bytes=1,
                digest=b"",
                arrived_s=0,
            )


def _name(prefix: str, value: str) -> dict[str, str]:
    groups = fold_groups(value)
    return {prefix: value} | {
        f"{prefix}_{group}": text for group, text in zip(("alphabetic", "ideographic", "phonetic"), groups, strict=True)
    }


def fill(connection: Connection, patients: Sequence[APatient]) -> None:
    """Put ``patients`` into an empty index."""
    filler = _Filler(connection)
    for place, person in enumerate(patients):
        filler.add_patient(place, person)


@contextmanager
def index_of(patients: Sequence[APatient]) -> Iterator[Connection]:
    """A connection to an index in memory that holds ``patients``."""
    engine = create_engine("sqlite://", poolclass=StaticPool)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA case_sensitive_like=ON")  # as radfuse.db has it

    try:
        with engine.begin() as connection:
            metadata.create_all(connection)
            fill(connection, patients)
            yield connection
    finally:
        engine.dispose()


def query(level: Level, keys: dict[int, str], model: InformationModel = InformationModel.STUDY_ROOT) -> Query:
    """A query with a backslash between the values of a key, as on the wire."""
    return Query(model, level, tuple(QueryKey(tag, "", tuple(text.split("\\"))) for tag, text in keys.items()))


def found(connection: Connection, wanted: Query, reader: HeaderReader | None = None) -> list[dict[int, Element]]:
    """All answers, each by tag."""
    answers = find(connection, wanted, AE_TITLE, header_reader=reader)
    return [{element.tag: element for element in answer.elements} for answer in answers]


def values_found(connection: Connection, wanted: Query, tag: int) -> list[str]:
    """The values of one element over all answers, sorted, several values joined by a backslash."""
    return sorted("\\".join(answer[tag].values) for answer in found(connection, wanted))
