"""The data dictionary: keyword, tag and VR of standard attributes (PS3.6); pydicom is loaded when first needed."""

from __future__ import annotations

import re
from functools import lru_cache

from radfuse.core.errors import ConfigurationError

_TAG = re.compile(r"\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?\Z")


def tag_of(keyword_or_hex: str) -> int:
    """The tag of a keyword ("PatientName") or of hexadecimal digits ("00100010", "0010,0010", "(0010,0010)").

    Raises ConfigurationError for what is neither.
    """
    from pydicom.datadict import tag_for_keyword

    text = keyword_or_hex.strip()
    tag = tag_for_keyword(text) if text else None
    if tag is not None:
        return tag
    if match := _TAG.match(text):
        return int(match[1] + match[2], 16)
    raise ConfigurationError(
        "attribute", f"{keyword_or_hex!r} is neither a keyword of the standard nor a tag such as 0010,0020"
    )


def keyword_of(tag: int) -> str:
    """The keyword of ``tag``, or its eight hexadecimal digits when the standard has none."""
    from pydicom.datadict import keyword_for_tag

    return keyword_for_tag(tag) or f"{tag:08X}"


@lru_cache(maxsize=8192)
def vr_of(tag: int) -> str:
    """The VR of ``tag`` (the first where the standard allows several), "UL" of group lengths, else "UN"."""
    from pydicom.datadict import dictionary_VR

    element = tag & 0xFFFF
    if element == 0:
        return "UL"
    if tag >> 16 & 1:
        return "LO" if 0x0010 <= element <= 0x00FF else "UN"
    try:
        return dictionary_VR(tag).split(" or ")[0]
    except KeyError:
        return "UN"
