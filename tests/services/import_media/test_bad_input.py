"""What a disc, a share or a stranger may hold: nothing of it hurts, and each file's fate is told."""

from __future__ import annotations

import os
import threading
import time
import zipfile
from pathlib import Path

import pytest

from radfuse.archive import Archive
from radfuse.core.errors import OutOfSpace
from radfuse.services.import_media import FileCount, Imported, Verdict, import_files, import_paths
from tests.archive.objects import numbered, open_archive, stored_objects
from tests.services.import_media.scenes import imported, part10, report_of, verdicts, written

NO_FILE = "it is no file: a device, a pipe or a socket"


def test_a_link_within_the_folder_is_followed_and_one_that_leads_out_is_refused(
    archive: Archive, tmp_path: Path
) -> None:
    disc, outside = written(tmp_path / "disc", [1]), written(tmp_path / "outside", [2])
    (disc / "inner").symlink_to(disc / "00001")
    (disc / "outer").symlink_to(outside / "00002")
    (disc / "folder").symlink_to(outside)
    (disc / "round").symlink_to(disc)
    results = imported(archive, disc)
    assert verdicts(results) == {Verdict.STORED: 1, Verdict.ALREADY_KEPT: 1, Verdict.REFUSED: 2}
    assert {result.reason.partition(":")[0] for result in results if result.verdict is Verdict.REFUSED} == {
        "it is a link that leads out of the folder"
    }
    assert set(stored_objects(archive)) == {"2.25.7.1"}


def test_a_link_that_is_itself_named_is_followed(archive: Archive, tmp_path: Path) -> None:
    written(tmp_path / "outside", [2])
    (tmp_path / "link").symlink_to(tmp_path / "outside")
    assert verdicts(imported(archive, tmp_path / "link")) == {Verdict.STORED: 1}


def test_pipes_and_devices_are_never_opened(archive: Archive, tmp_path: Path) -> None:
    disc = written(tmp_path / "disc", [1])
    os.mkfifo(disc / "pipe")
    results = imported(archive, disc)
    assert verdicts(results) == {Verdict.STORED: 1, Verdict.REFUSED: 1}
    assert results[-1].reason == NO_FILE
    assert imported(archive, Path("/dev/null"))[0].reason == NO_FILE
    # Also when it becomes one between being found and being opened.
    (raced,) = import_files(archive, [disc / "pipe"])
    assert raced.reason == f"it cannot be read: {NO_FILE}"


def test_a_file_that_vanishes_meanwhile_is_refused_and_the_others_are_imported(
    archive: Archive, tmp_path: Path
) -> None:
    disc = written(tmp_path / "disc", range(600))
    results = import_paths(archive, [disc])
    first = [next(results)]
    (disc / "00599").unlink()
    found = verdicts([*first, *results])
    assert found in ({Verdict.STORED: 599}, {Verdict.STORED: 599, Verdict.REFUSED: 1})


def test_a_truncated_file_is_refused_and_the_others_are_imported(archive: Archive, tmp_path: Path) -> None:
    disc = written(tmp_path / "disc", range(3))
    (disc / "00001").write_bytes(part10(numbered(1, pixels=bytes(100)))[:-50])
    results = imported(archive, disc)
    assert verdicts(results) == {Verdict.STORED: 2, Verdict.REFUSED: 1}
    assert results[1].reason.startswith("malformed data set at byte ")


