"""What journals of dead processes recorded is put in place, and only that."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from radfuse.archive import Archive, DuplicatePolicy, Outcome, check_archive
from radfuse.archive.blobs import BlobStore
from radfuse.archive.journal import Journal, Record, RecordKind
from radfuse.archive.recover import JournalState, entry_of_file, journal_state, noted_ids
from radfuse.core.errors import DataSetError, DuplicateRejected
from tests.archive.objects import (
    AnObject,
    blob_of,
    contents,
    file_of,
    leftovers,
    numbered,
    open_archive,
    settled,
    store,
    store_files,
)

SMALL = numbered(1)
LARGE = numbered(2, pixels=b"\7" * 3_000_000)


@contextmanager
def crashed(archive: Archive, into: Path) -> Iterator[Path]:
    """The folder as a crash at this moment leaves it, with the journal of the dead process."""
    shutil.copytree(archive.settings.folder, into)
    yield into


def lose_index(folder: Path, earlier: Path | None = None) -> None:
    """Set the index back to what an earlier copy of the folder had."""
    for path in folder.glob("index.sqlite*"):
        path.unlink()
    for path in (earlier or folder).glob("index.sqlite*"):
        shutil.copy2(path, folder / path.name)


def is_clean(archive: Archive, count: int) -> bool:
    report = check_archive(archive)
    found = (report.indexed, report.files, report.missing, report.orphaned, report.damaged)
    return found == (count, count, (), (), ())


def test_what_was_stored_at_the_crash_is_there_after_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_archive(tmp_path / "data").close()
    shutil.copytree(tmp_path / "data", tmp_path / "empty")
    with open_archive(tmp_path / "data") as archive:
        store(archive, SMALL)
        store(archive, LARGE)
        with crashed(archive, tmp_path / "crash") as folder:
            lose_index(folder, tmp_path / "empty")
            with open_archive(folder) as again:
                assert contents(again) == {SMALL.uid: SMALL.data_set(), LARGE.uid: LARGE.data_set()}
                assert is_clean(again, 2)
            assert leftovers(folder) == []
    assert "recovered 2 objects" in caplog.text


@pytest.mark.parametrize("harm", ["unlink", "empty", "halve", "zeros"])
def test_files_that_were_not_on_disk_when_the_power_went_are_written_again(harm: str, tmp_path: Path) -> None:
    with open_archive(tmp_path / "data") as archive:
        store(archive, SMALL)
        with crashed(archive, tmp_path / "crash") as folder:
            (path,) = store_files(folder)
            size = path.stat().st_size
            if harm == "unlink":
                path.unlink()
            else:
                os.truncate(path, {"empty": 0, "halve": size // 2, "zeros": 0}[harm])
                os.truncate(path, size if harm == "zeros" else path.stat().st_size)
            with open_archive(folder) as again:
                assert contents(again) == {SMALL.uid: SMALL.data_set()}
                assert is_clean(again, 1)


def test_a_spooled_object_that_was_not_moved_yet_is_moved(tmp_path: Path) -> None:
    with open_archive(tmp_path / "data") as archive:
        store(archive, LARGE)
        with crashed(archive, tmp_path / "crash") as folder:
            lose_index(folder)
            (path,) = store_files(folder)
            (spool,) = (folder / "incoming").iterdir()
            path.rename(spool / path.name)
            with open_archive(folder) as again:
                assert contents(again) == {LARGE.uid: LARGE.data_set()}
                assert is_clean(again, 1)


def test_a_replay_that_is_interrupted_is_simply_done_again(tmp_path: Path) -> None:
    with open_archive(tmp_path / "data") as archive:
        for number in range(10):
            store(archive, numbered(number))
        with crashed(archive, tmp_path / "crash") as folder:
            (journal,) = (folder / "journal").glob("*.journal")
            shutil.copy2(journal, tmp_path / "kept")
            for _ in range(3):
                with open_archive(folder) as again:
                    assert len(contents(again)) == 10
                    assert is_clean(again, 10)
                shutil.copy2(tmp_path / "kept", journal)


def test_the_journal_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    with open_archive(tmp_path) as living:
        store(living, SMALL)
        journals = tmp_path / "journal"
        assert journal_state(journals) == JournalState(living=True)
        with open_archive(tmp_path) as other:
            assert contents(other) == {SMALL.uid: SMALL.data_set()}
            assert leftovers(tmp_path) != []
        assert store(living, LARGE) is Outcome.KEPT
        assert noted_ids(journals) >= {blob_of(living, LARGE.uid)}
    assert journal_state(journals) == JournalState()
    (journals / "0123.journal").write_bytes(b"")
    assert journal_state(journals) == JournalState(abandoned=True)
    assert noted_ids(journals) == set()


def test_an_object_that_was_refused_does_not_come_back(tmp_path: Path) -> None:
    other = numbered(1, pixels=b"other")
    with open_archive(tmp_path / "data", DuplicatePolicy.REJECT) as archive:
        store(archive, SMALL)
        with pytest.raises(DuplicateRejected):
            store(archive, other)
        with crashed(archive, tmp_path / "crash") as folder, open_archive(folder) as again:
            assert contents(again) == {SMALL.uid: SMALL.data_set()}
            assert is_clean(again, 1)


def test_an_aborted_record_takes_its_file_along(tmp_path: Path) -> None:
    with open_archive(tmp_path / "data") as archive:
        store(archive, SMALL)
        settled(tmp_path / "data")
        content = file_of(archive, SMALL.uid).read_bytes()
    blob_id = os.urandom(16)
    for kinds in ((RecordKind.BYTES, RecordKind.ABORTED), (RecordKind.ABORTED,)):
        folder = tmp_path / f"copy{len(kinds)}"
        open_archive(folder).close()
        spool = folder / "incoming" / "dead"
        spool.mkdir()
        BlobStore(folder / "store").write(blob_id, content, spool)
        leave_journal(folder, [Record(kind, blob_id, content if kind is RecordKind.BYTES else b"") for kind in kinds])
        with open_archive(folder) as again:
            assert contents(again) == {}
            assert is_clean(again, 0)


def leave_journal(folder: Path, records: list[Record]) -> None:
    """A journal of a process that died after appending ``records``."""
    journal = Journal(
        folder / "journal" / "dead.journal", 1 << 20, lambda _generation: None, lambda: None, lambda _records: None
    )
    journal.append(records)
    copy = journal.path.read_bytes()
    journal.close()
    journal.path.write_bytes(copy)


@pytest.mark.parametrize("policy", [DuplicatePolicy.KEEP, DuplicatePolicy.REPLACE])
@pytest.mark.parametrize("index_lost", [False, True])
def test_the_object_that_won_before_the_crash_wins_after_it(
    policy: DuplicatePolicy, index_lost: bool, tmp_path: Path
) -> None:
    first, then = numbered(1, pixels=b"first"), numbered(1, pixels=b"then")
    with open_archive(tmp_path / "data", policy) as archive:
        store(archive, first)
        store(archive, then)
        wins = then if policy is DuplicatePolicy.REPLACE else first
        with crashed(archive, tmp_path / "crash") as folder:
            if index_lost:
                lose_index(folder)
            with open_archive(folder, policy) as again:
                assert contents(again) == {first.uid: wins.data_set()}
                assert is_clean(again, 1)


def test_an_object_that_was_deleted_on_purpose_does_not_come_back(tmp_path: Path) -> None:
    with open_archive(tmp_path / "data") as archive:
        store(archive, SMALL)
        archive.index.drop(SMALL.uid, blob_of(archive, SMALL.uid), 0)
        with crashed(archive, tmp_path / "crash") as folder, open_archive(folder) as again:
            assert contents(again) == {}
            assert store_files(folder) == []
            assert store(again, SMALL) is Outcome.KEPT


def test_an_object_that_healed_a_lost_one_is_not_taken_for_a_loser(tmp_path: Path) -> None:
    """The index is back at the lost object, whose file is still gone: the healing one must stay."""
    with open_archive(tmp_path / "data") as archive:
        store(archive, SMALL)
    file_of(archive, SMALL.uid).unlink()
    with sqlite3.connect(tmp_path / "data" / "index.sqlite") as index:
        index.execute("UPDATE instance SET arrived_s = 1000000000")
    index.close()
    shutil.copytree(tmp_path / "data", tmp_path / "earlier")
    with open_archive(tmp_path / "data") as archive:
        assert store(archive, SMALL) is Outcome.REPLACED
        with crashed(archive, tmp_path / "crash") as folder:
            lose_index(folder, tmp_path / "earlier")
            with open_archive(folder) as again:
                assert contents(again) == {SMALL.uid: SMALL.data_set()}
                assert is_clean(again, 1)


def test_folders_of_dead_processes_go_and_a_journal_never_written_too(tmp_path: Path) -> None:
    open_archive(tmp_path).close()
    (tmp_path / "incoming" / "0123456789abcdef").mkdir()
    (tmp_path / "incoming" / "0123456789abcdef" / "half").write_bytes(b"half an object")
    (tmp_path / "incoming" / "fedcba9876543210").mkdir()
    (tmp_path / "journal" / "fedcba9876543210.journal").write_bytes(b"")
    (tmp_path / "journal" / "00000000.journal").write_bytes(bytes(2 << 20))
    open_archive(tmp_path).close()
    assert leftovers(tmp_path) == []


def test_a_journalled_object_that_cannot_be_read_is_reported_and_hinders_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_archive(tmp_path).close()
    leave_journal(tmp_path, [Record(RecordKind.BYTES, bytes(16), b"no object"), Record(RecordKind.FILE, b"\1" * 16)])
    with open_archive(tmp_path) as archive:
        assert check_archive(archive).orphaned == ("00" * 16,)
    assert "radfuse check" in caplog.text


@pytest.mark.parametrize("content", [b"", bytes(200), AnObject("2.25.1").data_set()])
def test_a_file_without_our_seal_has_no_entry(content: bytes) -> None:
    with pytest.raises(DataSetError):
        entry_of_file(content, bytes(16), verify=False)


def test_a_file_that_does_not_match_its_seal_has_no_entry_when_it_is_verified(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        store(archive, SMALL)
    content = memoryview(bytearray(store_files(tmp_path)[0].read_bytes()))
    assert entry_of_file(content, bytes(16), verify=True).sop_instance_uid == SMALL.uid
    content[-1] ^= 1
    assert entry_of_file(content, bytes(16), verify=False).sop_instance_uid == SMALL.uid
    with pytest.raises(DataSetError):
        entry_of_file(content, bytes(16), verify=True)
