"""What becomes of the pixels of one data set, decided before its first element is written."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from radfuse.core.transfer_syntaxes import JPEG_BASELINE, JPEG_EXTENDED, TransferSyntax
from radfuse.dicom.codecs.base import Limits, PixelDescription, sign_extended
from radfuse.dicom.codecs.blanking import SUBSAMPLED, as_subsampled, blanked, blanked_subsampled
from radfuse.dicom.codecs.element_stream import UNDEFINED_LENGTH, ElementReader, ElementWriter, Encoding
from radfuse.dicom.codecs.encapsulation import Encapsulated, EncapsulatedFrames, write_encapsulated
from radfuse.dicom.codecs.lossy import LOSSY_IMAGE_COMPRESSION, LossyFrames, lossy_edits
from radfuse.dicom.codecs.native_pixels import NativeFrames, check_native, write_native
from radfuse.dicom.codecs.refused import Refused
from radfuse.dicom.codecs.registry import decoder_of, encoder_of
from radfuse.dicom.codecs.scan import (
    BITS_ALLOCATED,
    EXTENDED_OFFSET_TABLE,
    EXTENDED_OFFSET_TABLE_LENGTHS,
    PHOTOMETRIC_INTERPRETATION,
    PIXEL_DATA,
    PLANAR_CONFIGURATION,
    Pixels,
    Scan,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from radfuse.dicom.blanking import Blanking
    from radfuse.dicom.codecs.base import Codec, Samples
    from radfuse.dicom.codecs.element_stream import OwnValue

DROPPED_WITH_ENCAPSULATION: Final = frozenset((EXTENDED_OFFSET_TABLE, EXTENDED_OFFSET_TABLE_LENGTHS))
ALWAYS_LOSSY: Final = frozenset({JPEG_BASELINE, JPEG_EXTENDED})
"""Out of which comes an image that has lost something for good, and says so (PS3.3 section C.7.6.1.1.5)."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is constant while one object is transcoded. ``reserve_bytes`` asks for memory.

    ``derived_uid``: the target has loss, and this is the SOP Instance UID of what comes out.
    ``blanking``: what is taken out of the frames of the image; an icon is not touched.
    """

    source: TransferSyntax
    target: TransferSyntax
    limits: Limits
    reserve_bytes: Callable[[int], None]
    derived_uid: str = ""
    blanking: Blanking | None = None


class PixelPlan:
    """Attributes to set (``edits``: tag -> VR, value), to drop, and how to write Pixel Data.

    ``end`` is where the source's Pixel Data ends.
    """

    def __init__(self, end: int = 0) -> None:
        self.end = end
        self.edits: dict[int, tuple[bytes, OwnValue]] = {}
        self.dropped: frozenset[int] = frozenset()

    def replaces(self, tag: int) -> bool:
        """Whether the source's element ``tag`` is not to be copied."""
        return tag in self.edits or tag in self.dropped

    def write(self, writer: ElementWriter) -> None:
        """Write the Pixel Data element whole."""
        raise Refused("there is Pixel Data where none was found")

    def _describe(self, photometric: str, description: PixelDescription) -> None:
        """Set the attributes that decoding or encoding changes."""
        if photometric != description.photometric:
            self.edits[PHOTOMETRIC_INTERPRETATION] = b"CS", photometric.encode("ascii")
        if description.samples > 1:
            self.edits[PLANAR_CONFIGURATION] = b"US", 0


