"""The project keys of a data folder, by name: files that nobody but their owner may read."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from radfuse.core.errors import ConfigurationError

if TYPE_CHECKING:
    from radfuse.deid import ProjectKey

DEFAULT_KEY: Final = "default"
"""The name of the key that is used, and made, when none is named."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
_ENDING: Final = ".key"
_OTHERS: Final = 0o077


class Keys:
    """The folder ``keys`` of a data folder."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "keys"

    def names(self) -> Sequence[str]:
        """The names of all keys."""
        return sorted(path.stem for path in self._folder.glob(f"*{_ENDING}") if _NAME.match(path.stem))

    def new(self, name: str) -> Path:
        """Make a random key; the path of its file. Raises ConfigurationError when there is one of this name."""
        path = self._path(name)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return new_key_file(path)

    def require(self, name: str) -> Path:
        """The path of the key of this name; only ``default`` need not be there. Nothing heavy is loaded.

        Raises ConfigurationError, also for a key that others may read.
        """
        path = self._path(name)
        if not path.exists() and name != DEFAULT_KEY:
            raise ConfigurationError("key", f"there is no key {name!r}: make it with 'radfuse deid key new {name}'")
        _check_is_private(path)
        return path

    def get(self, name: str) -> ProjectKey:
        """The key of this name, ``default`` made when it is not there. Raises ConfigurationError."""
        path = self.require(name)
        if not path.exists():
            with contextlib.suppress(ConfigurationError):  # another process was faster
                self.new(name)
        return key_of_file(path)

    def _path(self, name: str) -> Path:
        if not _NAME.match(name):
            raise ConfigurationError("key", f"{name!r} is not a name (letters, digits, '_', '-')")
        return self._folder / f"{name}{_ENDING}"


def new_key_file(path: Path) -> Path:
    """Make a file with a random key. Raises ConfigurationError when there is a file already."""
    if path.exists():
        raise ConfigurationError(str(path), "is there already; a key is never overwritten")
    _key_of(path)
    return path


def key_of_file(path: Path) -> ProjectKey:
    """The key in a file, made when the file is not there. Raises ConfigurationError, also for one open to others."""
    _check_is_private(path)
    return _key_of(path)


def _check_is_private(path: Path) -> None:
    if path.exists() and os.stat(path).st_mode & _OTHERS:
        raise ConfigurationError(str(path), f"others may read this key; close it with: chmod 600 {path.name}")


def _key_of(path: Path) -> ProjectKey:
    from radfuse.deid import ProjectKey  # heavy: whoever only lists keys does without

    return ProjectKey.of_file(path)
