"""Schema versions: every database is brought to its newest schema before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, column, inspect, select, table

from radfuse.core.errors import SchemaTooNew
from radfuse.db.engine import write_transaction

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_VERSIONS: Final = "alembic_version"


class Schema(Enum):
    """The kinds of database that Radfuse keeps; each has its own line of migrations."""

    INDEX = "index"
    """An archive's index. Can be rebuilt from the stored objects."""

    CONFIG = "config"
    """Peers and rights. Kept apart, so that losing an index never loses the configuration."""

    JOBS = "jobs"
    """The queue, and what it learned: what was sent, what was committed."""

    AUDIT = "audit"
    """The access log: who did what. Grows, and is written all the time; nothing else waits for it."""

    WORKSPACES = "workspaces"
    """Drafts of the workstation."""


NEWEST: Final[Mapping[Schema, str]] = {
    Schema.INDEX: "0003",
    Schema.CONFIG: "0005",
    Schema.JOBS: "0005",
    Schema.AUDIT: "0001",
    Schema.WORKSPACES: "0001",
}
"""The newest revision of each: a database that has it is used without a look at the migrations."""


_PREPARING: Final = 7233572
"""The number of the lock by which processes prepare a PostgreSQL database in turn."""


def prepare_schema(engine: Engine, schema: Schema) -> None:
    """Create or upgrade the tables of ``schema``, whole or not at all.

    Several processes may do so at once: one works, the others wait and find it done. Raises
    SchemaTooNew when the database was written by a newer Radfuse.
    """
    with engine.connect() as connection:
        found = _stored_revision(connection)
    if found == NEWEST[schema]:
        return
    # Only now: a node process meets an upgraded database and has no use for all this.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS / schema.value).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    with write_transaction(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_PREPARING})")
        found = _stored_revision(connection)
        if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
            raise SchemaTooNew(f"the {schema.value} database", found)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _stored_revision(connection: Connection) -> str | None:
    """The revision that the database says it has; None when it has no schema yet."""
    if not inspect(connection).has_table(_VERSIONS):
        return None
    found: str | None = connection.scalar(select(column("version_num")).select_from(table(_VERSIONS)))
    return found
