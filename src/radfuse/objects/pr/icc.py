"""The sRGB colour space as an ICC profile (ICC.1:2001-04), made here: a state with colours must name its space."""

from __future__ import annotations

import struct
from functools import cache
from typing import Final

_POINTS: Final = 1024
_D50: Final = (0.9642, 1.0, 0.8249)
_PRIMARIES: Final = {
    b"rXYZ": (0.4360747, 0.2225045, 0.0139322),
    b"gXYZ": (0.3850649, 0.7168786, 0.0971045),
    b"bXYZ": (0.1430804, 0.0606169, 0.7141733),
}
"""sRGB primaries, adapted to D50."""


def _fixed(*numbers: float) -> bytes:
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def _xyz(numbers: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*numbers)


def _text(text: bytes) -> bytes:
    return b"text" + bytes(4) + text + b"\0"


def _description(text: bytes) -> bytes:
    return b"desc" + bytes(4) + struct.pack(">I", len(text) + 1) + text + b"\0" + bytes(4 + 4 + 2 + 1 + 67)


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _curve() -> bytes:
    points = [round(_linear(place / (_POINTS - 1)) * 65535) for place in range(_POINTS)]
    return b"curv" + bytes(4) + struct.pack(f">I{_POINTS}H", _POINTS, *points)


@cache
def srgb_profile() -> bytes:
    """The profile: always the same bytes."""
    tags = {
        b"desc": _description(b"sRGB"),
        b"cprt": _text(b"No copyright, use freely"),
        b"wtpt": _xyz(_D50),
        **{name: _xyz(primary) for name, primary in _PRIMARIES.items()},
        b"rTRC": _curve(),
    }
    shared = (b"gTRC", b"bTRC")
    table, body = b"", b""
    start = 128 + 4 + 12 * (len(tags) + len(shared))
    for name, tag in tags.items():
        entry = struct.pack(">II", start + len(body), len(tag))
        table += name + entry
        if name == b"rTRC":
            table += b"".join(other + entry for other in shared)
        body += tag + bytes(-len(tag) % 4)
    count = struct.pack(">I", len(tags) + len(shared))
    head = struct.pack(">I4xI4s4s4s", start + len(body), 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(*_D50)
    return head.ljust(128, b"\0") + count + table + body
