"""Following what arrives: instances by their number, which grows with every arrival and is never given twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, or_, select

from radfuse.archive.index.find import values_by_study
from radfuse.archive.index.keys import INDEX_KEYS, SET_KINDS
from radfuse.archive.index.model import StoredObject
from radfuse.archive.index.retrieve import STREAMED, select_objects, stored_object
from radfuse.archive.index.schema import index_identity, instance, patient, series, study

_BATCH_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Arrival:
    """One instance that arrived; its number is its place in the order of arrival."""

    number: int
    study_instance_uid: str
    arrived_s: int


@dataclass(frozen=True, slots=True)
class KeptObject:
    """An object and the values that the index has of it, by tag."""

    stored: StoredObject
    values: Mapping[int, tuple[str, ...]]


def identity_of(connection: Connection) -> str:
    """What tells this index from any other: numbers are comparable within one index only."""
    identity: str = connection.execute(select(index_identity.c.identity)).scalar_one()
    return identity


def newest_arrival(connection: Connection) -> int:
    """The number of the last arrival, 0 when there is none."""
    return connection.execute(select(func.max(instance.c.id))).scalar() or 0


def arrivals(
    connection: Connection, after: int, limit: int, *, up_to: int = 0, arrived_since_s: int = 0
) -> list[Arrival]:
    """The next ``limit`` arrivals after a number, in their order.

    Of those with numbers ``up_to`` this one, only such that arrived since then: after a rebuild the
    whole archive is numbered anew. Objects without a patient do not count as arrivals.
    """
    wanted: list[ColumnElement[bool]] = [instance.c.id > after]
    if up_to:
        wanted.append(or_(instance.c.id > up_to, instance.c.arrived_s >= arrived_since_s))
    statement = (
        select(instance.c.id, study.c.study_instance_uid, instance.c.arrived_s)
        .join_from(instance, series, series.c.id == instance.c.series_fk)
        .join(study, study.c.id == series.c.study_fk)
        .where(*wanted)
        .order_by(instance.c.id)
        .limit(limit)
    )
    return [Arrival(*row) for row in connection.execute(statement)]


def objects_since(
    connection: Connection, study_instance_uid: str, arrived_since_s: int, tags: Collection[int]
) -> Iterator[KeptObject]:
    """The objects of a study that arrived since then, each with its values of those ``tags`` that the index has."""
    study_id = connection.scalar(select(study.c.id).where(study.c.study_instance_uid == study_instance_uid))
    if study_id is None:
        return
    keys = [INDEX_KEYS[tag] for tag in sorted(tags) if tag in INDEX_KEYS]
    sets = {
        key.tag: values_by_study(connection, key, [study_id]).get(study_id, ()) for key in keys if key.kind in SET_KINDS
    }
    columns = [key for key in keys if key.tag not in sets]
    statement = (
        select_objects()
        .add_columns(*(key.shown.label(f"k{place}") for place, key in enumerate(columns)))
        .join(series, series.c.id == instance.c.series_fk)
        .join(study, study.c.id == series.c.study_fk)
        .join(patient, patient.c.id == study.c.patient_fk)
        .where(study.c.id == study_id, instance.c.arrived_s >= arrived_since_s)
        .order_by(series.c.id, instance.c.id)
    )
    with connection.execute(statement, execution_options=STREAMED) as rows:
        while batch := rows.fetchmany(_BATCH_ROWS):
            for row in batch:
                known = zip(columns, row[-len(columns) :] if columns else (), strict=True)
                yield KeptObject(stored_object(row), sets | {key.tag: _values(value) for key, value in known})


def _values(column: Any) -> tuple[str, ...]:
    return tuple(value for value in str(column).split("\\") if value.strip()) if column else ()
