"""An index of before is upgraded with everything that is in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from radfuse.db import Schema, create_database_engine, migrate, prepare_schema, sqlite_url

ROWS = (
    "INSERT INTO uid_word (id, uid) VALUES (1, '1.2')",
    "INSERT INTO patient (id, identity_key) VALUES (1, 'p')",
    "INSERT INTO study (id, patient_fk, study_instance_uid) VALUES (1, 1, '2.25.1')",
    "INSERT INTO series (id, study_fk, series_instance_uid) VALUES (1, 1, '2.25.2')",
    "INSERT INTO instance (id, series_fk, instance_number, sop_instance_uid, sop_class_fk, transfer_syntax_fk,"
    " blob_id, size_bytes, digest, arrived_s) VALUES (7, 1, '3', '2.25.3', 1, 1, x'01', 5, x'02', 1700000000)",
)


def test_objects_keep_their_numbers_and_new_ones_get_greater_ones(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    engine = create_database_engine(sqlite_url(path))
    config = Config()
    config.set_main_option("script_location", str(migrate._MIGRATIONS / "index"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with engine.begin() as connection:
        for row in ROWS:
            connection.exec_driver_sql(row)
    prepare_schema(engine, Schema.INDEX)
    with engine.begin() as connection:
        (kept,) = connection.exec_driver_sql("SELECT * FROM instance").all()
        assert kept == (7, 1, "3", "2.25.3", 1, 1, b"\1", 5, b"\2", 1_700_000_000)
        assert connection.exec_driver_sql("SELECT length(identity) FROM index_identity").scalar() == 32
        connection.exec_driver_sql("DELETE FROM instance")
        connection.exec_driver_sql(ROWS[-1].replace("id, series_fk", "series_fk").replace("(7, ", "("))
        assert connection.exec_driver_sql("SELECT id FROM instance").scalar() == 8
    with engine.connect() as connection, pytest.raises(Exception, match="UNIQUE constraint failed"):
        connection.exec_driver_sql(ROWS[-1].replace("(7, ", "(9, "))
    engine.dispose()
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("PRAGMA foreign_key_list(instance)").fetchall() != []
    database.close()
