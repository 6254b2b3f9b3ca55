"""Values of elements as text: strings of every character set, and binary numbers (PS3.5 section 6.2)."""

from __future__ import annotations

import struct
from typing import Final

from radfuse.core.errors import MalformedDataSet
from radfuse.dicom.charset import decode_values, encode_text

CHARACTER_SET_VRS: Final = frozenset(("LO", "LT", "PN", "SH", "ST", "UC", "UT"))
"""VRs that Specific Character Set applies to (PS3.5 section 6.1.2.3)."""

NUMBER_CODES: Final = {
    "FD": "d",
    "FL": "f",
    "SL": "i",
    "SS": "h",
    "SV": "q",
    "UL": "I",
    "US": "H",
    "UV": "Q",
}
"""VRs of binary numbers and the ``struct`` code of one value."""

_FLOAT_VRS: Final = frozenset(("FD", "FL"))
BINARY_VRS: Final = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UN"))


def values_of(raw: bytes, vr: str, big: bool, character_sets: tuple[str, ...]) -> tuple[str, ...]:
    """The values of an element as text.

    Numbers are decimal, tags (AT) are eight hexadecimal digits, other binary values one
    hexadecimal text. Raises MalformedDataSet when the bytes are no whole number of values.
    """
    if vr in CHARACTER_SET_VRS:
        return decode_values(raw, character_sets, vr)
    if vr in NUMBER_CODES:
        return _numbers_of(raw, vr, big)
    if vr == "AT":
        pairs = _unpacked(raw, "H", big)
        if len(pairs) % 2:
            raise MalformedDataSet("a value of VR AT is cut", 0)
        return tuple(
            f"{int(group):04X}{int(element):04X}" for group, element in zip(pairs[::2], pairs[1::2], strict=True)
        )
    if vr in BINARY_VRS:
        return (raw.hex().upper(),) if raw else ()
    return decode_values(raw, (), vr)


def _numbers_of(raw: bytes, vr: str, big: bool) -> tuple[str, ...]:
    numbers = _unpacked(raw, NUMBER_CODES[vr], big)
    if vr == "FL":
        return tuple(f"{number:.9g}" for number in numbers)
    return tuple(map(str, numbers))


def _unpacked(raw: bytes, code: str, big: bool) -> tuple[int | float, ...]:
    count, rest = divmod(len(raw), struct.calcsize("=" + code))
    if rest:
        raise MalformedDataSet("a binary value is not a whole number of values long", 0)
    return struct.unpack(f"{'>' if big else '<'}{count}{code}", raw)


def raw_of(values: tuple[str, ...], vr: str, big: bool, character_sets: tuple[str, ...]) -> bytes:
    """The bytes of an element with these values, padded to an even length; the inverse of ``values_of``.

    Raises TextNotEncodable for text outside ``character_sets`` and MalformedDataSet for values that
    are none of ``vr``.
    """
    if not values:
        return b""
    if vr in NUMBER_CODES or vr == "AT" or vr in BINARY_VRS:
        try:
            raw = _binary_of(values, vr, big)
        except (ValueError, struct.error):
            raise MalformedDataSet(f"a value is no value of VR {vr}", 0) from None
        return raw + b"\0" if len(raw) & 1 else raw
    raw = encode_text(values[0] if len(values) == 1 else "\\".join(values), character_sets)
    if len(raw) & 1:
        raw += b"\0" if vr == "UI" else b" "
    return raw


def _binary_of(values: tuple[str, ...], vr: str, big: bool) -> bytes:
    if vr in BINARY_VRS:
        return b"".join(map(bytes.fromhex, values))
    order = ">" if big else "<"
    if vr == "AT":
        tags = [int(value, 16) for value in values]
        return b"".join(struct.pack(order + "HH", tag >> 16, tag & 0xFFFF) for tag in tags)
    code = f"{order}{len(values)}{NUMBER_CODES[vr]}"
    if vr in _FLOAT_VRS:
        return struct.pack(code, *map(float, values))
    return struct.pack(code, *map(int, values))
