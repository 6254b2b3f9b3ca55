"""What in a value identifies somebody, and every form in which it could still stand in an output.

A value is looked for as it was stored and in every character set of PS3.5, in UTF-16, in base64 (all
three alignments), in hexadecimal digits and percent-encoded; names by their components in any order,
dates as people write them. What everybody has ("CT", "1", the words of the standard) identifies nobody.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import lru_cache
from itertools import permutations
from typing import Final, NamedTuple
from urllib.parse import quote

from radfuse.core.errors import TextNotEncodable
from radfuse.deid.cleaning import clean_text
from radfuse.deid.engine import Change
from radfuse.deid.options import Option, Profile
from radfuse.deid.table import Action, table
from radfuse.dicom.tree import Node
from radfuse.dicom.words import decode_values, encode_text, keyword_of


class Kind(Enum):
    """What sort of value it is: each is looked for in its own way."""

    NAME = "name"
    UID = "UID"
    DATE = "date"
    TEXT = "text"


class Identifier(NamedTuple):
    """One value of an input that must not be in an output."""

    text: str
    kind: Kind
    tag: int
    """Of the attribute that it came from."""
    raw: bytes = b""
    """As it was stored, when that is not ASCII."""


class Form(NamedTuple):
    """Bytes to look for, in lower case, and whether they count only as a whole word."""

    pattern: bytes
    is_bounded: bool


SHORTEST: Final = 5
"""Forms with fewer bytes are too frequent to be looked for anywhere but among the words of texts."""
SHORTEST_WORD: Final = 3
_LONGEST_BOUNDED: Final = 6
_LONGEST_TEXT: Final = 64
_MOST_PARTS: Final = 16
_SHORTEST_TEXT: Final = 4
_SHORTEST_DESCRIPTION: Final = 16
_SHORTEST_UID: Final = 7
LONGEST_VALUE: Final = 10_240
_BIRTH_DATE: Final = 0x0010_0030
_STANDARD_ROOT: Final = "1.2.840.10008."
_NOT_OF_INSTANCES: Final = ("ClassUID", "SchemeUID", "SyntaxUID", "ResourceUID", "ContextUID", "LibraryUID")
_PLAIN_WORDS: Final = frozenset(
    (  # noqa: SIM905 - as words they are read more easily
        "admin anon anonym anonymized anonymised anonymous dummy doctor hospital clinic images medical name nobody "
        "none null operator patient phantom removed systems technologist tester unknown unspecified user "
        "accuray agfa brainlab canon carestream dcmtk elekta fuji fujifilm healthineers hitachi hologic iba kodak "
        "konica mevis minolta orthanc osirix philips pydicom radfuse raysearch samsung shimadzu siemens toshiba varian"
    ).split()
)
"""Words that stand in the place of names, and of those who made the device: they stand in what stays, too."""
_TEXT_VRS: Final = frozenset(("AE", "LO", "LT", "SH", "ST", "UC", "UR", "UT"))
IDENTIFYING_VRS: Final = _TEXT_VRS | {"DA", "DT", "PN", "UI"}
"""Values of other VRs are not looked for: a weight or a time of day is many people's."""
_WORDS: Final = re.compile(r"[^\W_]+")


def identifiers(changes: Iterable[Change], profile: Profile) -> Iterator[Identifier]:
    """The identifying values among those that were changed."""
    for change in changes:
        yield from of_node(change.before, change.character_sets, profile, change.action)


def of_node(node: Node, character_sets: tuple[str, ...], profile: Profile, action: Action) -> Iterator[Identifier]:
    """The identifying values of an element and of what is below it."""
    if node.items is not None:
        for item in node.items:
            for each in item:
                yield from of_node(each, item.character_sets or character_sets, profile, action)
        return
    if not node.value or len(node.value) > LONGEST_VALUE or node.fragments is not None:
        return
    kind = _kind(node, profile)
    if kind is None or (action is Action.SHIFT and kind is not Kind.DATE):
        return  # the time zone stays where dates are moved
    raw = bytes(node.value)
    for text in decode_values(raw, character_sets, node.vr):
        if _identifies(text, kind, node.tag, action):
            is_ascii = raw.isascii() and b"\x1b" not in raw
            yield Identifier(text, kind, node.tag, b"" if is_ascii else raw.strip(b" \0"))


def _kind(node: Node, profile: Profile) -> Kind | None:
    if node.vr == "PN":
        return Kind.NAME
    if node.vr == "UI":
        is_free = Option.UIDS in profile or keyword_of(node.tag).endswith(_NOT_OF_INSTANCES)
        return None if is_free else Kind.UID
    if node.vr in ("DA", "DT"):
        # Dates that stay somewhere by the option may stay everywhere; that of birth does not.
        return None if Option.FULL_DATES in profile and node.tag != _BIRTH_DATE else Kind.DATE
    return Kind.TEXT if node.vr in _TEXT_VRS and node.tag in table().rows else None


def _identifies(text: str, kind: Kind, tag: int, action: Action) -> bool:
    match kind:
        case Kind.NAME:
            return any(map(is_telling, name_parts(text)))
        case Kind.UID:
            return len(text) >= _SHORTEST_UID and not text.startswith(_STANDARD_ROOT)
        case Kind.DATE:
            return (
                re.match(r"(?:1[89]|2\d)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", text.replace(".", ""))
                is not None
            )
    if action is Action.CLEAN and clean_text(text) == text:
        return False
    is_description = Option.DESCRIPTORS in table().rows[tag].options
    least = _SHORTEST_DESCRIPTION if is_description else _SHORTEST_TEXT
    return len(text) >= least and any(map(is_telling, _WORDS.findall(text)))


