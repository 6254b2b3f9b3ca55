"""Files that are their owner's alone, without harm to those who use them."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from radfuse.db import create_database_engine, make_private, sqlite_url

WRITES = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1])
other.execute("INSERT INTO t VALUES (2)")
other.commit()
other.close()
"""


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    make_private(path)
    engine = create_database_engine(sqlite_url(path))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a INTEGER)")
        assert {rights(each) for each in tmp_path.iterdir()} == {0o600}
        assert len(list(tmp_path.iterdir())) == 3
    engine.dispose()


def test_one_that_was_open_to_others_is_no_more(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    for ending in ("", "-wal", "-shm"):
        (tmp_path / f"a.sqlite{ending}").touch(0o644)
    make_private(path)
    assert {rights(each) for each in tmp_path.iterdir()} == {0o600}


def test_where_there_are_no_links_the_database_makes_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(_source: object, _target: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", no_links)
    make_private(tmp_path / "a.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_those_who_have_it_open_keep_their_locks(tmp_path: Path) -> None:
    """Otherwise another process would remove the write-ahead log, and what it wrote were never seen here."""
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path)) as here:
        here.execute("PRAGMA journal_mode=WAL")
        here.execute("CREATE TABLE t (a INTEGER)")
        here.execute("INSERT INTO t VALUES (1)")
        here.commit()
        make_private(path)
        subprocess.run([sys.executable, "-c", WRITES, str(path)], check=True)
        assert here.execute("SELECT count(*) FROM t").fetchone() == (2,)
        assert (tmp_path / "a.sqlite-wal").exists()
