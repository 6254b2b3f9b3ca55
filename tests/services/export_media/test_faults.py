"""What goes wrong while a file-set is written: nothing is there under its name then, and why is said."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from radfuse.archive import Archive
from radfuse.core.errors import AlreadyThere, BlobDamaged, CannotExport, InUse, OutOfSpace
from radfuse.dicom import Transcoder
from radfuse.media import PROFILES, read_directory
from radfuse.services.export_media import (
    MediaAsk,
    add_to_set,
    copying,
    export_media,
    export_packed,
    exporting,
    placing,
    plan_export,
)
from radfuse.services.import_media import import_files
from radfuse.services.selection import Selection
from radfuse.services.stored_objects import object_of
from tests.archive.objects import AnObject, file_of, store, stored_objects
from tests.services.export_media.conftest import Write
from tests.support.generate import GeneratedSet
from tests.support.small_volumes import in_memory, mounted

STUDY = MediaAsk("STD-GEN-CD", Selection(["2.25.10"]))
UID = "2.25.1"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    with mounted(tmp_path / "small", in_memory("2m")) as target:
        yield target


@pytest.fixture
def three(archive: Archive) -> Archive:
    """An archive with a study of three objects of half a megabyte."""
    for number in range(3):
        store(archive, AnObject(f"2.25.{number + 1}", number=str(number), pixels=os.urandom(500_000)))
    archive.settle()
    return archive


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_medium_that_is_too_small_is_refused_before_anything_is_written(
    three: Archive, transcoder: Transcoder, small: Path
) -> None:
    (small / "filler").write_bytes(bytes(1_000_000))
    told: list[int] = []
    with pytest.raises(OutOfSpace):
        export_media(
            three,
            plan_export(three, STUDY),
            small / "set",
            transcoder=transcoder,
            progress=lambda done, _total: told.append(done),
        )
    assert (told, left(small)) == ([], ["filler"])


def test_a_medium_that_gets_full_is_left_as_it_was(three: Archive, transcoder: Transcoder, small: Path) -> None:
    def fill(_done: int, _total: int) -> None:
        if not (small / "filler").exists():
            (small / "filler").write_bytes(bytes(600_000))

    plan = plan_export(three, STUDY)
    with pytest.raises(OutOfSpace):
        export_media(three, plan, small / "set", transcoder=transcoder, progress=fill)
    assert left(small) == ["filler"]


def test_an_update_that_fills_the_medium_leaves_the_old_set_whole(
    three: Archive, transcoder: Transcoder, small: Path
) -> None:
    first = MediaAsk("STD-GEN-CD", objects=(UID,))
    export_media(three, plan_export(three, first), small / "set", transcoder=transcoder)
    before = {path: path.read_bytes() for path in (small / "set").rglob("*") if path.is_file()}

    def fill(_done: int, _total: int) -> None:
        if not (small / "filler").exists():
            (small / "filler").write_bytes(bytes(700_000))

    plan = plan_export(three, STUDY)
    with pytest.raises(OutOfSpace):
        add_to_set(three, plan, small / "set", transcoder=transcoder, progress=fill)
    assert {path: path.read_bytes() for path in (small / "set").rglob("*") if path.is_file()} == before


def test_a_target_that_cannot_be_written_is_said(three: Archive, transcoder: Transcoder, small: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    with pytest.raises(OSError, match="Read-only"):
        export_media(three, plan_export(three, STUDY), small / "set", transcoder=transcoder)
    assert left(small) == []


def test_an_export_that_is_killed_leaves_nothing_under_the_name_and_the_next_one_takes_its_place(
    three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from radfuse.archive import Archive, ArchiveSettings
        from radfuse.dicom import Transcoder
        from radfuse.services.export_media import MediaAsk, export_media, plan_export
        from radfuse.services.selection import Selection
        with Archive(ArchiveSettings(Path({str(three.settings.folder)!r}))) as archive, Transcoder() as transcoder:
            plan = plan_export(archive, MediaAsk("STD-GEN-CD", Selection(["2.25.10"])))
            die = lambda done, total: os.kill(os.getpid(), signal.SIGKILL)
            export_media(archive, plan, Path({str(tmp_path / "set")!r}), transcoder=transcoder, progress=die)
        """
    assert _run(script).returncode == -signal.SIGKILL
    assert sorted(left(tmp_path)) == [".set.part", "archive"]
    export_media(three, plan_export(three, STUDY), tmp_path / "set", transcoder=transcoder)
    assert sorted(left(tmp_path)) == ["archive", "set"]
    assert len(list(read_directory(tmp_path / "set" / "DICOMDIR").files())) == 3