class CopyPlan(PixelPlan):
    """Native to native: the same bytes, swapped where the byte order differs."""

    def __init__(self, reader: ElementReader, found: Scan, pixels: Pixels, target: Encoding) -> None:
        super().__init__(pixels.end)
        self._reader, self._pixels, self._source = reader, pixels, found.encoding
        self._bits = found.number(BITS_ALLOCATED, 8 if pixels.vr == b"OB" else 16)
        if found.encoding.little != target.little:
            check_native(pixels.length, self._bits, target if found.encoding.little else found.encoding)

    def write(self, writer: ElementWriter) -> None:
        """Copy; bytes in words (OW) swap too, and come out as bytes (OB)."""
        length, source = self._pixels.length, self._source
        writer.header(PIXEL_DATA, b"OB" if self._bits <= 8 else b"OW", length + (length & 1))
        in_words = self._bits > 8 or (not source.little and self._pixels.vr == b"OW")
        swaps = in_words and (source.little != writer.encoding.little or self._bits <= 8)
        self._reader.seek(self._pixels.position)
        self._reader.copy(length, writer.out, 2 if swaps else 1)
        writer.out.write(bytes(length & 1))


class DecodePlan(PixelPlan):
    """Encapsulated to native, or native to native with something blanked."""

    def __init__(self, job: Job, reader: ElementReader, found: Scan, pixels: Pixels) -> None:
        super().__init__(pixels.end)
        self._frames: _NativeFrames | _DecodedFrames
        if pixels.items is None:
            self._frames = _NativeFrames(job, reader, found, pixels)
        else:
            self._frames = _DecodedFrames(job, reader, found, pixels)
        self._describe(self._frames.photometric, self._frames.description)
        self.dropped = DROPPED_WITH_ENCAPSULATION

    def write(self, writer: ElementWriter) -> None:
        """Decode and write frame by frame."""
        write_native(writer, PIXEL_DATA, self._frames.all(), self._frames.description)


class EncodePlan(PixelPlan):
    """Native or encapsulated to encapsulated, every frame proved by decoding it again."""

    def __init__(self, job: Job, reader: ElementReader, found: Scan, pixels: Pixels) -> None:
        super().__init__(pixels.end)
        self._encoder = encoder_of(job.target.uid)
        self._frames: _NativeFrames | _DecodedFrames
        if pixels.items is None:
            self._frames = _NativeFrames(job, reader, found, pixels)
        else:
            self._frames = _DecodedFrames(job, reader, found, pixels)
        self._decoded = replace(self._frames.description, photometric=self._frames.photometric, planar=0)
        photometric = self._encoder.encoded_photometric(self._decoded)
        self._encoded = replace(self._decoded, photometric=photometric)
        self._describe(photometric, self._frames.description)
        self.dropped = DROPPED_WITH_ENCAPSULATION

    def write(self, writer: ElementWriter) -> None:
        """Encode and write frame by frame."""
        writer.header(PIXEL_DATA, b"OB", UNDEFINED_LENGTH)
        count, expected = self._decoded.frames, self._decoded.object_bytes
        write_encapsulated(writer.out, self._encode(), count, expected)

    def _encode(self) -> Iterator[bytes]:
        decoder: Codec = self._encoder
        for stored in self._frames.all():
            frame = sign_extended(stored, self._decoded)
            encoded = self._encoder.encode_frame(frame, self._decoded)
            if not np.array_equal(decoder.decode_frame(encoded, self._encoded).samples, frame):
                raise Refused("the encoded frame does not decode to the same pixels")
            yield encoded


class LossyPlan(PixelPlan):
    """Native or encapsulated to encapsulated with loss: another instance, which says so."""

    def __init__(self, job: Job, reader: ElementReader, found: Scan, pixels: Pixels) -> None:
        super().__init__(pixels.end)
        is_native = pixels.items is None
        frames = (_NativeFrames if is_native else _DecodedFrames)(job, reader, found, pixels)
        decoded = replace(frames.description, photometric=frames.photometric, planar=0)
        self._encoded = LossyFrames(job.target.uid, frames.all(), decoded)
        self._describe(self._encoded.photometric, frames.description)
        self.edits |= lossy_edits(job.target.uid, self._encoded.ratio, job.derived_uid, found.values)
        self.dropped = DROPPED_WITH_ENCAPSULATION

    def write(self, writer: ElementWriter) -> None:
        """Write what was encoded."""
        self._encoded.write(writer, PIXEL_DATA)


