"""Data elements read from and written to files, one at a time (PS3.5 section 7.1).

Everything that is not understood is copied as it is; no text is ever decoded.
"""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING, Final, NamedTuple

from radfuse.dicom.codecs.refused import Refused

if TYPE_CHECKING:
    from typing import BinaryIO

UNDEFINED_LENGTH: Final = 0xFFFF_FFFF
ITEM: Final = 0xFFFE_E000
ITEM_END: Final = 0xFFFE_E00D
SEQUENCE_END: Final = 0xFFFE_E0DD

SHORT_VRS: Final = frozenset(
    (
        *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO"),
        *(b"LT", b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"),
    )
)
"""VRs whose explicit header has a 16-bit length (PS3.5 table 7.1-2); every other VR has 32 bits."""

WORD_BYTES: Final = {
    **dict.fromkeys((b"AT", b"OW", b"SS", b"US"), 2),
    **dict.fromkeys((b"FL", b"OF", b"OL", b"SL", b"UL"), 4),
    **dict.fromkeys((b"FD", b"OD", b"OV", b"SV", b"UV"), 8),
}
"""Bytes that swap together between little and big endian (PS3.5 section 7.3)."""

_PADDED_WITH_NULL: Final = frozenset((b"OB", b"UI", b"UN", b""))
_LONGEST_SHORT: Final = 0xFFFE
_CHUNK_BYTES: Final = 1 << 20
_TYPE_CODES: Final = {array(code).itemsize: code for code in "HIQ"}


OwnValue = bytes | int | tuple["OwnElement", ...]
"""Text, one US, or the elements of a sequence's one item."""
OwnElement = tuple[int, bytes, OwnValue]
"""Tag, VR and value of an element that we write ourselves."""


class Encoding(NamedTuple):
    """The two switches of a native data set's encoding."""

    explicit: bool
    little: bool


IMPLICIT: Final = Encoding(explicit=False, little=True)
EXPLICIT: Final = Encoding(explicit=True, little=True)


class Header(NamedTuple):
    """An element's tag, VR (empty when implicit) and value length."""

    tag: int
    vr: bytes
    length: int


class ElementReader:
    """A data set in a seekable file, from ``start`` to ``end``; raises ``Refused`` when it is malformed."""

    def __init__(self, stream: BinaryIO, start: int, end: int) -> None:
        self._stream = stream
        self._end = end
        self.position = start
        stream.seek(start)

    @property
    def end(self) -> int:
        """Where the data set ends."""
        return self._end

    def read(self, count: int) -> bytes:
        """Exactly ``count`` bytes."""
        data = self._stream.read(count) if count <= self._end - self.position else b""
        if len(data) != count:
            raise Refused("the data set is truncated")
        self.position += count
        return data

    def seek(self, position: int) -> None:
        """Go to ``position``, which must lie in the data set."""
        if position > self._end:
            raise Refused("the data set is truncated")
        self._stream.seek(position)
        self.position = position

    def header(self, encoding: Encoding) -> Header:
        """The next element's header, or an item's or delimiter's."""
        head = self.read(8)
        order = "<" if encoding.little else ">"
        group, element, length = struct.unpack(order + "HHL", head)
        tag = group << 16 | element
        if not encoding.explicit or group == 0xFFFE:
            return Header(tag, b"", length)
        vr = head[4:6]
        if vr in SHORT_VRS:
            return Header(tag, vr, struct.unpack_from(order + "H", head, 6)[0])
        if not (vr.isalpha() and vr.isupper()):
            raise Refused("an element has no valid VR")
        return Header(tag, vr, struct.unpack(order + "L", self.read(4))[0])

    def copy(self, count: int, out: BinaryIO, word_bytes: int = 1) -> None:
        """Copy ``count`` bytes to ``out``, swapping words of ``word_bytes``."""
        if count % word_bytes:
            raise Refused("a value is not a whole number of words")
        while count:
            data = self.read(min(count, _CHUNK_BYTES))
            count -= len(data)
            out.write(data if word_bytes == 1 else swapped(data, word_bytes))


def swapped(data: bytes, word_bytes: int) -> bytes:
    """``data`` with the bytes of every word reversed."""
    words = array(_TYPE_CODES[word_bytes], data)
    words.byteswap()
    return words.tobytes()


class ElementWriter:
    """Elements written to a file in one encoding."""

    def __init__(self, out: BinaryIO, encoding: Encoding) -> None:
        self.out = out
        self.encoding = encoding
        self._order = "<" if encoding.little else ">"

    def header(self, tag: int, vr: bytes, length: int) -> bytes:
        """Write a header and return the VR that it says.

        A value too long for its VR's 16-bit length becomes UN (PS3.5 section 6.2.2).
        """
        group, element = tag >> 16, tag & 0xFFFF
        if not self.encoding.explicit or group == 0xFFFE:
            self.out.write(struct.pack(self._order + "HHL", group, element, length))
            return vr
        if vr in SHORT_VRS and length <= _LONGEST_SHORT:
            self.out.write(struct.pack(self._order + "HH2sH", group, element, vr, length))
            return vr
        vr = b"UN" if vr in SHORT_VRS else vr
        self.out.write(struct.pack(self._order + "HH2sHL", group, element, vr, 0, length))
        return vr

    def value(self, header: Header, reader: ElementReader, source: Encoding) -> None:
        """Copy an element that is no sequence: header, value, and the padding of an odd length."""
        padding = header.length & 1
        vr = self.header(header.tag, header.vr, header.length + padding)
        # UN holds what nobody understands: its words are little endian wherever it lies.
        little = self.encoding.little or vr != header.vr
        word_bytes = WORD_BYTES.get(header.vr, 1) if little != source.little else 1
        reader.copy(header.length, self.out, word_bytes)
        if padding:
            self.out.write(b"\0" if header.vr in _PADDED_WITH_NULL or header.vr in WORD_BYTES else b" ")

    def short(self, tag: int, vr: bytes, value: OwnValue) -> None:
        """Write a short element of our own: text, one US, or a sequence of one item."""
        if isinstance(value, tuple):
            self.header(tag, vr, UNDEFINED_LENGTH)
            self.header(ITEM, b"", UNDEFINED_LENGTH)
            for element in value:
                self.short(*element)
            self.header(ITEM_END, b"", 0)
            self.header(SEQUENCE_END, b"", 0)
            return
        if isinstance(value, int):
            value = struct.pack(self._order + "H", value)
        value += b" " * (len(value) & 1)
        self.header(tag, vr, len(value))
        self.out.write(value)


def read_file_meta(stream: BinaryIO, size: int) -> tuple[str, int]:
    """(Transfer Syntax UID, where the data set starts) of a Part 10 file (PS3.10 section 7.1)."""
    reader = ElementReader(stream, 0, size)
    if reader.read(132)[128:] != b"DICM":
        raise Refused("not a DICOM Part 10 file")
    syntax = ""
    while reader.position < size:
        start = reader.position
        if reader.read(2) != b"\x02\x00":
            return _valid_syntax(syntax), start
        reader.seek(start)
        header = reader.header(EXPLICIT)
        if header.length == UNDEFINED_LENGTH or header.length > _CHUNK_BYTES:
            raise Refused("the file meta information is malformed")
        value = reader.read(header.length)
        if header.tag == 0x0002_0010:
            syntax = value.rstrip(b"\0 ").decode("ascii", "replace")
    return _valid_syntax(syntax), reader.position


def _valid_syntax(syntax: str) -> str:
    if not syntax:
        raise Refused("the file meta information has no Transfer Syntax UID")
    return syntax
