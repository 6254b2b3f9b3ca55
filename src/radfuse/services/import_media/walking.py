"""The files of folders, as they lie there: no link is followed out of a folder, no special file is opened."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NO_FILE: Final = "it is no file: a device, a pipe or a socket"
_LEADS_OUT: Final = "it is a link that leads out of the folder: import what it leads to by its own name"
_DIRECTORY_NAME: Final = "DICOMDIR"
_MOST_LEVELS: Final = 100
_TOO_DEEP: Final = f"folders lie more than {_MOST_LEVELS} deep in each other: import this one by its own name"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file: its path as it was met and, when that is a link within the folder, where it leads."""

    path: str
    target: str


@dataclass(frozen=True, slots=True)
class FoundSet:
    """A folder with a DICOMDIR in it: what comes until the ``SetEnd`` with the same folder lies below it."""

    folder: str
    directory: str


@dataclass(frozen=True, slots=True)
class SetEnd:
    """The end of a ``FoundSet``."""

    folder: str


@dataclass(frozen=True, slots=True)
class PassedOver:
    """What is not imported, and why."""

    path: str
    reason: str


Mark = FoundSet | SetEnd
Found = FoundFile | Mark | PassedOver


def files_below(paths: Iterable[Path]) -> list[Path]:
    """Every file that the paths name or hold, folders recursively, in order of their names.

    Raises FileNotFoundError for a path that is not there.
    """
    found: list[Path] = []
    for path in existing(paths):
        if path.is_file():
            found.append(path)
        else:
            # Links to folders are not followed: they may lead round in a circle.
            for folder, folders, names in os.walk(path):
                folders.sort()
                found += [Path(folder, name) for name in sorted(names) if os.path.isfile(os.path.join(folder, name))]
    return found


def existing(paths: Iterable[Path]) -> list[Path]:
    """The paths. Raises FileNotFoundError for one that is not there."""
    listed = list(paths)
    for path in listed:
        if not path.exists():
            raise FileNotFoundError(f"there is no file or folder {path}")
    return listed


def found_below(path: Path) -> Iterator[Found]:
    """What there is to import at a path: a file, a folder with all in it, or the medium that a DICOMDIR is of.

    Folder by folder in the order of names, a DICOMDIR before what lies beside it; nothing of it is opened.
    """
    real = os.path.realpath(path)
    if os.path.isdir(real):
        yield from _in_folder(str(path), real)
    elif path.name.upper() == _DIRECTORY_NAME and stat.S_ISREG(os.stat(real).st_mode):
        yield from _in_folder(str(path.parent), os.path.dirname(real))
    else:
        yield _file(str(path), real)


def _in_folder(path: str, root: str, level: int = 0) -> Iterator[Found]:
    """``root``: the folder that no link may lead out of."""
    if level > _MOST_LEVELS:
        yield PassedOver(path, _TOO_DEEP)
        return
    try:
        with os.scandir(path) as entries:
            listed = sorted(entries, key=_order)
    except OSError as error:
        yield PassedOver(path, f"the folder cannot be read: {error.strerror}")
        return
    is_set = bool(listed) and listed[0].name.upper() == _DIRECTORY_NAME and listed[0].is_file(follow_symlinks=False)
    if is_set:
        yield FoundSet(path, listed[0].path)
    for entry in listed:
        if entry.is_symlink():
            yield _link(entry, root)
        elif entry.is_dir(follow_symlinks=False):
            yield from _in_folder(entry.path, root, level + 1)
        elif entry.is_file(follow_symlinks=False):
            yield FoundFile(entry.path, entry.path)
        else:
            yield PassedOver(entry.path, NO_FILE)
    if is_set:
        yield SetEnd(path)


def _order(entry: os.DirEntry[str]) -> tuple[bool, str]:
    return entry.name.upper() != _DIRECTORY_NAME, entry.name


def _link(entry: os.DirEntry[str], root: str) -> Found:
    target = os.path.realpath(entry.path)
    if os.path.commonpath((root, target)) != root:
        return PassedOver(entry.path, _LEADS_OUT)
    if os.path.isdir(target):
        # What it leads to is met on its own; following it may lead round in a circle.
        return PassedOver(entry.path, "")
    return _file(entry.path, target)


def _file(path: str, target: str) -> Found:
    try:
        mode = os.stat(target).st_mode
    except OSError as error:
        return PassedOver(path, f"it cannot be read: {error.strerror}")
    return FoundFile(path, target) if stat.S_ISREG(mode) else PassedOver(path, NO_FILE)


class FileCount:
    """Counts files in a thread of its own while they are being imported already."""

    def __init__(self, paths: Iterable[Path], should_stop: Callable[[], bool] = lambda: False) -> None:
        self.so_far = 0
        self.total: int | None = None
        """How many there are, once they have all been counted."""
        self._paths = list(paths)
        self._should_stop = should_stop
        self._thread = threading.Thread(target=self._count, name="count files", daemon=True)

    def start(self) -> FileCount:
        """Begin."""
        self._thread.start()
        return self

    def wait(self) -> int:
        """How many there are."""
        self._thread.join()
        return self.so_far

    def _count(self) -> None:
        for path in self._paths:
            folders = [str(path)] if path.is_dir() else []
            self.so_far += not folders
            while folders and not self._should_stop():
                self._count_folder(folders.pop(), folders)
        self.total = self.so_far

    def _count_folder(self, folder: str, folders: list[str]) -> None:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        self.so_far += 1
        except OSError:
            return