def plan_pixels(job: Job, reader: ElementReader, found: Scan, target: Encoding) -> PixelPlan:
    """The plan for the top level of an object; raises ``Refused``."""
    plan = _plan(job, reader, found, target)
    if job.source.uid in ALWAYS_LOSSY and found.pixels is not None:
        plan.edits.setdefault(LOSSY_IMAGE_COMPRESSION, (b"CS", b"01"))
    return plan


def _plan(job: Job, reader: ElementReader, found: Scan, target: Encoding) -> PixelPlan:
    pixels = found.pixels
    if pixels is None:
        if job.target.encapsulated:
            raise Refused("there is no Pixel Data to compress")
        return PixelPlan()
    if job.source.encapsulated != (pixels.items is not None):
        raise Refused("the Pixel Data is not encoded as the transfer syntax says")
    if job.derived_uid:
        return LossyPlan(job, reader, found, pixels)
    if job.target.encapsulated:
        return EncodePlan(job, reader, found, pixels)
    if job.blanking is not None:
        return DecodePlan(job, reader, found, pixels)
    return plan_native(job, reader, found, pixels, target)


def plan_native(job: Job, reader: ElementReader, found: Scan, pixels: Pixels, target: Encoding) -> PixelPlan:
    """The plan that makes the pixels native; raises ``Refused``."""
    if pixels.items is None:
        return CopyPlan(reader, found, pixels, target)
    return DecodePlan(job, reader, found, pixels)


def _checked(job: Job, found: Scan) -> PixelDescription:
    description = found.description()
    description.check(job.limits)
    # Codecs hold a sample in 32 bits and more than once.
    job.reserve_bytes(16 * description.samples_per_frame + 4 * description.frame_bytes)
    return description


class _NativeFrames:
    """Native frames, in the shape of ``_DecodedFrames``."""

    def __init__(self, job: Job, reader: ElementReader, found: Scan, pixels: Pixels) -> None:
        self.description = _checked(job, found)
        self.photometric = self.description.photometric
        self._blanking = job.blanking
        self._is_subsampled = job.blanking is not None and self.photometric == SUBSAMPLED
        if self._is_subsampled:
            self.description = as_subsampled(self.description)
        self._frames = NativeFrames(reader, pixels, found.encoding, self.description, subsampled=self._is_subsampled)

    def all(self) -> Iterator[Samples]:
        """Every frame, in order."""
        for index in range(self.description.frames):
            frame = self._frames.read(index)
            if self._blanking is None:
                yield frame
            elif self._is_subsampled:
                yield blanked_subsampled(frame, self._blanking)
            else:
                yield blanked(frame, self._blanking, self.photometric, self.description)


class _DecodedFrames:
    """Encapsulated frames, decoded one at a time; the first at once, as it tells the colour space."""

    def __init__(self, job: Job, reader: ElementReader, found: Scan, pixels: Pixels) -> None:
        items = pixels.items or Encapsulated((), ())
        self._decoder = decoder_of(job.source.uid)
        self.description = _checked(job, found)
        self._blanking = job.blanking
        table = found.values.get(EXTENDED_OFFSET_TABLE, b"")
        if table and not items.offset_table:
            items = items._replace(offset_table=struct.unpack(f"<{len(table) // 8}Q", table[: len(table) // 8 * 8]))
        frames = self.description.frames
        self._frames = EncapsulatedFrames(reader, items, frames, self._decoder.starts_frame, job.limits.frame_bytes)
        self._first, self.photometric = self._decoder.decode_frame(self._frames.read(0), self.description)

    def all(self) -> Iterator[Samples]:
        """Every frame, in order."""
        yield self._blanked(self._first)
        for index in range(1, self.description.frames):
            frame = self._decoder.decode_frame(self._frames.read(index), self.description)
            if frame.photometric != self.photometric:
                raise Refused("the frames differ in their colour space")
            yield self._blanked(frame.samples)

    def _blanked(self, frame: Samples) -> Samples:
        if self._blanking is None:
            return frame
        return blanked(frame, self._blanking, self.photometric, self.description)
