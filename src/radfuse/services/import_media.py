"""Importing files: folders, DICOM files and zip archives, each object through ``ingest``."""

from __future__ import annotations

import contextlib
import io
import lzma
import mmap
import os
import struct
import threading
import zipfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import IO, Final

from radfuse.archive import Archive, Origin, Outcome
from radfuse.core.aetitle import checked_ae_title
from radfuse.core.errors import InvalidAETitle, NotPart10, OutOfSpace, RadfuseError
from radfuse.core.uids import checked_uid
from radfuse.dicom import FileMeta, read_file_meta, scan_header
from radfuse.services.ingest import ingest

DICOMDIR_CLASS: Final = "1.2.840.10008.1.3.10"
"""Media Storage Directory Storage (PS3.10 section 8.6): an index of a medium, not an object to keep."""

_SOP_CLASS: Final = 0x0008_0016
_SOP_INSTANCE: Final = 0x0008_0018
_NAMES: Final = frozenset({_SOP_CLASS, _SOP_INSTANCE})
_THREADS: Final = 8
"""More than processors: they wait for one another's disk syncs, which are shared."""

_AT_ONCE: Final = 8
"""Files that one thread takes at a time: handing over each would cost more than importing it."""

_WAITING: Final = 3 * _THREADS
_WHOLE_BYTES: Final = 8 << 20
_CHUNK_BYTES: Final = 1 << 20
_PREFIX_AT: Final = slice(128, 132)

_MAX_MEMBERS: Final = 1_000_000
_MAX_RATIO: Final = 100
_SMALL_ZIP_BYTES: Final = 1 << 30
"""A zip file may hold this much, or a hundred times its own size, whatever is more."""

_SMALL_DIRECTORY_BYTES: Final = 1 << 20
_ENTRY_BYTES: Final = 512
_ENTRY_MARK: Final = b"PK\1\2"

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
"""What reading a file or a member of a zip file may raise."""


class Verdict(Enum):
    """What became of one file."""

    STORED = "stored"
    ALREADY_KEPT = "already kept"
    FIRST_KEPT = "other bytes were kept already under its UID and stay"
    REPLACED = "replaced"
    NOT_DICOM = "not DICOM"
    DIRECTORY = "DICOMDIR"
    REFUSED = "refused"


_VERDICTS: Final = {
    Outcome.KEPT: Verdict.STORED,
    Outcome.SAME_AGAIN: Verdict.ALREADY_KEPT,
    Outcome.FIRST_KEPT: Verdict.FIRST_KEPT,
    Outcome.REPLACED: Verdict.REPLACED,
}


@dataclass(frozen=True, slots=True)
class Imported:
    """One file and what became of it; ``reason`` says why it was refused."""

    name: str
    verdict: Verdict
    size_bytes: int = 0
    reason: str = ""
    study_instance_uid: str = ""
    """Of an object that was taken in."""


@dataclass(slots=True)
class ImportReport:
    """What became of all files."""

    counts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    refused: list[Imported] = field(default_factory=list)

    def add(self, imported: Imported) -> None:
        """Count one file."""
        self.counts[imported.verdict] += 1
        if imported.verdict is Verdict.REFUSED:
            self.refused.append(imported)


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """What a zip file may hold."""

    members: int = _MAX_MEMBERS
    ratio: int = _MAX_RATIO
    small_zip_bytes: int = _SMALL_ZIP_BYTES


DEFAULT_LIMITS: Final = ImportLimits()


