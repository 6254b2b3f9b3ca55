"""An archive of its own for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from radfuse.archive import Archive, ArchiveSettings


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An empty archive."""
    (tmp_path / "archive").mkdir()
    with Archive(ArchiveSettings(tmp_path / "archive")) as opened:
        yield opened
