"""The store: one file an object, named by a random id, never by anything from the wire."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radfuse.core.errors import BlobMissing, OutOfSpace

BLOB_ID_BYTES: Final = 16
_PREFIX_BYTES: Final = 2
_RANDOM_BYTES: Final = BLOB_ID_BYTES - _PREFIX_BYTES
_FILES_PER_FOLDER: Final = 512
_FILE_MODE: Final = 0o640
_HEX: Final = frozenset("0123456789abcdef")
_OUT_OF_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class SpaceGuard:
    """How much of the volume stays free: the lesser of bytes and share."""

    reserve_bytes: int = 64 << 20
    reserve_share: float = 0.02

    def check(self, folder: Path, needed_bytes: int = 0) -> None:
        """Raise OutOfSpace when ``needed_bytes`` would eat into the reserve."""
        volume = os.statvfs(folder)
        if volume.f_bavail * volume.f_frsize - needed_bytes < self._reserve(volume):
            raise OutOfSpace("the store")

    def reserve_on(self, folder: Path) -> int:
        """The bytes that stay free on the volume of a folder."""
        return self._reserve(os.statvfs(folder))

    def _reserve(self, volume: os.statvfs_result) -> int:
        return min(self.reserve_bytes, int(volume.f_blocks * volume.f_frsize * self.reserve_share))


class BlobStore:
    """Files under ``folder``/ab/cd, where abcd are the first digits of the file's name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._prefix = b""
        self._left_in_folder = 0
        self._random = b""

    def new_id(self) -> bytes:
        """A fresh blob id. Ids made after each other share a folder: new folders cost syncs."""
        with self._lock:
            if self._left_in_folder == 0:
                self._prefix = os.urandom(_PREFIX_BYTES)
                self._left_in_folder = _FILES_PER_FOLDER
            if not self._random:  # fetched for many at a time: it costs a system call
                self._random = os.urandom(_FILES_PER_FOLDER * _RANDOM_BYTES)
            self._left_in_folder -= 1
            own, self._random = self._random[-_RANDOM_BYTES:], self._random[:-_RANDOM_BYTES]
            return self._prefix + own

    def path(self, blob_id: bytes) -> str:
        """Where the blob's file is, or would be."""
        name = blob_id.hex()
        return f"{self.folder}/{name[:2]}/{name[2:4]}/{name}"

    def write(self, blob_id: bytes, content: bytes | bytearray | memoryview, spool: str | Path) -> None:
        """Make the blob's file, not synced; it appears whole or not at all.

        It is written in the folder ``spool`` first (same volume). Raises OutOfSpace or OSError and
        leaves nothing then.
        """
        spooled = f"{spool}/{blob_id.hex()}"
        try:
            file = os.open(spooled, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _FILE_MODE)
            try:
                view = memoryview(content)
                while view:
                    view = view[os.write(file, view) :]
            finally:
                os.close(file)
        except OSError as error:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(spooled)
            raise_if_out_of_space(error, "the store")
            raise
        self.adopt(blob_id, spooled)

    def adopt(self, blob_id: bytes, spooled: str | Path) -> None:
        """Move a spooled file (same volume) to the blob's place."""
        path = self.path(blob_id)
        try:
            try:
                os.rename(spooled, path)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.rename(spooled, path)
        except OSError as error:
            raise_if_out_of_space(error, "the store")
            raise

    def open(self, blob_id: bytes) -> int:
        """A file descriptor for reading; the caller closes it. Raises BlobMissing."""
        try:
            return os.open(self.path(blob_id), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise BlobMissing(blob_id.hex()) from error

    def remove(self, blob_id: bytes) -> bool:
        """Remove the blob's file if it is there; whether it was."""
        try:
            os.unlink(self.path(blob_id))
        except FileNotFoundError:
            return False
        return True

    def exists(self, blob_id: bytes) -> bool:
        """Whether the blob's file is there."""
        return os.path.exists(self.path(blob_id))

    def ids(self) -> Iterator[bytes]:
        """The ids of all files in the store, in order; what is no file of the store is passed over."""
        for first in _hex_names(self.folder, 2):
            for second in _hex_names(self.folder / first, 2):
                for name in _hex_names(self.folder / first / second, 2 * BLOB_ID_BYTES):
                    if name.startswith(first + second):
                        yield bytes.fromhex(name)

    def sync(self) -> None:
        """Make every file written so far durable, names included."""
        folder = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            # One call for thousands of small files costs one commit of the file system instead
            # of one each; Python has no wrapper of its own for it.
            if ctypes.CDLL(None, use_errno=True).syncfs(folder) != 0:
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code))
        finally:
            os.close(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _hex_names(folder: Path, digits: int) -> list[str]:
    """The names in ``folder`` that are so many lower-case hexadecimal digits, in order."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in names if len(name) == digits and _HEX.issuperset(name))


def raise_if_out_of_space(error: OSError, where: str) -> None:
    """Raise OutOfSpace when ``error`` says that the volume or quota is full."""
    if error.errno in _OUT_OF_SPACE:
        raise OutOfSpace(where) from error
