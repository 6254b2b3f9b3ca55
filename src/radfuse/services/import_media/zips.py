"""Zip files as they may come from anybody: what they declare is judged before anything of them is read."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from radfuse.services.import_media.model import ImportLimits

_SMALL_DIRECTORY_BYTES: Final = 1 << 20
_ENTRY_BYTES: Final = 512
_ENTRY_MARK: Final = b"PK\1\2"


class BadZip(Exception):
    """A zip file that declares more than is allowed."""


def is_zip(path: Path) -> bool:
    """Whether the file can be opened as a zip file."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        if file.read(2) == b"PK":
            return zipfile.is_zipfile(path)
    return False


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
