"""Whether the service can do its work."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping
from typing import Final

from radfuse.archive import Archive
from radfuse.archive.queries import newest_arrival
from radfuse.core.errors import OutOfSpace

_log = logging.getLogger(__name__)
_SPACE: Final = "the store of database {name} has no room left beyond its reserve"
_READ: Final = "the index of database {name} cannot be read"
_WRITE: Final = "the store of database {name} cannot be written"


def troubles(archives: Mapping[str, Archive]) -> Iterator[str]:
    """What keeps each archive from being read or stored to, a sentence each."""
    for name, archive in archives.items():
        try:
            with archive.reading() as connection:
                newest_arrival(connection)
        except Exception as error:
            _log.warning("an index cannot be read: %s", type(error).__name__, extra={"database": name})
            yield _READ.format(name=name)
        try:
            archive.settings.space.check(archive.settings.folder)
            with tempfile.TemporaryFile(dir=archive.settings.folder / "incoming"):
                pass
        except OutOfSpace:
            yield _SPACE.format(name=name)
        except OSError as error:
            _log.warning("a store cannot be written: %s", error.strerror, extra={"database": name})
            yield _WRITE.format(name=name)
