"""Schema versions: every database is brought to its newest schema before it is used."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from radfuse.core.errors import SchemaTooNew

_MIGRATIONS: Final = Path(__file__).parent / "migrations"


class Schema(Enum):
    """The kinds of database that Radfuse keeps; each has its own line of migrations."""

    INDEX = "index"
    """An archive's index. Can be rebuilt from the stored objects."""

    CONFIG = "config"
    """Peers and rights. Kept apart, so that losing an index never loses the configuration."""


def prepare_schema(engine: Engine, schema: Schema) -> None:
    """Create or upgrade the tables of ``schema``.

    Raises SchemaTooNew when the database was written by a newer Radfuse.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS / schema.value).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found == scripts.get_current_head():
        return
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise SchemaTooNew(f"the {schema.value} database", found)
    config.attributes["engine"] = engine
    command.upgrade(config, "head")
