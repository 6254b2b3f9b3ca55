"""Where the bytes of an object to send come from: a file, or our archive; as they are, or transcoded."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import ConfigurationError, MalformedDataSet, OutOfSpace
from radfuse.dicom import Transcoder
from radfuse.wire import FileSlice

_READ_WHOLE_BYTES: Final = 8 << 20
"""Up to this many bytes an object is read once, checked and sent from memory."""


@dataclass(frozen=True, slots=True)
class FileObject:
    """One DICOM file to send: its data set begins at ``data_offset``."""

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    data_offset: int


class ObjectSource:
    """Gives the data sets of files, and of the objects of one archive, one at a time."""

    def __init__(self, archive: Archive | None, transcoder: Transcoder) -> None:
        self._archive = archive
        self._transcoder = transcoder

    @property
    def _kept(self) -> Archive:
        if self._archive is None:
            raise ConfigurationError("database", "an object of an archive is to be sent, and no archive is open")
        return self._archive

    def read(self, item: StoredObject | FileObject) -> bytes | None:
        """The data set as it is stored, proved to be what was received; None when it is better left on disk.

        Raises BlobMissing, BlobDamaged, MalformedDataSet or OSError.
        """
        if isinstance(item, FileObject):
            with item.path.open("rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size - item.data_offset
                _check_not_empty(size)
                return os.pread(file.fileno(), size, item.data_offset) if size <= _READ_WHOLE_BYTES else None
        if item.size_bytes > _READ_WHOLE_BYTES:
            return None
        archive = self._kept
        with archive.open_object(item) as opened:
            return archive.read_verified(item, opened)

    @contextlib.contextmanager
    def on_disk(self, item: StoredObject | FileObject) -> Iterator[FileSlice]:
        """As ``read``, for objects that are too large for that."""
        if isinstance(item, FileObject):
            with _slice_of(item.path, item.data_offset) as data:
                yield data
            return
        archive = self._kept
        with archive.open_object(item) as opened:
            archive.verify(item, opened)
            yield FileSlice(opened.file, opened.data_start, opened.size_bytes)

    @contextlib.contextmanager
    def transcoded(self, item: StoredObject | FileObject, target: str, derived_uid: str = "") -> Iterator[FileSlice]:
        """The data set in another transfer syntax; in a file that is gone afterwards.

        ``derived_uid`` as in ``Transcoder.transcode``. Also raises CannotTranscode and OutOfSpace.
        """
        scratch = None
        if isinstance(item, FileObject):
            path = item.path
        else:
            archive = self._kept
            with archive.open_object(item) as opened:
                archive.verify(item, opened)
            path, scratch = archive.path_of(item), archive.scratch_folder
        with _scratch_folder(scratch) as folder:
            result = folder / "data-set"
            self._transcoder.transcode(path, target, result, derived_uid=derived_uid)
            with _slice_of(result, 0) as data:
                yield data


@contextlib.contextmanager
def _scratch_folder(within: Path | None) -> Iterator[Path]:
    """A folder that is gone afterwards; OutOfSpace when there is no room for one."""
    try:
        made = tempfile.TemporaryDirectory(prefix="radfuse-send-", dir=within)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise OutOfSpace("a transcoded object") from error
        raise
    with made as folder:
        yield Path(folder)


@contextlib.contextmanager
def _slice_of(path: Path, offset: int) -> Iterator[FileSlice]:
    """The file from ``offset`` on; MalformedDataSet when nothing is there."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size - offset
        _check_not_empty(size)
        yield FileSlice(file.fileno(), offset, size)


def _check_not_empty(size_bytes: int) -> None:
    if size_bytes <= 0:
        raise MalformedDataSet("the file ends before its data set", 0)
