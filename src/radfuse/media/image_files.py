"""Files in a disc image: where their bytes lie, bounded in number and size, and read as streams."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NamedTuple, NoReturn

from radfuse.core.errors import UnreadableMedia


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a disc image may ask for before it is refused: a hostile one can name any number of files."""

    files: int = 1_000_000
    folder_bytes: int = 1 << 28
    """Of all folders together."""
    levels: int = 64
    extents: int = 1 << 20
    """Of all files together beyond one each."""
    size_factor: int = 8
    """The files together may be this many times as large as the image: links to the same bytes are lawful."""


IMAGE_LIMITS: Final = ImageLimits()


class Extent(NamedTuple):
    """A run of bytes in the image; ``position`` -1: zeros that were never recorded."""

    position: int
    length: int


class ImageFile(NamedTuple):
    """One file of an image: its names from the root down."""

    names: tuple[str, ...]
    size_bytes: int
    extents: tuple[Extent, ...]


class ImageBytes:
    """The image as bytes; what lies behind its end cannot be read."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.size_bytes = stream.seek(0, os.SEEK_END)

    def read(self, position: int, length: int) -> bytes:
        """Exactly ``length`` bytes. Raises UnreadableMedia where the image is shorter."""
        if position < 0 or length < 0 or position + length > self.size_bytes:
            raise UnreadableMedia("it points behind its own end; copy the medium again")
        self.stream.seek(position)
        data = self.stream.read(length)
        if len(data) != length:
            raise UnreadableMedia("it is shorter than it was; copy the medium again")
        return data

    def has(self, extents: Iterable[Extent]) -> bool:
        """Whether all these bytes are there."""
        return all(each.position < 0 or each.position + each.length <= self.size_bytes for each in extents)


@dataclass(slots=True)
class Listing:
    """The files that were found, counted against the limits, and sentences about what was passed over."""

    source: ImageBytes
    limits: ImageLimits = IMAGE_LIMITS
    files: list[ImageFile] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    is_over_limits: bool = False
    _folder_bytes: int = 0
    _file_bytes: int = 0
    _extents: int = 0
    _folders: set[object] = field(default_factory=set)

    def enter(self, folder: object, level: int, size_bytes: int) -> bool:
        """Whether a folder is to be read: once, and not too deep. Raises UnreadableMedia beyond the limits."""
        if folder in self._folders or level > self.limits.levels:
            self.find("a folder that holds itself was passed over")
            return False
        self._folders.add(folder)
        self._folder_bytes += size_bytes
        if self._folder_bytes > self.limits.folder_bytes:
            self._refuse("its folders are larger than the limit")
        return True

    def add(self, names: tuple[str, ...], size_bytes: int, extents: tuple[Extent, ...]) -> None:
        """Take a file, or say why it is passed over. Raises UnreadableMedia beyond the limits."""
        if not all(is_safe_name(name) for name in names):
            self.find("a file with a name that is none was passed over")
            return
        if not self.source.has(extents) or sum(extent.length for extent in extents) != size_bytes:
            self.find("a file that the image does not hold whole was passed over")
            return
        self._extents += len(extents)
        self._file_bytes += size_bytes
        self.files.append(ImageFile(names, size_bytes, extents))
        if len(self.files) > self.limits.files or self._extents > self.limits.extents + len(self.files):
            self._refuse("it holds more files than the limit")
        if self._file_bytes > self.limits.size_factor * self.source.size_bytes:
            self._refuse("its files are together far larger than the image")

    def _refuse(self, reason: str) -> NoReturn:
        self.is_over_limits = True
        raise UnreadableMedia(reason)

    def find(self, sentence: str) -> None:
        """Note what was passed over, each kind once."""
        if sentence not in self.findings:
            self.findings.append(sentence)


def is_safe_name(name: str) -> bool:
    """Whether a name is one file or folder, and leads nowhere else."""
    return bool(name) and name not in (".", "..") and not any(char in name for char in "/\\\0")


class ExtentStream(io.RawIOBase):
    """The bytes of one file, read from the image; seekable. Closing it leaves the image open."""

    def __init__(self, source: ImageBytes, file: ImageFile) -> None:
        super().__init__()
        self._source = source
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of any file."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.size_bytes}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read on, to the end of an extent at most."""
        start = 0
        for extent in self._file.extents:
            offset = self._position - start
            if 0 <= offset < extent.length:
                length = min(len(buffer), extent.length - offset)
                is_hole = extent.position < 0
                data = bytes(length) if is_hole else self._source.read(extent.position + offset, length)
                buffer[:length] = data
                self._position += length
                return length
            start += extent.length
        return 0
