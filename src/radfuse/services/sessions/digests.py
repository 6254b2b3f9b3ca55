"""Whether an object still says what it said: of the bytes of an object other systems keep little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import xxhash
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

_MEANT: Final = frozenset({0x0062, 0x0070, 0x2050, 0x5200, 0x7FE0})
"""Groups that hold what is said: segments, presentations, frames, pixels. Others are often coerced."""
_TREES: Final = range(0x0040_A000, 0x0041_0000)
"""Content trees, without requests and procedure steps, which archives fill in."""
_NUMBERS: Final = frozenset({"DS", "FD", "FL"})


def digest_of(ds: Dataset) -> str:
    """Of what an object says, however it is encoded; pixels are plain."""
    state = xxhash.xxh3_128()
    for element in ds:
        if element.tag.group in _MEANT or int(element.tag) in _TREES:
            for part in _parts(element):
                state.update(part)
    return state.hexdigest()


def _parts(element: DataElement) -> Iterator[bytes]:
    yield f"{int(element.tag):08x}".encode()
    if element.VR == "SQ":
        for item in element.value:
            yield b"{"
            for inner in item:
                if not inner.tag.is_private:
                    yield from _parts(inner)
            yield b"}"
        return
    value = element.value
    for one in value if isinstance(value, (list, MultiValue)) else [value]:
        yield _word(one, element.VR)


def _word(value: Any, kind: str) -> bytes:
    if value is None:
        return b";"
    if isinstance(value, bytes):
        return value.rstrip(b"\0") if kind in ("OB", "OW", "UN") else value
    if kind in _NUMBERS:
        return f"{float(value):.7g};".encode()
    return f"{str(value).strip()};".encode()
