"""An interrupted import goes on where it was; what it skips the archive still has."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import pytest

from radfuse.archive import Archive
from radfuse.services.import_media import ImportJournal, ImportReport, Verdict, import_paths
from tests.archive.objects import numbered, stored_objects
from tests.services.import_media.scenes import part10, report_of, written


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    return written(tmp_path / "disc", range(200))


def journal_of(tmp_path: Path, disc: Path) -> ImportJournal:
    return ImportJournal.of_paths(tmp_path / "imports", [disc])


def interrupt(archive: Archive, tmp_path: Path, disc: Path, after: int) -> None:
    with journal_of(tmp_path, disc) as journal:
        results = import_paths(archive, [disc], journal=journal)
        assert len(list(islice(results, after))) == after
        results.close()  # type: ignore[attr-defined]


def go_on(archive: Archive, tmp_path: Path, disc: Path) -> ImportReport:
    with journal_of(tmp_path, disc) as journal:
        report = report_of(import_paths(archive, [disc], journal=journal))
        journal.finish()
    return report


def test_what_was_done_is_passed_over_and_counted_once(
    archive: Archive, tmp_path: Path, disc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(archive, tmp_path, disc, 100)
    opened: list[str] = []
    real_open = os.open

    def noting(path: str, *flags: int) -> int:
        opened.append(str(path))
        return real_open(path, *flags)

    monkeypatch.setattr(os, "open", noting)
    report = go_on(archive, tmp_path, disc)
    assert report.total == 200
    assert report.from_before == 100
    assert report.counts[Verdict.STORED] + report.counts[Verdict.ALREADY_KEPT] == 200
    assert not {str(disc / f"{number:05}") for number in range(100)} & set(opened)
    assert len(stored_objects(archive)) == 200


def test_an_import_that_was_through_leaves_nothing_to_resume(archive: Archive, tmp_path: Path, disc: Path) -> None:
    assert go_on(archive, tmp_path, disc).from_before == 0
    assert go_on(archive, tmp_path, disc).from_before == 0
    assert list((tmp_path / "imports").iterdir()) == []


def test_a_file_that_changed_is_read_again(archive: Archive, tmp_path: Path, disc: Path) -> None:
    interrupt(archive, tmp_path, disc, 100)
    (disc / "00007").write_bytes(part10(numbered(7007)))
    report = go_on(archive, tmp_path, disc)
    assert report.from_before == 99
    assert "2.25.7.7007" in stored_objects(archive)


def test_what_was_deleted_since_is_imported_again(archive: Archive, tmp_path: Path, disc: Path) -> None:
    interrupt(archive, tmp_path, disc, 100)
    archive.delete([stored_objects(archive)[f"2.25.7.{number}"] for number in range(10)])
    report = go_on(archive, tmp_path, disc)
    assert report.from_before == 90
    assert len(stored_objects(archive)) == 200


def test_a_journal_that_a_crash_cut_off_is_read_as_far_as_it_is_whole(
    archive: Archive, tmp_path: Path, disc: Path
) -> None:
    interrupt(archive, tmp_path, disc, 100)
    (path,) = (tmp_path / "imports").iterdir()
    path.write_bytes(path.read_bytes()[:-30])
    assert go_on(archive, tmp_path, disc).from_before == 99


@pytest.mark.parametrize("content", [b"", b"rubbish", b"RFIMPRT1" + b"\xff" * 500])
def test_a_journal_that_is_none_is_begun_anew(archive: Archive, tmp_path: Path, disc: Path, content: bytes) -> None:
    with journal_of(tmp_path, disc) as journal:
        path = journal.path
    path.write_bytes(content)
    report = go_on(archive, tmp_path, disc)
    assert (report.total, report.from_before) == (200, 0)


def test_members_of_an_archive_are_resumed_too(archive: Archive, tmp_path: Path, disc: Path) -> None:
    import zipfile

    path = tmp_path / "disc.zip"
    with zipfile.ZipFile(path, "w") as archived:
        for file in sorted(disc.iterdir()):
            archived.write(file, file.name)
    interrupt(archive, tmp_path, path, 150)
    report = go_on(archive, tmp_path, path)
    assert (report.total, report.from_before) == (200, 150)


def test_two_at_once_do_not_share_a_journal(tmp_path: Path, disc: Path) -> None:
    with journal_of(tmp_path, disc), pytest.raises(BlockingIOError), journal_of(tmp_path, disc):
        raise AssertionError("both have it")


def test_all_can_be_read_again_when_asked_for(archive: Archive, tmp_path: Path, disc: Path) -> None:
    interrupt(archive, tmp_path, disc, 100)
    with ImportJournal.of_paths(tmp_path / "imports", [disc], begins_anew=True) as journal:
        report = report_of(import_paths(archive, [disc], journal=journal))
    assert (report.total, report.from_before) == (200, 0)


def test_a_file_that_changed_under_its_old_size_and_time_is_read_again(
    archive: Archive, tmp_path: Path, disc: Path
) -> None:
    interrupt(archive, tmp_path, disc, 100)
    file = disc / "00007"
    before = file.stat()
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert go_on(archive, tmp_path, disc).from_before == 99
