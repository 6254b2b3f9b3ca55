"""Keeps drafts in ``workspaces.sqlite`` of the data folder. Who writes on an old revision is told; nothing is lost."""

from __future__ import annotations

import secrets
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import xxhash
from sqlalchemy import Connection, RowMapping, and_, delete, func, insert, select, update

from radfuse.core.errors import ObjectTooLarge, UnknownEntity
from radfuse.db import (
    Schema,
    create_database_engine,
    make_private,
    prepare_schema,
    read_transaction,
    sqlite_url,
    translate_database_errors,
    write_transaction,
)
from radfuse.services.workspaces.model import (
    Change,
    Kept,
    Newest,
    Version,
    WorkspaceFacts,
    version_table,
    workspace_table,
)

LIMIT_BYTES: Final = 32 << 20
"""Of one state, as JSON."""

MOST_VERSIONS: Final = 50
"""Of one draft. The oldest one that is not the newest goes first."""

_DAY_S: Final = 86_400.0
_PRUNED_EVERY_S: Final = 3600.0
_QUICK: Final = 1
"""Level of compression: a state is written every few seconds."""

_WHAT: Final = "workspace"
_FACTS: Final = (
    workspace_table.c.id,
    workspace_table.c.revision,
    workspace_table.c.study,
    workspace_table.c.title,
    workspace_table.c.made_by,
    version_table.c.changed_by,
    version_table.c.changed_s,
    version_table.c.size_bytes,
)


class Workspaces:
    """The drafts of a data folder. ``keep_days``: those that were not changed for so long are removed; 0: never."""

    def __init__(self, folder: Path, keep_days: float = 0.0) -> None:
        """Raises SchemaTooNew."""
        path = folder / "workspaces.sqlite"
        make_private(path)
        self._engine = create_database_engine(sqlite_url(path), synced_commits=True)
        prepare_schema(self._engine, Schema.WORKSPACES)
        self._keep_s = keep_days * _DAY_S
        self._pruned_s = 0.0

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def create(self, database: str, study: str, title: str, change: Change) -> Newest:
        """A new draft of a study. Raises ObjectTooLarge, OutOfSpace."""
        now, number = time.time(), 1
        id_ = secrets.token_urlsafe(12)
        row = _version(change, now)
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            connection.execute(
                insert(workspace_table).values(
                    id=id_,
                    database=database,
                    study=study,
                    title=title,
                    made_by=change.by,
                    made_s=now,
                    revision=1,
                    newest=number,
                    changed_s=now,
                )
            )
            connection.execute(insert(version_table).values(row | {"workspace": id_, "number": number, "revision": 1}))
            return self._newest(connection, database, id_)

    def of_study(self, database: str, study: str) -> Sequence[WorkspaceFacts]:
        """The drafts of a study, that changed last first; what is too old is removed."""
        self.prune()
        query = _newest_of(database).where(workspace_table.c.study == study)
        query = query.order_by(workspace_table.c.changed_s.desc())
        with read_transaction(self._engine) as connection:
            return [_facts(row) for row in connection.execute(query).mappings()]

    def find(self, database: str, id_: str) -> Newest:
        """A draft as it is now. Raises UnknownEntity."""
        with read_transaction(self._engine) as connection:
            return self._newest(connection, database, id_)

    def change(self, database: str, id_: str, change: Change) -> Kept:
        """Make a state the newest; or keep it as a version beside what somebody else made the newest meanwhile.

        The same state again, and the next one of a page whose last answer was lost, is no conflict. A state
        that another page made is kept when it is replaced. Raises UnknownEntity, ObjectTooLarge, OutOfSpace.
        """
        row = _version(change, time.time())
        with translate_database_errors(_WHAT), write_transaction(self._engine) as connection:
            here = self._here(connection, database, id_)
            newest = connection.execute(_of(id_, here["newest"])).mappings().one()
            if newest["digest"] == row["digest"]:
                return Kept(here["revision"], here["study"])
            is_own = bool(change.client) and (newest["client"], newest["changed_by"]) == (change.client, change.by)
            if change.revision != here["revision"] and not (is_own and newest["based_on"] == change.revision):
                self._beside(connection, id_, row)
                return Kept(here["revision"], here["study"], self._newest(connection, database, id_))
            revision = here["revision"] + 1
            row |= {"revision": revision}
            if is_own or (not change.client and newest["changed_by"] == change.by and not newest["client"]):
                number = here["newest"]
                connection.execute(update(version_table).where(_is(id_, number)).values(row))
            else:
                number = self._add(connection, id_, row)
            values = {"revision": revision, "newest": number, "changed_s": row["changed_s"]}
            if change.title is not None:
                values["title"] = change.title
            connection.execute(update(workspace_table).where(workspace_table.c.id == id_).values(values))
            self._thin(connection, id_, number)
            return Kept(revision, here["study"])

    def remove(self, database: str, id_: str) -> None:
        """Remove a draft with all its versions. Raises UnknownEntity."""
        with write_transaction(self._engine) as connection:
            self._here(connection, database, id_)
            connection.execute(delete(workspace_table).where(workspace_table.c.id == id_))

    def remove_gone(self, database: str, is_kept: Callable[[str], bool]) -> int:
        """Remove the drafts of studies that are not kept any more; how many there were."""
        of_it = workspace_table.c.database == database
        with read_transaction(self._engine) as connection:
            studies = connection.scalars(select(workspace_table.c.study).where(of_it).distinct()).all()
        gone = [study for study in studies if not is_kept(study)]
        if not gone:
            return 0
        with write_transaction(self._engine) as connection:
            of_them = and_(of_it, workspace_table.c.study.in_(gone))
            return connection.execute(delete(workspace_table).where(of_them)).rowcount

    def versions(self, database: str, id_: str) -> Sequence[Version]:
        """The states of a draft that are kept, the last first. Raises UnknownEntity."""
        columns = [column for column in version_table.c if column.name not in ("state", "digest")]
        query = select(*columns).where(version_table.c.workspace == id_).order_by(version_table.c.changed_s.desc())
        with read_transaction(self._engine) as connection:
            newest = self._here(connection, database, id_)["newest"]
            return [
                Version(
                    row["number"],
                    row["revision"],
                    row["changed_by"],
                    row["changed_s"],
                    row["number"] == newest,
                    row["size_bytes"],
                )
                for row in connection.execute(query).mappings()
            ]

    def version(self, database: str, id_: str, number: int) -> Newest:
        """One of the states of a draft. Raises UnknownEntity."""
        with read_transaction(self._engine) as connection:
            self._here(connection, database, id_)
            return _whole(connection, _joined(database, version_table.c.number == number), id_)

    def prune(self, now_s: float | None = None) -> int:
        """Remove drafts that nobody changed for long, at most once an hour; how many there were."""
        now = time.time() if now_s is None else now_s
        if not self._keep_s or now - self._pruned_s < _PRUNED_EVERY_S:
            return 0
        self._pruned_s = now
        with write_transaction(self._engine) as connection:
            old = workspace_table.c.changed_s < now - self._keep_s
            return connection.execute(delete(workspace_table).where(old)).rowcount

    def _here(self, connection: Connection, database: str, id_: str) -> RowMapping:
        query = select(workspace_table).where(workspace_table.c.id == id_, workspace_table.c.database == database)
        found = connection.execute(query).mappings().one_or_none()
        if found is None:
            raise UnknownEntity(_WHAT)
        return found

    def _newest(self, connection: Connection, database: str, id_: str) -> Newest:
        return _whole(connection, _newest_of(database, version_table.c.state), id_)

    def _beside(self, connection: Connection, id_: str, row: Mapping[str, Any]) -> None:
        """Keep a state that came too late: what the same page sent before on the same revision is replaced."""
        same = and_(
            version_table.c.workspace == id_,
            version_table.c.client == row["client"],
            version_table.c.changed_by == row["changed_by"],
            version_table.c.revision == row["revision"],
            version_table.c.based_on == row["based_on"],
        )
        newest = select(workspace_table.c.newest).where(workspace_table.c.id == id_).scalar_subquery()
        if not row["client"]:
            same = and_(same, version_table.c.digest == row["digest"])
        again = update(version_table).where(same, version_table.c.number != newest).values(row)
        if connection.execute(again).rowcount:
            return
        self._add(connection, id_, row)
        self._thin(connection, id_, connection.scalar(select(newest)) or 0)

    def _add(self, connection: Connection, id_: str, row: Mapping[str, Any]) -> int:
        last = select(func.max(version_table.c.number)).where(version_table.c.workspace == id_)
        number: int = (connection.scalar(last) or 0) + 1
        connection.execute(insert(version_table).values(dict(row) | {"workspace": id_, "number": number}))
        return number

    def _thin(self, connection: Connection, id_: str, newest: int) -> None:
        """Remove the oldest versions beyond the bound."""
        of_it = and_(version_table.c.workspace == id_, version_table.c.number != newest)
        numbers = select(version_table.c.number).where(of_it).order_by(version_table.c.changed_s.desc())
        gone = connection.scalars(numbers.offset(MOST_VERSIONS - 1).limit(MOST_VERSIONS)).all()
        if gone:
            connection.execute(delete(version_table).where(of_it, version_table.c.number.in_(gone)))


