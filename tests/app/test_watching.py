"""The worker looks at the watched folder of its settings."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import pytest

from radfuse.app.compose import open_archive
from radfuse.app.settings import load_settings
from radfuse.app.worker import Worker
from radfuse.core.errors import ConfigurationError
from radfuse.jobs import Jobs
from tests.archive.objects import numbered, stored_objects
from tests.services.import_media.scenes import part10

WAIT_S = 60.0


def test_the_worker_imports_what_comes_into_the_watched_folder(tmp_path: Path) -> None:
    data, inbox = tmp_path / "data", tmp_path / "inbox"
    data.mkdir()
    inbox.mkdir()
    text = f'[databases]\nSECOND = "second"\n[media]\nwatched_folder = "{inbox}"\nwatched_every_s = 0.2\n'
    more = 'watched_files = "remove"\nwatched_database = "second"\n'
    (data / "radfuse.toml").write_text(text + more, encoding="utf-8")
    (inbox / "file").write_bytes(part10(numbered(1)))
    settings = load_settings(data)
    with contextlib.closing(Jobs(data)) as jobs:
        worker = Worker(settings, jobs)
        thread = threading.Thread(target=worker.run)
        thread.start()
        deadline = time.monotonic() + WAIT_S
        while (inbox / "file").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        worker.stop()
        thread.join(WAIT_S)
    with open_archive(settings, "second") as archive:
        assert set(stored_objects(archive)) == {"2.25.7.1"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('watched_folder = "inbox"', "media.watched_folder: 'inbox' is no absolute path: begin it with /"),
        ('import_folders = ["/mnt", "x"]', "media.import_folders: 'x' is no absolute path: begin it with /"),
        ('watched_database = "none"', "media: watched_database: there is no database 'none'"),
    ],
)
def test_what_cannot_be_watched_is_refused_when_the_settings_are_read(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "radfuse.toml").write_text(f"[media]\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        load_settings(tmp_path)
    assert str(error.value) == reason
