"""A watched folder: whole files are imported, what is kept goes aside, what is not says why, nothing is lost."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from radfuse.archive import Archive
from radfuse.core.errors import OutOfSpace
from radfuse.services.watched_folder import Look, WatchedFolder
from tests.archive.objects import numbered, stored_objects
from tests.services.import_media.scenes import part10, written


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


def watched(inbox: Path, archive: Archive, *, removes: bool = False) -> WatchedFolder:
    return WatchedFolder(inbox, lambda: archive, removes=removes)


def looked_twice(folder: WatchedFolder) -> Look:
    folder.look()
    return folder.look()


def left(inbox: Path) -> set[str]:
    """The names of all files that are left in the inbox, whatever the date of the folders that they were moved to."""
    names = set()
    for path in inbox.rglob("*"):
        if path.is_file() and path.name != ".radfuse.lock":
            parts = path.relative_to(inbox).parts
            names.add("/".join((parts[0], *parts[2:]) if parts[0].startswith(".") else parts))
    return names


def test_a_file_is_taken_up_when_it_has_stopped_changing(archive: Archive, inbox: Path) -> None:
    folder = watched(inbox, archive)
    content = part10(numbered(1, pixels=bytes(1000)))
    (inbox / "growing").write_bytes(content[:500])
    assert folder.look() == Look(waiting=1)
    (inbox / "growing").write_bytes(content[:900])
    assert folder.look() == Look(waiting=1)
    (inbox / "growing").write_bytes(content)
    assert folder.look() == Look(waiting=1)
    assert folder.look() == Look(taken=1)
    assert set(stored_objects(archive)) == {"2.25.7.1"}
    assert left(inbox) == {".imported/growing"}
    assert folder.look() == Look()


def test_names_of_unfinished_files_are_left_until_they_are_renamed(archive: Archive, inbox: Path) -> None:
    folder = watched(inbox, archive)
    for name in ("1.part", "1.tmp", ".1.swp"):
        (inbox / name).write_bytes(part10(numbered(1)))
    assert looked_twice(folder) == Look()
    (inbox / "1.part").rename(inbox / "1.dcm")
    assert looked_twice(folder) == Look(taken=1)


def test_what_is_refused_lies_beside_the_reason(archive: Archive, inbox: Path) -> None:
    written(inbox / "deep", [1])
    (inbox / "deep" / "cut").write_bytes(part10(numbered(2))[:-1])
    (inbox / "notes.txt").write_text("no object", encoding="utf-8")
    assert looked_twice(watched(inbox, archive)) == Look(taken=1, refused=2)
    assert left(inbox) == {
        ".imported/deep/00001",
        ".refused/deep/cut",
        ".refused/deep/cut.txt",
        ".refused/notes.txt",
        ".refused/notes.txt.txt",
    }
    (reason,) = inbox.glob(".refused/*/deep/cut.txt")
    assert reason.read_text(encoding="utf-8").startswith(f"{inbox}/deep/cut: malformed data set at byte ")


def test_another_object_under_a_uid_that_is_kept_is_refused_not_lost(archive: Archive, inbox: Path) -> None:
    folder = watched(inbox, archive, removes=True)
    (inbox / "first").write_bytes(part10(numbered(1)))
    assert looked_twice(folder) == Look(taken=1)
    (inbox / "other").write_bytes(part10(numbered(1, pixels=b"other")))
    (inbox / "same").write_bytes(part10(numbered(1)))
    assert looked_twice(folder) == Look(taken=1, refused=1)
    assert left(inbox) == {".refused/other", ".refused/other.txt"}


def test_taken_files_are_removed_when_that_is_wanted_but_not_what_else_was_in_them(
    archive: Archive, inbox: Path
) -> None:
    written(inbox, [1, 2])
    for name, texts in (("whole.zip", ()), ("more.zip", ("README.TXT",))):
        with zipfile.ZipFile(inbox / name, "w") as archived:
            archived.writestr("object", part10(numbered(3)))
            for text in texts:
                archived.writestr(text, "not in the archive")
    assert looked_twice(watched(inbox, archive, removes=True)) == Look(taken=4)
    assert left(inbox) == {".imported/more.zip"}


def test_a_file_of_a_name_that_was_there_before_overwrites_nothing(archive: Archive, inbox: Path) -> None:
    folder = watched(inbox, archive)
    for number in (1, 2, 3):
        (inbox / "same.dcm").write_bytes(part10(numbered(number)))
        assert looked_twice(folder) == Look(taken=1)
    assert left(inbox) == {".imported/same.dcm", ".imported/same.dcm (2)", ".imported/same.dcm (3)"}


def test_a_file_that_was_replaced_while_it_was_read_stays(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = watched(inbox, archive, removes=True)
    (inbox / "file").write_bytes(part10(numbered(1)))
    folder.look()
    keep_all = archive.keep_all

    def replacing(*objects: object) -> object:
        (inbox / "new").write_bytes(part10(numbered(2)))
        (inbox / "new").rename(inbox / "file")
        return keep_all(*objects)  # type: ignore[arg-type]

    monkeypatch.setattr(archive, "keep_all", replacing)
    assert folder.look() == Look()
    monkeypatch.undo()
    assert left(inbox) == {"file"}
    assert looked_twice(folder) == Look(taken=1)
    assert set(stored_objects(archive)) == {"2.25.7.1", "2.25.7.2"}


def test_a_full_disk_leaves_the_files_where_they_are(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = watched(written(inbox, [1, 2]), archive, removes=True)
    folder.look()

    def full(*_origin: object) -> object:
        raise OutOfSpace("the store")

    monkeypatch.setattr(archive, "receive", full)
    with pytest.raises(OutOfSpace):
        folder.look()
    assert left(inbox) == {"00001", "00002"}
    monkeypatch.undo()
    assert folder.look() == Look(taken=2)


def test_what_is_stopped_in_the_middle_puts_nothing_away(archive: Archive, inbox: Path) -> None:
    stopping = threading.Event()
    folder = WatchedFolder(written(inbox, range(100)), lambda: archive, removes=True, should_stop=stopping.is_set)
    folder.look()
    stopping.set()
    assert folder.look().taken == 0
    assert len(left(inbox)) == 100


def test_an_archive_that_was_imported_in_part_stays_whole(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = threading.Event()
    with zipfile.ZipFile(inbox / "many.zip", "w") as archived:
        for number in range(500):
            archived.writestr(str(number), part10(numbered(number)))
    folder = WatchedFolder(inbox, lambda: archive, removes=True, should_stop=stopping.is_set)
    folder.look()
    keep_all = archive.keep_all

    def stopped(*objects: object) -> object:
        stopping.set()
        return keep_all(*objects)  # type: ignore[arg-type]

    monkeypatch.setattr(archive, "keep_all", stopped)
    assert folder.look() == Look()
    assert 0 < len(stored_objects(archive)) < 500
    assert left(inbox) == {"many.zip"}


def test_one_worker_at_a_time_looks(archive: Archive, inbox: Path) -> None:
    folder = watched(written(inbox, [1]), archive)
    folder.look()
    with (inbox / ".radfuse.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_SH)  # not even beside one that only reads
        assert folder.look() == Look()
        assert left(inbox) == {"00001"}
    assert folder.look() == Look(taken=1)


def test_links_and_pipes_in_it_are_left_alone(archive: Archive, inbox: Path, tmp_path: Path) -> None:
    written(tmp_path / "outside", [1])
    (inbox / "link").symlink_to(tmp_path / "outside" / "00001")
    (inbox / "folder").symlink_to(tmp_path / "outside")
    os.mkfifo(inbox / "pipe")
    assert looked_twice(watched(inbox, archive)) == Look()
    assert stored_objects(archive) == {}


def test_what_cannot_be_put_away_is_not_imported_again_and_again(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = watched(written(inbox, [1]), archive)

    def read_only(*_paths: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "rename", read_only)
    assert looked_twice(folder) == Look()
    monkeypatch.setattr(archive, "receive", read_only)
    assert folder.look() == Look()


def test_a_folder_that_cannot_be_read_keeps_no_other_file_out_and_is_said_once(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (inbox / "closed").mkdir()
    (inbox / "file").write_bytes(part10(numbered(1)))
    scandir, watching = os.scandir, watched(inbox, archive)

    def closed(folder: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
        if os.path.basename(folder) == "closed":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", closed)
    assert looked_twice(watching).taken == 1
    assert [record.levelname for record in caplog.records if "cannot be read" in record.message] == ["WARNING"]
