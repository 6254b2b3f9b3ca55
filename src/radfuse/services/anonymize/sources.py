"""What is to be anonymized: files and members of zip files; each small enough to be given to a process.

The processes that anonymize load this module, and so it loads nothing of the archive by itself.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from radfuse.core.errors import CannotAnonymize
from radfuse.services.unreadable import UNREADABLE

if TYPE_CHECKING:
    from radfuse.services.import_media import ImportLimits

_WHOLE_BYTES: Final = 4 << 20
"""Up to this many bytes an object is read; a larger one is mapped, so that its pixels need no memory."""

_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one object."""

    view: bytes | memoryview
    mapped: mmap.mmap | None = None

    @property
    def size_bytes(self) -> int:
        """How many."""
        return len(self.view)

    def release(self) -> None:
        """Give back the memory of what was looked at: it is read again from the file when it is needed again."""
        if self.mapped is not None:
            self.mapped.madvise(mmap.MADV_DONTNEED)


class Source(Protocol):
    """Where an object comes from."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    def read(self) -> Content:
        """Its bytes. Raises CannotAnonymize when it cannot be read, BlobDamaged."""


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Say what cannot be read: raises CannotAnonymize for whatever is raised by reading."""
    try:
        yield
    except UNREADABLE as error:
        raise CannotAnonymize(f"it cannot be read: {_without_names(error)}") from error


def _without_names(error: Exception) -> str:
    """What went wrong. The error's own words name files and members, and those may name patients."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, RuntimeError):
        return "it is encrypted, or compressed in a way that is not known"
    return "its zip file is damaged" if isinstance(error, zipfile.BadZipFile) else type(error).__name__


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def read(self) -> Content:
        """Its bytes."""
        with reading(), self.path.open("rb", buffering=0) as file:
            size_bytes = os.fstat(file.fileno()).st_size
            if size_bytes < _WHOLE_BYTES:
                return Content(file.read(size_bytes))  # no larger than needed: new memory costs more than reading
            return _mapped(file.fileno())


@dataclass(frozen=True, slots=True)
class MemberSource:
    """A member of a zip file. Its name is shown, never used as a path."""

    path: Path
    number: int
    member: str

    @property
    def name(self) -> str:
        """The zip file and the member."""
        return f"{self.path}: {self.member}"

    def read(self) -> Content:
        """Its bytes; of a large member from a file that has no name."""
        with reading():
            archive = _opened(self.path)
            info = archive.infolist()[self.number]
            if info.file_size < _WHOLE_BYTES:
                return Content(archive.read(info))
            with archive.open(info) as stream, tempfile.TemporaryFile() as spool:
                while chunk := stream.read(_CHUNK_BYTES):
                    spool.write(chunk)
                spool.flush()
                return _mapped(spool.fileno())


@dataclass(frozen=True, slots=True)
class BrokenSource:
    """What cannot be read, and why."""

    name: str
    reason: str

    def read(self) -> Content:
        """Raises CannotAnonymize."""
        raise CannotAnonymize(self.reason)


def sources_of(files: Iterable[Path], limits: ImportLimits | None = None) -> Iterator[Source]:
    """The files, and the members of those that are zip files."""
    from radfuse.services.import_media import DEFAULT_LIMITS, is_zip

    for path in files:
        if is_zip(path):
            yield from _members(path, limits or DEFAULT_LIMITS)
        else:
            yield FileSource(path)


def _members(path: Path, limits: ImportLimits) -> Iterator[Source]:
    from radfuse.services.import_media.zips import BadZip, members_of, opened_zip

    try:
        with opened_zip(path, limits) as archive:
            members_of(archive, path, limits)
            infos = archive.infolist()
    except (BadZip, *UNREADABLE) as error:
        reason = str(error) if isinstance(error, BadZip) else _without_names(error)
        yield BrokenSource(str(path), f"the zip file cannot be read: {reason}")
        return
    for number, info in enumerate(infos):
        if not info.is_dir():
            yield MemberSource(path, number, info.filename)


def _mapped(file: int) -> Content:
    mapped = mmap.mmap(file, 0, access=mmap.ACCESS_READ)
    return Content(memoryview(mapped), mapped)


@lru_cache(maxsize=1)
def _opened(path: Path) -> zipfile.ZipFile:
    """The zip file that is being read, kept open: its directory may be long."""
    return zipfile.ZipFile(path)
