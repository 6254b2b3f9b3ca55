"""One object on its way in: kept in memory while small, spooled to disk when large."""

from __future__ import annotations

import contextlib
import mmap
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import xxhash

from radfuse.archive.blobs import SpaceGuard, raise_if_out_of_space, sync_folder
from radfuse.archive.buffers import BufferPool
from radfuse.archive.journal import RECORD_HEADER_BYTES
from radfuse.core.errors import ObjectTooLarge
from radfuse.core.uids import IMPLEMENTATION_CLASS_UID
from radfuse.dicom import FileMeta, build_file_meta

DIGEST_BYTES: Final = 16
_SEAL_BYTES: Final = DIGEST_BYTES + 8
_BLANK_SEAL: Final = bytes(_SEAL_BYTES)
_LOOK_EVERY_BYTES: Final = 1 << 20
"""How often a large object is stopped to see whether the volume still has its reserve."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What an object is said to be, and by whom; becomes the file meta information."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    source_ae_title: str = ""


@dataclass(frozen=True, slots=True)
class Seal:
    """What the store itself notes in a file's meta information (0002,0102): digest and arrival."""

    digest: bytes
    """xxh3-128 of the data set as received."""
    arrived_s: int
    """Seconds since 1970-01-01 UTC."""

    def pack(self) -> bytes:
        """The 24 bytes as written."""
        return self.digest + self.arrived_s.to_bytes(8, "little")

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """The reverse of ``pack``; ValueError when it is not a seal of ours."""
        if len(data) != _SEAL_BYTES:
            raise ValueError("not a seal")
        return cls(data[:DIGEST_BYTES], int.from_bytes(data[DIGEST_BYTES:], "little"))


class Incoming:
    """A sink for the bytes of one data set, exactly as they arrive.

    Use as a context manager: whatever was not handed over to the archive is gone at its end.

    Args:
        origin: what the sender says it is.
        blob_id: the name it will have in the store.
        spool: where its file goes when it becomes large.
        buffers: where an object that is small enough for one of them stays in memory.
        limit_bytes: a larger object raises ObjectTooLarge.
        space: checked before and while spooling.
    """

    def __init__(
        self,
        origin: Origin,
        blob_id: bytes,
        spool: str | Path,
        buffers: BufferPool,
        limit_bytes: int,
        space: SpaceGuard,
    ) -> None:
        self.origin = origin
        self.blob_id = blob_id
        self.seal = Seal(bytes(DIGEST_BYTES), 0)
        self._meta = _file_meta_of(origin)
        self._buffers = buffers
        self._buffer = buffers.take()
        self._used = RECORD_HEADER_BYTES + len(self._meta)
        self._buffer[RECORD_HEADER_BYTES : self._used] = self._meta
        self._spool_name = spool  # becomes a Path only for the few that are spooled
        # What is too large is found out when spooling starts; small objects need no second look.
        self._memory_bytes = min(buffers.size_bytes, limit_bytes)
        self._limit_bytes = limit_bytes
        self._space = space
        self._file = -1
        self._digest = xxhash.xxh3_128()
        self._map: mmap.mmap | None = None
        self.is_taken = False
        """Whether the archive has taken over the spooled file."""
        self.housekeeping: Callable[[Callable[[], None]], None] | None = None
        """What is left to do once the object is kept; done at the end of the ``with`` block.

        The object is durable and visible before. A door that has a peer waiting answers it
        within the block. It is given what to call once the content is no longer needed.
        """
        self.size_bytes = 0

    _next_look = 0
    """The size at which the space on the volume is looked at again."""

    def __enter__(self) -> Self:
        """Start receiving."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Discard what the archive did not take over."""
        self._close_map()
        release = partial(self._buffers.give_back, self._buffer, self._used)
        if self.housekeeping is None:
            release()
        else:
            self.housekeeping(release)
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            with contextlib.suppress(FileNotFoundError):
                self._spool.unlink()

    def write(self, view: bytes | memoryview) -> None:
        """Take the next bytes. Raises OutOfSpace or ObjectTooLarge."""
        self.size_bytes += len(view)
        if self._file < 0:
            end = self._used + len(view)
            if end <= self._memory_bytes:
                self._buffer[self._used : end] = view
                self._used = end
                return
            self._start_spooling()
        if self.size_bytes > self._limit_bytes:
            raise ObjectTooLarge(self._limit_bytes)
        if self.size_bytes >= self._next_look:
            self._space.check(self._spool.parent, len(view))
            self._next_look = self.size_bytes + _LOOK_EVERY_BYTES
        self._digest.update(view)
        self._write_file(view)

    def _start_spooling(self) -> None:
        self._spool = Path(self._spool_name)
        self._space.check(self._spool.parent, self._used)
        try:
            self._file = os.open(self._spool, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise_if_out_of_space(error, "an arriving object")
            raise
        with self.content() as content:
            self._write_file(content)
            self._digest.update(content[len(self._meta) :])

    def _write_file(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            raise_if_out_of_space(error, "an arriving object")
            raise

    @property
    def is_spooled(self) -> bool:
        """Whether the object is in a file of its own by now."""
        return self._file >= 0

    def finish(self) -> memoryview | mmap.mmap:
        """Seal the object once its last byte is here; returns what ``data_start`` indexes into."""
        content = self.content()
        if self._file < 0:
            self._digest.update(content[len(self._meta) :])
        self.seal = Seal(self._digest.digest(), int(time.time()))
        start = len(self._meta) - _SEAL_BYTES
        if self._file < 0:
            content[start : len(self._meta)] = self.seal.pack()
            return content
        os.pwrite(self._file, self.seal.pack(), start)
        self._map = mmap.mmap(self._file, 0, access=mmap.ACCESS_READ)
        return self._map

    @property
    def data_start(self) -> int:
        """Where the data set begins in what ``finish`` returned."""
        return len(self._meta)

    def content(self) -> memoryview:
        """The whole file of an object that stayed in memory, inside its ``frame``."""
        return memoryview(self._buffer)[RECORD_HEADER_BYTES : self._used]

    @property
    def frame(self) -> mmap.mmap:
        """The buffer around ``content``, as the journal wants it."""
        return self._buffer

    def sync_spooled(self) -> None:
        """Make the spooled file durable (its name too)."""
        try:
            os.fsync(self._file)
            sync_folder(self._spool.parent)
        except OSError as error:
            raise_if_out_of_space(error, "an arriving object")
            raise

    def hand_over_file(self) -> Path:
        """Give the spooled file to the caller: it is no longer discarded at the end."""
        self._close_map()
        os.close(self._file)
        self._file = -1
        self.is_taken = True
        return self._spool

    def _close_map(self) -> None:
        if self._map is not None:
            self._map.close()
            self._map = None


def _file_meta_of(origin: Origin) -> bytes:
    """The file meta information with room for the seal at its end."""
    return build_file_meta(
        FileMeta(
            origin.sop_class_uid,
            origin.sop_instance_uid,
            origin.transfer_syntax_uid,
            source_ae_title=origin.source_ae_title,
            private_creator=IMPLEMENTATION_CLASS_UID,
            private_information=_BLANK_SEAL,
        )
    )
