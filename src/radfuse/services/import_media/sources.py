"""Where the bytes of an object come from: a file, a member of an archive, or what somebody sends."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

from radfuse.services.import_media.walking import NO_FILE

HEAD_BYTES: Final = 8 << 20
"""What is read of an object before its header is looked at; most are smaller."""

_FIRST_BYTES: Final = 64 << 10
"""Read by one call: small objects are the many, and memory for more would have to be asked of the system."""

_OPEN_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW


class Reading(Protocol):
    """An open source."""

    def read(self, size: int) -> bytes:
        """At most so many bytes; b"" at the end."""


class Source(Protocol):
    """Something to import."""

    @property
    def name(self) -> str:
        """What to call it; whatever its characters are."""

    @property
    def path(self) -> str:
        """The file on the disk that it is or lies in; "" for none."""

    def open(self) -> contextlib.AbstractContextManager[Reading]:
        """Begin to read."""


@dataclass(frozen=True, slots=True)
class PlainFile:
    """A file. ``target``: where it is when ``path`` is a link to it."""

    path: str
    target: str

    @classmethod
    def of(cls, path: Path) -> PlainFile:
        """A file by the name that somebody gave it."""
        text = str(path)
        return cls(text, os.path.realpath(text) if os.path.islink(text) else text)

    @property
    def name(self) -> str:
        """Its path."""
        return self.path

    @contextlib.contextmanager
    def open(self) -> Iterator[OpenFile]:
        """Begin to read. Raises OSError; also for what has become a link or a special file meanwhile."""
        file = os.open(self.target, _OPEN_FLAGS)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise OSError(0, NO_FILE)
            yield OpenFile(file)
        finally:
            os.close(file)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """An open file, read by plain system calls."""

    file: int

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes."""
        return os.read(self.file, size)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a zip file. Its name is shown, never used as a path."""

    name: str
    path: str
    zip_file: zipfile.ZipFile
    info: zipfile.ZipInfo

    def open(self) -> IO[bytes]:
        """Begin to read."""
        return self.zip_file.open(self.info)


@dataclass(frozen=True, slots=True)
class DiscFile:
    """A file in the image of a disc, which only one may read at a time."""

    name: str
    path: str
    open_there: Callable[[], IO[bytes]]
    turn: threading.Lock

    @contextlib.contextmanager
    def open(self) -> Iterator[Reading]:
        """Begin to read."""
        with self.turn, self.open_there() as stream:
            yield stream


@dataclass(frozen=True, slots=True)
class Stream:
    """What somebody sends, to be read once."""

    name: str
    stream: IO[bytes]

    @property
    def path(self) -> str:
        """There is none."""
        return ""

    def open(self) -> contextlib.nullcontext[IO[bytes]]:
        """Begin to read."""
        return contextlib.nullcontext(self.stream)


def read_head(reading: Reading) -> bytes:
    """The first ``HEAD_BYTES``, or fewer at the end; two calls for a small file, which is the usual case."""
    data = reading.read(_FIRST_BYTES)
    if not data:
        return data
    chunks = [data]
    read = len(data)
    while read < HEAD_BYTES and (chunk := reading.read(min(HEAD_BYTES - read, max(read, _FIRST_BYTES)))):
        chunks.append(chunk)
        read += len(chunk)
    return b"".join(chunks) if len(chunks) > 1 else data
