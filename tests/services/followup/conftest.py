"""Two time points of a made-up patient that are registered, kept once for all tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from radfuse.archive import Archive, ArchiveSettings
from radfuse.services.commission.scans import PT
from tests.support.timepoints import keep_time_points


@pytest.fixture(scope="session")
def kept_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed archive with the PET of both, what is drawn on them, and the registration between them."""
    folder = tmp_path_factory.mktemp("time-points")
    with Archive(ArchiveSettings(folder)) as archive:
        keep_time_points(archive, (PT,))
    return folder


@pytest.fixture(scope="session")
def kept(kept_folder: Path) -> Iterator[Archive]:
    """The same, open; tests only read from it."""
    with Archive(ArchiveSettings(kept_folder)) as archive:
        yield archive


@pytest.fixture
def own(kept: Archive, kept_folder: Path, tmp_path: Path) -> Iterator[Archive]:
    """A copy to write to."""
    kept.settle()
    shutil.copytree(kept_folder, tmp_path / "own")
    with Archive(ArchiveSettings(tmp_path / "own")) as archive:
        yield archive
