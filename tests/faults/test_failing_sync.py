"""The disk refuses to sync: what the system could not write is written again, not believed."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest

from radfuse.archive import check_archive
from tests.archive.objects import contents, file_of, numbered, open_archive, store

WAIT_S = 60.0


def test_files_whose_sync_failed_are_written_again_from_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = [numbered(number, pixels=bytes([number]) * 3000) for number in range(5)]
    with open_archive(tmp_path) as archive:
        for each in objects:
            store(archive, each)
        archive.settle()
        sync, calls = archive.store.sync, []

        def failing_once() -> None:
            calls.append(time.monotonic())
            if len(calls) == 1:
                # As Linux does: the error is told once, the pages count as clean, the disk never got them.
                file_of(archive, objects[0].uid).write_bytes(b"")
                file_of(archive, objects[1].uid).write_bytes(bytes(100))
                raise OSError(errno.EIO, "Input/output error")
            sync()

        monkeypatch.setattr(archive.store, "sync", failing_once)
        deadline = time.monotonic() + WAIT_S
        while len(calls) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert contents(archive) == {each.uid: each.data_set() for each in objects}
    with open_archive(tmp_path) as archive:
        report = check_archive(archive)
    assert (report.missing, report.orphaned, report.damaged) == ((), (), ())
