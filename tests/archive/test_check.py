"""The check finds what is lost, damaged or not indexed, and puts it right without losing anything."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from radfuse.archive import Archive, CheckReport, DuplicatePolicy, Outcome, check_archive
from radfuse.core.errors import BlobDamaged, BlobMissing, IndexDamaged
from tests.archive.objects import (
    IMPLANT_TEMPLATE,
    AnObject,
    blob_of,
    contents,
    file_of,
    long_ago,
    numbered,
    open_archive,
    store,
    stored_objects,
)

OBJECTS = [numbered(number, pixels=bytes([number]) * (100 + number)) for number in range(20)]
LARGE = numbered(90, pixels=b"\7" * 3_000_000)
TEMPLATE = AnObject("2.25.8.1", sop_class=IMPLANT_TEMPLATE)
COUNT = len(OBJECTS) + 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An archive of 22 objects that nobody has open."""
    with open_archive(tmp_path / "data") as archive:
        for each in (*OBJECTS, LARGE, TEMPLATE):
            store(archive, each)
    return tmp_path / "data"


@pytest.fixture
def archive(folder: Path) -> Iterator[Archive]:
    with open_archive(folder) as opened:
        yield opened


def flip(path: Path, position: int) -> None:
    """Change one bit."""
    with path.open("r+b") as file:
        file.seek(position, os.SEEK_SET if position >= 0 else os.SEEK_END)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


def quarantined(archive: Archive) -> list[str]:
    folder = archive.settings.folder / "quarantine"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def counts(report: CheckReport) -> tuple[int, int, int, int, int, int]:
    found = (report.missing, report.orphaned, report.damaged)
    return (report.indexed, report.files, *map(len, found), report.repaired)  # type: ignore[return-value]


def test_a_whole_archive_is_clean(archive: Archive) -> None:
    assert counts(check_archive(archive)) == (COUNT, COUNT, 0, 0, 0, 0)
    assert counts(check_archive(archive, repair=True)) == (COUNT, COUNT, 0, 0, 0, 0)
    assert quarantined(archive) == []


