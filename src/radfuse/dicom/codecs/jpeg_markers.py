"""The marker segments at the head of a JPEG or JPEG-LS stream (ITU-T T.81 annex B, T.87 annex C)."""

from __future__ import annotations

from typing import Final, NamedTuple

from radfuse.dicom.codecs.refused import Refused

START_OF_IMAGE: Final = b"\xff\xd8"
END_OF_IMAGE: Final = b"\xff\xd9"
LOSSLESS: Final = 3
JPEG_LS: Final = 0x37
"""``process`` of a JPEG-LS frame header: marker FFF7 counted from FFC0."""

_NOT_FRAME_HEADERS: Final = frozenset({0xC4, 0xC8, 0xCC})
_LONGEST_PADDING_BYTES: Final = 4096
_START_OF_SCAN: Final = 0xDA
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})


class FrameHeader(NamedTuple):
    """What the stream says of itself. ``adobe_transform`` and ``jfif`` tell its colour space."""

    process: int
    precision: int
    rows: int
    columns: int
    component_ids: bytes
    adobe_transform: int | None
    jfif: bool


def read_frame_header(data: bytes) -> FrameHeader:
    """The frame header of the stream; raises ``Refused`` when there is none before the scan."""
    if data[:2] != START_OF_IMAGE:
        raise Refused("the frame is not a JPEG stream")
    frame: tuple[int, bytes] | None = None
    adobe: int | None = None
    jfif = False
    for marker, body in _segments(data):
        if marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            adobe = body[11]
        elif marker == 0xE0 and body[:4] == b"JFIF":
            jfif = True
        elif _is_frame_header(marker):
            if frame:
                raise Refused("the JPEG stream has two frame headers")
            frame = marker - 0xC0, body
    if frame is None or len(frame[1]) < 6:
        raise Refused("the JPEG stream has no frame header")
    process, body = frame
    ids = body[6 : 6 + 3 * body[5] : 3]
    rows, columns = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    return FrameHeader(process, body[0], rows, columns, ids, adobe, jfif)


def require_end(data: bytes) -> None:
    """Refuse a truncated stream: libjpeg would fill the rest with grey and call it a success."""
    if END_OF_IMAGE not in data[-_LONGEST_PADDING_BYTES:].rstrip(b"\0\xff ")[-16:]:
        raise Refused("the JPEG stream has no end")


def segment_markers(data: bytes) -> set[int]:
    """The markers of the segments before the first scan; raises ``Refused``."""
    return {marker for marker, _ in _segments(data)}


def _is_frame_header(marker: int) -> bool:
    return (0xC0 <= marker <= 0xCF and marker not in _NOT_FRAME_HEADERS) or marker == 0xF7


def _segments(data: bytes) -> list[tuple[int, bytes]]:
    """The marker segments before the first scan."""
    found: list[tuple[int, bytes]] = []
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            raise Refused("the JPEG stream has a damaged marker")
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker == _START_OF_SCAN:
            break
        if marker in _WITHOUT_LENGTH:
            position += 2
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if length < 2:
            raise Refused("the JPEG stream has a damaged marker")
        found.append((marker, data[position + 4 : position + 2 + length]))
        position += 2 + length
    return found
