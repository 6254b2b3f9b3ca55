"""How many objects are read at once: one, and several once the medium turned out to be slow."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from radfuse.archive import Archive
from radfuse.services.import_media.lanes import Lane, Threads
from radfuse.services.import_media.model import Imported, Verdict
from radfuse.services.import_media.sources import OpenFile, PlainFile
from radfuse.services.import_media.taking import Work
from tests.services.import_media.scenes import written


@dataclass
class Medium:
    """Counts who reads from it at the same time."""

    delay_s: float
    reading: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def read(self) -> Iterator[None]:
        """While somebody reads."""
        with self.lock:
            self.reading += 1
            self.most = max(self.most, self.reading)
        time.sleep(self.delay_s)
        yield
        with self.lock:
            self.reading -= 1


@dataclass(frozen=True)
class OnMedium:
    """A file on a medium."""

    medium: Medium
    file: PlainFile

    @property
    def name(self) -> str:
        """Its path."""
        return self.file.name

    @property
    def path(self) -> str:
        """Its path."""
        return self.file.path

    @contextlib.contextmanager
    def open(self) -> Iterator[OpenFile]:
        """Begin to read."""
        with self.medium.read(), self.file.open() as reading:
            yield reading


def taken(archive: Archive, folder: Path, medium: Medium, count: int) -> list[Imported]:
    """Import so many objects of a medium."""
    files = sorted(written(folder / "files", range(count)).iterdir())
    works = [Work(OnMedium(medium, PlainFile.of(path))) for path in files]
    with Threads(archive) as threads:
        lane = Lane(threads)
        results = [result for work in works for _, result in lane.put(work)]
        results += [result for _, result in lane.drain()]
    assert all(isinstance(each, Imported) for each in results)
    return [each for each in results if isinstance(each, Imported)]


def test_it_begins_with_one_thread(archive: Archive, tmp_path: Path) -> None:
    medium = Medium(0.001)
    results = taken(archive, tmp_path, medium, 64)  # what two threads would take
    assert {each.verdict for each in results} == {Verdict.STORED}
    assert medium.most == 1


def test_a_slow_medium_is_read_by_several_and_the_results_keep_their_order(archive: Archive, tmp_path: Path) -> None:
    medium = Medium(0.01)
    results = taken(archive, tmp_path, medium, 320)
    assert medium.most > 1
    assert [Path(each.path).name for each in results] == [f"{number:05}" for number in range(320)]
