"""The archives of this node: every local AE title maps to one, several may share one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from radfuse.archive import Archive, ArchiveSettings
from radfuse.core.aetitle import AETitle
from radfuse.core.errors import ConfigurationError

DEFAULT_DATABASE: Final = "default"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}\Z")


def database_folder(data_folder: Path, name: str) -> Path:
    """Where a database lives: the data folder itself for the default one."""
    if not _NAME.match(name):
        raise ConfigurationError("databases", f"{name!r} is not a name (a-z, 0-9, '_', '-', at most 32)")
    return data_folder if name == DEFAULT_DATABASE else data_folder / "databases" / name


class Databases:
    """Open archives by local AE title."""

    def __init__(self, by_ae_title: Mapping[AETitle, str], settings: Mapping[str, ArchiveSettings]) -> None:
        self._by_ae_title = dict(by_ae_title)
        self._archives = {name: Archive(settings[name]) for name in sorted(set(by_ae_title.values()))}

    @property
    def ae_titles(self) -> frozenset[str]:
        """The AE titles that are ours."""
        return frozenset(self._by_ae_title)

    def of(self, ae_title: str) -> Archive:
        """The archive behind one of our AE titles."""
        return self._archives[self._by_ae_title[AETitle(ae_title)]]

    def prepare_to_receive(self) -> None:
        """Let every archive set up what storing needs, before the first peer waits for it."""
        for archive in self._archives.values():
            archive.prepare_to_receive()

    def close(self) -> None:
        """Close all archives."""
        for archive in self._archives.values():
            archive.close()
