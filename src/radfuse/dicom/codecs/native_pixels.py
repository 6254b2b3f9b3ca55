"""Native Pixel Data, read and written frame by frame (PS3.5 section 8.1.1 and annex D)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from radfuse.dicom.codecs.base import NATIVE_VALUE_LIMIT_BYTES
from radfuse.dicom.codecs.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from radfuse.dicom.codecs.base import PixelDescription, Samples
    from radfuse.dicom.codecs.element_stream import ElementReader, ElementWriter, Encoding
    from radfuse.dicom.codecs.scan import Pixels

WIDEST_BIG_ENDIAN_BITS: Final = 16


class NativeFrames:
    """The frames of native Pixel Data as unsigned containers, colour by pixel; raises ``Refused``."""

    def __init__(
        self,
        reader: ElementReader,
        pixels: Pixels,
        encoding: Encoding,
        description: PixelDescription,
        *,
        subsampled: bool = False,
    ) -> None:
        if "_42" in description.photometric and not subsampled:
            raise Refused("native pixels with subsampled colour are not compressed")
        if pixels.length - description.object_bytes not in (0, description.object_bytes & 1):
            raise Refused("the Pixel Data is not as long as the image needs")
        if not encoding.little and description.bits_allocated < 8 and pixels.vr == b"OW":
            raise Refused("1-bit samples in big endian words are not compressed")
        self._reader = reader
        self._position = pixels.position
        self._description = description
        # Bytes lie in words where the VR is OW (section 8.1.1), so that bytes swap as well.
        self._swapped_bytes = not encoding.little and pixels.vr == b"OW" and description.bits_allocated == 8
        self._dtype = description.dtype.newbyteorder("<" if encoding.little else ">")

    def read(self, index: int) -> Samples:
        """Frame ``index``."""
        description = self._description
        if description.bits_allocated == 1:
            return self._read_bits(index)
        values = self._read_values(index * description.frame_bytes, description.frame_bytes)
        if description.samples == 1 or description.planar == 0:
            return values.reshape(description.shape)
        planes = values.reshape(description.samples, description.rows, description.columns)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))

    def _read_values(self, offset: int, count: int) -> Samples:
        first = offset - (offset & 1 if self._swapped_bytes else 0)
        last = offset + count + (offset + count & 1 if self._swapped_bytes else 0)
        self._reader.seek(self._position + first)
        data = self._reader.read(last - first)
        if self._swapped_bytes:
            data = np.frombuffer(data, "<u2").byteswap().tobytes()[offset - first : offset - first + count]
        return np.frombuffer(data, self._dtype).astype(self._description.dtype)

    def _read_bits(self, index: int) -> Samples:
        """A frame of packed bits, which begins where the frame before it ended."""
        count = self._description.samples_per_frame
        first_byte, skipped_bits = divmod(index * count, 8)
        self._reader.seek(self._position + first_byte)
        packed = np.frombuffer(self._reader.read((skipped_bits + count + 7) // 8), np.uint8)
        bits = np.unpackbits(packed, bitorder="little")[skipped_bits : skipped_bits + count]
        return bits.reshape(self._description.shape)


def write_native(writer: ElementWriter, tag: int, frames: Iterable[Samples], description: PixelDescription) -> None:
    """Write Pixel Data from its frames; raises ``Refused`` when it cannot be native."""
    length = description.object_bytes
    check_native(length, description.bits_allocated, writer.encoding)
    writer.header(tag, b"OB" if description.bits_allocated <= 8 else b"OW", length + (length & 1))
    if description.bits_allocated == 1:
        _write_bits(writer, frames)
    else:
        dtype = description.dtype.newbyteorder("<" if writer.encoding.little else ">")
        for frame in frames:
            writer.out.write(frame.astype(dtype, copy=False).tobytes())
    writer.out.write(bytes(length & 1))


def check_native(length: int, bits_allocated: int, encoding: Encoding) -> None:
    """Refuse pixels that no native Pixel Data can hold."""
    if length > NATIVE_VALUE_LIMIT_BYTES:
        raise Refused("the pixels are too long for native Pixel Data (4 GiB)")
    if not encoding.little and bits_allocated > WIDEST_BIG_ENDIAN_BITS:
        raise Refused("programs disagree on the word order of 32-bit samples in big endian")


def _write_bits(writer: ElementWriter, frames: Iterable[Samples]) -> None:
    """Frames of bits follow each other without a gap (section 8.1.1): carry what fills no byte."""
    carried = np.zeros(0, np.uint8)
    for frame in frames:
        bits = np.concatenate((carried, frame.reshape(-1)))
        whole = bits.size - bits.size % 8
        writer.out.write(np.packbits(bits[:whole], bitorder="little").tobytes())
        carried = bits[whole:]
    writer.out.write(np.packbits(carried, bitorder="little").tobytes())
