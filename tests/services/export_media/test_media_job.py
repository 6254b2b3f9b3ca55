"""Exports to media as jobs: downloads for a day, or folders that the settings allow; a crash begins them again."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from radfuse.archive import Archive
from radfuse.core.errors import ConfigurationError
from radfuse.dicom import Transcoder
from radfuse.jobs import Job, JobContext, Jobs, JobState, run_next
from radfuse.services.export_media import MediaAsk
from radfuse.services.export_media.packing import new_file
from radfuse.services.media_job import (
    EXPORT_MEDIA,
    Form,
    MediaSurroundings,
    export_folder,
    exported_volume,
    exported_volumes,
    forget_old_media,
    media_folder,
    new_media_export,
    run_media_export,
)
from radfuse.services.selection import Selection
from tests.archive.objects import AnObject, store
from tests.services.export_media.conftest import whole_study
from tests.support.generate import STUDY_UID


class Desk:
    """A queue, and one attempt at a time."""

    def __init__(self, archive: Archive, transcoder: Transcoder, data: Path) -> None:
        data.mkdir()
        (data.parent / "stick").mkdir()
        self.jobs = Jobs(data)
        self.data = data
        self.stick = data.parent / "stick"
        self.around = MediaSurroundings(lambda _name: archive, transcoder, data, [self.stick], "Clinic")

    def submit(self, ask: MediaAsk, form: Form = "zip", folder: str = "") -> int:
        return self.jobs.submit(new_media_export(ask, form, folder))

    def run(self, number: int, stopping: Callable[[], bool] = lambda: False) -> Job:
        return run_next(
            self.jobs, {EXPORT_MEDIA: partial(run_media_export, surroundings=self.around)}, number, stopping
        )


@pytest.fixture
def desk(filled: Archive, transcoder: Transcoder, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(filled, transcoder, tmp_path / "data")
    with contextlib.closing(made.jobs):
        yield made


def test_a_download_is_a_zip_file_that_is_kept_for_a_day(desk: Desk) -> None:
    number = desk.submit(whole_study())
    job = desk.run(number)
    assert job.state is JobState.DONE
    assert "objects, " in job.message
    file = exported_volume(desk.data, number, "zip")
    assert exported_volumes(desk.data, number) == [file]
    with zipfile.ZipFile(file) as opened:
        assert "DICOMDIR" in opened.namelist()
        assert b"for Clinic" in opened.read("README.TXT")
    assert [path.name for path in media_folder(desk.data).iterdir()] == [file.name]
    assert forget_old_media(desk.data) == 0
    assert forget_old_media(desk.data, time.time() + 90_000) == 1
    assert not file.exists()


def test_what_a_running_job_works_in_and_has_made_stays_however_long_it_takes(desk: Desk) -> None:
    folder, now_s = media_folder(desk.data), time.time()
    folder.mkdir()
    (folder / "7-1.zip").touch()
    os.utime(folder / "7-1.zip", (0, 0))  # the first of several media
    with new_file(folder / "7-2.zip") as (part, work):
        work.mkdir()
        (work / "IM000001").touch()
        for path in (part.parent, work):
            os.utime(path, (0, 0))
        assert forget_old_media(desk.data) == 0, "it writes"
        assert forget_old_media(desk.data, now_s + 90_000) == 0, "it slept, and is still there"
        assert sorted(os.listdir(folder)) == [".7-2.zip.part", "7-1.zip"]
        shutil.copytree(part.parent, folder / ".8-1.iso.part")  # of one that died
        assert forget_old_media(desk.data, now_s + 90_000) == 1
        part.touch()
    assert sorted(os.listdir(folder)) == ["7-1.zip", "7-2.zip"]
    (folder / ".9-1.zip.part").mkdir()  # on a file system without locks
    (folder / ".9-1.zip.part" / "file").touch()
    os.utime(folder / ".9-1.zip.part", (0, 0))
    assert forget_old_media(desk.data) == 0, "the last medium is new"
    assert forget_old_media(desk.data, now_s + 90_000) == 3


def test_a_disc_image_for_each_volume(desk: Desk, archive: Archive, transcoder: Transcoder, tmp_path: Path) -> None:
    for number in range(2):
        store(archive, AnObject(f"2.25.7{number}", f"2.25.20.{number}", f"2.25.10.{number}", pixels=bytes(400_000)))
    desk.around = MediaSurroundings(lambda _name: archive, transcoder, desk.data)
    ask = MediaAsk("STD-GEN-CD", Selection(["2.25.10.0", "2.25.10.1"]), medium_bytes=1_200_000)
    number = desk.submit(ask, "iso")
    assert desk.run(number).state is JobState.DONE
    assert [path.name for path in exported_volumes(desk.data, number)] == [f"{number}-1.iso", f"{number}-2.iso"]


def test_what_the_profile_refuses_ends_the_job_with_a_sentence(desk: Desk) -> None:
    number = desk.submit(whole_study("STD-CTMR-CD"))
    job = desk.run(number)
    assert job.state is JobState.FAILED
    assert "STD-CTMR-CD does not take" in job.message
    assert exported_volumes(desk.data, number) == []
    job = desk.run(desk.submit(whole_study("STD-CTMR-CD", skip_refused=True)))
    assert job.state is JobState.DONE
    assert job.counts.warned == 1
    assert "left out" in job.message


def test_a_folder_of_the_server_must_be_allowed(desk: Desk, tmp_path: Path) -> None:
    number = desk.submit(whole_study(), "folder", str(desk.stick))
    assert desk.run(number).state is JobState.DONE
    assert (desk.stick / f"RADFUSE_{number}" / "DICOMDIR").is_file()
    (desk.stick / "empty").mkdir()
    assert desk.run(desk.submit(whole_study(), "folder", str(desk.stick / "empty"))).state is JobState.DONE
    assert (desk.stick / "empty" / "DICOMDIR").is_file()
    below = desk.submit(whole_study(), "folder", str(desk.stick / "more"))
    assert desk.run(below).state is JobState.DONE
    assert (desk.stick / "more" / f"RADFUSE_{below}" / "DICOMDIR").is_file()
    (desk.stick / "out").symlink_to(tmp_path)
    for folder in (tmp_path, desk.stick / "..", desk.stick / "out", Path("stick")):
        with pytest.raises(ConfigurationError, match=r"media\.export_folders"):
            export_folder(folder, [desk.stick])
        assert desk.run(desk.submit(whole_study(), "folder", str(folder))).state is JobState.FAILED


@pytest.mark.parametrize(("form", "folder"), [("zip", "/media"), ("folder", ""), ("tape", "")])
def test_what_does_not_go_together_is_refused(form: Form, folder: str) -> None:
    with pytest.raises(ConfigurationError):
        new_media_export(whole_study(), form, folder)


@pytest.mark.parametrize("form", ["zip", "folder"])
def test_a_job_that_crashed_before_it_said_so_is_done_with_what_is_there(
    form: Form, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = desk.submit(whole_study(), form, str(desk.stick) if form == "folder" else "")

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("crashed")

    with monkeypatch.context() as broken:
        broken.setattr(JobContext, "record", crash)
        assert desk.run(number).state is JobState.FAILED
    desk.jobs.retry(number)
    assert desk.run(number).state is JobState.DONE
    if form == "folder":
        assert sorted(os.listdir(desk.stick / f"RADFUSE_{number}")) == [
            "DICOM",
            "DICOMDIR",
            "INDEX.HTM",
            "README.TXT",
            "SHA256.TXT",
        ]
    else:
        assert exported_volumes(desk.data, number) == [exported_volume(desk.data, number, "zip")]


def test_a_job_that_is_told_to_stop_leaves_nothing(desk: Desk) -> None:
    number = desk.submit(whole_study())
    assert desk.run(number, lambda: True).state is not JobState.DONE
    assert exported_volumes(desk.data, number) == []
    assert not media_folder(desk.data).exists() or not list(media_folder(desk.data).iterdir())


def test_the_title_says_what_and_where_and_names_nobody() -> None:
    new = new_media_export(whole_study(), "folder", "/media/usb")
    assert new.title == "export of 1 study by STD-GEN-CD into /media/usb"
    assert new.studies == [STUDY_UID]
    assert MediaAsk.of_json(new.parameters).as_json() == whole_study().as_json()


def test_an_allowed_folder_stays_what_it_is(desk: Desk) -> None:
    desk.stick.chmod(0o2770)
    before = desk.stick.stat()
    for _ in range(2):
        assert desk.run(desk.submit(whole_study(), "folder", str(desk.stick))).state is JobState.DONE
    after = desk.stick.stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert len(list(desk.stick.iterdir())) == 2
