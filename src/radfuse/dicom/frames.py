"""Where the frames of an image lie in its file (PS3.5 sections 8 and A.4)."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, NamedTuple, TypeAlias

from radfuse.core.errors import MalformedDataSet
from radfuse.dicom.codecs.element_stream import UNDEFINED_LENGTH, ElementReader
from radfuse.dicom.codecs.encapsulation import Encapsulated, EncapsulatedFrames, read_items
from radfuse.dicom.codecs.refused import Refused
from radfuse.dicom.json_model import Extent

_MAX_FRAMES: Final = 1 << 22


class Span(NamedTuple):
    """A run of bytes in the file."""

    position: int
    length: int


FrameMap: TypeAlias = tuple[tuple[Span, ...], ...]
"""The spans of every frame, in order; native frames of single bits may share bytes."""


@dataclass(frozen=True, slots=True)
class Image:
    """The Image Pixel module of an object, as far as its frames need it (PS3.3 section C.7.6.3)."""

    rows: int
    columns: int
    samples: int
    frames: int
    bits_allocated: int
    photometric: str

    @property
    def frame_bits(self) -> int:
        """Bits of one native frame; two samples of three are kept where colour is subsampled."""
        samples = 2 if "422" in self.photometric and self.samples == 3 else self.samples
        return self.rows * self.columns * samples * self.bits_allocated


def image_of(header: Mapping[str, Any]) -> Image | None:
    """The image that a header in DICOM JSON describes; None when it describes none."""
    numbers = [_number(header, tag) for tag in ("00280010", "00280011", "00280100")]
    rows, columns, bits_allocated = (number or 0 for number in numbers)
    if not (rows and columns and bits_allocated):
        return None
    samples = _number(header, "00280002") or 1
    frames = _number(header, "00280008") or 1
    photometric = (header.get("00280004", {}).get("Value") or [""])[0] or ""
    return Image(rows, columns, samples, frames, bits_allocated, str(photometric))


def _number(header: Mapping[str, Any], tag: str) -> int | None:
    value = (header.get(tag, {}).get("Value") or [None])[0]
    return value if isinstance(value, int) and value > 0 else None


def frame_map(
    stream: BinaryIO, pixels: Extent, image: Image, transfer_syntax_uid: str, offset_table: Extent | None
) -> FrameMap:
    """Where the frames lie. Raises MalformedDataSet when the pixels are not what the image says."""
    if image.frames > _MAX_FRAMES:
        raise MalformedDataSet("it has too many frames", pixels.position)
    try:
        if pixels.length != UNDEFINED_LENGTH:
            return _native(pixels, image)
        return _encapsulated(stream, pixels, image, transfer_syntax_uid, offset_table)
    except Refused as error:
        raise MalformedDataSet(error.reason, pixels.position) from None


def _native(pixels: Extent, image: Image) -> FrameMap:
    bits = image.frame_bits
    if (bits * image.frames + 7) // 8 > pixels.length:
        raise Refused("the Pixel Data is shorter than its frames")
    spans = []
    for number in range(image.frames):
        first, last = number * bits // 8, ((number + 1) * bits + 7) // 8
        spans.append((Span(pixels.position + first, last - first),))
    return tuple(spans)


class _Limits(NamedTuple):
    fragments: int = 1 << 22


def _encapsulated(
    stream: BinaryIO, pixels: Extent, image: Image, transfer_syntax_uid: str, offset_table: Extent | None
) -> FrameMap:
    size = os.fstat(stream.fileno()).st_size
    reader = ElementReader(stream, pixels.position, size)
    items = read_items(reader, _Limits())  # type: ignore[arg-type]
    if offset_table is not None and not items.offset_table:
        items = Encapsulated(_extended(stream, offset_table), items.fragments)
    frames = EncapsulatedFrames(reader, items, image.frames, _starts_frame(transfer_syntax_uid), size)
    return tuple(tuple(Span(*fragment) for fragment in frames.fragments_of(number)) for number in range(image.frames))


def _extended(stream: BinaryIO, table: Extent) -> tuple[int, ...]:
    stream.seek(table.position)
    raw = stream.read(table.length // 8 * 8)
    return struct.unpack(f"<{len(raw) // 8}Q", raw)


def _starts_frame(transfer_syntax_uid: str) -> Any:
    from radfuse.dicom.codecs.registry import CODECS  # brings numpy

    codec = next((codec for codec in CODECS if transfer_syntax_uid in codec.DECODES), None)
    return codec.starts_frame if codec is not None else lambda head: False
