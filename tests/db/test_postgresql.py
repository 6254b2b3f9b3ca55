"""An archive whose index is in PostgreSQL stores, finds, checks and recovers like one with SQLite."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from radfuse.archive import Archive, DuplicatePolicy, InformationModel, Outcome, check_archive
from radfuse.archive.queries import find, query_from_identifier
from radfuse.dicom import Element, Identifier
from tests.archive.objects import (
    IMPLANT_TEMPLATE,
    AnObject,
    contents,
    file_of,
    leftovers,
    numbered,
    settings,
    store,
)

pytestmark = pytest.mark.postgresql

OBJECTS = [numbered(number, pixels=bytes([number])) for number in range(30)]


@pytest.fixture
def url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def archive(url: str, tmp_path: Path) -> Iterator[Archive]:
    with Archive(settings(tmp_path / "data", index_url=url)) as opened:
        yield opened


def names_found(archive: Archive, name: str) -> list[str]:
    identifier = Identifier((Element.of("QueryRetrieveLevel", "PATIENT"), Element.of("PatientName", name)))
    query = query_from_identifier(identifier, InformationModel.PATIENT_ROOT)
    with archive.reading() as connection:
        answers = list(find(connection, query, "TESTER"))
    return sorted(element.values[0] for answer in answers for element in answer.elements if element.tag == 0x00100010)


def test_objects_are_stored_found_and_given_back(archive: Archive) -> None:
    for each in (*OBJECTS, numbered(100, name="Smith^John", patient_id="P-2")):
        assert store(archive, each) is Outcome.KEPT
    assert store(archive, AnObject("2.25.8.1", sop_class=IMPLANT_TEMPLATE)) is Outcome.KEPT
    assert store(archive, OBJECTS[0]) is Outcome.SAME_AGAIN
    assert store(archive, numbered(1, pixels=b"other")) is Outcome.FIRST_KEPT
    assert names_found(archive, "doe*") == ["Doe^Jane"]
    assert names_found(archive, "*") == ["Doe^Jane", "Smith^John"]
    assert names_found(archive, "*MIT*") == ["Smith^John"]
    found = contents(archive)
    assert found.items() >= {each.uid: each.data_set() for each in OBJECTS}.items()
    report = check_archive(archive)
    assert (report.indexed, report.files, report.orphaned, report.damaged) == (32, 32, (), ())


def test_threads_and_two_archives_store_side_by_side(archive: Archive, url: str) -> None:
    with Archive(settings(archive.settings.folder, index_url=url)) as other:

        def store_share(share: int) -> list[Outcome]:
            return [store((archive, other)[share % 2], each) for each in OBJECTS]

        with ThreadPoolExecutor(6) as pool:
            outcomes = [outcome for share in pool.map(store_share, range(6)) for outcome in share]
    assert outcomes.count(Outcome.KEPT) == len(OBJECTS)
    assert outcomes.count(Outcome.SAME_AGAIN) == 5 * len(OBJECTS)
    assert contents(archive) == {each.uid: each.data_set() for each in OBJECTS}


def test_an_object_is_replaced(url: str, tmp_path: Path) -> None:
    with Archive(settings(tmp_path, DuplicatePolicy.REPLACE, index_url=url)) as archive:
        store(archive, OBJECTS[1])
        assert store(archive, numbered(1, pixels=b"other")) is Outcome.REPLACED
        assert contents(archive) == {OBJECTS[1].uid: numbered(1, pixels=b"other").data_set()}


def test_a_crash_is_recovered_from(archive: Archive, new_database: Callable[[], str], tmp_path: Path) -> None:
    for each in OBJECTS:
        store(archive, each)
    shutil.copytree(archive.settings.folder, tmp_path / "crash")
    with Archive(settings(tmp_path / "crash", index_url=new_database())) as again:
        check_archive(again, repair=True)  # what the journal did not hold any more
        assert contents(again) == {each.uid: each.data_set() for each in OBJECTS}
    assert leftovers(tmp_path / "crash") == []


def test_a_repair_puts_right_what_is_wrong_while_others_remember_the_series(archive: Archive, url: str) -> None:
    with Archive(settings(archive.settings.folder, index_url=url)) as other:
        store(other, OBJECTS[0])
    store(archive, OBJECTS[11])
    folder = archive.settings.folder
    archive.close()
    with Archive(settings(folder, index_url=url)) as again, Archive(settings(folder, index_url=url)) as writer:
        file_of(again, OBJECTS[0].uid).unlink()
        report = check_archive(again, repair=True)
        assert (len(report.missing), report.repaired) == (1, 1)
        assert store(writer, OBJECTS[1]) is Outcome.KEPT  # of the series that was removed
        assert set(contents(writer)) == {OBJECTS[1].uid, OBJECTS[11].uid}


def test_a_remembered_series_that_was_removed_is_made_again(archive: Archive) -> None:
    store(archive, OBJECTS[0])
    with archive.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM instance")
        connection.exec_driver_sql("DELETE FROM series")
    assert store(archive, OBJECTS[1]) is Outcome.KEPT
    assert set(contents(archive)) == {OBJECTS[1].uid}


def test_storing_goes_on_when_the_database_was_restarted(archive: Archive) -> None:
    store(archive, OBJECTS[0])
    with archive.engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert store(archive, OBJECTS[1]) is Outcome.KEPT
    assert set(contents(archive)) == {OBJECTS[0].uid, OBJECTS[1].uid}
