"""A folder whose files are imported as they come: what is taken is moved aside or removed, what is not says why.

A file is taken up when its size and time of change are the same at two looks. It is moved or removed
only after it was committed, and only if it is still the very file that was read. Whoever writes
into the folder can also write under a name that begins with a dot or ends with ``.part`` or
``.tmp``, and rename it when it is whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from radfuse.archive import Archive
from radfuse.services.import_media import Imported, Verdict, import_files

IMPORTED: Final = ".imported"
REFUSED: Final = ".refused"
_LOCK: Final = ".radfuse.lock"
_UNFINISHED: Final = (".part", ".tmp", ".filepart", ".crdownload")
_MOST_AT_ONCE: Final = 20_000
_WRONG: Final = frozenset({Verdict.REFUSED, Verdict.FIRST_KEPT, Verdict.IMAGE})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _State:
    """A file as it is found; another one in its place differs."""

    size_bytes: int
    changed_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the folder did."""

    taken: int = 0
    refused: int = 0
    waiting: int = 0
    """Files that may still be growing."""


@dataclass(slots=True)
class WatchedFolder:
    """One watched folder. Of several processes that look at it, one does at a time."""

    folder: Path
    open_archive: Callable[[], Archive]
    removes: bool = False
    """Whether files that the archive holds whole are removed instead of moved aside."""
    should_stop: Callable[[], bool] = lambda: False
    _before: dict[str, _State] = field(default_factory=dict)
    _stuck: dict[str, _State] = field(default_factory=dict)
    """Done with, but they could not be moved: they are left alone until they change."""
    _closed: set[str] = field(default_factory=set)
    """Folders that could not be read at the last look."""

    def look(self) -> Look:
        """Import what has stopped changing since the last look. Raises OSError, OutOfSpace; nothing is lost then."""
        with self._locked() as is_ours:
            if not is_ours:
                return Look()
            closed: set[str] = set()
            now = dict(_files_in(self.folder, closed))
            if closed - self._closed:
                _log.warning("%d folders in the watched folder cannot be read: give us the right to", len(closed))
            self._closed = closed
            ready = [
                path
                for path, state in now.items()
                if self._before.get(path) == state and self._stuck.get(path) != state
            ][:_MOST_AT_ONCE]
            self._before = now
            self._stuck = {path: state for path, state in self._stuck.items() if path in now}
            return self._take(ready, len(now) - len(ready) - len(self._stuck))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[bool]:
        """The folder's own lock: it also keeps workers of other machines off, where the file system has locks."""
        file = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(file)

    def _take(self, ready: Sequence[str], waiting: int) -> Look:
        taken = refused = 0
        if not ready:
            return Look(waiting=waiting)
        results = import_files(self.open_archive(), [Path(path) for path in ready], should_stop=self.should_stop)
        # All results of a file, also of one that holds many, come one after the other and after they were committed.
        for path, of_file in itertools.groupby(results, lambda imported: imported.path):
            became = list(of_file)
            if self.should_stop():  # then these may not be all that the file holds
                break
            bad = _what_is_wrong(became)
            if self._settle(path, bad, is_all_kept=all(each.verdict.is_taken for each in became)):
                taken, refused = taken + (not bad), refused + bool(bad)
        # No names: they may be those of patients.
        _log.info("files of the watched folder were imported", extra={"taken": taken, "refused": refused})
        return Look(taken, refused, waiting)

    def _settle(self, path: str, bad: Sequence[Imported], *, is_all_kept: bool) -> bool:
        """Put a file away; whether it was still the one that was read and could be put away."""
        state = self._before[path]
        try:
            if _state_of(path) != state:
                return False
            if bad:
                kept = _moved(path, self.folder, REFUSED)
                reasons = [f"{each.name}: {each.reason or each.verdict.value}\n" for each in bad]
                Path(f"{kept}.txt").write_text("".join(reasons), encoding="utf-8", errors="replace")
            elif self.removes and is_all_kept:
                os.unlink(path)
            else:
                _moved(path, self.folder, IMPORTED)
        except OSError as error:
            _log.warning("a file of the watched folder cannot be put away: %s", error.strerror)
            self._stuck[path] = state
            return False
        return True


def _what_is_wrong(became: Sequence[Imported]) -> list[Imported]:
    """Why a file is refused: something in it was, or nothing of it is kept."""
    bad = [each for each in became if each.verdict in _WRONG]
    if not bad and not any(each.verdict.is_taken or each.verdict is Verdict.DIRECTORY for each in became):
        return list(became)
    return bad


def _files_in(folder: Path, closed: set[str]) -> Iterator[tuple[str, _State]]:
    """The files below a folder that are meant for us; links and what has a dot before it are not.

    ``closed`` gets the folders below it that cannot be read. Raises OSError for itself.
    """
    folders = [str(folder)]
    while folders:
        here = folders.pop()
        try:
            with os.scandir(here) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            if here == str(folder):
                raise
            closed.add(here)
            continue
        for entry in found:
            if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):
                    yield entry.path, _state_of(entry.path)


def _state_of(path: str) -> _State:
    status = os.stat(path, follow_symlinks=False)
    return _State(status.st_size, status.st_mtime_ns, status.st_ino)


def _moved(path: str, folder: Path, to: str) -> Path:
    """Move a file below the folder ``to`` of today, under its own name there or a free one like it."""
    target = folder / to / time.strftime("%Y-%m-%d") / Path(path).relative_to(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(2):
        if not os.path.lexists(target) and not os.path.lexists(f"{target}.txt"):
            os.rename(path, target)
            return target
        target = target.with_name(f"{Path(path).name} ({number})")
    raise AssertionError("numbers do not end")
