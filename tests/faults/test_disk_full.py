"""The volume is full: OutOfSpace, old data readable, nothing acknowledged lost, and on it goes with space."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from radfuse.archive import Archive, ArchiveSettings, Outcome, SpaceGuard, check_archive
from radfuse.core.errors import ArchiveError, OutOfSpace, RadfuseError
from tests.archive.objects import contents, leftovers, numbered, open_archive, settled, store
from tests.support.small_volumes import in_memory, mounted, require_root

VOLUME_BYTES = 40 << 20
OLD = [numbered(number, pixels=bytes(2000)) for number in range(20)]


@pytest.fixture(params=["ext4", "tmpfs"])
def volume(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    require_root()
    words = in_memory(str(VOLUME_BYTES))
    if request.param == "ext4":
        image = tmp_path / "image"
        with image.open("wb") as file:
            file.truncate(VOLUME_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-F", str(image)], check=True)
        words = ["-o", "loop", str(image)]
    with mounted(tmp_path / "volume", words) as target:
        yield target


class Filler:
    """A file that takes the space away."""

    def __init__(self, volume: Path) -> None:
        self.path = volume / "filler"

    def fill(self, free_bytes: int = 0) -> None:
        """Leave about so much."""
        with self.path.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 512):
                with contextlib.suppress(OSError):
                    while self.free() > free_bytes + size or (not free_bytes and size == 512):
                        file.write(bytes(size))
            with contextlib.suppress(OSError):
                os.fsync(file.fileno())

    def free(self) -> int:
        volume = os.statvfs(self.path.parent)
        return volume.f_bavail * volume.f_frsize

    def empty(self) -> None:
        self.path.unlink()


@pytest.fixture
def filler(volume: Path) -> Filler:
    return Filler(volume)


@pytest.fixture
def folder(volume: Path) -> Path:
    """An archive of twenty objects on the small volume."""
    with open_archive(volume / "data") as archive:
        for each in OLD:
            store(archive, each)
    return volume / "data"


def is_clean(archive: Archive, count: int) -> bool:
    report = check_archive(archive)
    found = (report.indexed, report.files, report.missing, report.orphaned, report.damaged)
    return found == (count, count, (), (), ())


def test_no_room_for_the_journal(folder: Path, filler: Filler) -> None:
    filler.fill(1 << 20)
    with open_archive(folder) as archive:
        for _ in range(2):
            with pytest.raises(OutOfSpace):
                store(archive, numbered(100))
        assert len(contents(archive)) == len(OLD)
        assert leftovers(folder) == []
        filler.empty()
        assert store(archive, numbered(100)) is Outcome.KEPT
        assert len(contents(archive)) == len(OLD) + 1
    with open_archive(folder) as archive:
        assert is_clean(archive, len(OLD) + 1)


def test_no_room_for_a_large_object(folder: Path, filler: Filler) -> None:
    large = numbered(100, pixels=b"\5" * 6_000_000)
    with open_archive(folder) as archive:
        store(archive, numbered(101))
        settled(folder)
        filler.fill(2 << 20)
        for _ in range(3):
            with pytest.raises(OutOfSpace):
                store(archive, large)
        assert filler.free() > 1 << 20  # what was spooled is gone again
        assert store(archive, numbered(102)) is Outcome.KEPT
        assert len(contents(archive)) == len(OLD) + 2
        filler.empty()
        assert store(archive, large) is Outcome.KEPT
        assert contents(archive)[large.uid] == large.data_set()
    with open_archive(folder) as archive:
        assert is_clean(archive, len(OLD) + 3)


@pytest.mark.parametrize("size", [20, 20_000, 200_000])
@pytest.mark.parametrize("dies", [False, True])
def test_a_volume_that_fills_up_while_objects_come_in(size: int, dies: bool, folder: Path, filler: Filler) -> None:
    """Store and index run full in whatever order they do; ``dies``: the process ends there."""
    acknowledged = {each.uid: each.data_set() for each in OLD}
    archive = open_archive(folder)
    try:
        store(archive, numbered(999))
        acknowledged[numbered(999).uid] = numbered(999).data_set()
        filler.fill(1 << 20)
        refused = 0
        number = 1000
        while refused < 5 and number < 6000:
            each = numbered(number, series=f"2.25.20.{number}", pixels=number.to_bytes(4, "big") * (size // 4))
            number += 1
            try:
                store(archive, each)
                acknowledged[each.uid] = each.data_set()
            except OutOfSpace:
                refused += 1
            if number == 1200:
                filler.fill()
        assert refused == 5
        with contextlib.suppress(RadfuseError):
            store(archive, numbered(7000))
        for each in OLD:
            assert contents_of(archive, each.uid) == each.data_set()
        filler.empty()
        if not dies:
            last = numbered(9000)
            assert store(archive, last) is Outcome.KEPT
            acknowledged[last.uid] = last.data_set()
            assert acknowledged.items() <= contents(archive).items()
    finally:
        if not dies:
            archive.close()
    if dies:
        abandon(archive)
    with open_archive(folder) as again:
        found = contents(again)
        assert acknowledged.items() <= found.items()
        assert is_clean(again, len(found))
    assert leftovers(folder) == []


def contents_of(archive: Archive, uid: str) -> bytes:
    from tests.archive.objects import stored_objects

    stored = stored_objects(archive)[uid]
    with archive.open_object(stored) as opened:
        return archive.read_verified(stored, opened)


def abandon(archive: Archive) -> None:
    """Let go of everything as the death of the process does: nothing is synced or cleared away."""
    writing = archive._writing
    assert writing is not None
    writing._closing = True
    writing._wake.set()
    writing._thread.join()
    os.close(writing._journal._file)
    archive.index.close()
    archive.engine.dispose()


def test_the_reserve_stays_free(folder: Path, filler: Filler) -> None:
    settings = ArchiveSettings(folder, space=SpaceGuard(4 << 20, 1.0))
    with Archive(settings) as archive:
        store(archive, numbered(100))
        settled(folder)
        filler.fill(5 << 20)
        with pytest.raises(OutOfSpace):
            store(archive, numbered(101, pixels=bytes(4_000_000)))
        filler.fill(3 << 20)
        with pytest.raises(OutOfSpace):
            store(archive, numbered(102))
        assert filler.free() > 2 << 20
        filler.empty()
        assert store(archive, numbered(102)) is Outcome.KEPT


def test_a_volume_that_turns_read_only_refuses_everyone_and_is_still_read(volume: Path) -> None:
    """As the kernel does after an error of the disk. Nobody may wait for ever for a leader that failed."""
    folder = volume / "data"
    with open_archive(folder) as archive:
        for each in OLD:
            store(archive, each)
        settled(folder)
        aborted = subprocess.run(["mount", "-o", "remount,abort", str(volume)], capture_output=True, check=False)
        if aborted.returncode:
            pytest.skip("this file system cannot be told to turn read-only")

        def refused(number: int) -> bool:
            try:
                store(archive, numbered(number))
            except (OSError, ArchiveError, sqlite3.Error):
                return True
            return False

        with ThreadPoolExecutor(6) as pool:
            assert all(pool.map(refused, range(100, 130), timeout=60))
        assert contents(archive) == {each.uid: each.data_set() for each in OLD}
