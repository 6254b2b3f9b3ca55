"""Compression with loss, as PS3.3 section C.7.6.1.1.5 wants it told: only where a destination is configured for it.

The result is another instance: it has a SOP Instance UID of its own, is DERIVED, names the one that it
was made of, and says the ratio and the method of the compression behind those of earlier ones.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from radfuse.core.transfer_syntaxes import JPEG_2000, JPEG_BASELINE, JPEG_EXTENDED
from radfuse.dicom.codecs.base import cut_to_stored, imagecodecs, sign_extended
from radfuse.dicom.codecs.element_stream import UNDEFINED_LENGTH
from radfuse.dicom.codecs.encapsulation import write_encapsulated
from radfuse.dicom.codecs.refused import Refused
from radfuse.dicom.codecs.registry import decoder_of
from radfuse.dicom.codecs.scan import IMAGE_TYPE, LOSSY_METHOD, LOSSY_RATIO, SOP_CLASS_UID, SOP_INSTANCE_UID

if TYPE_CHECKING:
    from typing import BinaryIO

    from radfuse.dicom.codecs.base import PixelDescription, Samples
    from radfuse.dicom.codecs.element_stream import ElementWriter, OwnElement, OwnValue

DERIVATION_DESCRIPTION: Final = 0x0008_2111
SOURCE_IMAGE_SEQUENCE: Final = 0x0008_2112
DERIVATION_CODE_SEQUENCE: Final = 0x0008_9215
LOSSY_IMAGE_COMPRESSION: Final = 0x0028_2110

METHODS: Final[Mapping[str, bytes]] = {
    JPEG_BASELINE: b"ISO_10918_1",
    JPEG_EXTENDED: b"ISO_10918_1",
    JPEG_2000: b"ISO_15444_1",
}
"""Lossy Image Compression Method of each target (PS3.3 section C.7.6.1.1.5.1)."""

_JPEG_QUALITY: Final = 95
_JPEG_2000_DECIBEL: Final = 60
_MONOCHROME: Final = ("MONOCHROME1", "MONOCHROME2")

_REFERENCED_SOP_CLASS_UID: Final = 0x0008_1150
_REFERENCED_SOP_INSTANCE_UID: Final = 0x0008_1155
_PURPOSE_OF_REFERENCE: Final = 0x0040_A170
_LOSSY_COMPRESSION: Final = b"113040", b"Lossy Compression"
"""Of the derivations (PS3.16 CID 7203)."""
_PREDECESSOR: Final = b"121320", b"Uncompressed predecessor"
"""Of the purposes of reference to a source image (PS3.16 CID 7202)."""

_Edits = dict[int, tuple[bytes, "OwnValue"]]


class LossyFrames:
    """The frames of one image encoded with loss, in a temporary file; made before the first element is written."""

    def __init__(self, target: str, frames: Iterator[Samples], description: PixelDescription) -> None:
        encode, self.photometric = _encoder(target, description)
        self._description = description
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the plan
        self._lengths: list[int] = []
        decoder = decoder_of(target)
        for frame in frames:
            encoded = encode(cut_to_stored(sign_extended(frame, description), description))
            # Raises Refused when it is not what the description says.
            decoder.decode_frame(encoded, description)
            self._file.write(encoded)
            self._lengths.append(len(encoded))

    @property
    def ratio(self) -> float:
        """Native bytes of the pixels by encoded ones."""
        return self._description.object_bytes / max(1, sum(self._lengths))

    def write(self, writer: ElementWriter, tag: int) -> None:
        """Write the Pixel Data element."""
        writer.header(tag, b"OB", UNDEFINED_LENGTH)
        write_encapsulated(writer.out, self._frames(), len(self._lengths), self._description.object_bytes)

    def _frames(self) -> Iterator[bytes]:
        self._file.seek(0)
        for length in self._lengths:
            yield self._file.read(length)


def lossy_edits(target: str, ratio: float, derived_uid: str, values: Mapping[int, bytes]) -> _Edits:
    """What the data set says of its compression; ``values`` are the source's own."""
    edits: _Edits = {
        SOP_INSTANCE_UID: (b"UI", _padded(derived_uid.encode("ascii"))),
        LOSSY_IMAGE_COMPRESSION: (b"CS", b"01"),
        LOSSY_RATIO: (b"DS", _appended(values.get(LOSSY_RATIO, b""), f"{ratio:.4g}".encode("ascii"))),
        LOSSY_METHOD: (b"CS", _appended(values.get(LOSSY_METHOD, b""), METHODS[target])),
    }
    said = f"compressed with loss by {METHODS[target].decode('ascii')}, ratio {ratio:.4g}"
    edits[DERIVATION_DESCRIPTION] = b"ST", said.encode("ascii")
    edits[DERIVATION_CODE_SEQUENCE] = b"SQ", _coded(*_LOSSY_COMPRESSION)
    sop_class, instance = (values.get(tag, b"").strip(b" \0") for tag in (SOP_CLASS_UID, SOP_INSTANCE_UID))
    if sop_class and instance:
        edits[SOURCE_IMAGE_SEQUENCE] = b"SQ", _source(sop_class, instance)
    image_type = values.get(IMAGE_TYPE, b"").strip(b" \0")
    if image_type:
        edits[IMAGE_TYPE] = b"CS", b"\\".join([b"DERIVED", *image_type.split(b"\\")[1:]])
    return edits


