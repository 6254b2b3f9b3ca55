"""What every pixel codec shares: the image pixel description, the limits and the codec's shape."""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy as np

from radfuse.dicom.codecs.refused import Refused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Samples = NDArray[Any]

NATIVE_VALUE_LIMIT_BYTES: Final = 0xFFFF_FFFE
"""The longest value that a 32-bit length can say (PS3.5 section 7.1.1)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest image that is decoded or encoded, in bytes of native pixels."""

    frame_bytes: int = 1 << 30
    object_bytes: int = 8 << 30
    fragments: int = 1 << 22


@dataclass(frozen=True, slots=True)
class PixelDescription:
    """The Image Pixel module (PS3.3 section C.7.6.3) as far as codecs need it."""

    rows: int
    columns: int
    samples: int
    frames: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: str
    planar: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, columns) or (rows, columns, samples)."""
        return (self.rows, self.columns) if self.samples == 1 else (self.rows, self.columns, self.samples)

    @property
    def samples_per_frame(self) -> int:
        """Sample values of one frame."""
        return self.rows * self.columns * self.samples

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame when it is held alone, one byte for a 1-bit sample."""
        return self.samples_per_frame * (max(self.bits_allocated, 8) // 8)

    @property
    def object_bytes(self) -> int:
        """Bytes of native Pixel Data without padding (PS3.5 section 8.1.1)."""
        return math.ceil(self.samples_per_frame * self.frames * self.bits_allocated / 8)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The unsigned container of one sample."""
        return np.dtype(f"u{max(self.bits_allocated, 8) // 8}")

    def check(self, limits: Limits) -> None:
        """Raise ``Refused`` for an image that is nonsense or too large; nothing is allocated before."""
        if not (self.rows and self.columns):
            raise Refused("Rows or Columns is zero")
        if self.samples not in (1, 3):
            raise Refused("Samples per Pixel is neither 1 nor 3")
        if self.bits_allocated not in (1, 8, 16, 32):
            raise Refused("Bits Allocated is not 1, 8, 16 or 32")
        if not 1 <= self.bits_stored <= self.bits_allocated:
            raise Refused("Bits Stored does not fit into Bits Allocated")
        if self.high_bit != self.bits_stored - 1:
            raise Refused("High Bit is not Bits Stored - 1")
        if self.planar not in (0, 1):
            raise Refused("Planar Configuration is neither 0 nor 1")
        if self.frames < 1:
            raise Refused("Number of Frames is below 1")
        if self.frame_bytes > limits.frame_bytes:
            raise Refused("a frame is larger than the limit")
        if self.object_bytes > limits.object_bytes:
            raise Refused("the pixels are larger than the limit")


class Decoded(NamedTuple):
    """One frame: unsigned containers holding the stored bits, colour by pixel, and its colour space."""

    samples: Samples
    photometric: str


class Codec(Protocol):
    """One codec family: what it needs, whether that is there, what it does."""

    @property
    def NEEDS(self) -> str:
        """The Python package it needs, or nothing."""
        ...

    @property
    def DECODES(self) -> frozenset[str]:
        """The transfer syntaxes it reads."""
        ...

    @property
    def ENCODES(self) -> frozenset[str]:
        """The transfer syntaxes it writes."""
        ...

    def is_available(self) -> bool:
        """Whether ``NEEDS`` is installed."""
        ...

    def starts_frame(self, head: bytes) -> bool:
        """Whether a fragment with these first bytes is the first one of a frame."""
        ...

    def decode_frame(self, data: bytes, description: PixelDescription) -> Decoded:
        """Decode one frame; raises ``Refused``."""
        ...

    def encode_frame(self, samples: Samples, description: PixelDescription) -> bytes:
        """Encode one frame without loss; raises ``Refused``."""
        ...

    def encoded_photometric(self, description: PixelDescription) -> str:
        """Photometric Interpretation of what ``encode_frame`` writes; raises ``Refused``."""
        ...


def imagecodecs() -> Any:
    """The imagecodecs package, loaded when first needed and only ever in the child process."""
    return importlib.import_module("imagecodecs")


def fit_container(values: Samples, precision: int, stream_signed: bool, description: PixelDescription) -> Samples:
    """Decoded ``values`` of ``precision`` bits as the containers that the description promises.

    JPEG and JPEG-LS streams carry no sign, and JPEG 2000 streams often carry the wrong one: the
    bits are taken from the stream and their meaning from Pixel Representation.
    """
    if precision > description.bits_allocated:
        raise Refused("the stream has more bits a sample than Bits Allocated")
    if values.shape != description.shape:
        raise Refused("the decoded frame is not Rows x Columns x Samples per Pixel")
    containers: Samples = values.astype(description.dtype)
    fill = containers.dtype.itemsize * 8 - precision
    if fill and description.signed and (stream_signed or precision == description.bits_stored):
        extended = containers.view(f"i{containers.dtype.itemsize}") << fill >> fill
        return np.asarray(extended.view(containers.dtype))
    if fill and stream_signed and not description.signed:
        return np.asarray(containers & containers.dtype.type((1 << precision) - 1))
    return containers


def sign_extended(samples: Samples, description: PixelDescription) -> Samples:
    """The same sample values, with the sign repeated above Bits Stored where zeros stand instead.

    Both are legal (PS3.5 section 8.1.1 gives those bits no meaning), but only the former survives
    a stream that holds the containers.
    """
    if not description.signed or np.any(samples >> description.bits_stored):
        return samples
    return fit_container(samples, description.bits_stored, False, description)


def cut_to_stored(samples: Samples, description: PixelDescription) -> Samples:
    """``samples`` without what is above Bits Stored; raises ``Refused`` when that was in use.

    Old images keep overlays up there: readers of native pixels mask them, readers of compressed
    pixels would show them.
    """
    cut: Samples = samples & samples.dtype.type((1 << description.bits_stored) - 1)
    if not np.array_equal(fit_container(cut, description.bits_stored, False, description), samples):
        raise Refused("bits above Bits Stored are in use")
    return cut


def require_shape(rows: int, columns: int, components: int, description: PixelDescription) -> None:
    """Refuse a stream whose own header differs from the description, before it allocates anything."""
    if (rows, columns, components) != (description.rows, description.columns, description.samples):
        raise Refused("the stream is not Rows x Columns x Samples per Pixel")
