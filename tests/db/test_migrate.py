"""Migrations make exactly the tables that the code expects, on every database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, inspect

from radfuse.archive.index.schema import metadata as index_metadata
from radfuse.core.errors import SchemaTooNew
from radfuse.db import Schema, create_database_engine, prepare_schema, sqlite_url
from radfuse.db.migrate import NEWEST
from radfuse.jobs.tables import metadata as queue_metadata
from radfuse.services.access_log.model import metadata as access_metadata
from radfuse.services.commitment.tables import metadata as commitment_metadata
from radfuse.services.config_schema import metadata as config_metadata
from radfuse.services.routing.tables import metadata as routing_metadata
from radfuse.services.workspaces.model import metadata as workspaces_metadata


def together(*parts: MetaData) -> MetaData:
    """One database of several rooms' tables."""
    whole = MetaData()
    for part in parts:
        for table in part.sorted_tables:
            table.to_metadata(whole)
    return whole


METADATA = {
    Schema.INDEX: index_metadata,
    Schema.CONFIG: config_metadata,
    Schema.JOBS: together(queue_metadata, commitment_metadata, routing_metadata),
    Schema.AUDIT: access_metadata,
    Schema.WORKSPACES: workspaces_metadata,
}


@contextmanager
def disposed(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()


def differences(engine: Engine, expected: MetaData) -> list[object]:
    """Defaults are compared where Alembic can read them and the code relies on them: the index, on PostgreSQL."""
    defaults = expected is index_metadata and engine.dialect.name == "postgresql"
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": defaults}
        )
        return list(compare_metadata(context, expected))


@pytest.mark.parametrize("schema", Schema)
def test_the_migrations_make_the_tables_of_the_code_on_sqlite(schema: Schema, tmp_path: Path) -> None:
    with disposed(create_database_engine(sqlite_url(tmp_path / "database.sqlite"))) as engine:
        prepare_schema(engine, schema)
        assert differences(engine, METADATA[schema]) == []
        prepare_schema(engine, schema)  # nothing more to do


@pytest.mark.postgresql
@pytest.mark.parametrize("schema", Schema)
def test_the_migrations_make_the_tables_of_the_code_on_postgresql(
    schema: Schema, new_database: Callable[[], str]
) -> None:
    with disposed(create_database_engine(new_database())) as engine:
        prepare_schema(engine, schema)
        assert differences(engine, METADATA[schema]) == []
        assert_collations(engine, METADATA[schema])
        prepare_schema(engine, schema)


def assert_collations(engine: Engine, expected: MetaData) -> None:
    """Text in the order of code points wherever the code says so: prefix searches rely on it."""
    columns = inspect(engine)
    for table in expected.sorted_tables:
        for column in columns.get_columns(table.name):
            wanted = table.c[column["name"]].type.dialect_impl(engine.dialect)
            assert getattr(column["type"], "collation", None) == getattr(wanted, "collation", None), column["name"]


def test_ids_of_series_are_never_used_twice_on_sqlite(tmp_path: Path) -> None:
    engine = create_database_engine(sqlite_url(tmp_path / "database.sqlite"))
    prepare_schema(engine, Schema.INDEX)
    with engine.connect() as connection:
        made = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'series'").scalar()
    assert "AUTOINCREMENT" in str(made)
    engine.dispose()


@pytest.mark.parametrize("schema", Schema)
def test_the_newest_revision_is_the_head_of_the_migrations(schema: Schema) -> None:
    from radfuse.db import migrate

    config = Config()
    config.set_main_option("script_location", str(migrate._MIGRATIONS / schema.value))
    assert ScriptDirectory.from_config(config).get_current_head() == NEWEST[schema]


@pytest.mark.parametrize("schema", Schema)
def test_a_database_of_a_newer_radfuse_is_refused_with_a_sentence(schema: Schema, tmp_path: Path) -> None:
    sentence = f"the {schema.value} database was written by a newer Radfuse (schema 9999)"
    path = tmp_path / "database.sqlite"
    engine = create_database_engine(sqlite_url(path))
    prepare_schema(engine, schema)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(SchemaTooNew) as refused:
        prepare_schema(engine, schema)
    assert str(refused.value) == f"{sentence}; install that version or newer"
    engine.dispose()


@pytest.mark.parametrize("schema", Schema)
def test_processes_that_prepare_a_database_at_once_all_find_it_ready(schema: Schema, tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "database.sqlite")

    def prepare(_number: int) -> str:
        with disposed(create_database_engine(url)) as engine:
            prepare_schema(engine, schema)
            with engine.connect() as connection:
                return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(prepare, range(8))) == {NEWEST[schema]}


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import command

    upgrade = command.upgrade

    def fails(config: Config, revision: str) -> None:
        upgrade(config, revision)
        raise OSError("the lights went out")

    with disposed(create_database_engine(sqlite_url(tmp_path / "database.sqlite"))) as engine:
        monkeypatch.setattr(command, "upgrade", fails)
        with pytest.raises(OSError, match="lights"):
            prepare_schema(engine, Schema.JOBS)
        assert inspect(engine).get_table_names() == []
