"""The bytes of stored objects for downloads: proved to be what was received, transcoded where that is asked for."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import xxhash

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import BlobDamaged
from radfuse.dicom import FileMeta, Transcoder, build_file_meta
from radfuse.web.streaming import Chunk

CHUNK_BYTES: Final = 1 << 20
_READ_WHOLE_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Download:
    """One object and the transfer syntax it is to be in."""

    stored: StoredObject
    syntax: str

    @property
    def is_unchanged(self) -> bool:
        """Whether the stored bytes are what is wanted."""
        return self.stored.transfer_syntax_uid == self.syntax

    def head(self) -> bytes:
        """Preamble and File Meta Information."""
        stored = self.stored
        return build_file_meta(FileMeta(stored.sop_class_uid, stored.sop_instance_uid, self.syntax))

    def part_head(self, boundary: str) -> bytes:
        """What stands before the object in a multipart body."""
        return part_head(boundary, self.syntax)


def part_head(boundary: str, syntax: str) -> bytes:
    """What stands before an object of this transfer syntax in a multipart body."""
    return f"--{boundary}\r\nContent-Type: application/dicom; transfer-syntax={syntax}\r\n\r\n".encode("ascii")


def new_boundary() -> str:
    """A boundary that no object holds."""
    return secrets.token_hex(16)


def multipart_length(downloads: Sequence[Download], boundary: str) -> int | None:
    """The length of the multipart body; None when an object is transcoded, whose length nobody knows yet."""
    total = len(_end(boundary))
    for each in downloads:
        if not each.is_unchanged:
            return None
        total += len(each.part_head(boundary)) + len(each.head()) + each.stored.size_bytes + 2
    return total


def multipart(
    archive: Archive, transcoder: Transcoder, downloads: Sequence[Download], boundary: str
) -> Iterator[Chunk]:
    """The multipart body, an object of usual size in one piece."""
    for each in downloads:
        yield from object_chunks(archive, transcoder, each, each.part_head(boundary), b"\r\n")
    yield _end(boundary)


def _end(boundary: str) -> bytes:
    return f"--{boundary}--\r\n".encode("ascii")


def object_chunks(
    archive: Archive, transcoder: Transcoder, download: Download, before: bytes = b"", behind: bytes = b""
) -> Iterator[Chunk]:
    """An object as a Part 10 file, ``before`` and ``behind`` around it.

    Raises BlobMissing, BlobDamaged (at the latest before the last piece) and CannotTranscode.
    """
    head = before + download.head()
    if not download.is_unchanged:
        yield from _transcoded(archive, transcoder, download, head, behind)
        return
    stored = download.stored
    with archive.open_object(stored) as opened:
        if opened.size_bytes <= _READ_WHOLE_BYTES:
            yield _whole(stored, opened.file, opened.data_start, head, behind)
        else:
            yield head
            yield from _pieces(stored, opened.file, opened.data_start)
            yield behind


def _whole(stored: StoredObject, file: int, start: int, head: bytes, behind: bytes) -> bytearray:
    """All of it with one read, checked."""
    size, first = stored.size_bytes, len(head)
    piece = bytearray(first + size + len(behind))
    piece[:first] = head
    view = memoryview(piece)
    data = view[first : first + size]
    if os.preadv(file, [data], start) != size or xxhash.xxh3_128_digest(data) != stored.digest:
        raise BlobDamaged(stored.blob_id.hex())
    view[first + size :] = behind
    return piece


def _pieces(stored: StoredObject, file: int, start: int) -> Iterator[bytes]:
    """A large object; its last piece is held back until all of it is proved."""
    digest = xxhash.xxh3_128()
    position, end = start, start + stored.size_bytes
    while position < end:
        piece = os.pread(file, min(CHUNK_BYTES, end - position), position)
        digest.update(piece)
        position += len(piece)
        if not piece or (position >= end and digest.digest() != stored.digest):
            raise BlobDamaged(stored.blob_id.hex())
        yield piece


def _transcoded(
    archive: Archive, transcoder: Transcoder, download: Download, head: bytes, behind: bytes
) -> Iterator[bytes]:
    with transcoded_file(archive, transcoder, download) as path, path.open("rb") as file:
        yield head
        while piece := file.read(CHUNK_BYTES):
            yield piece
        yield behind


@contextlib.contextmanager
def transcoded_file(archive: Archive, transcoder: Transcoder, download: Download) -> Iterator[Path]:
    """A file with the data set in the wanted transfer syntax, gone at the end. Raises CannotTranscode."""
    with archive.open_object(download.stored) as opened:
        archive.verify(download.stored, opened)
    with tempfile.TemporaryDirectory(prefix="radfuse-web-", dir=archive.scratch_folder) as folder:
        result = Path(folder) / "data-set"
        transcoder.transcode(archive.path_of(download.stored), download.syntax, result)
        yield result


def object_range(archive: Archive, download: Download, first: int, last: int) -> Iterator[Chunk]:
    """Bytes ``first`` to ``last`` (inclusive) of the unchanged object as a Part 10 file."""
    head = download.head()
    if first < len(head):
        yield head[first : last + 1]
    with archive.open_object(download.stored) as opened:
        position = opened.data_start + max(first - len(head), 0)
        end = opened.data_start + last + 1 - len(head)
        while position < end:
            piece = os.pread(opened.file, min(CHUNK_BYTES, end - position), position)
            if not piece:
                raise BlobDamaged(download.stored.blob_id.hex())
            position += len(piece)
            yield piece
