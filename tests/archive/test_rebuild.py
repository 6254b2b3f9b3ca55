"""An index that is gone or damaged is made again from the files of the store, with the same answers."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from radfuse.archive import Archive, DuplicatePolicy, InformationModel, Outcome, Query, check_archive
from radfuse.archive.index.model import QueryKey
from radfuse.archive.queries import find, query_from_identifier
from radfuse.archive.rebuild import IndexPlace, open_index
from radfuse.archive.recover import noted_ids
from radfuse.core.errors import IndexDamaged, SchemaTooNew
from radfuse.core.levels import Level
from radfuse.dicom import Element, Identifier
from tests.archive.objects import (
    IMPLANT_TEMPLATE,
    AnObject,
    blob_of,
    contents,
    file_of,
    leftovers,
    numbered,
    open_archive,
    python,
    store,
    store_files,
)
from tests.archive.storing import SPOOLED_BYTES

OBJECTS = [
    numbered(number, pixels=bytes([number % 256]) * 50, patient_id=f"P-{number // 100}", name=f"Doe^{number // 100}")
    for number in range(0, 400, 7)
]
TEMPLATE = AnObject("2.25.8.1", sop_class=IMPLANT_TEMPLATE)
LARGE = numbered(990, pixels=b"\7" * 3_000_000)
COUNT = len(OBJECTS) + 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with open_archive(tmp_path / "data") as archive:
        for each in (*OBJECTS, TEMPLATE, LARGE):
            store(archive, each)
    return tmp_path / "data"


def answers(archive: Archive) -> list[list[list[tuple[int, tuple[str, ...]]]]]:
    """What queries at every level are answered, in an order of their own."""
    keywords = [
        *("PatientName", "PatientID", "NumberOfPatientRelatedStudies", "StudyInstanceUID", "StudyDate"),
        *("ModalitiesInStudy", "NumberOfStudyRelatedInstances", "SeriesInstanceUID", "Modality"),
        *("NumberOfSeriesRelatedInstances", "SOPInstanceUID", "SOPClassUID", "InstanceNumber"),
    ]
    tags = {keyword: Element.of(keyword, "").tag for keyword in keywords}
    found = []
    with archive.reading() as connection:
        for level in Level:
            query = Query(InformationModel.PATIENT_ROOT, level, tuple(QueryKey(tags[each], "") for each in keywords))
            rows = [
                [(element.tag, element.values) for element in answer.elements]
                for answer in find(connection, query, "TESTER")
            ]
            found.append(sorted(rows))
        by_name = query_from_identifier(
            Identifier((Element.of("QueryRetrieveLevel", "PATIENT"), Element.of("PatientName", "doe^*"))),
            InformationModel.PATIENT_ROOT,
        )
        found.append(sorted([(e.tag, e.values) for e in answer.elements] for answer in find(connection, by_name, "T")))
    return found


def damaged(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("index.sqlite.damaged-*"))


def delete(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    os.truncate(path, 0)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_odd(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1000)


def overwrite(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def overwrite_the_middle(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 3)
        file.write(os.urandom(size // 3))


def replace_by_another_database(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE something (else_ TEXT)")
    other.close()


@pytest.mark.parametrize(
    "harm",
    [delete, empty, truncate, cut_odd, overwrite, overwrite_the_middle, replace_by_another_database],
    ids=lambda harm: harm.__name__,
)
def test_a_damaged_index_is_rebuilt_with_the_same_answers(
    harm: object, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_archive(folder) as archive:
        before, bytes_before = answers(archive), contents(archive)
    assert callable(harm)
    harm(folder / "index.sqlite")
    with open_archive(folder) as archive:
        assert answers(archive) == before
        assert contents(archive) == bytes_before
        report = check_archive(archive)
        assert (report.indexed, report.files, report.missing, report.orphaned, report.damaged) == (
            COUNT,
            COUNT,
            (),
            (),
            (),
        )
        assert store(archive, OBJECTS[0]) is Outcome.SAME_AGAIN
        assert store(archive, TEMPLATE) is Outcome.SAME_AGAIN
        assert store(archive, numbered(5000)) is Outcome.KEPT
    assert len(damaged(folder)) == (0 if harm is delete else 1)
    assert "rebuilt" in caplog.text
    assert "Doe" not in caplog.text
    caplog.clear()
    with open_archive(folder):
        assert caplog.text == ""
    assert not list(folder.glob("*rebuilding*"))
    assert leftovers(folder) == []


def test_an_index_without_a_store_to_rebuild_from_is_made_new(tmp_path: Path) -> None:
    open_archive(tmp_path).close()
    overwrite(tmp_path / "index.sqlite")
    with open_archive(tmp_path) as archive:
        assert store(archive, OBJECTS[0]) is Outcome.KEPT
    assert len(damaged(tmp_path)) == 1


def test_a_write_ahead_log_of_a_lost_index_does_not_meet_the_new_one(folder: Path) -> None:
    with open_archive(folder) as archive:
        store(archive, numbered(5000))
        wal = (folder / "index.sqlite-wal").read_bytes()
        assert wal
    (folder / "index.sqlite").unlink()
    (folder / "index.sqlite-wal").write_bytes(wal)
    with open_archive(folder) as archive:
        assert len(contents(archive)) == COUNT  # the large, the new one, no template
    assert [name.endswith("-wal") for name in damaged(folder)] == [True]


def test_what_the_journal_still_holds_is_replayed_after_the_rebuild(tmp_path: Path) -> None:
    with python("-m", "tests.archive.storing", str(tmp_path), "1", "0") as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(20)]
        process.kill()
    assert told[0] == "ready\n"
    stored = [int(line.split()[0]) for line in told[1:]]
    noted = noted_ids(tmp_path / "journal")
    # Larger ones are synced as files of their own; what the journal does not hold any more has been synced.
    small = [path for path in store_files(tmp_path) if path.stat().st_size < SPOOLED_BYTES]
    unsynced = [path for path in small if bytes.fromhex(path.name) in noted]
    for path in unsynced:
        os.truncate(path, 200)  # not synced when the power went
    (tmp_path / "index.sqlite").unlink()
    with open_archive(tmp_path) as archive:
        assert {numbered(number).uid for number in stored} <= set(contents(archive))
        report = check_archive(archive)
        assert (report.missing, report.orphaned, report.damaged) == ((), (), ())
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("policy", DuplicatePolicy)
@pytest.mark.parametrize("by_seal", [True, False])
def test_of_two_files_with_one_uid_the_order_of_arrival_decides(
    policy: DuplicatePolicy, by_seal: bool, tmp_path: Path
) -> None:
    """As a restored backup may leave them. The seal tells the second, the file the rest of it."""
    for name, pixels in (("first", b"1111"), ("then", b"2222")):
        with open_archive(tmp_path / name) as archive:
            store(archive, numbered(1, pixels=pixels))
    with open_archive(tmp_path / "first") as archive, open_archive(tmp_path / "then") as other:
        later, earlier = file_of(other, numbered(1).uid), file_of(archive, numbered(1).uid)
    if by_seal:
        _change_arrival(earlier, -100)
        os.utime(earlier, (2e9, 2e9))
    else:
        _change_arrival(later, 0, like=earlier)
        os.utime(earlier, (1e9, 1e9))
    target = tmp_path / "first" / "store" / later.parent.parent.name / later.parent.name
    target.mkdir(parents=True, exist_ok=True)
    os.rename(later, target / later.name)
    (tmp_path / "first" / "index.sqlite").unlink()
    wins = later if policy is DuplicatePolicy.REPLACE else earlier
    with open_archive(tmp_path / "first", policy) as archive:
        assert blob_of(archive, numbered(1).uid).hex() == wins.name
        put_away = {earlier.name, later.name} - {wins.name}
        assert {path.name for path in (tmp_path / "first" / "quarantine").iterdir()} == put_away
        report = check_archive(archive)
        assert (report.indexed, report.files, report.orphaned) == (1, 1, ())


def _change_arrival(path: Path, seconds: int, like: Path | None = None) -> None:
    """Change the arrival in a file's seal: the last eight bytes of its File Meta Information."""
    from radfuse.dicom import read_file_meta

    source = (like or path).read_bytes()
    at = read_file_meta(source).data_offset - 8
    arrived = int.from_bytes(source[at : at + 8], "little") + seconds
    content = bytearray(path.read_bytes())
    own = read_file_meta(content).data_offset - 8
    content[own : own + 8] = arrived.to_bytes(8, "little")
    path.write_bytes(content)


