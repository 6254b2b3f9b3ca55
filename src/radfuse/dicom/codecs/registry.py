"""Which codec reads and writes which transfer syntax."""

from __future__ import annotations

from typing import Final

from radfuse.dicom.codecs import jpeg, jpeg_2000, jpeg_ls, rle
from radfuse.dicom.codecs.base import Codec
from radfuse.dicom.codecs.refused import Refused

CODECS: Final[tuple[Codec, ...]] = (jpeg, jpeg_2000, jpeg_ls, rle)


def decoder_of(transfer_syntax: str) -> Codec:
    """The codec that reads ``transfer_syntax``; raises ``Refused``."""
    return _available(next((codec for codec in CODECS if transfer_syntax in codec.DECODES), None))


def encoder_of(transfer_syntax: str) -> Codec:
    """The codec that writes ``transfer_syntax``; raises ``Refused``."""
    return _available(next((codec for codec in CODECS if transfer_syntax in codec.ENCODES), None))


def _available(codec: Codec | None) -> Codec:
    if codec is None:
        raise Refused("no codec for this transfer syntax")
    if not codec.is_available():
        raise Refused(f"the Python package {codec.NEEDS} is not installed")
    return codec
