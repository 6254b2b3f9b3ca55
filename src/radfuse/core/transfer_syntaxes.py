"""The transfer syntaxes that Radfuse stores and serves (PS3.5 section 10 and Annex A)."""

from __future__ import annotations

from typing import Final, NamedTuple

IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
DEFLATED_LITTLE: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS: Final = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1: Final = "1.2.840.10008.1.2.4.70"
JPEG_2000_LOSSLESS: Final = "1.2.840.10008.1.2.4.90"
JPEG_2000: Final = "1.2.840.10008.1.2.4.91"


class TransferSyntax(NamedTuple):
    """One transfer syntax and how its data set is encoded."""

    uid: str
    name: str
    explicit_vr: bool
    little_endian: bool
    deflated: bool
    encapsulated: bool


TRANSFER_SYNTAXES: Final = {
    row.uid: row
    for row in (
        TransferSyntax(IMPLICIT_LITTLE, "Implicit VR Little Endian", False, True, False, False),
        TransferSyntax(EXPLICIT_LITTLE, "Explicit VR Little Endian", True, True, False, False),
        TransferSyntax(DEFLATED_LITTLE, "Deflated Explicit VR Little Endian", True, True, True, False),
        TransferSyntax(EXPLICIT_BIG, "Explicit VR Big Endian", True, False, False, False),
        TransferSyntax(JPEG_BASELINE, "JPEG Baseline (Process 1)", True, True, False, True),
        TransferSyntax(JPEG_EXTENDED, "JPEG Extended (Process 2 and 4)", True, True, False, True),
        TransferSyntax(JPEG_LOSSLESS, "JPEG Lossless (Process 14)", True, True, False, True),
        TransferSyntax(JPEG_LOSSLESS_SV1, "JPEG Lossless (Process 14, SV1)", True, True, False, True),
        TransferSyntax(JPEG_2000_LOSSLESS, "JPEG 2000 (Lossless Only)", True, True, False, True),
        TransferSyntax(JPEG_2000, "JPEG 2000", True, True, False, True),
    )
}
"""The ten syntaxes, by UID."""


def syntax_of(uid: str) -> TransferSyntax:
    """The encoding of ``uid``.

    A syntax outside the ten (RLE, JPEG-LS, video, private) is explicit little endian with
    encapsulated pixels, as PS3.5 section A.4 has it for all of them.
    """
    return TRANSFER_SYNTAXES.get(uid) or TransferSyntax(uid, uid, True, True, False, True)
