"""The instances that a C-MOVE or C-GET identifier names (PS3.4 section C.4.2): unique keys only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

from radfuse.archive.index.keys import INDEX_KEYS, UNIQUE_KEYS
from radfuse.archive.index.model import Query, StoredObject
from radfuse.archive.index.schema import instance, leaving_blob, non_patient_object, patient, series, study, uid_word
from radfuse.core.errors import InvalidQuery
from radfuse.core.levels import Level

_BATCH_ROWS: Final = 100
STREAMED: Final = {"stream_results": True, "max_row_buffer": _BATCH_ROWS}
"""Statement options so that a driver that would fetch every row at once does not."""

_SQL = ColumnElement[Any]


def instances(connection: Connection, query: Query) -> Iterator[StoredObject]:
    """The objects that ``query`` names, by series, instance number and order of arrival.

    Keys other than unique keys are ignored. Raises InvalidQuery when the level's own unique key
    has no value.
    """
    conditions = _conditions(query)
    return _instances(connection, query.level, conditions)


def count_instances(connection: Connection, query: Query) -> int:
    """How many objects ``instances`` yields."""
    statement = select(func.count()).select_from(_joined(Level.IMAGE)).where(*_conditions(query))
    return connection.execute(statement).scalar_one()


def named(connection: Connection, sop_instance_uids: Sequence[str]) -> list[StoredObject]:
    """The objects with these SOP Instance UIDs, as far as they are kept, in no order; some hundred at a time."""
    statements = (
        select_objects(objects).where(objects.c.sop_instance_uid.in_(sop_instance_uids))
        for objects in (instance, non_patient_object)
    )
    return [stored_object(row) for statement in statements for row in connection.execute(statement)]


def leaving(connection: Connection, sop_instance_uids: Sequence[str]) -> set[str]:
    """Those of the SOP Instance UIDs whose objects are marked as leaving; some hundred at a time."""
    statements = (
        select(objects.c.sop_instance_uid)
        .join(leaving_blob, leaving_blob.c.blob_id == objects.c.blob_id)
        .where(objects.c.sop_instance_uid.in_(sop_instance_uids))
        for objects in (instance, non_patient_object)
    )
    return {uid for statement in statements for uid in connection.scalars(statement)}


def arrival_of(connection: Connection, sop_instance_uid: str) -> int:
    """When the object arrived, in seconds since 1970; 0 when it is not in the index."""
    statement = select(instance.c.arrived_s).where(instance.c.sop_instance_uid == sop_instance_uid)
    return connection.execute(statement).scalar() or 0


def select_objects(objects: Table = instance) -> Select[Any]:
    """A statement whose rows ``stored_object`` takes; narrow it on ``objects``."""
    classes, syntaxes = uid_word.alias(), uid_word.alias()
    columns = objects.c
    return (
        select(
            classes.c.uid,
            columns.sop_instance_uid,
            syntaxes.c.uid,
            columns.blob_id,
            columns.size_bytes,
            columns.digest,
            columns.id,
        )
        .join(classes, classes.c.id == columns.sop_class_fk)
        .join(syntaxes, syntaxes.c.id == columns.transfer_syntax_fk)
    )


def stored_object(row: Sequence[Any]) -> StoredObject:
    """A row of ``select_objects``."""
    return StoredObject(row[0], row[1], row[2], row[3], row[4], row[5])


def _instances(connection: Connection, level: Level, conditions: Sequence[_SQL]) -> Iterator[StoredObject]:
    if level is Level.IMAGE:
        wanted = select(instance.c.id).select_from(_joined(Level.IMAGE)).where(*conditions)
        yield from _ordered(connection, instance.c.id.in_(wanted))
        return
    # One series after the other: the first object of a large patient does not wait for all to be sorted.
    its_series = select(series.c.id).select_from(_joined(Level.SERIES)).where(*conditions).order_by(series.c.id)
    for series_id in connection.execute(its_series).scalars().all():
        yield from _ordered(connection, instance.c.series_fk == series_id)


def _ordered(connection: Connection, condition: _SQL) -> Iterator[StoredObject]:
    # Instance numbers are text that may be anything: the longer of two without leading zeros is the greater.
    number = func.ltrim(instance.c.instance_number, "+0")
    statement = select_objects().where(condition)
    statement = statement.order_by(instance.c.series_fk, func.length(number), number, instance.c.id)
    with connection.execute(statement, execution_options=STREAMED) as rows:
        while batch := rows.fetchmany(_BATCH_ROWS):
            yield from map(stored_object, batch)


def _joined(level: Level) -> Any:
    source: Any = patient.join(study, study.c.patient_fk == patient.c.id)
    source = source.join(series, series.c.study_fk == study.c.id)
    return source.join(instance, instance.c.series_fk == series.c.id) if level is Level.IMAGE else source


def _conditions(query: Query) -> list[_SQL]:
    """Equality with the unique keys, down to the level's own; deeper ones do not count."""
    if not query.values_of(UNIQUE_KEYS[query.level]):
        raise InvalidQuery(f"the unique key of level {query.level.name} is missing")
    conditions: list[_SQL] = []
    for level in Level:
        values = query.values_of(UNIQUE_KEYS[level])
        if query.model.value <= level <= query.level and values:
            conditions.append(INDEX_KEYS[UNIQUE_KEYS[level]].matched[0].in_(dict.fromkeys(values)))
    return conditions
