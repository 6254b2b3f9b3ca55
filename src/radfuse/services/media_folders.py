"""Folders of this machine that media are read from and written to: looked through below those that settings allow."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Final

from radfuse.core.errors import ConfigurationError

MOST_PLACES: Final = 1000
_MOST_READ: Final = 50_000
"""Entries of one folder that are looked at."""

_DIRECTORY_NAMES: Final = ("DICOMDIR", "dicomdir", "Dicomdir")
_KINDS_BY_END: Final = {".zip": "zip", ".iso": "image", ".udf": "image", ".img": "image"}


class PlaceKind(StrEnum):
    """What can be imported from: a folder (also a mounted medium), a zip archive, an image of a disc."""

    FOLDER = "folder"
    ZIP = "zip"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or file of the server: where it is below the allowed ``folder``, and what can be done with it."""

    folder: str
    path: str
    """Below ``folder``, with "/" between its parts; "" is the folder itself."""
    name: str
    kind: PlaceKind
    is_readable: bool
    is_writable: bool
    holds_dicomdir: bool
    size_bytes: int = 0
    """Of a file."""


@dataclass(frozen=True, slots=True)
class Places:
    """What one folder holds, by name; ``has_more``: there is more than is listed."""

    places: Sequence[Place]
    has_more: bool


def path_below(allowed: Sequence[Path], folder: str, path: str, setting: str) -> Path:
    """The file or folder at ``path`` below an allowed ``folder``, links followed; never one outside.

    Raises ConfigurationError for a folder that ``setting`` does not allow, and for a path that is not there or
    leads out of it.
    """
    root = next((each for each in allowed if str(each) == folder), None)
    if root is None:
        raise ConfigurationError("folder", f"{setting} does not allow it: name one of its folders")
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\0" in path:
        raise ConfigurationError("path", "it must lead downwards from the folder")
    try:
        place, real_root = root.joinpath(parts).resolve(strict=True), root.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:  # also a circle of links, and names that cannot be
        raise ConfigurationError("path", "there is nothing at this place, or it cannot be read") from error
    if not place.is_relative_to(real_root):
        raise ConfigurationError("path", "it leads out of the folder")
    return place


def allowed_places(allowed: Sequence[Path]) -> Places:
    """The allowed folders themselves."""
    return Places([_place(str(each), "", str(each), each) for each in allowed], has_more=False)


def places_in(allowed: Sequence[Path], folder: str, path: str, setting: str, *, with_files: bool) -> Places:
    """The folders in a folder and, ``with_files``, the zip archives and disc images; links are left out.

    Raises ConfigurationError as ``path_below``, and for what cannot be read.
    """
    here = path_below(allowed, folder, path, setting)
    found: list[tuple[str, PlaceKind]] = []
    try:
        with os.scandir(here) as entries:
            read = list(islice(entries, _MOST_READ + 1))
    except OSError as error:
        raise ConfigurationError("path", "it cannot be read: it is no folder, or may not be opened") from error
    for entry in read[:_MOST_READ]:
        kind = _kind_of(entry)
        if kind is PlaceKind.FOLDER or (kind is not None and with_files):
            found.append((entry.name, kind))
    found.sort(key=lambda each: (each[1] is not PlaceKind.FOLDER, each[0].casefold(), each[0]))
    listed = [
        _place(folder, str(PurePosixPath(path, name)), name, here / name, kind) for name, kind in found[:MOST_PLACES]
    ]
    return Places(listed, has_more=len(found) > MOST_PLACES or len(read) > _MOST_READ)


def _kind_of(entry: os.DirEntry[str]) -> PlaceKind | None:
    """None for what nobody can choose: other files, links, hidden ones, names that are no text."""
    try:
        entry.name.encode()
        if entry.name.startswith(".") or entry.is_symlink():
            return None
        if entry.is_dir(follow_symlinks=False):
            return PlaceKind.FOLDER
        ending = _KINDS_BY_END.get(os.path.splitext(entry.name)[1].lower())
        return PlaceKind(ending) if ending and entry.is_file(follow_symlinks=False) else None
    except (OSError, UnicodeEncodeError):
        return None


def _place(folder: str, path: str, name: str, here: Path, kind: PlaceKind = PlaceKind.FOLDER) -> Place:
    is_folder = kind is PlaceKind.FOLDER
    size_bytes = 0
    if not is_folder:
        with contextlib.suppress(OSError):
            size_bytes = here.stat().st_size
    return Place(
        folder,
        path,
        name,
        kind,
        is_readable=os.access(here, os.R_OK | (os.X_OK if is_folder else 0)),
        is_writable=is_folder and os.access(here, os.W_OK | os.X_OK),
        holds_dicomdir=is_folder and any(os.path.isfile(here / each) for each in _DIRECTORY_NAMES),
        size_bytes=size_bytes,
    )
