"""Finds entries of the access log, among millions."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select

from radfuse.services.access_log.model import AccessEntry, AccessQuery, access_table, entry_of

_OUT_OF_ORDER_S: Final = 600.0
_OUT_OF_ORDER: Final = 1000
"""Ids grow with time but for as long as lines wait to be written: so long, or so many."""

_NO_ID: Final = 1 << 62


def page(connection: Connection, query: AccessQuery) -> tuple[list[AccessEntry], bool]:
    """Entries that ``query`` wants, the newest first, and whether there are more."""
    columns = access_table.c
    found = select(access_table)
    for name in ("user", "action", "outcome", "study"):
        if value := getattr(query, name):
            found = found.where(columns[name] == value)
    for condition in _of_time(connection, query):
        found = found.where(condition)
    if query.before is not None:
        found = found.where(columns.id < query.before)
    found = found.order_by(columns.id.desc()).limit(query.limit + 1)
    rows = connection.execute(found).mappings().all()
    return [entry_of(row) for row in rows[: query.limit]], len(rows) > query.limit


def _of_time(connection: Connection, query: AccessQuery) -> list[ColumnElement[bool]]:
    """The conditions of time, and as bounds of the id: without those a page of long ago would read all since."""
    columns = access_table.c
    conditions: list[ColumnElement[bool]] = []
    if query.from_s is not None:
        near = columns.time_s >= query.from_s - _OUT_OF_ORDER_S
        ids = select(columns.id).where(near).order_by(columns.time_s).limit(_OUT_OF_ORDER).subquery()
        first = connection.scalar(select(func.min(ids.c.id)))
        # Nothing so late: no id is that high.
        conditions += [columns.time_s >= query.from_s, columns.id >= (first if first is not None else _NO_ID)]
    if query.until_s is not None:
        near = columns.time_s <= query.until_s + _OUT_OF_ORDER_S
        ids = select(columns.id).where(near).order_by(columns.time_s.desc()).limit(_OUT_OF_ORDER).subquery()
        last = connection.scalar(select(func.max(ids.c.id)))
        conditions += [columns.time_s < query.until_s, columns.id <= (last or 0)]
    return conditions
