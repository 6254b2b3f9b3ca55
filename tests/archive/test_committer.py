"""Keeping objects: many at once, the same twice, others under one UID, and what fails takes nothing along."""

from __future__ import annotations

import errno
import itertools
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from radfuse.archive import Archive, CheckReport, DuplicatePolicy, Outcome, check_archive
from radfuse.core.errors import DuplicateRejected, InvalidInstance, OutOfSpace
from tests.archive.objects import (
    IMPLANT_TEMPLATE,
    AnObject,
    blob_of,
    contents,
    file_of,
    leftovers,
    long_ago,
    numbered,
    open_archive,
    settings,
    settled,
    store,
    store_files,
)


def is_clean(report: CheckReport, count: int) -> bool:
    return (report.indexed, report.files, report.missing, report.orphaned, report.damaged) == (count, count, (), (), ())


def at_once(jobs: Iterable[Callable[[], Outcome]]) -> list[Outcome]:
    """Run all jobs, each in a thread of its own, from the same moment on."""
    jobs = list(jobs)
    barrier = threading.Barrier(len(jobs))

    def run(job: Callable[[], Outcome]) -> Outcome:
        barrier.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def forget(archive: Archive, lost: AnObject) -> None:
    """As a repair does when the object's file is lost, and nobody wrote to the archive lately."""
    folder = archive.settings.folder
    settled(folder)
    file_of(archive, lost.uid).unlink(missing_ok=True)
    long_ago(folder, lost.uid)
    assert check_archive(archive, repair=True).repaired == 1


def test_sixteen_threads_store_side_by_side(tmp_path: Path) -> None:
    objects = [numbered(number, pixels=bytes([number % 256]) * (number * 37 % 9000)) for number in range(480)]
    with open_archive(tmp_path) as archive:

        def store_share(share: int) -> list[Outcome]:
            return [store(archive, each) for each in objects[share::16]]

        with ThreadPoolExecutor(16) as pool:
            outcomes = list(itertools.chain(*pool.map(store_share, range(16))))
        assert outcomes == [Outcome.KEPT] * 480
        assert contents(archive) == {each.uid: each.data_set() for each in objects}
        assert is_clean(check_archive(archive), 480)
    assert leftovers(tmp_path) == []


def test_a_crowd_of_large_objects_fits_the_journal_group_by_group(tmp_path: Path) -> None:
    """Sixty-four objects of almost 2 MiB are twice what the whole journal holds."""
    with open_archive(tmp_path) as archive:
        objects = [numbered(number, pixels=bytes([number]) * 1_900_000) for number in range(64)]
        assert at_once([partial(store, archive, each) for each in objects]) == [Outcome.KEPT] * 64
        assert is_clean(check_archive(archive), 64)
        assert contents(archive) == {each.uid: each.data_set() for each in objects}


