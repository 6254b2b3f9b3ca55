"""What a study holds, for people: its series, and the instances of one in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from radfuse.archive.index.schema import instance, series, study, uid_word
from radfuse.archive.index.studies import series_sums

_SQL = ColumnElement[Any]
# Numbers are text that may be anything: the longer of two without leading zeros is the greater.
_BARE: Final = func.ltrim(instance.c.instance_number, "+0")
_ORDER: Final = (func.length(_BARE), _BARE, instance.c.id)


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series and what is kept of it. Texts as in the objects, "" when empty."""

    series_instance_uid: str
    modality: str
    series_number: str
    description: str
    body_part: str
    series_date: str
    series_time: str
    frame_of_reference_uid: str
    instances: int
    size_bytes: int
    first_arrived_s: int
    last_arrived_s: int
    middle: InstanceRow | None
    """The instance in the middle: the one to show of a series."""


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An instance as a list shows it; ``place`` is where it stands in its series."""

    sop_instance_uid: str
    sop_class_uid: str
    instance_number: str
    transfer_syntax_uid: str
    size_bytes: int
    arrived_s: int
    place: tuple[int, str, int] = field(repr=False)


_SHOWN: Final = (
    series.c.series_instance_uid,
    series.c.modality,
    series.c.series_number,
    series.c.description,
    series.c.body_part,
    series.c.series_date,
    series.c.series_time,
    series.c.frame_of_reference_uid,
)


def series_rows(connection: Connection, study_instance_uid: str) -> list[SeriesRow]:
    """The series of a study by number; none when it is not kept."""
    study_id = connection.scalar(select(study.c.id).where(study.c.study_instance_uid == study_instance_uid))
    if study_id is None:
        return []
    sums = {row.id: row for row in series_sums(connection, [study_id])}
    number = func.ltrim(series.c.series_number, "+0")
    statement = select(series.c.id, *_SHOWN).where(series.c.study_fk == study_id)
    rows = connection.execute(statement.order_by(func.length(number), number, series.c.id)).all()
    return [_series_row(connection, row, sums[row[0]]) for row in rows if row[0] in sums]


def _series_row(connection: Connection, row: Sequence[Any], sums: Row[Any]) -> SeriesRow:
    middle = _instances(connection, row[0], (), 1, sums.objects // 2)
    kept = (sums.objects, int(sums.size_bytes), sums.first_s, sums.last_s, middle[0] if middle else None)
    values: list[Any] = [*row[1:], *kept]
    return SeriesRow(*values)


def instance_rows(
    connection: Connection,
    study_instance_uid: str,
    series_instance_uid: str,
    after: tuple[int, str, int] | tuple[()] = (),
    limit: int = 100,
) -> list[InstanceRow] | None:
    """Instances of a series by number, beyond the place ``after``; None when the series is not kept."""
    series_id = connection.scalar(
        select(series.c.id)
        .join(study, study.c.id == series.c.study_fk)
        .where(
            study.c.study_instance_uid == study_instance_uid,
            series.c.series_instance_uid == series_instance_uid,
        )
    )
    return None if series_id is None else _instances(connection, series_id, after, limit)


def _instances(
    connection: Connection, series_id: int, after: Sequence[int | str], limit: int, skipped: int = 0
) -> list[InstanceRow]:
    classes, syntaxes = uid_word.alias(), uid_word.alias()
    kept = instance.c
    statement = (
        select(
            kept.sop_instance_uid,
            classes.c.uid,
            kept.instance_number,
            syntaxes.c.uid,
            kept.size_bytes,
            kept.arrived_s,
            *_ORDER,
        )
        .join(classes, classes.c.id == kept.sop_class_fk)
        .join(syntaxes, syntaxes.c.id == kept.transfer_syntax_fk)
        .where(kept.series_fk == series_id)
        .order_by(*_ORDER)
        .offset(skipped)
        .limit(limit)
    )
    if after:
        statement = statement.where(_beyond(_ORDER, after))
    return [InstanceRow(*row[:6], place=(row[6], row[7], row[8])) for row in connection.execute(statement)]


def _beyond(keys: Sequence[_SQL], place: Sequence[int | str]) -> _SQL:
    behind: _SQL = keys[0] > place[0]
    return behind if len(keys) == 1 else or_(behind, and_(keys[0] == place[0], _beyond(keys[1:], place[1:])))
