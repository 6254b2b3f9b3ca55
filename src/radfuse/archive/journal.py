"""The ingest journal: one synced, sequential write makes arriving objects durable.

Syncing every small file on its own costs a file system commit each. Instead the bytes are first
appended to a preallocated file and synced there, once for all associations that wait at that
moment; then they are written as files of the store and indexed, without waiting for the disk.
The journal has two halves. When one is full the other takes over, everything the full one names
is synced in the background, and only then may it be used again. After a crash or a power failure
``read_journal`` yields what had been appended, so that nothing acknowledged is lost.

Objects too large for a half are synced as files of their own; the journal holds their id only.

Layout of a half: records, each aligned to ``_BLOCK`` bytes so that no later write touches the
disk block of an acknowledged one. A record is ``_HEADER`` and its payload.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

import xxhash

from radfuse.archive.blobs import sync_folder
from radfuse.core.errors import OutOfSpace

_MAGIC: Final = b"RFJ1"
_HEADER: Final = struct.Struct("<4sIQQ16sQ")
"""Magic, kind, generation of the half, payload length, blob id, checksum of all that and the payload."""
RECORD_HEADER_BYTES: Final = _HEADER.size
_BLOCK: Final = 4096
_ABORT_RESERVE_BYTES: Final = 128 * _BLOCK
"""Room for the aborts of a batch (at most 64 records): they must never switch halves in the middle of it."""
_ZERO_BLOCK: Final = mmap.mmap(-1, _BLOCK)
_LOCK: Final = "lock"
_MAX_BUFFERS: Final = 512  # os.pwritev takes at most IOV_MAX (1024)


class RecordKind(IntEnum):
    """What a journal record says."""

    BYTES = 1
    """The object's file, whole, is the payload."""

    FILE = 2
    """The object's file is already synced in this process's incoming folder."""

    ABORTED = 3
    """The object was refused after all; never bring it back."""


@dataclass(frozen=True, slots=True)
class Record:
    """One journal entry.

    ``frame`` is the page-aligned buffer that holds the payload RECORD_HEADER_BYTES after its start,
    with room for whole blocks; without one the payload is copied.
    """

    kind: RecordKind
    blob_id: bytes
    payload: bytes | bytearray | memoryview = b""
    frame: mmap.mmap | None = None


class Journal:
    """The journal of one process. Thread-safe for one appender and the background sync.

    Args:
        path: the journal's file; it is created, locked, and removed again by ``close``.
        half_bytes: size of each half, a multiple of 4096.
        sync_store: called in the background with a generation; must make the files and index rows
            of all objects recorded up to that generation durable.
        on_half_full: called when a half waits for its sync (wakes the background thread).
        write_again: called with the records of a half whose sync failed, before it is tried again.
    """

    def __init__(
        self,
        path: Path,
        half_bytes: int,
        sync_store: Callable[[int], None],
        on_half_full: Callable[[], None],
        write_again: Callable[[Iterable[Record]], None],
    ) -> None:
        self.path = path
        self.half_bytes = half_bytes
        self._sync_store = sync_store
        self._on_half_full = on_half_full
        self._write_again = write_again
        self._state = threading.Condition()
        self._active = 0
        self._position = 0
        self._generation = 1
        self._unsynced: int | None = None
        self._failure: Exception | None = None
        self._file = _create_locked(path, 2 * half_bytes)

    @property
    def generation(self) -> int:
        """The generation of the active half; it grows with every switch."""
        return self._generation

    def largest_payload(self) -> int:
        """Bytes that one record may hold."""
        return self.half_bytes - _ABORT_RESERVE_BYTES - _BLOCK

    def how_many_fit(self, payload_bytes: Sequence[int]) -> int:
        """How many records of these sizes, from the first on, one ``append`` may hold."""
        left = self.half_bytes - _ABORT_RESERVE_BYTES
        for count, size in enumerate(payload_bytes):
            left -= _blocks(size)
            if left < 0:
                return count
        return len(payload_bytes)

    def append(self, records: Sequence[Record]) -> int:
        """Make ``records`` durable; returns the generation of their half when they are.

        Waits while both halves are full. Raises OutOfSpace or OSError when the disk refuses; then
        none of the records counts.
        """
        needed = sum(_blocks(len(record.payload)) for record in records)
        keep_free = 0 if records and records[0].kind is RecordKind.ABORTED else _ABORT_RESERVE_BYTES
        if needed > self.half_bytes - keep_free:
            raise ValueError("more than a half of the journal holds")
        with self._state:
            try:
                if self._position + needed > self.half_bytes - keep_free:
                    self._switch_halves()
                start = self._active * self.half_bytes + self._position
                self._write(start, records)
                os.fdatasync(self._file)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise OutOfSpace("the ingest journal") from error
                raise
            self._position += needed
            return self._generation

    def _write(self, start: int, records: Sequence[Record]) -> None:
        for first in range(0, len(records), _MAX_BUFFERS):
            buffers = [_framed(record, self._generation) for record in records[first : first + _MAX_BUFFERS]]
            length = sum(map(len, buffers))
            try:
                if os.pwritev(self._file, buffers, start) != length:
                    raise OSError(errno.ENOSPC, "short write to the ingest journal")
            finally:
                for view in buffers:
                    view.release()
            start += length

    def _switch_halves(self) -> None:
        """Hand the active half to the background sync and go on in the other. Holds the lock."""
        while self._unsynced is not None:
            if self._failure is not None:
                raise self._failure
            self._on_half_full()
            self._state.wait(timeout=1.0)
        self._unsynced = self._active
        self._active = 1 - self._active
        self._position = 0
        self._generation += 1
        self._on_half_full()

    def rotate(self) -> bool:
        """Let the active half be synced too, if it holds anything and the other one is free.

        Must not run between an ``append`` and the writing of what it recorded: the half would be
        freed before its objects are in the store. Returns whether a half now waits for its sync.
        """
        with self._state:
            if self._unsynced is None and self._position:
                self._switch_halves()
            return self._unsynced is not None

    def sync_pending(self) -> None:
        """Sync what the waiting half names and free it. Called by the background thread.

        Errors are kept and raised to the next appender that has to wait, so that no half is
        reused before its objects are safe.
        """
        with self._state:
            half, generation = self._unsynced, self._generation - 1
        if half is None:
            return
        try:
            if self._failure is not None:
                # The system forgets what it could not write: syncing again would succeed and prove nothing.
                self._write_again(_read_half(self._content(half)))
            self._sync_store(generation)
            os.pwrite(self._file, _ZERO_BLOCK, half * self.half_bytes)
            os.fdatasync(self._file)
        except Exception as error:  # the database's errors too: this thread must live on
            with self._state:
                self._failure = error
                self._state.notify_all()
            return
        with self._state:
            self._failure = None
            self._unsynced = None
            self._state.notify_all()

    def _content(self, half: int) -> memoryview:
        """A half as it is on the disk."""
        content = mmap.mmap(-1, self.half_bytes)  # aligned, as reading past the page cache needs it
        os.preadv(self._file, [content], half * self.half_bytes)
        return memoryview(content)

    def close(self) -> None:
        """Sync everything and remove the journal. On failure the file stays, to be replayed."""
        self.sync_pending()
        self.rotate()
        self.sync_pending()
        with self._state:
            if self._unsynced is None and not self._position:
                with contextlib.suppress(OSError):  # it says nothing that is not in the store
                    self.path.unlink(missing_ok=True)
            os.close(self._file)


