"""The power goes: only what was synced is on the disk, in any mixture of old and new.

A copy of the folder stands for the disk. The journal is as it was synced; the index is back at an
earlier sync; files written since then are whole, cut, empty, full of zeros, or not there.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from radfuse.archive import DuplicatePolicy, check_archive
from radfuse.archive.recover import noted_ids
from tests.archive.objects import (
    AnObject,
    contents,
    leftovers,
    numbered,
    open_archive,
    settled,
    store,
)
from tests.support.repeats import repeats

EARLIER = [numbered(number, pixels=b"earlier") for number in range(30)]


def made(number: int, chance: random.Random) -> AnObject:
    size = 2_400_000 if number % 20 == 0 else chance.choice([0, 10, 3000, 4096, 60_000])
    return numbered(number, pixels=chance.randbytes(size))


def copy_index(folder: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for path in target.glob("index.sqlite*"):
        path.unlink()
    for path in folder.glob("index.sqlite*"):
        shutil.copy2(path, target / path.name)


def harm_unsynced(folder: Path, blob_ids: set[bytes], chance: random.Random) -> None:
    """Let files that nothing has synced yet be as a crash may leave them."""
    for blob_id in sorted(blob_ids):
        name = blob_id.hex()
        path = folder / "store" / name[:2] / name[2:4] / name
        if not path.exists():
            continue
        size = path.stat().st_size
        if size > 2_000_000:  # synced where it was spooled; only the move may be undone
            if chance.random() < 0.5:
                (spool,) = (folder / "incoming").iterdir()
                path.rename(spool / name)
            continue
        what = chance.randrange(5)
        if what == 0:
            path.unlink()
        elif what < 4:
            os.truncate(path, {1: 0, 2: size // 2, 3: 0}[what])
            if what == 3:
                os.truncate(path, size)


@pytest.mark.parametrize("seed", range(repeats(3, 6)))
@pytest.mark.parametrize("index_is", ["earlier", "current", "lost"])
def test_everything_acknowledged_is_there_after_a_power_loss(seed: int, index_is: str, tmp_path: Path) -> None:
    chance = random.Random(seed)
    data, disk = tmp_path / "data", tmp_path / "disk"
    acknowledged = {each.uid: each.data_set() for each in EARLIER}
    with open_archive(data) as archive:
        for each in EARLIER:
            store(archive, each)
        settled(data)
        copy_index(data, tmp_path / "synced")
        for number in range(1000, 1060):
            each = made(number, chance)
            store(archive, each)
            acknowledged[each.uid] = each.data_set()
        shutil.copytree(data, disk)
    # Whatever the journal still holds may be harmed; if its first part was synced meanwhile, so was the index.
    unsynced = noted_ids(disk / "journal")
    if index_is == "earlier" and len(unsynced) == 60:
        copy_index(tmp_path / "synced", disk)
    elif index_is == "lost":
        for path in disk.glob("index.sqlite*"):
            path.unlink()
    harm_unsynced(disk, unsynced, chance)
    with open_archive(disk) as archive:
        assert contents(archive) == acknowledged
        report = check_archive(archive)
        assert (report.indexed, report.files) == (len(acknowledged), len(acknowledged))
        assert (report.missing, report.orphaned, report.damaged) == ((), (), ())
    assert leftovers(disk) == []


def test_replaced_objects_stay_replaced_after_a_power_loss(tmp_path: Path) -> None:
    data, disk = tmp_path / "data", tmp_path / "disk"
    newest = [numbered(number, pixels=b"newest") for number in range(30)]
    with open_archive(data, DuplicatePolicy.REPLACE) as archive:
        for each in EARLIER:
            store(archive, each)
        settled(data)
        copy_index(data, tmp_path / "synced")
        shutil.copytree(data / "store", tmp_path / "synced" / "store")
        for each in newest:
            store(archive, each)
        shutil.copytree(data, disk)
    # The removal of the replaced files did not reach the disk either.
    shutil.copytree(tmp_path / "synced" / "store", disk / "store", dirs_exist_ok=True)
    if len(noted_ids(disk / "journal")) == 30:
        copy_index(tmp_path / "synced", disk)
    with open_archive(disk, DuplicatePolicy.REPLACE) as archive:
        assert contents(archive) == {each.uid: each.data_set() for each in newest}
        check_archive(archive, repair=True)
        report = check_archive(archive)
        assert (report.files, report.missing, report.orphaned, report.damaged) == (30, (), (), ())


def test_a_power_loss_while_the_journal_is_written_loses_no_more_than_its_last_record(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with open_archive(data) as archive:
        for each in EARLIER[:5]:
            store(archive, each)
        shutil.copytree(data, tmp_path / "disk")
    (journal,) = (tmp_path / "disk" / "journal").glob("*.journal")
    content = journal.read_bytes()
    end = len(content.rstrip(b"\0"))
    for cut in (end - 1, end - 100, end - 5000):
        disk = tmp_path / f"disk{cut}"
        shutil.copytree(tmp_path / "disk", disk)
        for path in (*disk.glob("index.sqlite*"), *(disk / "store").rglob("*")):
            if path.is_file():
                path.unlink()
        (disk / "journal" / journal.name).write_bytes(content[:cut].ljust(len(content), b"\0"))
        with open_archive(disk) as archive:
            found = contents(archive)
            assert len(found) == (3 if cut == end - 5000 else 4)
            assert found.items() <= {each.uid: each.data_set() for each in EARLIER}.items()
