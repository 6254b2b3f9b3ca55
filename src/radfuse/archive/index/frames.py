"""Frames of reference and the objects that join them, by patient: what the registration graph asks of the index."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from radfuse.archive.index.model import StoredObject
from radfuse.archive.index.retrieve import select_objects, stored_object
from radfuse.archive.index.schema import instance, series, study, uid_word

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class SeriesPlace:
    """Whose a series is, and in which frame of reference it lies; texts as in its first object, "" when empty."""

    series_instance_uid: str
    study_instance_uid: str
    patient: int
    """The row of the patient: it says who is the same, and nothing else."""
    frame_of_reference_uid: str
    modality: str
    description: str


@dataclass(frozen=True, slots=True)
class ObjectPlace:
    """An object, and the study and series it is in."""

    stored: StoredObject
    study_instance_uid: str
    series_instance_uid: str
    arrived_s: int


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """The series of an image, and the frame of reference of that."""

    series_instance_uid: str
    frame_of_reference_uid: str


def series_place(connection: Connection, series_instance_uid: str) -> SeriesPlace | None:
    """Where a series is; of one that two studies have, that which came first."""
    statement = _SERIES.where(series.c.series_instance_uid == series_instance_uid).order_by(series.c.id)
    row = connection.execute(statement).first()
    return None if row is None else SeriesPlace(*row)


def study_places(connection: Connection, study_instance_uid: str) -> list[SeriesPlace]:
    """Where the series of a study are; none when it is not kept."""
    statement = _SERIES.where(study.c.study_instance_uid == study_instance_uid).order_by(series.c.id)
    return [SeriesPlace(*row) for row in connection.execute(statement)]


def patient_of(connection: Connection, sop_instance_uid: str) -> int | None:
    """The row of the patient of an object; None where it is not kept."""
    statement = (
        select(study.c.patient_fk)
        .join(series, series.c.study_fk == study.c.id)
        .join(instance, instance.c.series_fk == series.c.id)
        .where(instance.c.sop_instance_uid == sop_instance_uid)
    )
    return connection.scalar(statement)


def objects_of_kind(
    connection: Connection, modality: str, sop_classes: Collection[str], patients: Collection[int] | None = None
) -> list[ObjectPlace]:
    """The objects of these SOP classes in series of a modality, by arrival: of some patients, or of all."""
    classes = select(uid_word.c.id).where(uid_word.c.uid.in_(sop_classes))
    statement = (
        select_objects()
        .add_columns(study.c.study_instance_uid, series.c.series_instance_uid, instance.c.arrived_s)
        .join(series, series.c.id == instance.c.series_fk)
        .join(study, study.c.id == series.c.study_fk)
        .where(series.c.modality == modality, instance.c.sop_class_fk.in_(classes))
        .order_by(instance.c.id)
    )
    if patients is not None:
        statement = statement.where(study.c.patient_fk.in_(patients))
    return [ObjectPlace(stored_object(row), *row[-3:]) for row in connection.execute(statement)]


def places_of_images(connection: Connection, sop_instance_uids: Sequence[str]) -> Mapping[str, ImagePlace]:
    """The series of each image and its frame of reference, of those images that are kept."""
    found: dict[str, ImagePlace] = {}
    for begin in range(0, len(sop_instance_uids), _AT_ONCE):
        statement = (
            select(instance.c.sop_instance_uid, series.c.series_instance_uid, series.c.frame_of_reference_uid)
            .join(series, series.c.id == instance.c.series_fk)
            .where(instance.c.sop_instance_uid.in_(sop_instance_uids[begin : begin + _AT_ONCE]))
        )
        found.update((row[0], ImagePlace(row[1], row[2])) for row in connection.execute(statement))
    return found


_SERIES: Final = select(
    series.c.series_instance_uid,
    study.c.study_instance_uid,
    study.c.patient_fk,
    series.c.frame_of_reference_uid,
    series.c.modality,
    series.c.description,
).join(study, study.c.id == series.c.study_fk)