def _create_locked(path: Path, size: int) -> int:
    """Create, lock and fill the file: blocks written once need no allocation when synced later."""
    with journals_lock(path.parent):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        zeros = bytes(1 << 20)
        for offset in range(0, size, len(zeros)):
            os.pwrite(file, zeros[: size - offset], offset)
        os.fsync(file)
        sync_folder(path.parent)
        _bypass_page_cache(file)
    except OSError as error:
        os.close(file)
        path.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfSpace("the ingest journal") from error
        raise
    return file


def _bypass_page_cache(file: int) -> None:
    """Write straight from our aligned buffers: one copy less, and nothing that others' syncs wait for."""
    with contextlib.suppress(OSError):  # a file system that cannot do without its cache
        fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_DIRECT)


@contextlib.contextmanager
def journals_lock(journals: Path) -> Iterator[None]:
    """Hold the folder of the journals: nobody meets a new journal before its owner has locked it."""
    lock = os.open(journals / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _checksum(fields: bytes, payload: bytes | bytearray | memoryview) -> int:
    digest = xxhash.xxh3_64(fields)
    digest.update(payload)
    return digest.intdigest()


def _header(record: Record, generation: int) -> bytes:
    fields = _HEADER.pack(_MAGIC, record.kind, generation, len(record.payload), record.blob_id, 0)
    checksum = _checksum(fields, record.payload)
    return fields[:-8] + checksum.to_bytes(8, "little")


def _framed(record: Record, generation: int) -> memoryview:
    """The record as whole blocks of aligned memory."""
    length = _blocks(len(record.payload))
    frame = record.frame
    if frame is None:
        frame = mmap.mmap(-1, length)
        frame[_HEADER.size : _HEADER.size + len(record.payload)] = bytes(record.payload)
    frame[: _HEADER.size] = _header(record, generation)
    return memoryview(frame)[:length]


def _blocks(payload_bytes: int) -> int:
    return -(-(_HEADER.size + payload_bytes) // _BLOCK) * _BLOCK


def read_journal(data: memoryview) -> Iterator[Record]:
    """The records of a journal file left behind, oldest half first.

    A half ends at the first record that is not whole: it was being written when the lights went
    out, so nobody was told that it is safe.
    """
    half_bytes = len(data) // 2
    halves = [data[:half_bytes], data[half_bytes : 2 * half_bytes]]
    for half in sorted(halves, key=_generation_of):
        yield from _read_half(half)


def _generation_of(half: memoryview) -> int:
    return int(_HEADER.unpack_from(half)[2]) if len(half) >= _HEADER.size else 0


def _read_half(half: memoryview) -> Iterator[Record]:
    generation = _generation_of(half)
    position = 0
    while position + _HEADER.size <= len(half):
        magic, kind, of_generation, length, blob_id, checksum = _HEADER.unpack_from(half, position)
        start = position + _HEADER.size
        if magic != _MAGIC or of_generation != generation or start + length > len(half):
            return
        payload = half[start : start + length]
        if _checksum(half[position : start - 8].tobytes() + bytes(8), payload) != checksum:
            return
        record = Record(RecordKind(kind), blob_id, payload)
        yield record
        position += _blocks(length)
