"""JPEG-LS lossless and near-lossless (ITU-T T.87; PS3.5 section A.4.3), read only, by imagecodecs (CharLS)."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Final

from radfuse.dicom.codecs.base import Decoded, fit_container, imagecodecs, require_shape
from radfuse.dicom.codecs.jpeg_markers import JPEG_LS, START_OF_IMAGE, read_frame_header, require_end
from radfuse.dicom.codecs.refused import Refused

if TYPE_CHECKING:
    from radfuse.dicom.codecs.base import PixelDescription, Samples

JPEG_LS_LOSSLESS: Final = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR_LOSSLESS: Final = "1.2.840.10008.1.2.4.81"

NEEDS: Final = "imagecodecs"
DECODES: Final = frozenset({JPEG_LS_LOSSLESS, JPEG_LS_NEAR_LOSSLESS})
ENCODES: Final[frozenset[str]] = frozenset()


def is_available() -> bool:
    """Whether imagecodecs is installed."""
    return importlib.util.find_spec(NEEDS) is not None


def starts_frame(head: bytes) -> bool:
    """Whether a fragment begins with Start of Image."""
    return head[:2] == START_OF_IMAGE


def decode_frame(data: bytes, description: PixelDescription) -> Decoded:
    """One frame; the colour space stays as the data set says; raises ``Refused``."""
    header = read_frame_header(data)
    if header.process != JPEG_LS:
        raise Refused("the frame is not a JPEG-LS stream")
    require_shape(header.rows, header.columns, len(header.component_ids), description)
    require_end(data)
    try:
        values = imagecodecs().jpegls_decode(data)
    except MemoryError:
        raise
    except Exception as error:
        raise Refused("the JPEG-LS stream is damaged") from error
    return Decoded(fit_container(values, header.precision, False, description), description.photometric)


def encode_frame(samples: Samples, description: PixelDescription) -> bytes:
    """Never: nothing is sent in JPEG-LS."""
    raise Refused("JPEG-LS is only read")


def encoded_photometric(description: PixelDescription) -> str:
    """Never: nothing is sent in JPEG-LS."""
    raise Refused("JPEG-LS is only read")
