"""A queue of its own for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from radfuse.jobs import Jobs
from tests.db.conftest import new_database, postgresql_server  # noqa: F401  the same servers
from tests.jobs.working import WorkerProcess


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    opened = Jobs(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def start_worker() -> Iterator[Callable[..., WorkerProcess]]:
    """A maker of worker processes; none outlives its test."""
    started: list[WorkerProcess] = []

    def start(where: Path | str, log: Path, name: str = "tester", pause_s: float = 0.0) -> WorkerProcess:
        started.append(WorkerProcess(where, log, name, pause_s))
        return started[-1]

    yield start
    for worker in started:
        with worker.process:
            worker.process.kill()
