"""Deleting takes an object from every view at once, and leaves nothing behind."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from radfuse.archive import Archive, DuplicatePolicy, Outcome, StoredObject, check_archive
from radfuse.archive.index import schema
from radfuse.archive.placing import Placements
from radfuse.archive.recover import noted_ids
from radfuse.core.errors import BlobMissing, DuplicateRejected
from tests.archive.objects import (
    IMPLANT_TEMPLATE,
    AnObject,
    contents,
    leftovers,
    numbered,
    open_archive,
    python,
    settled,
    store,
    store_files,
    stored_objects,
)


def counts(archive: Archive) -> tuple[int, ...]:
    """How many patients, studies, series and instances there are."""
    tables = (schema.patient, schema.study, schema.series, schema.instance)
    with archive.reading() as connection:
        return tuple(connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def test_a_deleted_object_is_nowhere_any_more(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        store(archive, numbered(1))
        stored = stored_objects(archive)
        assert archive.delete(stored.values()) == list(stored.values())
        assert counts(archive) == (0, 0, 0, 0)
        with pytest.raises(BlobMissing), archive.open_object(stored["2.25.7.1"]):
            pass
        assert store_files(tmp_path) == []
        assert archive.delete(stored.values()) == []


def test_parents_stay_as_long_as_they_have_another_object(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        for number in (1, 2, 11, 101):  # one series of two, another series, another study
            store(archive, numbered(number))
        stored = stored_objects(archive)
        archive.delete([stored["2.25.7.1"]])
        assert counts(archive) == (1, 2, 3, 3)
        archive.delete([stored["2.25.7.2"]])
        assert counts(archive) == (1, 2, 2, 2)
        archive.delete([stored["2.25.7.11"]])
        assert counts(archive) == (1, 1, 1, 1)


def test_a_deleted_object_is_taken_as_new_when_it_comes_again(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        store(archive, numbered(1))
        archive.delete(stored_objects(archive).values())
        assert store(archive, numbered(1)) is Outcome.KEPT
        assert contents(archive) == {"2.25.7.1": numbered(1).data_set()}
        report = check_archive(archive)
        assert (report.indexed, report.files, report.missing, report.orphaned) == (1, 1, (), ())


def test_what_replaced_the_object_meanwhile_stays(tmp_path: Path) -> None:
    with open_archive(tmp_path, DuplicatePolicy.REPLACE) as archive:
        store(archive, numbered(1))
        before = stored_objects(archive)
        assert store(archive, numbered(1, pixels=b"newer!")) is Outcome.REPLACED
        assert archive.delete(before.values()) == []
        assert contents(archive) == {"2.25.7.1": numbered(1, pixels=b"newer!").data_set()}


def test_an_object_without_a_patient_is_deleted_too(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        store(archive, AnObject("2.25.8.1", sop_class=IMPLANT_TEMPLATE))
        with archive.reading() as connection:
            table = schema.non_patient_object
            blob_id = bytes(connection.scalar(select(table.c.blob_id)) or b"")
        template = StoredObject(IMPLANT_TEMPLATE, "2.25.8.1", "", blob_id, 0, b"")
        assert archive.delete([template]) == [template]
        assert store_files(tmp_path) == []


def test_an_object_whose_file_is_still_to_be_written_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_archive(tmp_path) as archive:
        monkeypatch.setattr(Placements, "finish", lambda self, blob_id, release: None)
        store(archive, numbered(1))
        assert store_files(tmp_path) == []
        archive.delete(stored_objects(archive).values())
        archive.settle()
        assert store_files(tmp_path) == []


def test_an_object_that_another_process_has_still_to_write_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_archive(tmp_path) as archive, open_archive(tmp_path) as other, ThreadPoolExecutor(1) as pool:
        with monkeypatch.context() as patch:
            patch.setattr(Placements, "finish", lambda self, blob_id, release: None)
            store(other, numbered(1))
        deleted = pool.submit(archive.delete, stored_objects(archive).values())
        while counts(archive) != (0, 0, 0, 0):
            time.sleep(0.01)
        other.settle()  # writes the file of an object that is not there any more
        assert len(deleted.result(30)) == 1
        assert store_files(tmp_path) == []


def test_an_object_whose_file_was_lost_is_deleted_without_waiting(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        store(archive, numbered(1))
        settled(tmp_path)
        (file,) = store_files(tmp_path)
        file.unlink()
        with archive.engine.begin() as connection:
            connection.execute(schema.instance.update().values(arrived_s=1))
        assert len(archive.delete(stored_objects(archive).values())) == 1


def test_numbers_of_instances_are_never_given_twice(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:

        def newest() -> int:
            with archive.reading() as connection:
                return connection.scalar(select(func.max(schema.instance.c.id))) or 0

        store(archive, numbered(1))
        before = newest()
        archive.delete(stored_objects(archive).values())
        store(archive, numbered(2))
        assert newest() > before


def _tombstones(archive: Archive) -> int:
    with archive.reading() as connection:
        return connection.scalar(select(func.count()).select_from(schema.deleted_blob)) or 0


def _deleted_days_ago(archive: Archive, days: float) -> None:
    with archive.engine.begin() as connection:
        connection.execute(schema.deleted_blob.update().values(deleted_s=int(time.time() - days * 86_400)))


def _leave_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delete an object, and die before its file is removed."""
    with open_archive(folder) as archive, monkeypatch.context() as patch:
        store(archive, numbered(1))
        archive.settle()
        patch.setattr(archive.store, "remove", lambda blob_id: True)
        archive.delete(stored_objects(archive).values())
    assert len(store_files(folder)) == 1


