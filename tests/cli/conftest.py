"""A command runner, and one running node for all tests of the commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from radfuse.cli.program import app
from tests.support.generate import GeneratedSet
from tests.support.servers import RunningNode, running_node


@dataclass(frozen=True)
class Answer:
    """What a command wrote, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output read as JSON."""
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on a data folder of its own; whatever it raises fails the test."""
    monkeypatch.setenv("RADFUSE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RADFUSE_AE_TITLE", "TESTER")

    def run_command(*words: str | Path) -> Answer:
        result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
        return Answer(result.exit_code, result.stdout, result.stderr)

    return run_command


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """An empty node of ours."""
    with running_node(tmp_path_factory.mktemp("node") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def full_node(tmp_path_factory: pytest.TempPathFactory, generated_set: GeneratedSet) -> Iterator[RunningNode]:
    """A node of ours that has the generated study; tests only read from it."""
    data = tmp_path_factory.mktemp("full") / "data"
    answer = CliRunner().invoke(app, ["import", str(generated_set.root), "--data", str(data)])
    assert answer.exit_code == 0, answer.output
    with running_node(data) as running:
        yield running
