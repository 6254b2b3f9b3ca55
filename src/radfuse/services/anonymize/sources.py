"""What is to be anonymized: files, members of zip files, kept objects; each small enough to be given to a process."""

from __future__ import annotations

import contextlib
import lzma
import mmap
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

from radfuse.archive import Archive, StoredFile, StoredObject
from radfuse.core.errors import ArchiveError, BlobDamaged, CannotAnonymize
from radfuse.services.import_media import DEFAULT_LIMITS, BadZip, ImportLimits, is_zip, members_of

_UNREADABLE: Final = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # an encrypted member, or a compression that zipfile does not know
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
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
def _reading() -> Iterator[None]:
    """Say what cannot be read."""
    try:
        yield
    except _UNREADABLE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CannotAnonymize(f"it cannot be read: {reason}") from error


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
        with _reading(), self.path.open("rb", buffering=0) as file:
            head = file.read(_WHOLE_BYTES)
            if len(head) < _WHOLE_BYTES:
                return Content(head)
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
        with _reading():
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
class StoredSource:
    """An object that an archive keeps: its file in the store."""

    stored: StoredObject
    path: Path
    data_start: int

    @property
    def name(self) -> str:
        """Its SOP Instance UID."""
        return self.stored.sop_instance_uid

    def read(self) -> Content:
        """Its bytes, proved to be those that were received."""
        with _reading(), self.path.open("rb", buffering=0) as file:
            opened = StoredFile(file.fileno(), self.data_start, self.stored.size_bytes)
            Archive.verify(self.stored, opened)
            content = FileSource(self.path).read()
        if content.size_bytes < self.data_start + self.stored.size_bytes:
            raise BlobDamaged(self.stored.blob_id.hex())
        return content


@dataclass(frozen=True, slots=True)
class BrokenSource:
    """What cannot be read, and why."""

    name: str
    reason: str

    def read(self) -> Content:
        """Raises CannotAnonymize."""
        raise CannotAnonymize(self.reason)


def stored_source(archive: Archive, stored: StoredObject) -> Source:
    """A kept object as a source: one that cannot be read where it is missing or damaged."""
    try:
        with archive.open_object(stored) as opened:
            return StoredSource(stored, archive.path_of(stored), opened.data_start)
    except ArchiveError as error:
        return BrokenSource(stored.sop_instance_uid, str(error))


def sources_of(files: Iterable[Path], limits: ImportLimits = DEFAULT_LIMITS) -> Iterator[Source]:
    """The files, and the members of those that are zip files."""
    for path in files:
        if is_zip(path):
            yield from _members(path, limits)
        else:
            yield FileSource(path)


def _members(path: Path, limits: ImportLimits) -> Iterator[Source]:
    try:
        with zipfile.ZipFile(path) as archive:
            members_of(archive, path, limits)
            infos = archive.infolist()
    except (BadZip, zipfile.BadZipFile, OSError, ValueError) as error:
        yield BrokenSource(str(path), f"the zip file cannot be read: {error}")
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