def _version(change: Change, now_s: float) -> dict[str, Any]:
    """The columns of a state. Raises ObjectTooLarge."""
    if len(change.state) > LIMIT_BYTES:
        raise ObjectTooLarge(LIMIT_BYTES)
    return {
        "revision": change.revision,
        "changed_by": change.by,
        "client": change.client,
        "based_on": change.revision,
        "changed_s": now_s,
        "size_bytes": len(change.state),
        "digest": xxhash.xxh3_128_digest(change.state),
        "state": zlib.compress(change.state, _QUICK),
    }


def _is(id_: str, number: int) -> Any:
    return and_(version_table.c.workspace == id_, version_table.c.number == number)


def _of(id_: str, number: int) -> Any:
    columns = (version_table.c.digest, version_table.c.client, version_table.c.based_on, version_table.c.changed_by)
    return select(*columns).where(_is(id_, number))


def _newest_of(database: str, *more: Any) -> Any:
    return _joined(database, version_table.c.number == workspace_table.c.newest, more)


def _joined(database: str, which: Any, more: Sequence[Any] = (version_table.c.state,)) -> Any:
    on = and_(version_table.c.workspace == workspace_table.c.id, which)
    return select(*_FACTS, *more).join(version_table, on).where(workspace_table.c.database == database)


def _whole(connection: Connection, query: Any, id_: str) -> Newest:
    row = connection.execute(query.where(workspace_table.c.id == id_)).mappings().one_or_none()
    if row is None:
        raise UnknownEntity(_WHAT)
    return Newest(_facts(row), zlib.decompress(row["state"]))


def _facts(row: RowMapping) -> WorkspaceFacts:
    return WorkspaceFacts(**{column.name: row[column.name] for column in _FACTS})