def test_files_that_are_no_objects_are_passed_over(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_archive(folder) as archive:
        for blob_id in (bytes(16), b"\xff" * 16):
            path = Path(archive.store.path(blob_id))
            path.parent.mkdir(parents=True)
            path.write_bytes(b"" if blob_id[0] else b"not an object")
    (folder / "index.sqlite").unlink()
    with open_archive(folder) as archive:
        assert len(check_archive(archive).orphaned) == 2
        assert "2 files cannot be read" in caplog.text


def test_processes_that_open_at_once_rebuild_once(folder: Path) -> None:
    (folder / "index.sqlite").unlink()
    script = (
        "import logging, sys; from pathlib import Path; from tests.archive.objects import open_archive, contents\n"
        "logging.basicConfig(stream=sys.stdout)\n"
        "with open_archive(Path(sys.argv[1])) as archive: print(len(contents(archive)))\n"
    )
    processes = [python("-c", script, str(folder)) for _ in range(4)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sum("was rebuilt" in output for output in outputs) == 1
    assert [output.split()[-1] for output in outputs] == [str(COUNT - 1)] * 4


def test_processes_that_open_a_new_folder_at_once_make_one_archive(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    processes = [python("-m", "tests.archive.storing", str(folder), str(first), "5") for first in (100, 200, 300, 400)]
    for process in processes:
        process.communicate(timeout=120)
    assert [process.returncode for process in processes] == [0] * 4
    with open_archive(folder) as archive:
        assert len(contents(archive)) == 20
        assert check_archive(archive).orphaned == ()


@pytest.mark.parametrize("harm", [delete, overwrite], ids=lambda harm: harm.__name__)
def test_an_index_is_not_rebuilt_under_a_process_that_writes_with_it(harm: object, folder: Path) -> None:
    assert callable(harm)
    with open_archive(folder) as archive:
        store(archive, numbered(5000))
        harm(folder / "index.sqlite")
        for part in ("-wal", "-shm"):
            Path(f"{folder / 'index.sqlite'}{part}").unlink()
        with pytest.raises(IndexDamaged) as refused:
            open_archive(folder)
        assert "stop every Radfuse" in str(refused.value)
    assert damaged(folder) == []


def test_a_rebuild_that_was_interrupted_is_begun_again(folder: Path) -> None:
    (folder / "index.sqlite").unlink()
    with open_archive(folder / "elsewhere") as archive:
        store(archive, numbered(5000))
    os.rename(folder / "elsewhere" / "index.sqlite", folder / "index.sqlite.rebuilding")

    class Interrupted(Exception):
        pass

    def interrupt(_done: int) -> None:
        raise Interrupted

    with open_archive(folder / "elsewhere") as archive:
        store_of_folder = archive.store
    store_of_folder = type(store_of_folder)(folder / "store")
    with pytest.raises(Interrupted):
        open_index(IndexPlace(folder, store_of_folder, progress=interrupt))
    assert not (folder / "index.sqlite").exists()
    with open_archive(folder) as archive:
        assert len(contents(archive)) == COUNT - 1


def test_progress_tells_the_number_of_files(folder: Path) -> None:
    (folder / "index.sqlite").unlink()
    told: list[int] = []
    with open_archive(folder / "elsewhere") as archive:
        place = IndexPlace(folder, type(archive.store)(folder / "store"), progress=told.append)
    open_index(place).dispose()
    assert told == [COUNT]


def test_an_index_of_a_newer_radfuse_is_refused_and_left_alone(folder: Path) -> None:
    with sqlite3.connect(folder / "index.sqlite") as index:
        index.execute("UPDATE alembic_version SET version_num = '9999'")
    index.close()
    with pytest.raises(SchemaTooNew) as refused:
        open_archive(folder)
    assert str(refused.value) == (
        "the index database was written by a newer Radfuse (schema 9999); install that version or newer"
    )
    assert damaged(folder) == []


def test_an_index_that_cannot_be_opened_is_not_taken_for_damaged(folder: Path) -> None:
    (folder / "index.sqlite").unlink()
    (folder / "index.sqlite").mkdir()
    with pytest.raises(sqlite3.OperationalError):
        open_archive(folder)
    assert damaged(folder) == []