def test_the_same_bytes_from_eight_threads_become_one_file(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        for number in range(20):
            same = numbered(number)
            outcomes = at_once([partial(store, archive, same)] * 8)
            assert sorted(outcomes, key=lambda each: each.name) == [Outcome.KEPT] + [Outcome.SAME_AGAIN] * 7
        assert len(store_files(tmp_path)) == 20
        assert is_clean(check_archive(archive), 20)


def test_other_bytes_under_one_uid_from_eight_threads_leave_one_whole_object(tmp_path: Path) -> None:
    for policy in DuplicatePolicy:
        folder = tmp_path / policy
        with open_archive(folder, policy) as archive:
            rivals = [numbered(1, pixels=bytes([rival]) * 50) for rival in range(8)]

            def try_to_store(rival: AnObject, archive: Archive = archive) -> Outcome:
                try:
                    return store(archive, rival)
                except DuplicateRejected:
                    return Outcome.FIRST_KEPT

            outcomes = at_once([partial(try_to_store, rival) for rival in rivals])
            assert outcomes.count(Outcome.KEPT) == 1
            assert contents(archive)[rivals[0].uid] in {rival.data_set() for rival in rivals}
            assert is_clean(check_archive(archive), 1)


@pytest.mark.parametrize("first_pixels", [b"\1\2", b"\1" * 3_000_000])
@pytest.mark.parametrize("then_pixels", [b"\3\4", b"\3" * 3_000_000])
@pytest.mark.parametrize("policy", DuplicatePolicy)
def test_other_bytes_under_one_uid_follow_the_policy(
    policy: DuplicatePolicy, first_pixels: bytes, then_pixels: bytes, tmp_path: Path
) -> None:
    first, then = numbered(1, pixels=first_pixels), numbered(1, pixels=then_pixels)
    with open_archive(tmp_path, policy) as archive:
        assert store(archive, first) is Outcome.KEPT
        if policy is DuplicatePolicy.REJECT:
            with pytest.raises(DuplicateRejected):
                store(archive, then)
        else:
            kept = {DuplicatePolicy.KEEP: Outcome.FIRST_KEPT, DuplicatePolicy.REPLACE: Outcome.REPLACED}[policy]
            assert store(archive, then) is kept
        last = then if policy is DuplicatePolicy.REPLACE else first
        assert contents(archive) == {first.uid: last.data_set()}
        assert store(archive, last) is Outcome.SAME_AGAIN
        assert is_clean(check_archive(archive), 1)


def test_an_object_whose_file_was_lost_is_healed_by_sending_it_again(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        store(archive, numbered(1))
        file_of(archive, numbered(1).uid).unlink()
        assert store(archive, numbered(1)) is Outcome.SAME_AGAIN  # so young, its file might be on its way
        long_ago(tmp_path, numbered(1).uid)
        assert store(archive, numbered(1)) is Outcome.REPLACED
        assert contents(archive) == {numbered(1).uid: numbered(1).data_set()}
        assert is_clean(check_archive(archive), 1)


def _cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def _empty(file: Path) -> None:
    os.truncate(file, 0)


@pytest.mark.parametrize("damage", [_cut, _flip, _empty])
@pytest.mark.parametrize("pixels", [b"\1\2", b"\1\2" * 1_500_000], ids=["small", "spooled"])
def test_a_damaged_object_is_healed_by_sending_it_again(
    tmp_path: Path, damage: Callable[[Path], None], pixels: bytes
) -> None:
    with open_archive(tmp_path) as archive:
        store(archive, numbered(1, pixels=pixels))
        archive.settle()
        damage(file_of(archive, "2.25.7.1"))
        assert store(archive, numbered(1, pixels=pixels)) is Outcome.REPLACED
        assert contents(archive) == {"2.25.7.1": numbered(1, pixels=pixels).data_set()}
        assert store(archive, numbered(1, pixels=pixels)) is Outcome.SAME_AGAIN
    with open_archive(tmp_path) as archive:
        assert contents(archive) == {"2.25.7.1": numbered(1, pixels=pixels).data_set()}
        assert is_clean(check_archive(archive), 1)


def test_eight_threads_heal_a_damaged_object_once(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        store(archive, numbered(1))
        archive.settle()
        _flip(file_of(archive, "2.25.7.1"))
        outcomes = at_once([lambda: store(archive, numbered(1))] * 8)
        assert outcomes.count(Outcome.REPLACED) == 1
        assert outcomes.count(Outcome.SAME_AGAIN) == 7
        assert contents(archive) == {"2.25.7.1": numbered(1).data_set()}


def test_a_file_that_cannot_be_read_now_is_not_taken_for_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_archive(tmp_path) as archive:
        store(archive, numbered(1))
        archive.settle()

        def out_of_handles(path: str) -> None:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        monkeypatch.setattr("radfuse.archive.committer.read_content", out_of_handles)
        assert store(archive, numbered(1)) is Outcome.SAME_AGAIN


def test_an_object_without_a_patient_is_kept_too(tmp_path: Path) -> None:
    template = AnObject("2.25.7.1", sop_class=IMPLANT_TEMPLATE)
    with open_archive(tmp_path) as archive:
        assert store(archive, template) is Outcome.KEPT
        assert store(archive, template) is Outcome.SAME_AGAIN
        assert file_of(archive, template.uid).read_bytes().endswith(template.data_set())
        assert is_clean(check_archive(archive), 1)


def test_an_object_that_is_not_what_it_is_said_to_be_leaves_nothing(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        for pixels in (b"\1\2", bytes(3_000_000)):
            with archive.receive(numbered(2).origin()) as incoming, pytest.raises(InvalidInstance):
                incoming.write(numbered(1, pixels=pixels).data_set())
                from radfuse.services.ingest import ingest

                ingest(archive, incoming)
        assert store_files(tmp_path) == []
        assert is_clean(check_archive(archive), 0)
    assert leftovers(tmp_path) == []


def test_a_remembered_series_that_was_removed_is_made_again(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive, open_archive(tmp_path) as other:
        store(archive, numbered(1))
        store(archive, numbered(11))
        forget(other, numbered(1))
        store(archive, numbered(2))  # of the series that was removed
        assert is_clean(check_archive(archive), 2)
        with sqlite3.connect(tmp_path / "index.sqlite") as index:
            found = index.execute(
                "SELECT sop_instance_uid, series_instance_uid FROM instance JOIN series ON series.id = series_fk "
                "ORDER BY 1"
            ).fetchall()
        assert found == [(each.uid, each.series) for each in (numbered(11), numbered(2))]


def test_the_id_of_a_removed_series_is_never_given_to_another(tmp_path: Path) -> None:
    """A process that remembers the id would put objects under another patient."""
    with open_archive(tmp_path) as archive, open_archive(tmp_path) as other:
        store(archive, numbered(1))
        forget(other, numbered(1))
        strange = numbered(500, patient_id="P-2")
        store(other, strange)  # made while no series has the id of the removed one
        store(archive, numbered(2))
        with archive.reading() as connection:
            found = connection.exec_driver_sql(
                "SELECT sop_instance_uid, patient_id FROM instance JOIN series ON series.id = series_fk "
                "JOIN study ON study.id = study_fk JOIN patient ON patient.id = patient_fk ORDER BY 1"
            ).fetchall()
        assert [tuple(row) for row in found] == [(numbered(2).uid, "P-1"), (strange.uid, "P-2")]


def test_an_index_that_refuses_takes_nothing_and_the_next_object_is_kept(tmp_path: Path) -> None:
    """The limit on pages makes SQLite say that the disk is full; it rolls back by itself then."""
    with open_archive(tmp_path) as archive:
        store(archive, numbered(1))
        driver = archive.index._driver
        pages = driver.execute("PRAGMA page_count").fetchone()[0]
        driver.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(OutOfSpace):
            for number in range(2, 2000):
                store(archive, numbered(number, name="Very^Long" * 5))
        kept = set(contents(archive))
        assert is_clean(check_archive(archive), len(kept))
        driver.execute("PRAGMA max_page_count=1073741823")
        assert store(archive, numbered(5000)) is Outcome.KEPT
        assert set(contents(archive)) == kept | {numbered(5000).uid}
    with open_archive(tmp_path) as archive:
        assert set(contents(archive)) == kept | {numbered(5000).uid}


def test_a_study_stays_with_its_first_patient(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        store(archive, numbered(1))
        store(archive, numbered(11, patient_id="P-2"))
        with archive.reading() as connection:
            owners = connection.exec_driver_sql(
                "SELECT patient_id FROM study JOIN patient ON patient.id = patient_fk"
            ).fetchall()
        assert [tuple(row) for row in owners] == [("P-1",)]


def test_two_handles_of_one_archive_see_each_other_at_once(tmp_path: Path) -> None:
    with open_archive(tmp_path) as one, open_archive(tmp_path) as two:
        assert store(one, numbered(1)) is Outcome.KEPT
        assert store(two, numbered(1)) is Outcome.SAME_AGAIN
        assert blob_of(two, numbered(1).uid) == blob_of(one, numbered(1).uid)


def test_the_size_limit_of_the_settings_counts(tmp_path: Path) -> None:
    from radfuse.core.errors import ObjectTooLarge

    with Archive(settings(tmp_path, limit_bytes=1000)) as archive:
        with pytest.raises(ObjectTooLarge):
            store(archive, numbered(1, pixels=bytes(1000)))
        assert store(archive, numbered(1, pixels=bytes(10))) is Outcome.KEPT
