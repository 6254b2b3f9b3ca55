"""The VR of an element that comes without one (PS3.5 annex A.1 and section 6.2.2)."""

from __future__ import annotations

from typing import Final

from pydicom.datadict import dictionary_VR

from radfuse.dicom.codecs.element_stream import UNDEFINED_LENGTH

_WAVEFORM_VALUES: Final = frozenset((0x5400_0110, 0x5400_0112, 0x5400_100A, 0x5400_1010))
_known: Final[dict[int, bytes]] = {}


def vr_of(tag: int, length: int, *, signed: bool, waveform_bits: int) -> bytes:
    """The VR to write for ``tag`` of an implicit data set.

    ``signed``: Pixel Representation is 1 (decides "US or SS"). ``waveform_bits``: Waveform Bits
    Allocated (decides "OB or OW" of waveform values). What the dictionary does not know is UN, or
    a sequence when its length is undefined.
    """
    vr = _known.get(tag)
    if vr is None:
        vr = _known[tag] = _from_dictionary(tag)
    if length == UNDEFINED_LENGTH and vr == b"UN":
        return b"SQ"
    if vr == b"US or SS":
        return b"SS" if signed else b"US"
    if vr.endswith(b" or OW"):
        return b"OB" if tag in _WAVEFORM_VALUES and 0 < waveform_bits <= 8 else b"OW"
    return vr


def _from_dictionary(tag: int) -> bytes:
    element = tag & 0xFFFF
    if element == 0:
        return b"UL"
    if tag >> 16 & 1:
        # A private dictionary may be wrong about a vendor's version; UN never is.
        return b"LO" if 0x10 <= element <= 0xFF else b"UN"
    try:
        return dictionary_VR(tag).encode("ascii")
    except KeyError:
        return b"UN"
