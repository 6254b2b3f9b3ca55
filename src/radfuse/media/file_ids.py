"""File ids: where the files of a file-set lie, in names that every medium can hold (PS3.10 section 8.2)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

FileId: TypeAlias = tuple[str, ...]

DIRECTORY: Final = "DICOMDIR"
"""Reserved for the directory, in the root (PS3.10 section 8.6)."""
MOST_COMPONENTS: Final = 8

_Folders: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]

_COMPONENT: Final = re.compile(r"[A-Z0-9_]{1,8}")
_TOP: Final = "DICOM"
_MOST_IN_FOLDER: Final = 10_000
"""Far below what FAT allows: every system lists such a folder without trouble."""
_MOST_NUMBER: Final = 999_999


class Place(NamedTuple):
    """Whose object it is: any strings that tell patients, studies and series apart; all empty: nobody's."""

    patient: str
    study: str
    series: str


def file_id_problems(file_id: Sequence[str]) -> list[str]:
    """What is wrong with a file id, as sentences (PS3.10 section 8.2, PS3.11 sections D.3, E.3 and H.3)."""
    found = []
    if not 1 <= len(file_id) <= MOST_COMPONENTS:
        found.append(f"a file id has 1 to {MOST_COMPONENTS} components, this one has {len(file_id)}")
    if any(not _COMPONENT.fullmatch(component) for component in file_id):
        found.append("a component of a file id has 1 to 8 characters out of A-Z, 0-9 and _")
    if tuple(file_id) == (DIRECTORY,):
        found.append("DICOMDIR is the name of the directory itself")
    return found


def new_file_ids(
    places: Iterable[Place], *, taken: Iterable[Sequence[str]] = (), most_in_folder: int = _MOST_IN_FOLDER
) -> Iterator[FileId]:
    """A file id for each object, in order: ``DICOM/PA000001/ST000001/SE000001/IM000001``.

    The numbers count from 1 in each folder; a full folder is followed by another one. Patients, studies and
    series may come in any order, and again. Folders in which ``taken`` files lie are not used again.
    """
    numbers = _Numbers(taken, most_in_folder)
    for place in places:
        if place == Place("", "", ""):
            yield numbers.new_file_id((("OB", place),), "OB")
        else:
            yield numbers.new_file_id((("PA", place[:1]), ("ST", place[:2]), ("SE", place)), "IM")


class _Numbers:
    """Which number each folder has, and how many names were given in it."""

    def __init__(self, taken: Iterable[Sequence[str]], most_in_folder: int) -> None:
        self._most = most_in_folder
        self._folders: dict[tuple[str, tuple[str, ...]], FileId] = {}
        self._given: Counter[FileId] = Counter()
        self._last: Counter[tuple[FileId, str]] = Counter()
        for file_id in taken:
            self._take(tuple(file_id))

    def new_file_id(self, folders: _Folders, prefix: str) -> FileId:
        """The next name with ``prefix`` in the innermost of ``folders``: (prefix, whose it is), outermost first."""
        folder = self._folder(folders)
        return (*folder, self._next_name(folder, prefix))

    def _folder(self, folders: _Folders) -> FileId:
        """The folder that is in use, made when there is none or it is full."""
        if not folders:
            return (_TOP,)
        known = self._folders.get(folders[-1])
        if known is None or self._given[known] >= self._most:
            parent = self._folder(folders[:-1])
            known = (*parent, self._next_name(parent, folders[-1][0]))
            self._folders[folders[-1]] = known
        return known

    def _next_name(self, folder: FileId, prefix: str) -> str:
        self._last[folder, prefix] += 1
        self._given[folder] += 1
        number = self._last[folder, prefix]
        assert number <= _MOST_NUMBER  # noqa: S101 - a folder is full long before
        return f"{prefix}{number:06}"

    def _take(self, file_id: FileId) -> None:
        """Count on from the numbers below the top folder; what lies elsewhere cannot collide."""
        if len(file_id) > 1 and file_id[0] == _TOP and file_id[1][2:].isdigit():
            key = (file_id[:1], file_id[1][:2])
            self._last[key] = max(self._last[key], int(file_id[1][2:]))
