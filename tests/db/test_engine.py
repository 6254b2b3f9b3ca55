"""Engines keep the promises that durability and searching rely on."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from radfuse.core.errors import ConfigurationError, OutOfSpace
from radfuse.db import (
    create_database_engine,
    is_out_of_space,
    read_transaction,
    sqlite_url,
    translate_database_errors,
    write_transaction,
)


@contextlib.contextmanager
def engine_at(path: Path, *, synced_commits: bool = False) -> Iterator[Engine]:
    engine = create_database_engine(sqlite_url(path), synced_commits=synced_commits)
    try:
        yield engine
    finally:
        engine.dispose()


@pytest.mark.parametrize(("synced_commits", "synchronous"), [(False, 1), (True, 2)])
def test_every_connection_has_the_durability_that_was_asked_for(
    synced_commits: bool, synchronous: int, tmp_path: Path
) -> None:
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(engine_at(tmp_path / "a.sqlite", synced_commits=synced_commits))
        connections = [stack.enter_context(engine.connect()) for _ in range(3)]
        for connection in connections:
            for pragma, value in (("journal_mode", "wal"), ("synchronous", synchronous), ("foreign_keys", 1)):
                assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
            assert connection.exec_driver_sql("SELECT 'A' LIKE 'a'").scalar() == 0


@pytest.mark.parametrize("name", ["plain", "with space", "q?uestion=1", "per%20cent", "ha#sh", "ü", "a:b@c"])
def test_a_database_may_be_in_a_folder_of_any_name(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    with engine_at(folder / "a.sqlite") as engine, write_transaction(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
    assert (folder / "a.sqlite").stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_write_is_kept_at_the_end_of_its_block_and_undone_when_the_block_fails(tmp_path: Path) -> None:
    with engine_at(tmp_path / "a.sqlite") as engine:
        with write_transaction(engine) as connection:
            connection.exec_driver_sql("CREATE TABLE t (x)")
            connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        with pytest.raises(KeyError), write_transaction(engine) as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES (2)")
            raise KeyError
        with read_transaction(engine) as connection:
            assert connection.exec_driver_sql("SELECT x FROM t").scalars().all() == [1]


def test_a_reader_has_one_view_while_others_write(tmp_path: Path) -> None:
    with engine_at(tmp_path / "a.sqlite") as engine:
        with write_transaction(engine) as connection:
            connection.exec_driver_sql("CREATE TABLE t (x)")
        with read_transaction(engine) as reader:
            assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
            with write_transaction(engine) as writer:
                writer.exec_driver_sql("INSERT INTO t VALUES (1)")
            assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
        with read_transaction(engine) as reader:
            assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == 1


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    with engine_at(tmp_path / "a.sqlite") as engine:
        with write_transaction(engine) as connection:
            connection.exec_driver_sql("CREATE TABLE t (x)")
            connection.exec_driver_sql("INSERT INTO t VALUES (0)")

        def count_up() -> None:
            for _ in range(20):
                with write_transaction(engine) as connection:
                    value = connection.exec_driver_sql("SELECT x FROM t").scalar()
                    connection.exec_driver_sql("UPDATE t SET x = ?", (int(str(value)) + 1,))

        threads = [threading.Thread(target=count_up) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with read_transaction(engine) as connection:
            assert connection.exec_driver_sql("SELECT x FROM t").scalar() == 80


@pytest.mark.parametrize("url", ["nonsense", "oracle://host/x", "postgresql+nodriver://host/x", ""])
def test_a_url_that_cannot_be_used_is_a_setting_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        create_database_engine(url)
    assert str(refused.value).startswith("database: cannot use this database URL")


def full(path: Path) -> sqlite3.Connection:
    """A connection to a database that may not grow."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.execute("PRAGMA max_page_count=2")
    return connection


def test_a_full_disk_is_out_of_space_and_other_errors_pass(tmp_path: Path) -> None:
    with contextlib.closing(full(tmp_path / "a.sqlite")) as connection:
        with pytest.raises(OutOfSpace) as refused, translate_database_errors("the index"):
            connection.execute("INSERT INTO t VALUES (?)", (bytes(100_000),))
        assert str(refused.value) == "no space left for the index"
        with pytest.raises(sqlite3.OperationalError), translate_database_errors("the index"):
            connection.execute("SELECT * FROM nothing")
    with engine_at(tmp_path / "b.sqlite") as engine:
        with (
            pytest.raises(OperationalError) as failed,
            translate_database_errors("x"),
            read_transaction(engine) as reader,
        ):
            reader.exec_driver_sql("SELECT * FROM nothing")
        assert not is_out_of_space(failed.value)
        with write_transaction(engine) as writer:
            writer.exec_driver_sql("CREATE TABLE t (x UNIQUE)")
            writer.exec_driver_sql("PRAGMA max_page_count=2")
        with pytest.raises(OutOfSpace), translate_database_errors("x"), write_transaction(engine) as writer:
            writer.exec_driver_sql("PRAGMA max_page_count=2")
            writer.exec_driver_sql("INSERT INTO t VALUES (?)", (bytes(100_000),))
        with pytest.raises(IntegrityError), translate_database_errors("x"), write_transaction(engine) as writer:
            writer.exec_driver_sql("INSERT INTO t VALUES (1), (1)")


def test_only_what_says_so_is_out_of_space() -> None:
    assert is_out_of_space(OSError(28, "No space left on device"))
    assert not is_out_of_space(OSError(5, "Input/output error"))
    assert not is_out_of_space(ValueError("database or disk is full"))
    assert not is_out_of_space(DBAPIError("x", None, None))  # type: ignore[arg-type]