def test_tombstones_that_nothing_can_contradict_any_more_are_forgotten(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        store(archive, numbered(1))
        archive.delete(stored_objects(archive).values())
        with open_archive(tmp_path) as other:
            assert _tombstones(other) == 1
    with open_archive(tmp_path) as archive:
        assert _tombstones(archive) == 1, "it is young"
        _deleted_days_ago(archive, 2)
        archive.prepare_to_receive()
        with open_archive(tmp_path) as other:
            assert _tombstones(other) == 1, "somebody has a journal"
    with open_archive(tmp_path) as archive:
        assert _tombstones(archive) == 0


def test_a_file_that_was_left_goes_before_its_tombstone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _leave_a_file(tmp_path, monkeypatch)
    with open_archive(tmp_path) as archive:
        assert len(store_files(tmp_path)) == 1
        _deleted_days_ago(archive, 2)
    with open_archive(tmp_path) as archive:
        assert (_tombstones(archive), store_files(tmp_path)) == (0, [])
        assert check_archive(archive, repair=True).repaired == 0
        assert counts(archive) == (0, 0, 0, 0)


def test_the_start_after_a_crash_removes_what_was_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _leave_a_file(tmp_path, monkeypatch)
    (tmp_path / "journal" / "0123456789abcdef.journal").touch()  # of a process that was killed
    with open_archive(tmp_path) as archive:
        assert (_tombstones(archive), store_files(tmp_path)) == (1, [])


def test_a_crash_after_the_rows_went_does_not_bring_the_object_back(tmp_path: Path) -> None:
    data, disk = tmp_path / "data", tmp_path / "disk"
    with open_archive(data) as archive:
        for number in range(20):
            store(archive, numbered(number))
        shutil.copytree(data / "store", disk / "store")  # the removal of the files did not reach the disk
        archive.delete([stored for uid, stored in stored_objects(archive).items() if uid != "2.25.7.3"])
        shutil.copytree(data, disk, dirs_exist_ok=True)
    with open_archive(disk) as archive:
        assert contents(archive) == {"2.25.7.3": numbered(3).data_set()}
        check_archive(archive, repair=True)
        report = check_archive(archive)
        assert (report.indexed, report.files, report.missing, report.orphaned) == (1, 1, (), ())
    assert leftovers(disk) == []


@pytest.mark.parametrize("other_process", [False, True])
def test_sixteen_threads_store_a_study_while_it_is_deleted_again_and_again(other_process: bool, tmp_path: Path) -> None:
    """Whatever is answered as kept is there at the end, or was deleted; nothing is half there."""
    with open_archive(tmp_path) as archive, open_archive(tmp_path) as deleting:
        deleter = deleting if other_process else archive
        deleted: set[str] = set()

        def store_share(share: int) -> None:
            for number in range(share, 800, 16):
                each = AnObject(f"2.25.7.{number}", series=f"2.25.20.{number % 3}")
                assert store(archive, each) is Outcome.KEPT

        with ThreadPoolExecutor(16) as pool:
            storing = [pool.submit(store_share, share) for share in range(16)]
            while not all(share.done() for share in storing):
                deleted |= {stored.sop_instance_uid for stored in deleter.delete(stored_objects(deleter).values())}
            for share in storing:
                share.result()
        left = set(contents(archive))
        assert left | deleted == {f"2.25.7.{number}" for number in range(800)}
        assert deleted
        assert not left & deleted
        deleter.delete(stored_objects(deleter).values())
        assert counts(archive) == (0, 0, 0, 0)
        assert store_files(tmp_path) == []


@pytest.mark.parametrize("pixels", [b"\1\2", b"other!"])
def test_what_comes_again_for_an_object_that_is_leaving_is_a_copy_of_its_own(pixels: bytes, tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        store(archive, numbered(1))
        leaving = stored_objects(archive)
        archive.mark_leaving(leaving.values())
        assert store(archive, numbered(1, pixels=pixels)) is Outcome.REPLACED
        assert archive.delete(leaving.values(), leaving_only=True) == []
        assert archive.delete(stored_objects(archive).values(), leaving_only=True) == []
        assert contents(archive) == {"2.25.7.1": numbered(1, pixels=pixels).data_set()}
        assert store(archive, numbered(1, pixels=pixels)) is Outcome.SAME_AGAIN


def test_an_object_that_is_leaving_and_does_not_come_again_is_deleted(tmp_path: Path) -> None:
    with open_archive(tmp_path, DuplicatePolicy.REJECT) as archive:
        store(archive, numbered(1))
        leaving = stored_objects(archive)
        archive.mark_leaving(leaving.values())
        with pytest.raises(DuplicateRejected):
            store(archive, numbered(1, pixels=b"other!"))
        assert archive.delete(leaving.values(), leaving_only=True) == list(leaving.values())
        assert store_files(tmp_path) == []
        store(archive, numbered(1))
        assert archive.delete(stored_objects(archive).values(), leaving_only=True) == []


def test_a_copy_of_its_own_survives_a_power_loss_that_the_index_forgot(tmp_path: Path) -> None:
    data, disk = tmp_path / "data", tmp_path / "disk"
    with open_archive(data) as archive:
        store(archive, numbered(1))
        leaving = stored_objects(archive)
        archive.mark_leaving(leaving.values())
        settled(data)
        with archive.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        disk.mkdir()
        shutil.copy2(data / "index.sqlite", disk)
        assert store(archive, numbered(1)) is Outcome.REPLACED
        if not noted_ids(data / "journal"):
            pytest.skip("it was synced in this moment")
        shutil.copytree(data, disk, dirs_exist_ok=True, ignore=shutil.ignore_patterns("index.sqlite*"))
    with open_archive(disk) as archive:
        assert archive.delete(leaving.values(), leaving_only=True) == []
        assert contents(archive) == {"2.25.7.1": numbered(1).data_set()}


def main(folder: str) -> None:
    """Store and delete without end, telling of each step; a test kills this."""
    with open_archive(Path(folder)) as archive:
        print("ready", flush=True)
        for number in range(10**6):
            store(archive, numbered(number))
            print("kept", number, flush=True)
            if number % 5 == 4:
                gone = archive.delete(stored_objects(archive).values())
                for stored in gone:
                    print("deleted", stored.sop_instance_uid.split(".")[-1], flush=True)


@pytest.mark.parametrize("seed", range(3))
def test_a_deletion_that_was_told_outlives_the_killing_of_its_process(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    process: subprocess.Popen[str] = python("-m", "tests.archive.test_deleting", str(tmp_path))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(chance.uniform(0.05, 0.5))
    process.kill()
    output, _ = process.communicate()
    told = [line.split() for line in output.splitlines() if line.count(" ") == 1]
    kept = [int(number) for what, number in told if what == "kept"]
    gone = {int(number) for what, number in told if what == "deleted"}
    with open_archive(tmp_path) as archive:
        found = {int(uid.split(".")[-1]) for uid in contents(archive)}
        assert not found & gone
        # What was not told of as deleted is there, unless it was of the deletion that was cut short.
        assert set(kept) - gone - found <= set(kept[-5:])
        check_archive(archive, repair=True)
        report = check_archive(archive)
        assert (report.indexed, report.files) == (len(found), len(found))
        assert (report.missing, report.orphaned, report.damaged) == ((), (), ())


if __name__ == "__main__":
    main(*sys.argv[1:])