def files_below(paths: Iterable[Path]) -> list[Path]:
    """Every file that the paths name or hold, folders recursively, in order of their names.

    Raises FileNotFoundError for a path that is not there.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"there is no file or folder {path}")
        if path.is_file():
            found.append(path)
        else:
            # Links to folders are not followed: they may lead round in a circle.
            for folder, folders, names in os.walk(path):
                folders.sort()
                found += [Path(folder, name) for name in sorted(names) if os.path.isfile(os.path.join(folder, name))]
    return found


def import_files(archive: Archive, files: Sequence[Path], limits: ImportLimits = DEFAULT_LIMITS) -> Iterator[Imported]:
    """Import ``files``, several at once; yields what became of each object while it goes on.

    Zip files are opened, their members imported. What cannot be imported is reported, not raised;
    only OutOfSpace ends the import.
    """
    with _Pool(archive) as pool:
        for path in files:
            if is_zip(path):
                yield from _import_zip(pool, path, f"{path}: ", limits)
            else:
                yield from pool.submit(_PlainFile(path))
        yield from pool.drain()


def import_zip(archive: Archive, path: Path, prefix: str, limits: ImportLimits = DEFAULT_LIMITS) -> Iterator[Imported]:
    """Import the members of a zip file; their names are given with ``prefix``. Otherwise as ``import_files``."""
    with _Pool(archive) as pool:
        yield from _import_zip(pool, path, prefix, limits)


def import_stream(archive: Archive, name: str, stream: IO[bytes]) -> Imported:
    """Import the object that ``stream`` gives, as it comes. Raises OutOfSpace."""
    return _import_one(archive, _Stream(name, stream))


# --- files and members of zip files ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _PlainFile:
    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    def open(self) -> IO[bytes]:
        return self.path.open("rb", buffering=0)


@dataclass(frozen=True, slots=True)
class _Member:
    """A file in a zip file. Its name is shown, never used as a path."""

    name: str
    zip_file: zipfile.ZipFile
    info: zipfile.ZipInfo

    def open(self) -> IO[bytes]:
        return self.zip_file.open(self.info)


@dataclass(frozen=True, slots=True)
class _Stream:
    """What somebody sends, to be read once."""

    name: str
    stream: IO[bytes]

    def open(self) -> contextlib.AbstractContextManager[IO[bytes]]:
        return contextlib.nullcontext(self.stream)


_Source = _PlainFile | _Member | _Stream


def is_zip(path: Path) -> bool:
    """Whether the file can be opened as a zip file."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        if file.read(2) == b"PK":
            return zipfile.is_zipfile(path)
    return False


def _import_zip(pool: _Pool, path: Path, prefix: str, limits: ImportLimits) -> Iterator[Imported]:
    own_name = prefix.rstrip("/: ")
    try:
        with opened_zip(path, limits) as zip_file:
            for info in members_of(zip_file, path, limits):
                yield from pool.submit(_Member(prefix + info.filename, zip_file, info))
            # Its members are read while it is open.
            yield from pool.drain()
    except BadZip as error:
        yield Imported(own_name, Verdict.REFUSED, reason=str(error))
    except _UNREADABLE as error:
        yield Imported(own_name, Verdict.REFUSED, reason=f"the zip file cannot be read: {error}")


class BadZip(Exception):
    """A zip file that declares more than is allowed."""


@contextlib.contextmanager
def opened_zip(path: Path, limits: ImportLimits) -> Iterator[zipfile.ZipFile]:
    """A zip file. Raises BadZip for one with too many entries before any of them is taken up."""
    with _ZipBytes(path) as file:
        file.most_entries = limits.members
        with zipfile.ZipFile(file) as zip_file:
            file.most_entries = None
            yield zip_file


class _ZipBytes(io.FileIO):
    """A file whose directory zipfile reads at once, and makes of each of its entries ten times what it takes there."""

    most_entries: int | None = None
    """How many the directory may have, while it is read."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read. Raises BadZip."""
        if self.most_entries is None:
            return super().read(size)
        if size is not None and size > max(_SMALL_DIRECTORY_BYTES, self.most_entries * _ENTRY_BYTES):
            raise BadZip("the directory of the zip file is longer than any real one")
        data = super().read(size)
        if data.count(_ENTRY_MARK) > self.most_entries:
            raise BadZip(f"the zip file has more than {self.most_entries} files")
        return data


def members_of(zip_file: zipfile.ZipFile, path: Path, limits: ImportLimits) -> list[zipfile.ZipInfo]:
    """The files in a zip file; BadZip by what its directory declares: no member ever gives more than it declares."""
    members = [info for info in zip_file.infolist() if not info.is_dir()]
    if len(members) > limits.members:
        raise BadZip(f"the zip file has more than {limits.members} files")
    allowed = max(limits.small_zip_bytes, limits.ratio * path.stat().st_size)
    if sum(info.file_size for info in members) > allowed:
        raise BadZip(f"the files in the zip file are larger than {allowed} bytes together")
    return members


# --- many at once --------------------------------------------------------------------------------


