"""The one instance at an address: study, series and instance UID, as PS3.18 names resources."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam

from radfuse.archive.index.model import StoredObject
from radfuse.archive.index.retrieve import select_objects, stored_object
from radfuse.archive.index.schema import instance, series, study


def instance_at(connection: Connection, study_uid: str, series_uid: str, sop_instance_uid: str) -> StoredObject | None:
    """The kept instance, if it is there; asked for each frame of a viewer, so that it is one prepared statement."""
    values = {"study": study_uid, "series": series_uid, "instance": sop_instance_uid}
    row = connection.execute(_statement(), values).first()
    return None if row is None else stored_object(row)


@cache
def _statement() -> Select[Any]:
    return (
        select_objects()
        .join(series, series.c.id == instance.c.series_fk)
        .join(study, study.c.id == series.c.study_fk)
        .where(
            instance.c.sop_instance_uid == bindparam("instance"),
            series.c.series_instance_uid == bindparam("series"),
            study.c.study_instance_uid == bindparam("study"),
        )
    )
