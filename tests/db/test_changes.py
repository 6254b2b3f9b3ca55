"""Whether a database has changed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from radfuse.db import CommitWatch, create_database_engine, read_transaction, sqlite_url, write_transaction


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_database_engine(sqlite_url(tmp_path / "a.sqlite"))
    with write_transaction(made) as connection:
        connection.exec_driver_sql("CREATE TABLE word (text TEXT)")
    yield made
    made.dispose()


def test_only_commits_count(engine: Engine) -> None:
    with contextlib.closing(CommitWatch(engine)) as watch:
        assert watch.has_changed()
        assert not watch.has_changed()
        with read_transaction(engine) as connection:
            connection.exec_driver_sql("SELECT * FROM word")
        assert not watch.has_changed()
        with contextlib.suppress(ZeroDivisionError), write_transaction(engine) as connection:
            connection.exec_driver_sql("INSERT INTO word VALUES ('a')")
            raise ZeroDivisionError
        assert not watch.has_changed()
        with write_transaction(engine) as connection:
            connection.exec_driver_sql("INSERT INTO word VALUES ('b')")
        assert watch.has_changed()
        assert not watch.has_changed()


def test_another_process_counts_too(engine: Engine, tmp_path: Path) -> None:
    other = create_database_engine(sqlite_url(tmp_path / "a.sqlite"))
    with contextlib.closing(CommitWatch(engine)) as watch:
        watch.has_changed()
        with write_transaction(other) as connection:
            connection.exec_driver_sql("INSERT INTO word VALUES ('c')")
        assert watch.has_changed()
    other.dispose()


def test_elsewhere_there_may_always_be_something(new_database: Callable[[], str]) -> None:
    engine = create_database_engine(new_database())
    with contextlib.closing(CommitWatch(engine)) as watch:
        assert watch.has_changed()
        assert watch.has_changed()
    engine.dispose()