class _Pool:
    """Threads that import at once, so that they share the archive's disk syncs; memory stays bounded.

    Results come in the order of the files.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="import")
        self._running: deque[Future[list[Imported]]] = deque()
        self._next: list[_Source] = []
        self._stop = threading.Event()

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_details: object) -> None:
        self._stop.set()
        self._threads.shutdown(cancel_futures=True)

    def submit(self, source: _Source) -> Iterator[Imported]:
        """Start with ``source``, soon; yields what has been done meanwhile."""
        self._next.append(source)
        if len(self._next) >= _AT_ONCE:
            self._start()
        while len(self._running) >= _WAITING:
            yield from self._running.popleft().result()

    def drain(self) -> Iterator[Imported]:
        """Wait for everything that was submitted."""
        self._start()
        while self._running:
            yield from self._running.popleft().result()

    def _start(self) -> None:
        sources, self._next = self._next, []
        if sources:
            self._running.append(self._threads.submit(self._import, sources))

    def _import(self, sources: Sequence[_Source]) -> list[Imported]:
        return [_import_one(self._archive, source) for source in sources if not self._stop.is_set()]


def _import_one(archive: Archive, source: _Source) -> Imported:
    """Import one object. Raises OutOfSpace, which no later object would escape either."""
    try:
        with source.open() as stream:
            return _import_stream(archive, source, stream)
    except OutOfSpace:
        raise
    except NotPart10 as error:
        return Imported(source.name, Verdict.NOT_DICOM, reason=str(error))
    except RadfuseError as error:
        return Imported(source.name, Verdict.REFUSED, reason=str(error))
    except _UNREADABLE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Imported(source.name, Verdict.REFUSED, reason=f"it cannot be read: {reason}")


def _import_stream(archive: Archive, source: _Source, stream: IO[bytes]) -> Imported:
    head = _read_up_to(stream, _WHOLE_BYTES)
    is_whole = len(head) < _WHOLE_BYTES
    try:
        meta = read_file_meta(head)
    except NotPart10 as error:
        if head[_PREFIX_AT] == b"DICM":
            return Imported(source.name, Verdict.REFUSED, reason=str(error))
        raise
    if meta.sop_class_uid == DICOMDIR_CLASS:
        return Imported(source.name, Verdict.DIRECTORY)
    origin = _origin(meta, head, source, is_whole)
    checked_uid(origin.sop_class_uid, "SOP Class UID")
    checked_uid(origin.sop_instance_uid, "SOP Instance UID")
    with archive.receive(origin) as incoming:
        incoming.write(memoryview(head)[meta.data_offset :])
        if not is_whole:
            while chunk := stream.read(_CHUNK_BYTES):
                incoming.write(chunk)
        done = ingest(archive, incoming)
        study = done.header.study_instance_uid
        return Imported(source.name, _VERDICTS[done.outcome], incoming.size_bytes, study_instance_uid=study)


def _read_up_to(stream: IO[bytes], size: int) -> bytes:
    """``size`` bytes, or fewer at the end; one call for a small file, which is the usual case."""
    data = stream.read(size)
    if len(data) == size or not data:
        return data
    chunks = [data]
    read = len(data)
    while read < size and (chunk := stream.read(size - read)):
        chunks.append(chunk)
        read += len(chunk)
    return b"".join(chunks)


def _origin(meta: FileMeta, head: bytes, source: _Source, is_whole: bool) -> Origin:
    """What the data set itself says it is; its file meta information may be missing or wrong."""
    sop_class_uid, sop_instance_uid = meta.sop_class_uid, meta.sop_instance_uid
    if is_whole:
        header = scan_header(head, meta.transfer_syntax_uid, _NAMES, start=meta.data_offset)
        sop_class_uid, sop_instance_uid = header.sop_class_uid, header.sop_instance_uid
    elif not (sop_class_uid and sop_instance_uid) and isinstance(source, _PlainFile):
        with source.open() as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            header = scan_header(view, meta.transfer_syntax_uid, _NAMES, start=meta.data_offset)
            sop_class_uid, sop_instance_uid = header.sop_class_uid, header.sop_instance_uid
    return Origin(sop_class_uid, sop_instance_uid, meta.transfer_syntax_uid, _source_title(meta.source_ae_title))


def _source_title(text: str) -> str:
    try:
        return checked_ae_title(text)
    except InvalidAETitle:
        return ""
