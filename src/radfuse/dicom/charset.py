"""Character sets of text values: decoded leniently, encoded without ever losing a character (PS3.5 section 6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from radfuse.core.errors import TextNotEncodable

_ESCAPE: Final = 0x1B

_KATAKANA_CODEC: Final = "radfuse katakana"
"""Stands for the upper half of JIS X 0201, for which Python has no codec of its own."""


class _CodeElement(NamedTuple):
    """One coded character set that an escape sequence designates (PS3.3 tables C.12-3 and C.12-4)."""

    number: int
    """ISO registration number, as in "ISO_IR 100"."""
    escape: bytes
    codec: str
    is_g0: bool
    """Two-byte characters of seven bits; otherwise bytes above 0x7F."""
    multi_byte: bool = False


_CODE_ELEMENTS: Final = (
    _CodeElement(100, b"\x1b-A", "latin_1", False),
    _CodeElement(101, b"\x1b-B", "iso8859_2", False),
    _CodeElement(109, b"\x1b-C", "iso8859_3", False),
    _CodeElement(110, b"\x1b-D", "iso8859_4", False),
    _CodeElement(126, b"\x1b-F", "iso8859_7", False),
    _CodeElement(127, b"\x1b-G", "iso8859_6", False),
    _CodeElement(138, b"\x1b-H", "iso8859_8", False),
    _CodeElement(144, b"\x1b-L", "iso8859_5", False),
    _CodeElement(148, b"\x1b-M", "iso8859_9", False),
    _CodeElement(166, b"\x1b-T", "tis_620", False),
    _CodeElement(203, b"\x1b-b", "iso8859_15", False),
    _CodeElement(13, b"\x1b)I", _KATAKANA_CODEC, False),
    _CodeElement(87, b"\x1b$B", "iso2022_jp", True, multi_byte=True),
    _CodeElement(159, b"\x1b$(D", "iso2022_jp_2", True, multi_byte=True),
    _CodeElement(149, b"\x1b$)C", "euc_kr", False, multi_byte=True),
    _CodeElement(58, b"\x1b$)A", "gb2312", False, multi_byte=True),
)
_BY_NUMBER: Final = {element.number: element for element in _CODE_ELEMENTS}
_BY_ESCAPE: Final = {element.escape: element for element in _CODE_ELEMENTS} | {b"\x1b$@": _BY_NUMBER[87]}

_TO_ASCII: Final = b"\x1b(B"
_TO_ROMAJI: Final = b"\x1b(J"
"""JIS X 0201 romaji: ASCII but for yen sign and overline, which stay backslash and tilde here as delimiters need."""
_TO_SINGLE_BYTE_G0: Final = frozenset((_TO_ASCII, _TO_ROMAJI))

_WHOLE_CODECS: Final = {192: "utf_8", "GB18030": "gb18030", "GBK": "gbk"}
"""Sets that stand alone, without code extensions (PS3.3 table C.12-5)."""

_TERM = re.compile(r"ISO[ _-]*(?:2022[ _-]*)?(?:IR[ _-]*)?(\d+)\Z")
_OTHER_SPELLINGS: Final[dict[str, int | str]] = {
    "": 6,
    "UTF-8": 192,
    "UTF8": 192,
    "GB18030": "GB18030",
    "GBK": "GBK",
    "ISO 2022 GBK": "GBK",
    "GB2312": 58,
}

_PIECES = re.compile(rb"\x1b\$[()]?[@-~]|\x1b[(-/][@-~]|[\x00-\x1a\x1c-\x7f]+|[\x80-\xff]+|\x1b")
_RESETS_IN_TEXT = re.compile(rb"[\t\n\x0c\r\\]")
_RESETS_IN_NAMES = re.compile(rb"[\t\n\x0c\r\\^=]")
_RESETS_WHEN_WRITTEN: Final = frozenset("\t\n\x0c\r\\^=")

SINGLE_VALUE_VRS: Final = frozenset(("LT", "ST", "UR", "UT"))
"""VRs in which a backslash is an ordinary character (PS3.5 section 6.4)."""

KEEPS_LEADING_SPACES: Final = frozenset(("LT", "ST", "UC", "UR", "UT"))


@dataclass(frozen=True, slots=True)
class _Repertoire:
    """What the values of Specific Character Set mean together."""

    name: str
    whole_codec: str | None
    initial: _CodeElement | None
    romaji: bool
    extensions: tuple[_CodeElement, ...]


def _number_of(term: str) -> int | str | None:
    """The registration number (or name) that a spelling of a term means; None for an unknown set."""
    text = term.strip(" \0").upper()
    found = _OTHER_SPELLINGS.get(text)
    if found is None and (match := _TERM.match(text)):
        found = int(match[1])
    if found == 6 or found in _WHOLE_CODECS or found in _BY_NUMBER:
        return found
    return None


@lru_cache(maxsize=256)
def _repertoire_of(character_sets: tuple[str, ...]) -> _Repertoire:
    numbers = [_number_of(term) for term in character_sets]
    name = "\\".join(character_sets) or "ISO_IR 6"
    if numbers and numbers[0] in _WHOLE_CODECS:
        return _Repertoire(name, _WHOLE_CODECS[numbers[0]], None, False, ())
    elements = tuple(_BY_NUMBER[number] for number in numbers if isinstance(number, int) and number in _BY_NUMBER)
    first = _BY_NUMBER.get(numbers[0]) if numbers and isinstance(numbers[0], int) else None
    initial = first if first and not first.is_g0 else None
    return _Repertoire(name, None, initial, initial is not None and initial.number == 13, elements)


def character_sets_of(raw: bytes) -> tuple[str, ...]:
    """The values of Specific Character Set (0008,0005) from its raw bytes; () when it is absent or empty."""
    text = raw.decode("ascii", "replace").strip(" \0")
    return tuple(value.strip(" \0") for value in text.split("\\")) if text else ()


def defined_terms(character_sets: tuple[str, ...]) -> tuple[str, ...]:
    """``character_sets`` with every known spelling replaced by its defined term (PS3.3 section C.12.1.1.2)."""
    numbers = [_number_of(term) for term in character_sets]
    if not numbers or numbers == [6]:
        return ()
    if numbers[0] in _WHOLE_CODECS:
        return ("ISO_IR 192" if numbers[0] == 192 else str(numbers[0]),)
    if len(numbers) == 1 and isinstance(numbers[0], int) and not _BY_NUMBER[numbers[0]].multi_byte:
        return (f"ISO_IR {numbers[0]}",)
    terms = [
        ("" if place == 0 and number == 6 and not character_sets[0] else f"ISO 2022 IR {number}")
        if isinstance(number, int)
        else character_sets[place]
        for place, number in enumerate(numbers)
    ]
    first = numbers[0]
    if isinstance(first, int) and first in _BY_NUMBER and _BY_NUMBER[first].multi_byte:
        terms.insert(0, "")
    return tuple(terms)


# --- decoding --------------------------------------------------------------------------------


def decode_text(raw: bytes, character_sets: tuple[str, ...], vr: str = "LO") -> str:
    """``raw`` as text, padding and backslashes kept.

    Bytes that the named sets do not have are read as UTF-8, else as Latin-1, so that no two
    different stored values become the same text. Nothing is raised.
    """
    if raw.isascii() and _ESCAPE not in raw:
        return raw.decode("ascii")
    repertoire = _repertoire_of(character_sets)
    try:
        if repertoire.whole_codec:
            return raw.decode(repertoire.whole_codec)
        return _decode_extended(raw, repertoire, _RESETS_IN_NAMES if vr == "PN" else _RESETS_IN_TEXT)
    except UnicodeError:
        pass
    try:
        return raw.decode("utf_8")
    except UnicodeError:
        return raw.decode("latin_1")


def decode_values(raw: bytes, character_sets: tuple[str, ...], vr: str) -> tuple[str, ...]:
    """The values of a text element without their padding; () when it is empty.

    The backslash is looked for in the decoded text: in multi-byte sets its code is part of characters.
    """
    text = decode_text(raw, character_sets, vr).rstrip(" \0")
    if vr in KEEPS_LEADING_SPACES:
        if vr in SINGLE_VALUE_VRS:
            return (text,) if text else ()
        values = [value.rstrip(" \0") for value in text.split("\\")]
    else:
        values = [value.strip(" \0") for value in text.split("\\")]
    return tuple(values) if text else ()


def _decode_extended(raw: bytes, repertoire: _Repertoire, resets: re.Pattern[bytes]) -> str:
    """Text with code extensions (PS3.5 section 6.1.2.5)."""
    initial = repertoire.initial
    upper = initial
    lower: _CodeElement | None = None
    parts: list[str] = []
    for piece in _PIECES.findall(raw):
        if piece[0] == _ESCAPE:
            element = _BY_ESCAPE.get(piece)
            if element is None:
                if piece not in _TO_SINGLE_BYTE_G0:
                    raise UnicodeError
                lower = None
            elif element.is_g0:
                lower = element
            else:
                upper = element
        elif piece[0] >= 0x80:
            if upper is None:
                raise UnicodeError
            parts.append(_decode_piece(piece, upper))
        elif lower is not None:
            parts.append(_decode_piece(piece, lower))
        else:
            parts.append(piece.decode("ascii"))
            # A writer that does not designate again behind a delimiter is read as meant, unless a first set says more.
            if initial is not None and upper is not initial and resets.search(piece):
                upper = initial
    return "".join(parts)


def _decode_piece(piece: bytes, element: _CodeElement) -> str:
    if element.is_g0:
        return (element.escape + piece).decode(element.codec)
    if element.codec is _KATAKANA_CODEC:
        if not all(0xA1 <= byte <= 0xDF for byte in piece):
            raise UnicodeError
        return "".join(chr(byte + 0xFEC0) for byte in piece)
    return piece.decode(element.codec)


# --- encoding --------------------------------------------------------------------------------


def encode_text(text: str, character_set_values: tuple[str, ...]) -> bytes:
    """``text`` in the named sets, with code extensions where they are named.

    Raises TextNotEncodable; no character is ever replaced.
    """
    if text.isascii():
        return text.encode("ascii")
    repertoire = _repertoire_of(character_set_values)
    try:
        if repertoire.whole_codec:
            return text.encode(repertoire.whole_codec)
        if len(repertoire.extensions) == 1 and (only := repertoire.initial) and only.codec is not _KATAKANA_CODEC:
            return _encode_upper(text, only)
        return _encode_extended(text, repertoire)
    except UnicodeError:
        raise TextNotEncodable(repertoire.name) from None


def _encode_upper(text: str, element: _CodeElement) -> bytes:
    return text.encode(element.codec)


@lru_cache(maxsize=4096)
def _code_of(character: str, element: _CodeElement) -> bytes | None:
    """The bytes of one character in a code element, without escapes; None when it is not there."""
    if element.codec is _KATAKANA_CODEC:
        return bytes((ord(character) - 0xFEC0,)) if "\uff61" <= character <= "\uff9f" else None
    try:
        encoded = character.encode(element.codec)
    except UnicodeError:
        return None
    if not element.is_g0:
        return encoded
    start = len(element.escape)
    return encoded[start : start + 2] if encoded.startswith(element.escape) else None


def _encode_extended(text: str, repertoire: _Repertoire) -> bytes:
    initial = repertoire.initial
    to_single_byte = _TO_ROMAJI if repertoire.romaji else _TO_ASCII
    lower: _CodeElement | None = None
    upper = initial
    out = bytearray()
    for character in text:
        if character.isascii():
            if lower is not None:
                out += to_single_byte
                lower = None
            out += character.encode("ascii")
            # A reader may or may not go back to the first set here: designate again in both cases.
            if character in _RESETS_WHEN_WRITTEN and upper is not initial:
                upper = None
            continue
        element, code = _place_of(character, repertoire, lower, upper)
        if element.is_g0:
            if lower is not element:
                out += element.escape
                lower = element
        elif upper is not element:
            out += element.escape
            upper = element
        out += code
    if lower is not None:
        out += to_single_byte
    return bytes(out)


def _place_of(
    character: str, repertoire: _Repertoire, lower: _CodeElement | None, upper: _CodeElement | None
) -> tuple[_CodeElement, bytes]:
    """The code element to write ``character`` in: one that is designated already, if possible."""
    for element in (upper, lower, *repertoire.extensions):
        if element is not None and (code := _code_of(character, element)) is not None:
            return element, code
    raise UnicodeError


def character_set_for(texts: Iterable[str], preferred: tuple[str, ...]) -> tuple[str, ...]:
    """What Specific Character Set must say to hold ``texts``: nothing if it need not, ``preferred``, else UTF-8."""
    wide = [text for text in texts if not text.isascii()]
    if not wide:
        return ()
    try:
        for text in wide:
            encode_text(text, preferred)
    except TextNotEncodable:
        return ("ISO_IR 192",)
    return preferred