def _source(sop_class_uid: bytes, sop_instance_uid: bytes) -> tuple[OwnElement, ...]:
    """The item of Source Image Sequence (PS3.3 section C.7.6.1.1.4)."""
    return (
        (_REFERENCED_SOP_CLASS_UID, b"UI", _padded(sop_class_uid)),
        (_REFERENCED_SOP_INSTANCE_UID, b"UI", _padded(sop_instance_uid)),
        (_PURPOSE_OF_REFERENCE, b"SQ", _coded(*_PREDECESSOR)),
    )


def _coded(value: bytes, meaning: bytes) -> tuple[OwnElement, ...]:
    """The item of a code sequence, of the codes of PS3.16."""
    return (0x0008_0100, b"SH", value), (0x0008_0102, b"SH", b"DCM"), (0x0008_0104, b"LO", meaning)


def _padded(uid: bytes) -> bytes:
    return uid + bytes(len(uid) & 1)


def _appended(values: bytes, value: bytes) -> bytes:
    return b"\\".join(filter(None, (values.strip(b" \0"), value)))


# --- encoders ------------------------------------------------------------------------------------


def _encoder(target: str, description: PixelDescription) -> tuple[Callable[[Samples], bytes], str]:
    """What encodes a frame, and the Photometric Interpretation of the result; raises ``Refused``."""
    is_colour = description.photometric == "RGB" and description.samples == 3
    if not is_colour and description.photometric not in _MONOCHROME:
        raise Refused(f"{description.photometric} is not compressed with loss")
    options, photometric = _options(target, description, is_colour)
    width = 1 if description.bits_stored <= 8 else 2

    def encode(frame: Samples) -> bytes:
        signed = target == JPEG_2000 and description.signed
        values = _as_signed(frame, description) if signed else frame
        try:
            codec = imagecodecs().jpeg2k_encode if target == JPEG_2000 else imagecodecs().jpeg8_encode
            return bytes(codec(values.astype(f"{'i' if signed else 'u'}{width}"), **options))
        except MemoryError:
            raise
        except Exception as error:
            raise Refused("the frame cannot be encoded with loss") from error

    return encode, photometric


def _options(target: str, description: PixelDescription, is_colour: bool) -> tuple[dict[str, Any], str]:
    bits = description.bits_stored
    widest = {JPEG_BASELINE: 8, JPEG_EXTENDED: 12, JPEG_2000: 16}[target]
    if bits > widest:
        raise Refused(f"Bits Stored is {bits}, and the transfer syntax with loss holds {widest}")
    if target == JPEG_2000:
        options = {"level": _JPEG_2000_DECIBEL, "codecformat": "J2K", "reversible": False, "bitspersample": bits}
        return options | {"mct": is_colour, "verbose": 0}, "YBR_ICT" if is_colour else description.photometric
    if description.signed:
        raise Refused("JPEG with loss would break signed pixels")
    precision = 8 if target == JPEG_BASELINE or bits <= 8 else 12
    if precision == 8 and bits < 8:
        raise Refused("JPEG with loss would fill Bits Stored")
    if not is_colour:
        return {"level": _JPEG_QUALITY, "bitspersample": precision}, description.photometric
    spaces = {"colorspace": "RGB", "outcolorspace": "YCBCR", "subsampling": "422"}
    return {"level": _JPEG_QUALITY, "bitspersample": precision, **spaces}, "YBR_FULL_422"


def _as_signed(frame: Samples, description: PixelDescription) -> Samples:
    """Containers whose bits above Bits Stored were cut, as the numbers that they mean."""
    bits = frame.dtype.itemsize * 8
    shift = bits - description.bits_stored
    signed: Samples = frame.view(f"i{frame.dtype.itemsize}") << shift >> shift
    return signed
