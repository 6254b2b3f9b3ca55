"""A real ``radfuse serve`` for each module of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import RunningNode, running_node


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """The service, for the whole module. Its module may give ``SETTINGS`` (TOML) and ``OPTIONS`` (of the command)."""
    data = tmp_path_factory.mktemp("node") / "data"
    write_settings(data, getattr(request.module, "SETTINGS", ""))
    options = getattr(request.module, "OPTIONS", ("--workers", "1"))
    with running_node(data, *options, command=("serve",)) as running:
        yield running


def write_settings(data: Path, settings: str) -> None:
    """A data folder with this ``radfuse.toml``."""
    data.mkdir(parents=True)
    (data / "radfuse.toml").write_text(settings, encoding="utf-8")