def test_an_object_that_is_deleted_before_its_turn_ends_it_and_that_is_said(
    three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    plan = plan_export(three, STUDY)
    three.delete([object_of(three, "2.25.3")])
    with pytest.raises(CannotExport, match="deleted or replaced meanwhile; make a new plan"):
        export_media(three, plan, tmp_path / "set", transcoder=transcoder)
    assert left(tmp_path) == ["archive"]


def test_an_object_that_is_deleted_while_it_is_converted_is_written_to_the_end(
    archive: Archive, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    list(import_files(archive, [generated_set.pet[0]]))
    (uid,) = stored_objects(archive)

    class Deleting(Transcoder):
        def transcode(self, source: Path, *args: Any, **more: Any) -> None:
            assert archive.delete([object_of(archive, uid)])
            super().transcode(source, *args, **more)

    plan = plan_export(archive, MediaAsk("STD-GEN-CD", objects=(uid,)))
    with Deleting() as transcoder:
        export_media(archive, plan, tmp_path / "set", transcoder=transcoder)
    assert [each.sop_instance_uid for each in read_directory(tmp_path / "set" / "DICOMDIR").files()] == [uid]


def test_an_object_that_is_damaged_in_the_store_is_never_written(
    three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    plan = plan_export(three, STUDY)
    path = file_of(three, UID)
    content = path.read_bytes()
    for change, error in ((content[:-9] + b"!" + content[-8:], BlobDamaged), (content[:-2], BlobDamaged)):
        path.write_bytes(change)
        with pytest.raises(error):
            export_media(three, plan, tmp_path / "set", transcoder=transcoder)
    assert left(tmp_path) == ["archive"]


@pytest.mark.parametrize("what", ["damaged", "cut off"])
@pytest.mark.parametrize("is_converted", [False, True])
def test_what_the_medium_does_not_hold_as_it_was_written_is_no_file_set(
    what: str,
    is_converted: bool,
    archive: Archive,
    transcoder: Transcoder,
    generated_set: GeneratedSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    list(import_files(archive, [generated_set.pet[0] if is_converted else generated_set.ct[0]]))
    plan = plan_export(archive, MediaAsk("STD-GEN-CD", objects=tuple(stored_objects(archive))))
    assert plan.volumes[0].objects[0].is_converted == is_converted
    send = copying._send

    def badly(file: int, source: int, start: int, size_bytes: int) -> None:
        send(file, source, start, size_bytes)
        end = os.fstat(file).st_size
        if what == "damaged":
            os.pwrite(file, bytes(each ^ 1 for each in os.pread(file, 1, end - 1)), end - 1)
        else:
            os.ftruncate(file, end - 1)

    monkeypatch.setattr(copying, "_send", badly)
    with pytest.raises(BlobDamaged):
        export_media(archive, plan, tmp_path / "set", transcoder=transcoder)
    assert left(tmp_path) == ["archive"]


def test_a_medium_that_is_pulled_while_it_is_read_again_is_an_error_and_no_end_of_the_process(
    three: Archive, transcoder: Transcoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pulled(*_details: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "preadv", pulled)
    with pytest.raises(OSError, match="Input/output error"):
        export_media(three, plan_export(three, STUDY), tmp_path / "set", transcoder=transcoder)
    assert left(tmp_path) == ["archive"]


@pytest.mark.parametrize("is_made_anew", [True, False])
def test_a_folder_that_goes_between_its_opening_and_its_lock_is_not_held(
    is_made_anew: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, lock = tmp_path / "part", fcntl.flock
    folder.mkdir()

    def after_somebody_else(file: int, how: int) -> None:
        folder.rename(tmp_path / "done")
        if is_made_anew:
            folder.mkdir()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", after_somebody_else)
    with pytest.raises(InUse, match="another export is writing it"), placing.folder_lock(folder, tmp_path):
        pytest.fail("a folder of another name was held")


def test_the_root_of_a_mounted_medium_is_written_with_the_directory_last(write: Write, small: Path) -> None:
    (small / "System Volume Information").mkdir()
    write(small)
    assert sorted(left(small)) == [
        "DICOM",
        "DICOMDIR",
        "INDEX.HTM",
        "README.TXT",
        "SHA256.TXT",
        "System Volume Information",
    ]
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256.TXT"], cwd=small, check=True)
    with pytest.raises(Exception, match="there already"):
        write(small)


def _run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False, env=os.environ
    )


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_link_in_the_place_of_the_part_is_not_followed(
    form: str, three: Archive, transcoder: Transcoder, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs" / ("DICOM" if form == "folder" else "set") / "file"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    (tmp_path / ".new.part").symlink_to(tmp_path / "theirs")
    plan = plan_export(three, STUDY)
    with pytest.raises(AlreadyThere):
        if form == "folder":
            export_media(three, plan, tmp_path / "new", transcoder=transcoder)
        else:
            export_packed(three, plan, [tmp_path / "new"], "zip", transcoder=transcoder)
    assert theirs.read_bytes() == b"theirs"
    assert not (tmp_path / "new").exists()


def test_a_file_set_that_became_larger_than_the_profiles_medium_is_not_made(
    three: Archive, transcoder: Transcoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_export(three, STUDY)  # which took them to be smaller
    profile = PROFILES["STD-GEN-CD"]
    medium = replace(profile.medium, capacity_bytes=1_000_000)
    monkeypatch.setattr(exporting, "profile_named", lambda _name: replace(profile, medium=medium))
    with pytest.raises(CannotExport, match="more than a medium holds"):
        export_media(three, plan, tmp_path / "set", transcoder=transcoder)
    assert not (tmp_path / "set").exists()
