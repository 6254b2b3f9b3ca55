"""Files are written after the answer: by whoever comes first, once, and before the journal is freed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from radfuse.archive.blobs import BlobStore
from radfuse.archive.placing import Placements

ONE, TWO = b"\1" * 16, b"\2" * 16


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "store")


@pytest.fixture
def placements(store: BlobStore, tmp_path: Path) -> Placements:
    return Placements(store, tmp_path / "spool")


def test_an_object_is_held_until_its_file_is_there(store: BlobStore, placements: Placements, tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    placements.add(ONE, 1, memoryview(b"one"))
    assert placements.holds(ONE)
    assert not store.exists(ONE)
    assert placements.settle(ONE)
    assert not placements.holds(ONE)
    assert Path(store.path(ONE)).read_bytes() == b"one"
    assert placements.settle(ONE)
    assert placements.settle(TWO)


def test_a_file_that_cannot_be_written_stays_held_and_is_tried_again(
    store: BlobStore, placements: Placements, tmp_path: Path
) -> None:
    placements.add(ONE, 1, memoryview(b"one"))
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            placements.settle(ONE)
        with pytest.raises(FileNotFoundError):
            placements.settle_until(1)
        assert placements.holds(ONE)
    (tmp_path / "spool").mkdir()
    placements.settle_until(1)
    assert store.exists(ONE)


def test_a_half_of_the_journal_waits_for_its_own_objects_only(
    store: BlobStore, placements: Placements, tmp_path: Path
) -> None:
    (tmp_path / "spool").mkdir()
    placements.add(ONE, 1, memoryview(b"one"))
    placements.add(TWO, 2, memoryview(b"two"))
    placements.settle_until(1)
    assert store.exists(ONE)
    assert not store.exists(TWO)


def test_many_threads_that_want_one_object_write_it_once(
    store: BlobStore, placements: Placements, tmp_path: Path
) -> None:
    (tmp_path / "spool").mkdir()
    placements.add(ONE, 1, memoryview(bytes(5_000_000)))
    settled: list[bool] = []
    threads = [threading.Thread(target=lambda: settled.append(placements.settle(ONE))) for _ in range(8)]
    for thread in threads:
        thread.start()
    placements.settle_until(1)
    for thread in threads:
        thread.join()
    assert settled == [True] * 8
    assert Path(store.path(ONE)).stat().st_size == 5_000_000
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_small_object_is_written_at_once_and_its_buffer_released(
    store: BlobStore, placements: Placements, tmp_path: Path
) -> None:
    (tmp_path / "spool").mkdir()
    released: list[bytes] = []
    placements.add(ONE, 1, memoryview(b"one"))
    placements.finish(ONE, lambda: released.append(ONE))
    assert store.exists(ONE)
    assert released == [ONE]


def test_larger_objects_are_all_written_by_the_time_it_is_closed(
    store: BlobStore, placements: Placements, tmp_path: Path
) -> None:
    (tmp_path / "spool").mkdir()
    ids = [bytes([number]) * 16 for number in range(12)]
    released: list[bytes] = []
    for blob_id in ids:
        placements.add(blob_id, 1, memoryview(bytes([blob_id[0]]) * 200_000))
        placements.finish(blob_id, lambda blob_id=blob_id: released.append(blob_id))  # type: ignore[misc]
    placements.close()
    assert sorted(released) == ids
    for blob_id in ids:
        assert Path(store.path(blob_id)).read_bytes() == bytes([blob_id[0]]) * 200_000


def test_a_buffer_is_not_released_while_its_file_cannot_be_written(
    store: BlobStore, placements: Placements, tmp_path: Path
) -> None:
    released: list[bytes] = []
    placements.add(ONE, 1, memoryview(b"one"))
    placements.finish(ONE, lambda: released.append(ONE))  # there is no spool folder
    assert released == []
    assert placements.holds(ONE)
    (tmp_path / "spool").mkdir()
    placements.settle_until(1)
    assert store.exists(ONE)
