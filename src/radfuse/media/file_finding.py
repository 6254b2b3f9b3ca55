"""The file of a file id, looked for below a folder and never outside of it (PS3.10 section 8.2).

Media are copied, mounted and zipped by systems that change names: to lower case, with ";1" or a dot
behind. Discs are made by strangers: an id may point anywhere.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from radfuse.core.errors import FileNotInSet, UnsafeFileId

_MOST_PARTS: Final = 32
_LONGEST_PART: Final = 255
_TAIL = re.compile(r"\.?(?:;[0-9]+)?\Z")
"""What ISO 9660 and its readers put behind a name: a dot for an empty extension, the version of the file."""


def find_below(root: Path, file_id: tuple[str, ...]) -> Path:
    """The file of ``file_id`` below ``root``; upper and lower case, a dot and a version at the end are the same.

    Raises UnsafeFileId for an id that names anything outside of ``root``, directly or by a link, or
    no regular file; FileNotInSet when there is none; OSError when a folder cannot be read.
    """
    parts = _checked(file_id)
    path = root
    for part in parts:
        path = path / _name_in(path, part, file_id)
    if not os.path.realpath(path).startswith(os.path.join(os.path.realpath(root), "")):
        raise UnsafeFileId("a link leads out of the file-set")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise FileNotInSet("\\".join(file_id)) from None
    if not stat.S_ISREG(mode):
        raise UnsafeFileId("it names something that is no file")
    return path


def _checked(file_id: tuple[str, ...]) -> list[str]:
    """The parts of an id; slashes, which some writers put for backslashes, divide it, too."""
    parts = [part for component in file_id for part in component.strip(" \0").replace("\\", "/").split("/")]
    if not parts or not all(parts):
        raise UnsafeFileId("it is empty, or an absolute name")
    if len(parts) > _MOST_PARTS:
        raise UnsafeFileId("it has too many parts")
    for part in parts:
        if not part.strip(". ") or len(part) > _LONGEST_PART:
            raise UnsafeFileId("it leads out of the file-set")
        if ":" in part or not part.isprintable():
            raise UnsafeFileId("it has a character that no file name has")
    return parts


def _name_in(folder: Path, part: str, file_id: tuple[str, ...]) -> str:
    """The name that ``part`` has in ``folder``."""
    try:
        os.lstat(folder / part)
    except (FileNotFoundError, NotADirectoryError):
        pass
    else:
        return part
    try:
        found = _names(str(folder), os.stat(folder).st_mtime_ns).get(_folded(part))
    except (FileNotFoundError, NotADirectoryError):
        found = None
    if found is None:
        raise FileNotInSet("\\".join(file_id))
    return found


def _folded(name: str) -> str:
    return _TAIL.sub("", name, count=1).upper()


@lru_cache(maxsize=256)
def _names(folder: str, _: int) -> Mapping[str, str]:
    """The names in a folder by what they are without case and tails; of several the first by name."""
    return {_folded(name): name for name in sorted(os.listdir(folder), reverse=True)}
