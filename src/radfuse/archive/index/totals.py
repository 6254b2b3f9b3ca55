"""How much an index holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from radfuse.archive.index.schema import instance, non_patient_object, patient, series, study

_TABLES = (patient, study, series, instance, non_patient_object)
_HOUR_S = 3600


def totals(connection: Connection) -> dict[str, int]:
    """The number of entities by the name of their table, such as ``study``; some milliseconds for a million."""
    counts = (select(func.count()).select_from(table).scalar_subquery() for table in _TABLES)
    row = connection.execute(select(*counts)).one()
    return dict(zip((table.name for table in _TABLES), row, strict=True))


@dataclass(frozen=True, slots=True)
class Amount:
    """So many objects, and their size."""

    objects: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Added:
    """The instances with numbers beyond one of them, and the number of the last."""

    newest: int
    all: Amount
    by_hour: Mapping[int, Amount]
    """Those that arrived lately, by the beginning of the hour in seconds since 1970."""


def added(connection: Connection, after: int, hours_since_s: int) -> Added:
    """What was added after the instance of number ``after``; hours of what arrived since then. Reads all of it."""
    arrived_s = instance.c.arrived_s
    hour = case((arrived_s >= hours_since_s, arrived_s - arrived_s % _HOUR_S), else_=-1).label("hour")
    counts = func.count(), func.coalesce(func.sum(instance.c.size_bytes), 0), func.max(instance.c.id)
    rows = connection.execute(select(hour, *counts).where(instance.c.id > after).group_by(hour)).all()
    return Added(
        max((newest for *_, newest in rows), default=after),
        Amount(sum(objects for _, objects, *_ in rows), sum(int(size) for _, _, size, _ in rows)),
        {begins_s: Amount(objects, int(size)) for begins_s, objects, size, _ in rows if begins_s >= 0},
    )
