"""The store: one file an object, under a name that nothing from the wire can choose."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from radfuse.archive.blobs import BlobStore, SpaceGuard
from radfuse.core.errors import BlobMissing, OutOfSpace


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "store")


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    (tmp_path / "spool").mkdir()
    return tmp_path / "spool"


def test_what_was_written_is_read_back(store: BlobStore, spool: Path) -> None:
    blob_id = store.new_id()
    store.write(blob_id, b"content", spool)
    file = store.open(blob_id)
    try:
        assert os.read(file, 100) == b"content"
    finally:
        os.close(file)
    assert store.exists(blob_id)
    assert list(spool.iterdir()) == []
    store.sync()


def test_a_file_is_not_readable_for_everybody(store: BlobStore, spool: Path) -> None:
    blob_id = store.new_id()
    store.write(blob_id, b"content", spool)
    assert os.stat(store.path(blob_id)).st_mode & 0o007 == 0


def test_a_spooled_file_is_moved_into_the_store(store: BlobStore, tmp_path: Path) -> None:
    blob_id = store.new_id()
    (tmp_path / "spooled").write_bytes(b"large")
    store.adopt(blob_id, tmp_path / "spooled")
    assert Path(store.path(blob_id)).read_bytes() == b"large"
    assert not (tmp_path / "spooled").exists()


def test_a_blob_that_is_not_there_is_missing(store: BlobStore) -> None:
    blob_id = store.new_id()
    with pytest.raises(BlobMissing) as missing:
        store.open(blob_id)
    assert missing.value.blob_id == blob_id.hex()
    store.remove(blob_id)
    assert not store.exists(blob_id)


def test_ids_of_one_time_share_a_folder_of_about_a_thousand(store: BlobStore) -> None:
    ids = [store.new_id() for _ in range(3000)]
    assert len(set(ids)) == 3000
    assert len({blob_id[:2] for blob_id in ids}) <= 12


def test_all_ids_are_listed_in_order_and_strangers_are_passed_over(store: BlobStore, spool: Path) -> None:
    ids = []
    for _ in range(50):
        ids.append(store.new_id())
        store._left_in_folder = 0  # a new folder for each
        store.write(ids[-1], b"x", spool)
    (store.folder / "README").write_text("not ours")
    (store.folder / "zz").mkdir()
    (store.folder / "ab").mkdir(exist_ok=True)
    (store.folder / "ab" / "file").write_text("not ours")
    (store.folder / "ab" / "cd").mkdir(exist_ok=True)
    (store.folder / "ab" / "cd" / "scan.dcm").write_text("not ours")
    (store.folder / "ab" / "cd" / ("0" * 32)).write_text("in the wrong folder")
    (store.folder / "ab" / "cd" / ("ABCD" + "0" * 28)).write_text("in capitals")
    assert list(store.ids()) == sorted(ids)


def test_a_volume_below_its_reserve_is_out_of_space(tmp_path: Path) -> None:
    volume = os.statvfs(tmp_path)
    free, size = volume.f_bavail * volume.f_frsize, volume.f_blocks * volume.f_frsize
    SpaceGuard(0, 0.0).check(tmp_path)
    SpaceGuard(size, 0.0).check(tmp_path)
    SpaceGuard(0, 1.0).check(tmp_path)
    with pytest.raises(OutOfSpace):
        SpaceGuard(size, 1.0).check(tmp_path)
    with pytest.raises(OutOfSpace):
        SpaceGuard(0, 1.0).check(tmp_path, free + (1 << 40))


def test_a_store_that_cannot_be_written_raises_what_the_disk_says(store: BlobStore, spool: Path) -> None:
    blob_id = store.new_id()
    (store.folder / blob_id.hex()[:2]).write_text("a file where a folder should be")
    with pytest.raises(NotADirectoryError):
        store.write(blob_id, b"content", spool)
    with pytest.raises(OSError):
        store.adopt(blob_id, store.folder / "nothing")


def test_a_write_that_fails_leaves_nothing(store: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.write(store.new_id(), b"content", tmp_path / "no such folder")
    assert list(store.ids()) == []