def test_a_path_that_is_not_there_is_told_at_once(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no file or folder"):
        next(import_paths(archive, [tmp_path / "gone"]))


def test_a_medium_that_cannot_be_written_is_imported_without_a_trace(archive: Archive, tmp_path: Path) -> None:
    disc = written(tmp_path / "disc", range(3))
    before = {path: path.stat().st_mtime_ns for path in [disc, *disc.iterdir()]}
    for path in before:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert verdicts(imported(archive, disc)) == {Verdict.STORED: 3}
    finally:
        disc.chmod(0o755)
    assert {path: path.stat().st_mtime_ns for path in [disc, *disc.iterdir()]} == before


def test_a_name_in_no_encoding_is_imported_and_shown_safely(archive: Archive, tmp_path: Path) -> None:
    disc = written(tmp_path / "disc", [])
    (disc / os.fsdecode(b"M\xfcller\n\x1b[2J")).write_bytes(part10(numbered(1)))
    os.mkdir(os.fsencode(disc) + b"/\xff\xfe")
    (disc / os.fsdecode(b"\xff\xfe") / "cut").write_bytes(part10(numbered(2))[:-1])
    results = imported(archive, disc)
    assert verdicts(results) == {Verdict.STORED: 1, Verdict.REFUSED: 1}
    for result in results:
        assert result.name.isprintable()
        result.name.encode("utf-8")
    assert results[0].name.endswith("/M\N{REPLACEMENT CHARACTER}ller" + 2 * "\N{REPLACEMENT CHARACTER}" + "[2J")


def test_a_slow_source_does_not_keep_what_is_done_from_being_told(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disc = written(tmp_path / "disc", range(400))
    stalled = threading.Event()
    read = os.read

    def reading(file: int, size: int) -> bytes:
        if os.readlink(f"/proc/self/fd/{file}").endswith("/00399"):
            stalled.wait(30)
        return read(file, size)

    monkeypatch.setattr(os, "read", reading)
    results = import_paths(archive, [disc])
    assert [next(results).verdict for _ in range(100)] == [Verdict.STORED] * 100
    stalled.set()
    assert verdicts(results) == {Verdict.STORED: 300}


def test_a_full_disk_ends_the_import_with_what_was_done_and_it_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disc = written(tmp_path / "disc", range(300))
    (tmp_path / "archive").mkdir()
    with open_archive(tmp_path / "archive") as archive:
        receive, left = archive.receive, iter(range(150))

        def until_full(*origin: object) -> object:
            if next(left, None) is None:
                raise OutOfSpace("the store")
            return receive(*origin)  # type: ignore[arg-type]

        monkeypatch.setattr(archive, "receive", until_full)
        told: list[Imported] = []
        with pytest.raises(OutOfSpace):
            for result in import_paths(archive, [disc]):
                told.append(result)
        kept = set(stored_objects(archive))
        assert verdicts(told) == {Verdict.STORED: len(told)}
        assert 0 < len(told) <= len(kept) == 150
        monkeypatch.undo()
        again = report_of(import_paths(archive, [disc]))
        assert (again.counts[Verdict.ALREADY_KEPT], again.counts[Verdict.STORED]) == (150, 150)


def test_an_import_holds_no_more_than_some_files_however_many_there_are(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disc = written(tmp_path / "disc", [])
    for number in range(2000):
        (disc / f"{number:05}").touch()
    opened = 0
    real_open = os.open

    def counting(path: str, flags: int, *mode: int) -> int:
        nonlocal opened
        opened += str(path).startswith(str(disc)) and not flags & os.O_DIRECTORY
        return real_open(path, flags, *mode)

    monkeypatch.setattr(os, "open", counting)
    results = import_paths(archive, [disc])
    next(results)
    time.sleep(0.3)
    assert opened <= 400
    assert verdicts(results) == {Verdict.NOT_DICOM: 1999}


def test_an_archive_within_an_archive_is_refused_with_what_to_do(archive: Archive, tmp_path: Path) -> None:
    disc = written(tmp_path / "disc", [])
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as inner:
        inner.writestr("object", part10(numbered(1)))
    with zipfile.ZipFile(disc / "outer.zip", "w") as outer:
        outer.write(tmp_path / "inner.zip", "inner.zip")
        outer.writestr("object", part10(numbered(2)))
    results = imported(archive, disc)
    assert verdicts(results) == {Verdict.STORED: 1, Verdict.REFUSED: 1}
    assert results[0].reason == "it is an archive within an archive: unpack the outer one and import it by itself"


def test_an_empty_zip_file_is_told_too(archive: Archive, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    (result,) = imported(archive, tmp_path / "empty.zip")
    assert (result.verdict, result.reason) == (Verdict.NOT_DICOM, "there are no files in it")


def test_files_are_counted_while_they_are_imported(tmp_path: Path) -> None:
    disc = written(tmp_path / "disc", range(7))
    written(disc / "deeper", range(5))
    count = FileCount([disc, disc / "00001", tmp_path / "gone"]).start()
    assert (count.wait(), count.total) == (14, 14)


def test_folders_without_end_are_told_and_the_others_are_imported(archive: Archive, tmp_path: Path) -> None:
    deep = written(tmp_path / "disc", [1, 2])
    for _ in range(150):
        deep /= "d"
        deep.mkdir()
    written(deep, [3])
    results = imported(archive, tmp_path / "disc")
    assert verdicts(results) == {Verdict.STORED: 2, Verdict.REFUSED: 1}
    assert "deep in each other" in results[-1].reason + results[0].reason
