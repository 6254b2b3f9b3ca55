"""What is installed, and where: a list of the files that may be served, made when they were put there."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

BASE: Final = "/ohif/"
"""Where it is served: the build is told so when it is installed."""

FOLDER: Final = "ohif"
"""In the data folder."""

FILES: Final = "files"
LIST: Final = "radfuse.json"
LICENSE: Final = "LICENSE"


@dataclass(frozen=True, slots=True)
class Kept:
    """One file."""

    tag: str
    """A digest of what is in it."""
    is_compressed: bool
    """Whether it is there as .gz as well."""


@dataclass(frozen=True, slots=True)
class Installed:
    """The viewer as it is in the data folder."""

    version: str
    folder: Path
    """Of its files."""
    files: Mapping[str, Kept]
    """By their names relative to the folder: nothing else is to be served."""
    scripts: tuple[str, ...]
    """Digests (``sha256-...``) of the scripts that stand in its page itself, for its content security policy."""

    @property
    def size_bytes(self) -> int:
        """What all of it takes on the disk."""
        return sum(path.stat().st_size for path in self.folder.parent.rglob("*") if path.is_file())


def installed(data: Path) -> Installed | None:
    """What is installed in a data folder; None for nothing, and for what cannot be read."""
    folder = data / FOLDER
    try:
        facts: Any = json.loads((folder / LIST).read_bytes())
        files = {name: Kept(str(tag), bool(small)) for name, (tag, small) in facts["files"].items()}
        return Installed(str(facts["version"]), folder / FILES, files, tuple(map(str, facts["scripts"])))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


class Shelf:
    """What is installed now: installing and removing are seen without a new start of the service."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._found: Installed | None = None

    def get(self) -> Installed | None:
        """What is installed; None for nothing."""
        try:
            status = (self._data / FOLDER / LIST).stat()
        except OSError:
            return None
        mark = (status.st_mtime_ns, status.st_ino)
        with self._lock:
            if mark != self._seen:
                self._seen, self._found = mark, installed(self._data)
            return self._found