def is_telling(word: str) -> bool:
    """Whether a word is none that everybody uses."""
    if word.isdigit():
        return len(word) >= SHORTEST
    return len(word) > 1 and clean_text(word) != word and word.lower() not in _PLAIN_WORDS


def name_parts(name: str) -> list[str]:
    """The components of a person name, of all its groups (PS3.5 section 6.2.1)."""
    return [part for part in re.split(r"[\^=,\s]+", name) if part][:_MOST_PARTS]


# --- texts -----------------------------------------------------------------------------------------

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def texts_of(identifier: Identifier) -> Iterator[str]:
    """The texts that say the same as the value."""
    text = identifier.text
    match identifier.kind:
        case Kind.NAME:
            yield text
            yield from _name_texts(text)
        case Kind.UID:
            yield text
        case Kind.DATE:
            yield from _date_texts(text.replace(".", "")[:8])
        case Kind.TEXT:
            parts = text.splitlines() if len(text) > _LONGEST_TEXT else [text]
            told = (part.strip()[:_LONGEST_TEXT] for part in parts[:_MOST_PARTS])
            yield from (part for part in told if any(map(is_telling, _WORDS.findall(part))))


def _name_texts(name: str) -> Iterator[str]:
    yield from filter(is_telling, name_parts(name))
    for group in name.split("="):
        parts = name_parts(group)[:3]
        for first, second in permutations(parts, 2):
            # Two short components say together what neither of them says alone.
            if is_telling(first) or is_telling(second):
                yield from (f"{first}{sign}{second}" for sign in ("^", " ", ", ", "_", ""))


def _date_texts(date: str) -> Iterator[str]:
    year, month, day = date[:4], date[4:6], date[6:8]
    yield date
    for sign in "-./":
        yield f"{year}{sign}{month}{sign}{day}"
        yield f"{day}{sign}{month}{sign}{year}"
        yield f"{month}{sign}{day}{sign}{year}"
    name = _MONTHS[int(month) - 1]
    yield from (f"{day}-{name}-{year}", f"{day} {name} {year}", f"{name} {int(day)}, {year}", f"{name} {day}, {year}")


# --- bytes -----------------------------------------------------------------------------------------

_TERMS: Final[tuple[tuple[str, ...], ...]] = (
    *((f"ISO_IR {number}",) for number in (100, 101, 109, 110, 126, 127, 138, 144, 148, 166, 203, 13, 192)),
    *(("", f"ISO 2022 IR {number}") for number in (87, 159, 149, 58)),
    ("GB18030",),
)
"""The character sets of PS3.3 section C.12.1.1.2."""
_OTHER_CODECS: Final = ("utf-8", "euc_kr", "euc_jp", "shift_jis", "cp1252", "cp1251")
_LETTERS_OF_BASE64: Final = ((0, 0), (2, 1), (3, 2))
"""By alignment: the letters at the front that other bytes share, and how many bytes stand before."""


def forms(identifier: Identifier) -> frozenset[Form]:
    """Every byte string that would give the value away."""
    found: set[Form] = set()
    is_name = identifier.kind is Kind.NAME
    for text in set(texts_of(identifier)):
        found |= _forms_of(text, is_name or identifier.kind is Kind.TEXT)
    if len(identifier.raw) >= SHORTEST:
        found.add(Form(identifier.raw[:_LONGEST_TEXT].lower(), False))
    return frozenset(found)


@lru_cache(maxsize=1024)
def _forms_of(text: str, is_word: bool) -> frozenset[Form]:
    is_bounded = len(text) <= _LONGEST_BOUNDED if is_word else True
    found = {Form(encoded.lower(), is_bounded) for encoded in _encoded(text)}
    for spelling in {text, text.upper(), text.lower()}:
        found |= {Form(other.lower(), False) for other in _wrapped(spelling)}
    return frozenset(form for form in found if len(form.pattern) >= SHORTEST_WORD)


def _encoded(text: str) -> Iterator[bytes]:
    """In every character set that has all of it."""
    if text.isascii():
        yield text.encode("ascii")
        return
    for spelling in {text, text.upper(), text.lower()}:
        for term in _TERMS:
            try:
                yield encode_text(spelling, term)
            except TextNotEncodable:
                continue
        for codec in _OTHER_CODECS:
            try:
                yield spelling.encode(codec)
            except UnicodeError:
                continue


def _wrapped(text: str) -> Iterator[bytes]:
    """As other formats carry it."""
    plain = text.encode("utf-8")
    if len(plain) < SHORTEST_WORD:
        return
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")
    yield from (each for each in (plain.hex().encode(),) if len(plain) >= SHORTEST)
    quoted = quote(text, safe="").encode()
    if quoted != plain:
        yield quoted
    for front, before in _LETTERS_OF_BASE64:
        length = (len(plain) + before) * 8 // 6
        letters = base64.b64encode(bytes(before) + plain)[front:length]
        if len(letters) > SHORTEST:
            yield letters
