"""One object of the archive as a file of a medium: copied or converted, and checked as it was written."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import xxhash

from radfuse.archive import Archive
from radfuse.core.errors import BlobDamaged, BlobMissing, CannotExport, CannotTranscode, NotInProfile
from radfuse.dicom import FileMeta, Transcoder, build_file_meta
from radfuse.media import Described, Profile, describe
from radfuse.services.export_media.model import Planned
from radfuse.services.stored_objects import objects_named

_MOST_AT_ONCE: Final = 1 << 30
_PIECE_BYTES: Final = 1 << 17
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
    profile: Profile

    def copy(self, planned: Planned, to: Path) -> Copied:
        """Write one object as a new file, and read it again; it is not on stable storage yet.

        Where a codec refuses its pixels it is written in the next best syntax.

        An object that is deleted meanwhile is written to its end. Raises CannotExport for one that was
        deleted before, NotInProfile for one that got larger than a file of the medium's file system, BlobMissing,
        BlobDamaged, CannotTranscode, FileExistsError, OSError.
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
            if sentence := self.profile.file_size_problem(len(head) + size_bytes):
                raise NotInProfile(self.profile.name, "file size", sentence)
            file = os.open(to, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
            try:
                _write(file, head)
                _send(file, source, start, size_bytes)
                written = _read_again(file, len(head))
            finally:
                os.close(file)
            if written.size_bytes != len(head) + size_bytes:
                raise BlobDamaged(stored.blob_id.hex())
            with _mapped(source) as content:
                digest = stored.digest
                if planned.is_converted:
                    digest = xxhash.xxh3_128_digest(content)
                if written.digest != digest:
                    raise BlobDamaged(stored.blob_id.hex())
                meta = FileMeta(stored.sop_class_uid, planned.written_uid, planned.target_syntax, data_offset=start)
                described = describe(content, meta=meta)
        return Copied(replace(described, data_offset=len(head)), written.sha256, written.size_bytes)

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
    """Copy within the kernel; a source that ends early is found when it is read again."""
    position, end = start, start + size_bytes
    while position < end:
        sent = os.sendfile(file, source, position, min(_MOST_AT_ONCE, end - position))
        if not sent:
            return
        position += sent


class _Written(NamedTuple):
    size_bytes: int
    digest: bytes
    """Of its data set, as the archive has it."""
    sha256: str
    """Of the whole file."""


def _read_again(file: int, head_bytes: int) -> _Written:
    """What was written, read from where it is now.

    In pieces: a mapped file ends the process when its medium is pulled, a piece that cannot be read is an OSError.
    """
    piece = memoryview(bytearray(_PIECE_BYTES))
    digest, sha256 = xxhash.xxh3_128(), hashlib.sha256()
    position = 0
    while count := os.preadv(file, [piece], position):
        sha256.update(piece[:count])
        digest.update(piece[max(head_bytes - position, 0) : count])
        position += count
    return _Written(position, digest.digest(), sha256.hexdigest())


@contextlib.contextmanager
def _mapped(source: int) -> Iterator[mmap.mmap | bytes]:
    """A file of ours, which lies on the archive's own volume."""
    if not os.fstat(source).st_size:
        yield b""
        return
    with mmap.mmap(source, 0, access=mmap.ACCESS_READ) as content:
        yield content
