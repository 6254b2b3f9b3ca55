"""Stored values of frames, straight from their files; compressed ones are decoded in child processes first.

The codecs are C and C++ on input from anywhere, so this process loads none: what is not plain numbers
in the file is transcoded to a file that is.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import CannotBuildVolume, CannotTranscode, OutOfSpace, RadfuseError
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE
from radfuse.dicom import Transcoder
from radfuse.dicom.transcode import can_transcode
from radfuse.dicom.web import uid_name
from radfuse.volume.images import ImageFile, StoredPixels, pixels_of_data_set

Numbers = npt.NDArray[Any]

_SHORT: Final = "a file became shorter while it was read: get the images again from where they came from"


class Decoding(NamedTuple):
    """What is needed to read files whose pixels are not plain numbers."""

    transcoder: Transcoder
    folder: Path


@contextmanager
def decoding(transcoder: Transcoder | None = None, children: int = 2) -> Iterator[Decoding]:
    """A folder for decoded files, and the transcoder to be used; one of our own unless one is given."""
    with tempfile.TemporaryDirectory(prefix="radfuse-pixels-") as folder:
        if transcoder is not None:
            yield Decoding(transcoder, Path(folder))
            return
        with Transcoder(children=children) as own:
            yield Decoding(own, Path(folder))


@dataclass(frozen=True, slots=True)
class OpenPixels:
    """An open file with native pixels."""

    descriptor: int
    pixels: StoredPixels

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers as they lie in the file."""
        size = max(self.pixels.bits_allocated // 8, 1)
        kind = "f" if self.pixels.kind in "fd" else ("i" if self.pixels.signed else "u")
        return np.dtype(f"{'>' if self.pixels.swaps else '<'}{kind}{size}")

    def read_into(self, frame: int, target: Numbers) -> None:
        """The bytes of a frame of whole bytes, as they lie in the file."""
        size = self.pixels.frame_bits // 8
        self._read(self.pixels.offset + frame * size, target.reshape(-1).view(np.uint8).data)

    def frame(self, number: int) -> Numbers:
        """The stored values of a frame, as numbers of this machine; unused bits are not looked at."""
        pixels = self.pixels
        if pixels.bits_allocated == 1:
            return self._bits(number)
        stored = np.empty((pixels.rows, pixels.columns), self.dtype)
        self.read_into(number, stored)
        return self.meant(stored)

    def meant(self, stored: Numbers) -> Numbers:
        """Numbers of which bits beyond Bits Stored are something else (PS3.5 section 8.1.1)."""
        pixels = self.pixels
        if stored.dtype.byteorder == ">":
            stored = stored.astype(stored.dtype.newbyteorder("<"))
        spare = pixels.bits_allocated - pixels.bits_stored
        if pixels.kind != "i" or not spare:
            return stored
        up = spare - pixels.shift
        # Up to the highest bit and down again: the sign comes along, what is beyond does not.
        meant: Numbers = np.right_shift(np.left_shift(stored, up), spare)
        if pixels.has_foreign_padding:
            np.copyto(meant, stored, where=self.is_padding(stored))
        return meant

    def is_padding(self, stored: Numbers) -> npt.NDArray[np.bool_]:
        """Which numbers say that nothing was measured."""
        if self.pixels.padding is None:
            return np.zeros(stored.shape, np.bool_)
        low, high = self.pixels.padding
        found: npt.NDArray[np.bool_] = (stored == low) if low == high else (stored >= low) & (stored <= high)
        return found

    def _bits(self, number: int) -> Numbers:
        """A frame of single bits, which need not begin with a byte (PS3.5 section 8.1.1)."""
        pixels = self.pixels
        count = pixels.rows * pixels.columns
        first = number * count
        raw = np.empty((first + count + 7) // 8 - first // 8, np.uint8)
        self._read(pixels.offset + first // 8, raw.data)
        bits = np.unpackbits(raw, bitorder="little")[first % 8 :][:count]
        return bits.reshape(pixels.rows, pixels.columns)

    def _read(self, offset: int, target: memoryview) -> None:
        done = 0
        while done < len(target):
            count = os.preadv(self.descriptor, [target[done:]], offset + done)
            if not count:
                raise CannotBuildVolume(_SHORT)
            done += count


@contextmanager
def opened(image: ImageFile, using: Decoding) -> Iterator[OpenPixels]:
    """The pixels of a file, decoded where they must be. Raises CannotBuildVolume."""
    pixels = image.pixels
    try:
        if pixels.is_encapsulated or pixels.is_deflated or (pixels.big and pixels.bits_allocated <= 8):
            path = using.folder / secrets.token_hex(8)
            try:
                pixels = _decoded(image, path, using.transcoder)
                with _descriptor(path) as descriptor:
                    yield OpenPixels(descriptor, pixels)
            finally:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
        else:
            with _descriptor(image.path) as descriptor:
                yield OpenPixels(descriptor, pixels)
    except OSError as error:
        raise CannotBuildVolume(f"a file cannot be read: {error.strerror}") from None


@contextmanager
def _descriptor(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _decoded(image: ImageFile, path: Path, transcoder: Transcoder) -> StoredPixels:
    syntax = uid_name(image.transfer_syntax_uid) or image.transfer_syntax_uid
    if not can_transcode(image.transfer_syntax_uid, EXPLICIT_LITTLE):
        raise CannotBuildVolume(f"pixels in {syntax} cannot be decoded: have them sent in another transfer syntax")
    try:
        transcoder.transcode(image.path, EXPLICIT_LITTLE, path)
    except CannotTranscode as error:
        raise CannotBuildVolume(f"pixels in {syntax} cannot be decoded: {error.reason}") from None
    except OutOfSpace:
        raise CannotBuildVolume("there is no space left to decode images in") from None
    except RadfuseError as error:
        raise CannotBuildVolume(f"the pixels of an image cannot be decoded: {error}") from None
    return pixels_of_data_set(path)
