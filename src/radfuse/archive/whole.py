"""Is a file of the store what it says of itself? Every byte is read."""

from __future__ import annotations

import errno
import os
from typing import Final, NamedTuple

import xxhash

from radfuse.archive.incoming import Seal
from radfuse.core.errors import DataSetError
from radfuse.core.uids import IMPLEMENTATION_CLASS_UID
from radfuse.dicom import FileMeta, read_file_meta

_CHUNK_BYTES: Final = 1 << 20
_BAD_BLOCKS: Final = frozenset({errno.EIO, errno.ENODATA, errno.EUCLEAN})


class FileContent(NamedTuple):
    """What a file says of itself, and what its bytes are."""

    meta: FileMeta
    seal: Seal
    size_bytes: int
    """Length of the data set."""
    digest: bytes
    """Of the data set as it is now."""


def read_content(path: str) -> FileContent | None:
    """Read a file of the store to its end; None for what is not one of ours or lies on bad blocks.

    Raises FileNotFoundError, or another error of the disk. Not by memory mapping: a block that the
    disk cannot read would end the process.
    """
    try:
        return _read(path)
    except DataSetError:
        return None
    except OSError as error:
        if error.errno in _BAD_BLOCKS:
            return None
        raise


def _read(path: str) -> FileContent:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        chunk = os.read(file, _CHUNK_BYTES)
        meta = read_file_meta(chunk)
        if meta.private_creator != IMPLEMENTATION_CLASS_UID:
            raise DataSetError
        try:
            seal = Seal.unpack(meta.private_information)
        except ValueError as error:
            raise DataSetError from error
        digest = xxhash.xxh3_128(memoryview(chunk)[meta.data_offset :])
        size = len(chunk) - meta.data_offset
        while chunk := os.read(file, _CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
        return FileContent(meta, seal, size, digest.digest())
    finally:
        os.close(file)
