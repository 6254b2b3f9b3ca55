"""RLE Lossless (PS3.5 annex G), read only, in Python: nothing else is needed."""

from __future__ import annotations

import itertools
import math
import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from radfuse.dicom.codecs.base import Decoded
from radfuse.dicom.codecs.refused import Refused

if TYPE_CHECKING:
    from radfuse.dicom.codecs.base import PixelDescription, Samples

RLE_LOSSLESS: Final = "1.2.840.10008.1.2.5"

NEEDS: Final = ""
DECODES: Final = frozenset({RLE_LOSSLESS})
ENCODES: Final[frozenset[str]] = frozenset()

_HEADER: Final = struct.Struct("<16L")


def is_available() -> bool:
    """Always."""
    return True


def starts_frame(head: bytes) -> bool:
    """Every fragment is a frame (section G.4)."""
    return True


def decode_frame(data: bytes, description: PixelDescription) -> Decoded:
    """One frame, colour by pixel; raises ``Refused``."""
    if description.bits_allocated == 1:
        return Decoded(_decode_bits(data, description), description.photometric)
    width = description.bits_allocated // 8
    pixels = description.rows * description.columns
    segments = _segments(data, description.samples * width)
    planes = np.empty((pixels, description.samples, width), np.uint8)
    for index, segment in enumerate(segments):
        sample, byte = divmod(index, width)
        # The first segment of a sample is its most significant byte (section G.2).
        planes[:, sample, width - 1 - byte] = np.frombuffer(_unpack(segment, pixels), np.uint8)
    values = planes.reshape(-1).view(f"<u{width}").astype(description.dtype, copy=False)
    return Decoded(values.reshape(description.shape), description.photometric)


def encode_frame(samples: Samples, description: PixelDescription) -> bytes:
    """Never: nothing is sent in RLE."""
    raise Refused("RLE is only read")


def encoded_photometric(description: PixelDescription) -> str:
    """Never: nothing is sent in RLE."""
    raise Refused("RLE is only read")


def _decode_bits(data: bytes, description: PixelDescription) -> Samples:
    """A frame of 1-bit samples: one segment of packed bits, each frame beginning a byte."""
    count = description.samples_per_frame
    (segment,) = _segments(data, 1)
    packed = np.frombuffer(_unpack(segment, math.ceil(count / 8)), np.uint8)
    return np.unpackbits(packed, count=count, bitorder="little").reshape(description.shape)


def _segments(data: bytes, expected: int) -> list[memoryview]:
    if len(data) < _HEADER.size:
        raise Refused("the RLE header is truncated")
    count, *offsets = _HEADER.unpack_from(data)
    if count != expected:
        raise Refused("the RLE header has another number of segments than the image needs")
    bounds = [*offsets[:count], len(data)]
    if bounds[0] != _HEADER.size or bounds != sorted(bounds):
        raise Refused("the RLE segment offsets are damaged")
    view = memoryview(data)
    return [view[start:end] for start, end in itertools.pairwise(bounds)]


def _unpack(segment: memoryview, expected: int) -> bytes:
    """The PackBits runs of one segment (section G.3.2): exactly ``expected`` bytes, then padding."""
    source = segment.tobytes()
    result = bytearray()
    position, end = 0, len(source)
    while len(result) < expected:
        if position >= end:
            raise Refused("an RLE segment is truncated")
        control = source[position]
        position += 1
        if control < 128:
            result += source[position : position + control + 1]
            position += control + 1
        elif control > 128:
            result += source[position : position + 1] * (257 - control)
            position += 1
    if len(result) != expected or position > end:
        raise Refused("an RLE segment does not end with the frame")
    return bytes(result)
