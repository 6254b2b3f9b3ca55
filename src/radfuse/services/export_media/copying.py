"""One object of the archive as a file of a medium: copied or converted, and checked as it was written."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import xxhash

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import BlobDamaged, BlobMissing, CannotExport, CannotTranscode
from radfuse.dicom import FileMeta, Transcoder, build_file_meta
from radfuse.media import Described, describe
from radfuse.services.export_media.model import Planned
from radfuse.services.stored_objects import objects_named

_MOST_AT_ONCE: Final = 1 << 30
_FILE_MODE: Final = 0o644


@dataclass(frozen=True, slots=True)
class Copied:
    """A file that was written: what it holds and its SHA-256 as hexadecimal digits."""

    described: Described
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Copier:
    """Copies objects of one archive. Thread-safe."""

    archive: Archive
    transcoder: Transcoder

    def copy(self, planned: Planned, to: Path) -> Copied:
        """Write one object as a new file, and read it again; it is not on stable storage yet.

        Where a codec refuses its pixels it is written in the next best syntax.

        An object that is deleted meanwhile is written to its end. Raises CannotExport for one that was
        deleted before, BlobMissing, BlobDamaged, CannotTranscode, FileExistsError, OSError.
        """
        try:
            return self._copy(planned, to)
        except CannotTranscode:
            for other in planned.alternatives():
                with contextlib.suppress(CannotTranscode):
                    return self._copy(other, to)
            raise

    def _copy(self, planned: Planned, to: Path) -> Copied:
        stored = planned.stored
        # No source AE title: who sent it to us is nobody's business on a medium.
        head = build_file_meta(FileMeta(stored.sop_class_uid, planned.written_uid, planned.target_syntax))
        with self._data_set(planned) as (source, start, size_bytes):
            file = os.open(to, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
            try:
                _write(file, head)
                _send(file, source, start, size_bytes)
                digest = "" if planned.is_converted else stored.digest
                copied = _checked(file, len(head), size_bytes, digest, stored)
            finally:
                os.close(file)
        return copied

    @contextlib.contextmanager
    def _data_set(self, planned: Planned) -> Iterator[tuple[int, int, int]]:
        """File descriptor, first byte and length of the data set as it is to be written."""
        stored = planned.stored
        try:
            with self.archive.open_object(stored) as opened:
                if not planned.is_converted:
                    yield opened.file, opened.data_start, opened.size_bytes
                    return
                self.archive.verify(stored, opened)
                with self._converted(planned) as path, path.open("rb") as file:
                    yield file.fileno(), 0, os.fstat(file.fileno()).st_size
        except BlobMissing as error:
            if objects_named(self.archive, [stored.sop_instance_uid]).get(stored.sop_instance_uid) == stored:
                raise
            raise CannotExport("an object was deleted or replaced meanwhile; make a new plan") from error

    @contextlib.contextmanager
    def _converted(self, planned: Planned) -> Iterator[Path]:
        """The data set in the target syntax, as a file that is gone afterwards."""
        stored = planned.stored
        with tempfile.TemporaryDirectory(prefix="radfuse-export-", dir=self.archive.scratch_folder) as name:
            pinned, made = Path(name, "stored"), Path(name, "data-set")
            try:
                os.link(self.archive.path_of(stored), pinned)  # deleting takes away one of its two names
            except FileNotFoundError as error:
                raise BlobMissing(stored.blob_id.hex()) from error
            self.transcoder.transcode(pinned, planned.target_syntax, made, derived_uid=planned.derived_uid)
            yield made


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _send(file: int, source: int, start: int, size_bytes: int) -> None:
    """Copy within the kernel; a source that ends early is found by ``_checked``."""
    position, end = start, start + size_bytes
    while position < end:
        sent = os.sendfile(file, source, position, min(_MOST_AT_ONCE, end - position))
        if not sent:
            return
        position += sent


def _checked(file: int, head_bytes: int, size_bytes: int, digest: bytes | str, stored: StoredObject) -> Copied:
    """What the file holds, read from it. Raises BlobDamaged unless it is exactly what was to be written."""
    written_bytes = os.fstat(file).st_size
    if written_bytes != head_bytes + size_bytes:
        raise BlobDamaged(stored.blob_id.hex())
    with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as content:
        if digest:
            with memoryview(content) as whole, whole[head_bytes:] as data_set:
                is_same = xxhash.xxh3_128_digest(data_set) == digest
            if not is_same:
                raise BlobDamaged(stored.blob_id.hex())
        sha256 = hashlib.sha256(content).hexdigest()
        return Copied(describe(content), sha256, written_bytes)
