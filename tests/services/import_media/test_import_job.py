"""Importing as a durable job: only from folders that are allowed, and a worker that is killed costs nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from radfuse.core.errors import OutOfSpace
from radfuse.jobs import ItemState, Job, Jobs, JobState, run_next
from radfuse.services.import_job import (
    IMPORT_MEDIA,
    ImportSurroundings,
    forget_old_imports,
    import_report,
    imports_folder,
    new_media_import,
    run_media_import,
)
from tests.archive.objects import ROOT, numbered, open_archive, stored_objects
from tests.services.import_media.scenes import part10, written
from tests.support.servers import environment


class Desk:
    """A data folder with a queue and an archive."""

    def __init__(self, data: Path, allowed: Path) -> None:
        data.mkdir(exist_ok=True)
        self.data, self.allowed = data, allowed
        self.jobs, self.archive = Jobs(data), open_archive(data)

    def submit(self, path: Path) -> int:
        """Queue an import."""
        return self.jobs.submit(new_media_import(path, by="anna"))

    def run(self, job: int) -> Job:
        """One attempt."""
        around = ImportSurroundings(lambda _: self.archive, self.data, [self.allowed])
        return run_next(self.jobs, {IMPORT_MEDIA: partial(run_media_import, surroundings=around)}, job)

    def close(self) -> None:
        """Close both."""
        self.jobs.close()
        self.archive.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with contextlib.closing(Desk(tmp_path / "data", tmp_path / "media")) as made:
        yield made


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    return written(tmp_path / "media" / "disc", range(150))


def test_a_folder_is_imported_and_the_job_has_a_report(desk: Desk, disc: Path) -> None:
    (disc / "README").write_text("no object", encoding="utf-8")
    number = desk.submit(disc)
    assert import_report(desk.data, number) is None
    job = desk.run(number)
    assert (job.state, job.message) == (JobState.DONE, "150 stored, 1 not DICOM")
    assert job.parameters == {"path": str(disc), "database": "default", "by": "anna"}
    report = import_report(desk.data, number)
    assert report is not None
    assert (report["Stored"], report["NotDicom"], report["RefusedFiles"]) == (150, 1, [])
    assert [path.name for path in imports_folder(desk.data).iterdir()] == [f"job-{number}.json"]


def test_what_was_refused_is_a_warning_and_named_in_the_report(desk: Desk, disc: Path) -> None:
    (disc / "00007").write_bytes(part10(numbered(7))[:-1])
    number = desk.submit(disc)
    assert desk.run(number).counts.warned == 1
    report = import_report(desk.data, number)
    assert report is not None
    assert [row["File"] for row in report["RefusedFiles"]] == [str(disc / "00007")]


def test_a_folder_that_is_not_allowed_is_not_read(desk: Desk, tmp_path: Path) -> None:
    outside = written(tmp_path / "outside", [1])
    (desk.allowed / "disc").parent.mkdir(parents=True)
    (desk.allowed / "disc").symlink_to(outside)
    for path in (outside, desk.allowed / "disc", desk.allowed / ".." / "outside"):
        job = desk.run(desk.submit(path))
        assert (job.state, job.message.partition(":")[0]) == (JobState.FAILED, "media.import_folders")
    assert stored_objects(desk.archive) == {}


def test_a_medium_that_was_taken_out_is_told(desk: Desk, disc: Path) -> None:
    job = desk.run(desk.submit(disc / "gone"))
    assert job.message == "path: there is nothing at this place any more: put the medium in and start again"


def test_a_full_disk_lets_the_job_wait_and_it_goes_on_later(
    desk: Desk, disc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive, left = desk.archive.receive, iter(range(70))

    def until_full(*origin: object) -> object:
        if next(left, None) is None:
            raise OutOfSpace("the store")
        return receive(*origin)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.archive, "receive", until_full)
    number = desk.submit(disc)
    job = desk.run(number)
    assert (job.state, job.message) == (JobState.WAITING, "no space left for the store")
    monkeypatch.undo()
    job = desk.run(number)
    report = import_report(desk.data, number)
    assert report is not None
    assert (job.state, report["FromBefore"] > 0) == (JobState.DONE, True)
    assert report["Stored"] + report["AlreadyKept"] == 150


_KILLED = """
import os, signal, sys
from functools import partial
from pathlib import Path
from radfuse.jobs import Jobs, run_next
from radfuse.services.import_job import IMPORT_MEDIA, ImportSurroundings, run_media_import
from tests.archive.objects import open_archive
data, allowed, job, lives = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
archive, jobs = open_archive(data), Jobs(data)
keep_all = archive.keep_all
def mortal(*objects):
    global lives
    lives -= 1
    kept = keep_all(*objects)
    if lives <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return kept
archive.keep_all = mortal
around = ImportSurroundings(lambda _: archive, data, [allowed])
run_next(jobs, {IMPORT_MEDIA: partial(run_media_import, surroundings=around)}, job)
"""


def test_a_worker_that_is_killed_loses_nothing_and_every_file_is_counted_once(tmp_path: Path) -> None:
    data, disc = tmp_path / "data", written(tmp_path / "media" / "disc", range(600))
    data.mkdir()
    with contextlib.closing(Jobs(data)) as jobs:
        number = jobs.submit(new_media_import(disc))
    command = [sys.executable, "-c", _KILLED, str(data), str(disc.parent), str(number), "14"]
    killed = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with contextlib.closing(Desk(data, disc.parent)) as desk:
        before = len(stored_objects(desk.archive))
        assert 0 < before < 600
        desk.jobs.pause(number)  # it is marked as running: a worker takes it up again when it starts
        desk.jobs.resume(number)
        assert desk.run(number).state is JobState.DONE
        report = import_report(data, number)
        assert report is not None
        assert report["Stored"] + report["AlreadyKept"] == 600
        assert report["FromBefore"] <= before
        assert len(stored_objects(desk.archive)) == 600


def test_a_job_that_is_cancelled_stops_in_the_middle(desk: Desk, disc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = desk.submit(disc)
    keep_all = desk.archive.keep_all

    def cancelling(*objects: object) -> object:
        if desk.jobs.get(number).state is JobState.RUNNING:
            desk.jobs.cancel(number)
            time.sleep(0.3)
        return keep_all(*objects)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.archive, "keep_all", cancelling)
    assert desk.run(number).state is JobState.CANCELLED
    assert [item.state for item in desk.jobs.items(number)] == [ItemState.PENDING]
    assert import_report(desk.data, number) is None


def test_old_reports_and_journals_are_removed(tmp_path: Path) -> None:
    folder = imports_folder(tmp_path)
    folder.mkdir()
    for name, age_days in (("job-1.json", 31), ("job-2.json", 29), ("a.journal", 8), ("b.journal", 6)):
        (folder / name).touch()
        then = time.time() - age_days * 86_400
        os.utime(folder / name, (then, then))
    assert forget_old_imports(tmp_path) == 2
    assert {path.name for path in folder.iterdir()} == {"job-2.json", "b.journal"}
