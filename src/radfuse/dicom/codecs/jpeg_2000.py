"""JPEG 2000 (ISO/IEC 15444-1; PS3.5 section A.4.4) by imagecodecs (OpenJPEG)."""

from __future__ import annotations

import importlib.util
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from radfuse.core.transfer_syntaxes import JPEG_2000, JPEG_2000_LOSSLESS
from radfuse.dicom.codecs.base import Decoded, cut_to_stored, fit_container, imagecodecs, require_shape
from radfuse.dicom.codecs.refused import Refused

if TYPE_CHECKING:
    from radfuse.dicom.codecs.base import PixelDescription, Samples

NEEDS: Final = "imagecodecs"
DECODES: Final = frozenset({JPEG_2000_LOSSLESS, JPEG_2000})
ENCODES: Final = frozenset({JPEG_2000_LOSSLESS})

_START: Final = b"\xff\x4f\xff\x51"
"""Start of Codestream followed by the size marker, which must come second (annex A.4.1, A.5.1)."""
_JP2_SIGNATURE: Final = b"\x00\x00\x00\x0cjP  "
_LONGEST_JP2_HEADER_BYTES: Final = 1 << 20
_SIZE: Final = struct.Struct(">HHIIIIIIIIH")
_WIDEST_PRECISION: Final = 16


class _ImageSize(NamedTuple):
    rows: int
    columns: int
    components: int
    precision: int
    signed: bool


def is_available() -> bool:
    """Whether imagecodecs is installed."""
    return importlib.util.find_spec(NEEDS) is not None


def starts_frame(head: bytes) -> bool:
    """Whether a fragment begins a code stream (or, wrongly but often, a JP2 file)."""
    return head[:4] == _START or head[:8] == _JP2_SIGNATURE


def decode_frame(data: bytes, description: PixelDescription) -> Decoded:
    """One frame, colour transforms undone (YBR_RCT and YBR_ICT become RGB); raises ``Refused``."""
    stream = _code_stream(data)
    size = _image_size(stream)
    require_shape(size.rows, size.columns, size.components, description)
    try:
        values = imagecodecs().jpeg2k_decode(stream)
    except MemoryError:
        raise
    except Exception as error:
        raise Refused("the JPEG 2000 stream is damaged") from error
    photometric = "RGB" if description.photometric in ("YBR_RCT", "YBR_ICT") else description.photometric
    return Decoded(fit_container(values, size.precision, size.signed, description), photometric)


def encode_frame(samples: Samples, description: PixelDescription) -> bytes:
    """One frame with the reversible wavelet; raises ``Refused``."""
    if description.bits_allocated > _WIDEST_PRECISION:
        raise Refused("JPEG 2000 is written for up to 16 bits allocated")
    cut = cut_to_stored(samples, description)
    precision = description.bits_stored
    width = 1 if precision <= 8 else 2
    if description.signed:
        values = samples.view(f"i{samples.dtype.itemsize}").astype(f"i{width}")
    else:
        values = cut.astype(f"u{width}")
    transform = encoded_photometric(description) == "YBR_RCT"
    try:
        return bytes(
            imagecodecs().jpeg2k_encode(
                values, level=0, codecformat="J2K", reversible=True, bitspersample=precision, mct=transform, verbose=0
            )
        )
    except MemoryError:
        raise
    except Exception as error:
        raise Refused("the frame cannot be encoded as JPEG 2000") from error


def encoded_photometric(description: PixelDescription) -> str:
    """RGB goes through the reversible component transform (PS3.5 section 8.2.4); all else stays."""
    return "YBR_RCT" if description.photometric == "RGB" and description.samples == 3 else description.photometric


def _code_stream(data: bytes) -> bytes:
    """The code stream alone: a JP2 file's own palette or colour boxes have no say in DICOM."""
    if data[:8] != _JP2_SIGNATURE:
        return data
    start = data.find(_START, 0, _LONGEST_JP2_HEADER_BYTES)
    if start < 0:
        raise Refused("the JPEG 2000 file holds no code stream")
    return data[start:]


def _image_size(stream: bytes) -> _ImageSize:
    """The size marker segment (annex A.5.1); all components must be alike."""
    if stream[:4] != _START or len(stream) < 4 + _SIZE.size + 3:
        raise Refused("the frame is not a JPEG 2000 stream")
    _, _, x_end, y_end, x_start, y_start, *_, components = _SIZE.unpack_from(stream, 4)
    each = stream[4 + _SIZE.size : 4 + _SIZE.size + 3 * components]
    if not components or len(each) != 3 * components or each != each[:3] * components:
        raise Refused("the JPEG 2000 components differ")
    if each[1:3] != b"\x01\x01":
        raise Refused("the JPEG 2000 components are subsampled")
    return _ImageSize(y_end - y_start, x_end - x_start, components, (each[0] & 0x7F) + 1, bool(each[0] & 0x80))
