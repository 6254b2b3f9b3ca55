"""The migrations as they are, and a PostgreSQL server of our own, on a Unix socket."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from alembic import command

from tests.support.schemas import migrate

START_S = 120.0


@pytest.fixture(autouse=True)
def migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here every database goes through all its migrations."""
    monkeypatch.setattr(command, "upgrade", migrate)


def _as_postgres(words: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return words
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *words]


@pytest.fixture(scope="session")
def postgresql_server(postgresql: Path) -> Iterator[Path]:
    """The folder of the socket of a running server."""
    pytest.importorskip("psycopg")
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has at most 107 characters
    process = None
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        initdb = [str(postgresql / "initdb"), "-D", str(data), "-U", "radfuse", "-A", "trust", "-E", "UTF8", "-N"]
        subprocess.run(_as_postgres(initdb), check=True, stdout=subprocess.DEVNULL, cwd=folder)
        options = ["-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off"]
        server = _as_postgres([str(postgresql / "postgres"), "-D", str(data), *options])
        process = subprocess.Popen(server, stderr=subprocess.DEVNULL, cwd=folder)
        deadline = time.monotonic() + START_S
        while not _answers(folder):
            assert process.poll() is None and time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.1)
        yield folder
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # a fast shutdown does not wait for clients
            process.wait(START_S)
        shutil.rmtree(folder, ignore_errors=True)


def _answers(folder: Path) -> bool:
    import psycopg

    try:
        psycopg.connect(host=str(folder), user="radfuse", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


_NUMBERS = count(1)


@pytest.fixture
def new_database(postgresql_server: Path) -> Callable[[], str]:
    """A maker of URLs of empty databases."""
    import psycopg

    def make() -> str:
        name = f"index{next(_NUMBERS)}"
        with psycopg.connect(
            host=str(postgresql_server), user="radfuse", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://radfuse@/{name}?host={postgresql_server}"

    return make
