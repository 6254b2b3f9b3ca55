"""JPEG baseline, extended and lossless (ITU-T T.81; PS3.5 section A.4.1) by imagecodecs' jpeg8.

imagecodecs' ``ljpeg`` must never be used: it crashes on damaged input and writes predictor 6.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Final

from radfuse.core.transfer_syntaxes import JPEG_BASELINE, JPEG_EXTENDED, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1
from radfuse.dicom.codecs.base import Decoded, cut_to_stored, fit_container, imagecodecs, require_shape
from radfuse.dicom.codecs.jpeg_markers import LOSSLESS, START_OF_IMAGE, FrameHeader, read_frame_header, require_end
from radfuse.dicom.codecs.refused import Refused

if TYPE_CHECKING:
    from radfuse.dicom.codecs.base import PixelDescription, Samples

NEEDS: Final = "imagecodecs"
DECODES: Final = frozenset({JPEG_BASELINE, JPEG_EXTENDED, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1})
ENCODES: Final = frozenset({JPEG_LOSSLESS, JPEG_LOSSLESS_SV1})
"""Selection value 1 is one of those that process 14 has: the same stream is lawful under both UIDs."""

_SEQUENTIAL_OR_LOSSLESS: Final = frozenset({0, 1, 2, LOSSLESS})
_WIDEST_PRECISION: Final = 16


def is_available() -> bool:
    """Whether imagecodecs is installed."""
    return importlib.util.find_spec(NEEDS) is not None


def starts_frame(head: bytes) -> bool:
    """Whether a fragment begins with Start of Image."""
    return head[:2] == START_OF_IMAGE


def decode_frame(data: bytes, description: PixelDescription) -> Decoded:
    """One frame, colour as RGB unless the stream is lossless (then as stored); raises ``Refused``."""
    header = read_frame_header(data)
    if header.process not in _SEQUENTIAL_OR_LOSSLESS:
        raise Refused("the JPEG process is not baseline, extended or lossless")
    require_shape(header.rows, header.columns, len(header.component_ids), description)
    require_end(data)
    stream, photometric = _colour_spaces(header, description)
    spaces = {} if description.samples == 1 else {"colorspace": stream, "outcolorspace": "RGB"}
    try:
        values = imagecodecs().jpeg8_decode(data, **spaces)
    except MemoryError:
        raise
    except Exception as error:
        raise Refused("the JPEG stream is damaged") from error
    return Decoded(fit_container(values, header.precision, False, description), photometric)


def encode_frame(samples: Samples, description: PixelDescription) -> bytes:
    """One frame with process 14, selection value 1; raises ``Refused``."""
    if not 8 <= description.bits_allocated <= _WIDEST_PRECISION:
        raise Refused("JPEG lossless holds 8 to 16 bits allocated")
    cut = cut_to_stored(samples, description)
    precision = max(description.bits_stored, 2)
    # The stream says its colour space too (markers, component names); nothing is converted.
    space = "RGB" if description.photometric == "RGB" else "UNKNOWN"
    spaces = {} if description.samples == 1 else {"colorspace": space, "outcolorspace": space}
    values = cut.astype("u1" if precision <= 8 else "u2")
    try:
        return bytes(imagecodecs().jpeg8_encode(values, lossless=True, predictor=1, bitspersample=precision, **spaces))
    except MemoryError:
        raise
    except Exception as error:
        raise Refused("the frame cannot be encoded as JPEG lossless") from error


def encoded_photometric(description: PixelDescription) -> str:
    """Unchanged: JPEG lossless holds the samples as they are."""
    return description.photometric


def _colour_spaces(header: FrameHeader, description: PixelDescription) -> tuple[str, str]:
    """(colour space to tell libjpeg, Photometric Interpretation of the result).

    The stream's own word goes before the data set's, which is wrong more often (PS3.5 section 8.2.1).
    """
    if description.samples == 1 or header.process == LOSSLESS:
        return "RGB", description.photometric
    if header.adobe_transform is not None:
        is_rgb = header.adobe_transform == 0
    elif header.component_ids == b"RGB":
        is_rgb = True
    else:
        is_rgb = not header.jfif and not description.photometric.startswith("YBR")
    return ("RGB" if is_rgb else "YCBCR"), "RGB"