def test_an_empty_archive_is_clean(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        assert counts(check_archive(archive, repair=True)) == (0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("uid", [OBJECTS[3].uid, LARGE.uid, TEMPLATE.uid])
def test_a_missing_file_is_found_and_its_object_can_be_sent_again(uid: str, archive: Archive) -> None:
    blob_id = blob_of(archive, uid)
    file_of(archive, uid).unlink()
    assert check_archive(archive).missing == (blob_id.hex(),)
    assert counts(check_archive(archive, repair=True)) == (COUNT, COUNT - 1, 1, 0, 0, 1)
    assert counts(check_archive(archive)) == (COUNT - 1, COUNT - 1, 0, 0, 0, 0)
    sent_again = next(each for each in (*OBJECTS, LARGE, TEMPLATE) if each.uid == uid)
    assert store(archive, sent_again) is Outcome.KEPT
    assert counts(check_archive(archive)) == (COUNT, COUNT, 0, 0, 0, 0)


def test_a_missing_file_that_comes_back_from_a_backup_is_indexed_again(archive: Archive, tmp_path: Path) -> None:
    path = file_of(archive, OBJECTS[3].uid)
    shutil.copy2(path, tmp_path / "backup")
    path.unlink()
    check_archive(archive, repair=True)
    shutil.copy2(tmp_path / "backup", path)
    assert counts(check_archive(archive, repair=True)) == (COUNT - 1, COUNT, 0, 1, 0, 1)
    assert contents(archive)[OBJECTS[3].uid] == OBJECTS[3].data_set()


@pytest.mark.parametrize("uid", [OBJECTS[5].uid, LARGE.uid, TEMPLATE.uid])
@pytest.mark.parametrize("position", [-1, -3])
def test_one_flipped_bit_is_found_and_the_object_can_be_sent_again(uid: str, position: int, archive: Archive) -> None:
    path = file_of(archive, uid)
    flip(path, position)
    assert check_archive(archive).damaged == (path.name,)
    assert path.exists()
    assert counts(check_archive(archive, repair=True)) == (COUNT, COUNT, 0, 0, 1, 1)
    assert quarantined(archive) == [path.name]
    assert counts(check_archive(archive)) == (COUNT - 1, COUNT - 1, 0, 0, 0, 0)
    sent_again = next(each for each in (*OBJECTS, LARGE, TEMPLATE) if each.uid == uid)
    assert store(archive, sent_again) is Outcome.KEPT


def test_a_bit_flipped_in_the_file_meta_information_or_the_seal_is_found(archive: Archive) -> None:
    uids = [each.uid for each in OBJECTS[:4]]
    for uid, marker in zip(uids, (b"DICM", b"\2\0\2\1OB", b"\2\0\x10\0UI", b"\2\0\3\0UI"), strict=True):
        path = file_of(archive, uid)
        flip(path, path.read_bytes().index(marker) + {b"DICM": 40, b"\2\0\2\1OB": 14}.get(marker, 10))
    assert sorted(check_archive(archive).damaged) == sorted(file_of(archive, uid).name for uid in uids)


@pytest.mark.parametrize("size", [0, 10, 132, 300, 1_500_000])
def test_a_truncated_or_emptied_file_is_damaged(size: int, archive: Archive) -> None:
    path = file_of(archive, LARGE.uid)
    os.truncate(path, size)
    assert check_archive(archive, repair=True).damaged == (path.name,)
    assert counts(check_archive(archive)) == (COUNT - 1, COUNT - 1, 0, 0, 0, 0)


def test_a_file_with_something_appended_is_damaged(archive: Archive) -> None:
    path = file_of(archive, OBJECTS[1].uid)
    with path.open("ab") as file:
        file.write(b"x")
    assert check_archive(archive).damaged == (path.name,)


def test_damage_is_noticed_when_the_object_is_read(archive: Archive) -> None:
    stored = stored_objects(archive)
    flip(file_of(archive, OBJECTS[0].uid), -1)
    os.truncate(file_of(archive, OBJECTS[1].uid), 10)
    for each in OBJECTS[:2]:
        with pytest.raises(BlobDamaged), archive.open_object(stored[each.uid]) as opened:
            archive.read_verified(stored[each.uid], opened)
        with pytest.raises(BlobDamaged), archive.open_object(stored[each.uid]) as opened:
            archive.verify(stored[each.uid], opened)
    with archive.open_object(stored[LARGE.uid]) as opened:
        archive.verify(stored[LARGE.uid], opened)
    long_ago(archive.settings.folder, OBJECTS[2].uid)
    file_of(archive, OBJECTS[2].uid).unlink()
    with pytest.raises(BlobMissing), archive.open_object(stored[OBJECTS[2].uid]):
        raise AssertionError("there is no file")


def unindex(archive: Archive, uid: str) -> Path:
    """Take a row away, its file stays."""
    path = file_of(archive, uid)
    with archive.engine.begin() as connection:
        for table in ("instance", "non_patient_object"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE sop_instance_uid = ?", (uid,))  # noqa: S608
    return path


@pytest.mark.parametrize("uid", [OBJECTS[5].uid, LARGE.uid, TEMPLATE.uid])
def test_a_file_that_is_not_indexed_is_indexed(uid: str, archive: Archive) -> None:
    before = contents(archive)
    path = unindex(archive, uid)
    assert check_archive(archive).orphaned == (path.name,)
    assert counts(check_archive(archive, repair=True)) == (COUNT - 1, COUNT, 0, 1, 0, 1)
    assert counts(check_archive(archive)) == (COUNT, COUNT, 0, 0, 0, 0)
    assert contents(archive) == before
    assert blob_of(archive, uid).hex() == path.name


def test_a_damaged_file_that_is_not_indexed_goes_to_quarantine(archive: Archive) -> None:
    path = unindex(archive, OBJECTS[5].uid)
    flip(path, -1)
    assert counts(check_archive(archive, repair=True)) == (COUNT - 1, COUNT, 0, 1, 0, 1)
    assert quarantined(archive) == [path.name]
    assert counts(check_archive(archive)) == (COUNT - 1, COUNT - 1, 0, 0, 0, 0)


def test_a_file_that_is_no_object_of_ours_goes_to_quarantine(archive: Archive) -> None:
    strange = [bytes([number]) * 16 for number in range(3)]
    contents_of = (b"", b"not DICOM at all", OBJECTS[1].data_set())
    for blob_id, content in zip(strange, contents_of, strict=True):
        path = Path(archive.store.path(blob_id))
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    (archive.settings.folder / "quarantine").mkdir()
    (archive.settings.folder / "quarantine" / strange[0].hex()).write_text("of an earlier check")
    report = check_archive(archive, repair=True)
    assert report.orphaned == tuple(blob_id.hex() for blob_id in strange)
    names = [blob_id.hex() for blob_id in strange]
    assert quarantined(archive) == sorted([*names, f"{names[0]}-2"])
    assert counts(check_archive(archive)) == (COUNT, COUNT, 0, 0, 0, 0)


def test_an_object_that_is_indexed_under_its_uid_already_stays_and_the_other_goes_to_quarantine(
    archive: Archive,
) -> None:
    path = unindex(archive, OBJECTS[5].uid)
    store(archive, numbered(5, pixels=b"other"))
    os.utime(path)
    assert check_archive(archive).orphaned == ()  # it is so young that it might be on its way
    archive.close()
    with open_archive(archive.settings.folder) as again:
        assert check_archive(again, repair=True).orphaned == (path.name,)
        assert quarantined(again) == [path.name]
        assert contents(again)[OBJECTS[5].uid] == numbered(5, pixels=b"other").data_set()


def test_the_file_of_an_object_that_was_replaced_on_purpose_is_removed(folder: Path) -> None:
    with open_archive(folder, DuplicatePolicy.REPLACE) as archive:
        path = file_of(archive, OBJECTS[5].uid)
        before = path.read_bytes()
        assert store(archive, numbered(5, pixels=b"other")) is Outcome.REPLACED
        assert not path.exists()
        path.write_bytes(before)
    with open_archive(folder) as archive:
        assert check_archive(archive, repair=True).orphaned == (path.name,)
        assert not path.exists()
        assert quarantined(archive) == []


def test_patients_studies_and_series_without_objects_are_removed(archive: Archive) -> None:
    lonely = numbered(500, patient_id="P-9")
    store(archive, lonely)
    archive.close()
    with open_archive(archive.settings.folder) as again:
        file_of(again, lonely.uid).unlink()
        check_archive(again, repair=True)
        with again.reading() as connection:
            for table, count in (("patient", 1), ("study", 1), ("series", 3)):
                assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == count  # noqa: S608


def test_everything_at_once_is_put_right_in_one_go(archive: Archive) -> None:
    file_of(archive, OBJECTS[0].uid).unlink()
    flip(file_of(archive, OBJECTS[1].uid), -1)
    unindex(archive, OBJECTS[2].uid)
    flip(unindex(archive, OBJECTS[3].uid), -1)
    assert counts(check_archive(archive)) == (COUNT - 2, COUNT - 1, 1, 2, 1, 0)
    assert counts(check_archive(archive, repair=True)) == (COUNT - 2, COUNT - 1, 1, 2, 1, 4)
    assert counts(check_archive(archive, repair=True)) == (COUNT - 3, COUNT - 3, 0, 0, 0, 0)


def test_progress_tells_how_far_it_is(folder: Path) -> None:
    with open_archive(folder) as archive:
        for number in range(100, 250):
            store(archive, numbered(number))
        told: list[tuple[int, int]] = []
        check_archive(archive, progress=lambda done, total: told.append((done, total)))
    assert told == [(64, COUNT + 150), (128, COUNT + 150), (COUNT + 150, COUNT + 150)]


def test_a_report_names_no_patient(archive: Archive) -> None:
    unindex(archive, OBJECTS[0].uid)
    flip(file_of(archive, OBJECTS[1].uid), -1)
    report = check_archive(archive)
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in report.orphaned + report.damaged)
    assert "2.25" not in repr(report)


def test_a_check_beside_a_storing_service_finds_and_harms_nothing(tmp_path: Path) -> None:
    stop = threading.Event()
    stored: list[int] = []

    def run(policy: DuplicatePolicy, first: int) -> None:
        with open_archive(tmp_path, policy) as archive:
            number = first
            while not stop.is_set():
                store(archive, numbered(number, pixels=bytes(3_000_000 if number % 50 == 0 else 200)))
                stored.append(number)
                number += 1

    open_archive(tmp_path).close()
    threads = [threading.Thread(target=run, args=(DuplicatePolicy.KEEP, first)) for first in (0, 100_000)]
    for thread in threads:
        thread.start()
    try:
        with open_archive(tmp_path) as archive:
            for _ in range(25):
                report = check_archive(archive, repair=True)
                assert (report.missing, report.orphaned, report.damaged, report.repaired) == ((), (), (), 0)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    with open_archive(tmp_path) as archive:
        assert counts(check_archive(archive)) == (len(stored), len(stored), 0, 0, 0, 0)


def test_a_check_of_a_damaged_index_says_so(folder: Path) -> None:
    with open_archive(folder) as archive:
        archive.index.close()
        archive.engine.dispose()
        path = folder / "index.sqlite"
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(path.stat().st_size - 4096))
        with pytest.raises(IndexDamaged):
            check_archive(archive)
