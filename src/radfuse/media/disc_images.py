"""Disc images: ISO 9660 level 1 with Joliet, or UDF, written from a folder; ISO 9660, Joliet, Rock Ridge, UDF read."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Final

from radfuse.core.errors import CannotMakeImage, OutOfSpace, UnreadableMedia
from radfuse.media.file_ids import MOST_COMPONENTS
from radfuse.media.image_files import IMAGE_LIMITS, ExtentStream, ImageBytes, ImageFile, ImageLimits, Listing
from radfuse.media.image_tree import Branch, tree_of
from radfuse.media.iso_reading import is_iso_9660, list_iso_9660
from radfuse.media.udf_reading import is_udf, list_udf

if TYPE_CHECKING:
    from radfuse.media.file_systems import FileSystem

__all__ = ["DiscImage", "ImageFile", "ImageLimits", "Progress", "is_disc_image", "read_disc_image", "write_disc_image"]

Progress = Callable[[int, int], None]
"""Called with the bytes that are done, and all bytes."""

_LONGEST_LABEL: Final = 16
"""Of Joliet, in its two-byte characters."""
_MOST_LEVELS_ISO: Final = 7
"""Names in a path. ECMA-119 section 6.8.2.1 allows one more, pycdlib counts the file as a level."""
_BLOCK_BYTES: Final = 1 << 20


def _nothing(done: int, total: int) -> None:
    """Progress that nobody asked for."""


def write_disc_image(
    folder: Path, image: Path, file_system: FileSystem, label: str = "DICOM", progress: Progress = _nothing
) -> None:
    """Write the files below ``folder`` as the disc image ``image``, which appears whole, synced, or not at all.

    ``label``: characters that a label cannot have become ``_``. Raises CannotMakeImage for a file system that has
    no image, names or levels that not every medium holds, and an image that is already there; OutOfSpace, OSError.
    """
    if not file_system.image:
        raise CannotMakeImage(f"a medium with {file_system.name} takes no image: copy the exported folder onto it")
    if image.exists():
        raise CannotMakeImage(f"{image.name} is already there: name another file")
    is_iso = file_system.image == "ISO 9660"
    tree, name = tree_of(folder, _MOST_LEVELS_ISO if is_iso else MOST_COMPONENTS), _label(label)
    _check_sizes(tree, file_system)
    partial = image.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with partial.open("xb") as out:
            if is_iso:
                _write_iso(tree, out, name, progress)
            else:
                from radfuse.media.udf_writing import write_udf

                write_udf(tree, out, file_system.image, name, progress)
            out.flush()
            os.fsync(out.fileno())
        _appear(partial, image)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfSpace("a disc image") from error
        raise
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _check_sizes(tree: Branch, file_system: FileSystem) -> None:
    longest = file_system.largest_file_bytes
    for branch in tree.walk():
        for leaf in branch.leaves:
            if longest is not None and leaf.size_bytes > longest:
                raise CannotMakeImage(f"{leaf.name} is larger than a file of {file_system.name}: leave it out")


def _appear(partial: Path, image: Path) -> None:
    """Give the finished image its name, which nobody may have taken meanwhile."""
    try:
        os.link(partial, image)
    except FileExistsError:
        raise CannotMakeImage(f"{image.name} is already there: name another file") from None
    except OSError:
        # A file system without links (FAT): the name was free a moment ago.
        if image.exists():
            raise CannotMakeImage(f"{image.name} is already there: name another file") from None
        os.rename(partial, image)
    descriptor = os.open(image.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _label(label: str) -> str:
    return re.sub(r"[^A-Z0-9_]", "_", label.upper())[:_LONGEST_LABEL] or "DICOM"


def _write_iso(tree: Branch, out: BinaryIO, label: str, progress: Progress) -> None:
    """By pycdlib; it opens each file only while it copies it."""
    import pycdlib
    from pycdlib.pycdlibexception import PyCdlibException

    iso = pycdlib.PyCdlib()
    try:
        iso.new(interchange_level=1, joliet=3, vol_ident=label, app_ident_str="RADFUSE")
        for branch in tree.walk():
            path = "/".join(("", *branch.names))
            if branch.names:
                iso.add_directory(path, joliet_path=path)
            for leaf in branch.leaves:
                name = leaf.name if "." in leaf.name else f"{leaf.name}."
                iso.add_file(leaf.path, f"{path}/{name};1", joliet_path=f"{path}/{leaf.name}")
        iso.write_fp(out, blocksize=_BLOCK_BYTES, progress_cb=lambda done, total, _: progress(done, total))
    except PyCdlibException as error:
        raise CannotMakeImage("the folder changed meanwhile, or holds what ISO 9660 cannot") from error
    finally:
        with contextlib.suppress(PyCdlibException):
            iso.close()


# --- reading -------------------------------------------------------------------------------------


class DiscImage:
    """The files of a disc image. Close it, or leave its ``with``."""

    def __init__(self, stream: BinaryIO, limits: ImageLimits = IMAGE_LIMITS) -> None:
        self._source = ImageBytes(stream)
        listing = Listing(self._source, limits)
        if is_iso_9660(self._source):
            list_iso_9660(self._source, listing)
        elif is_udf(self._source):
            list_udf(self._source, listing)
        else:
            raise UnreadableMedia("it is neither ISO 9660 nor UDF")
        self._files = tuple(listing.files)
        self.findings = tuple(listing.findings)

    def __enter__(self) -> DiscImage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[ImageFile]:
        """Every file, in no special order."""
        return iter(self._files)

    def files(self) -> tuple[ImageFile, ...]:
        """Every file, in no special order."""
        return self._files

    def open(self, file: ImageFile) -> BinaryIO:
        """The bytes of a file. One file at a time is read: they share the image's position."""
        return io.BufferedReader(ExtentStream(self._source, file), _BLOCK_BYTES)

    def close(self) -> None:
        """Close the image."""
        self._source.stream.close()


def read_disc_image(path: Path, limits: ImageLimits = IMAGE_LIMITS) -> DiscImage:
    """The image at ``path``, its folders listed within ``limits``. Raises UnreadableMedia, OSError."""
    stream = path.open("rb")
    try:
        return DiscImage(stream, limits)
    except BaseException:
        stream.close()
        raise


def is_disc_image(head: bytes) -> bool:
    """Whether a file with these first bytes (34,816 are enough) is an image that ``read_disc_image`` may read."""
    return len(head) > 32_774 and head[32_769:32_774] in (b"CD001", b"BEA01", b"NSR02", b"NSR03", b"BOOT2", b"CDW02")
