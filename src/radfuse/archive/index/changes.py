"""Seeing that an index changes, cheaply: for whoever shows what is kept to people as it comes and goes."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from radfuse.archive.index.arrivals import newest_arrival
from radfuse.archive.index.schema import instance, series, study

# Neither reads more than one row: what was deleted is not counted, only told from what was before.
_DELETIONS: Final = "SELECT max(rowid) FROM deleted_blob"
_DELETIONS_POSTGRESQL: Final = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relid = 'deleted_blob'::regclass"
_MOST_ARRIVALS: Final = 20_000


class IndexMark(NamedTuple):
    """Where an index is; two marks are equal when nothing has come and nothing is gone between them."""

    newest: int
    """The number of the last arrival."""
    deletions: int
    """Grows with every object that is deleted."""


def mark_of(connection: Connection) -> IndexMark:
    """Where the index is now. PostgreSQL tells of deletions about a second late."""
    words = _DELETIONS if connection.dialect.name == "sqlite" else _DELETIONS_POSTGRESQL
    return IndexMark(newest_arrival(connection), connection.exec_driver_sql(words).scalar() or 0)


def studies_between(connection: Connection, before: IndexMark, now: IndexMark, limit: int) -> list[str] | None:
    """The UIDs of the studies to which something came between two marks; None when they are more than ``limit``.

    Also None when so much came that looking would take long.
    """
    if now.newest - before.newest > _MOST_ARRIVALS:
        return None
    wanted = (
        select(study.c.study_instance_uid)
        .join_from(instance, series, series.c.id == instance.c.series_fk)
        .join(study, study.c.id == series.c.study_fk)
        .where(instance.c.id > before.newest, instance.c.id <= now.newest)
        .distinct()
        .limit(limit + 1)
    )
    found = list(connection.scalars(wanted))
    return None if len(found) > limit else found
