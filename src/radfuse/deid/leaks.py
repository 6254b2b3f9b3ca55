"""The proof: every byte of an output is searched for every identifying value of what it was made from.

One pass over the bytes: four of them at a time are looked up in a table of the first bytes of all
forms, at every second place, and only where that hits are forms compared. What a value may hide in
is opened first: deflated data sets, streams of PDF, percent and XML escapes. Only when something was
found is the output read again, element by element, to say where.
"""

from __future__ import annotations

import html
import mmap
import re
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_to_bytes

import numpy as np

from radfuse.core.transfer_syntaxes import DEFLATED_LITTLE
from radfuse.deid.engine import Anonymized, Change
from radfuse.deid.identifiers import (
    IDENTIFYING_VRS,
    LONGEST_VALUE,
    SHORTEST,
    Form,
    Identifier,
    Kind,
    forms,
    identifiers,
)
from radfuse.deid.options import Option, Profile
from radfuse.deid.pixels.picture import PIXEL_DATA
from radfuse.deid.table import table
from radfuse.dicom import read_file_meta
from radfuse.dicom.tree import Tree, Value, read_tree
from radfuse.dicom.words import keyword_of

_TABLE_BITS: Final = 18
_MULTIPLIER: Final = np.uint32(2_654_435_761)
_SHIFT: Final = np.uint32(32 - _TABLE_BITS)
_LOWER_CASE: Final = np.uint32(0x2020_2020)
_CHUNK_BYTES: Final = 1 << 17
"""Searched at a time: what is made of so many bytes stays in the processor's cache and is never new memory."""
_RELEASED_BYTES: Final = 16 << 20
_LONGEST_FORM: Final = 1024
_LARGE_BYTES: Final = 1 << 16
_SHORTEST_IN_LARGE: Final = 6
_FEWEST_DIFFERENT_BYTES: Final = 3
_RAMP: Final = bytes(range(256))
_MOST_IDENTIFIERS: Final = 5000
_MOST_VALUES: Final = 100_000
_MOST_STUDIES: Final = 4
_STUDY_INSTANCE_UID: Final = 0x0020_000D
_OF_THE_PRODUCT: Final = frozenset((0x0008_0070, 0x0008_1090))
"""Manufacturer and its model's name, which stations and departments are often called after."""
_CODE_MEANING: Final = 0x0008_0104
_PATIENT_GROUP: Final = 0x0010
_OWN: Final = frozenset((0x0012_0062, 0x0012_0063, 0x0012_0064, 0x0028_0303))
_TEXT_VRS: Final = frozenset(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UN", "UR", "UT"))
_NUMBER_VRS: Final = frozenset(("AT", "FD", "FL", "OD", "OF", "OL", "OV", "OW", "SL", "SS", "SV", "UL", "US", "UV"))
_LETTERS: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz") | frozenset(range(0x80, 0x100))
_WORDS: Final = (
    re.compile(rb"(?<![a-z\x80-\xff])[a-z\x80-\xff]{3,4}(?![a-z\x80-\xff])"),
    re.compile(rb"(?<![a-z0-9\x80-\xff])[a-z0-9\x80-\xff]{3,4}(?![a-z0-9\x80-\xff])"),
)
"""Short words of letters, and of letters and digits."""


class Leak(NamedTuple):
    """An identifying value that is still there. It names attributes, never the value."""

    path: tuple[int, ...]
    """Where: the sequences and the element; () when it is in no element."""
    tag: int
    """The attribute that the value came from."""
    kind: Kind

    def __str__(self) -> str:
        """A sentence for people."""
        where = " > ".join(map(_name, self.path)) or "the file outside of its elements"
        return f"{where} still holds a {self.kind.value} of {_name(self.tag)}"


def _name(tag: int) -> str:
    return keyword_of(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


class _Found(NamedTuple):
    """A form at a place."""

    form: bytes
    identifier: Identifier


@dataclass(slots=True)
class Patterns:
    """Forms to look for, all at once."""

    _table: Any = field(default_factory=lambda: np.zeros(1 << _TABLE_BITS, np.bool_))
    _starts: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    """By four bytes as they may stand there: how far into a form that is, and the form's first five bytes."""
    _forms: dict[bytes, dict[int, dict[bytes, tuple[bool, Identifier]]]] = field(default_factory=dict)
    """By the first five bytes and the length."""
    _words: dict[bytes, Identifier] = field(default_factory=dict)
    """The short ones."""

    def add(self, form: Form, identifier: Identifier) -> None:
        """Look for this too."""
        pattern = form.pattern[:_LONGEST_FORM]
        if len(pattern) < SHORTEST:
            self._words.setdefault(pattern, identifier)
            return
        start = pattern[:SHORTEST]
        by_length = self._forms.get(start)
        if by_length is None:
            by_length = self._forms[start] = {}
            for offset in (0, 1):
                four = start[offset : offset + 4]
                for spelling in _spellings(four):
                    self._starts.setdefault(int.from_bytes(spelling, "little"), []).append((offset, start))
                word = int.from_bytes(four, "little") | int(_LOWER_CASE)
                self._table[(word * int(_MULTIPLIER) & 0xFFFF_FFFF) >> int(_SHIFT)] = True
        by_length.setdefault(len(pattern), {}).setdefault(pattern, (form.is_bounded, identifier))

    def find(self, data: Value, shortest: int = SHORTEST) -> Iterator[_Found]:
        """Every form in ``data`` of at least ``shortest`` bytes."""
        mapped = data.obj if isinstance(data, memoryview) and isinstance(data.obj, mmap.mmap) else None
        for begin in range(0, len(data), _CHUNK_BYTES):
            if mapped is not None and begin % _RELEASED_BYTES == 0:
                # What was searched needs no memory any more; a mapped file is read again where it is needed.
                mapped.madvise(mmap.MADV_DONTNEED)
            yield from self._in_chunk(data[begin : begin + _CHUNK_BYTES + _LONGEST_FORM], shortest)

    def find_words(self, data: bytes) -> Iterator[_Found]:
        """The short forms that stand in ``data`` as words of their own."""
        lower = data.lower() if self._words else b""
        there = [word for word in self._words if word in lower]
        for pattern in _WORDS if there else ():
            found = set(pattern.findall(lower))
            yield from (_Found(word, self._words[word]) for word in there if word in found)

    def _in_chunk(self, data: Value, shortest: int) -> Iterator[_Found]:
        for offset in (0, 2):
            count = (len(data) - offset) // 4
            if count <= 0:
                continue
            words = np.frombuffer(data, "<u4", count, offset)
            hashed = words | _LOWER_CASE
            hashed *= _MULTIPLIER
            hashed >>= _SHIFT
            hits = np.flatnonzero(self._table[hashed])
            for place, word in zip(hits.tolist(), words[hits].tolist(), strict=True):
                for before, start in self._starts.get(word, ()):
                    begin = place * 4 + offset - before
                    if begin >= 0 and bytes(data[begin : begin + SHORTEST]).lower() == start:
                        yield from self._at(data, begin, start, shortest)

    def _at(self, data: Value, begin: int, start: bytes, shortest: int) -> Iterator[_Found]:
        for length, patterns in self._forms[start].items():
            piece = bytes(data[begin : begin + length]).lower()
            found = patterns.get(piece) if length >= shortest else None
            if found is None or (shortest > SHORTEST and _may_be_numbers(piece)):
                continue
            is_bounded, identifier = found
            end = begin + length
            if not is_bounded or _stands_alone(
                piece, identifier.kind, bytes(data[max(begin - 1, 0) : begin]), bytes(data[end : end + 4])
            ):
                yield _Found(piece, identifier)


def _may_be_numbers(piece: bytes) -> bool:
    """Whether among numbers it says nothing: a few letters in UTF-16, or "123456", are as many numbers of 16 bits."""
    letters = piece.replace(b"\0", b"")
    return len(set(piece)) < _FEWEST_DIFFERENT_BYTES or len(letters) < _SHORTEST_IN_LARGE or letters in _RAMP


@lru_cache(maxsize=4096)
def _spellings(lower: bytes) -> tuple[bytes, ...]:
    """The bytes with their letters in either case."""
    choices = [(byte, byte - 0x20) if 0x61 <= byte <= 0x7A else (byte,) for byte in lower]
    return tuple(map(bytes, product(*choices)))


def _stands_alone(piece: bytes, kind: Kind, before: bytes, behind: bytes) -> bool:
    """Whether it is no part of a longer number or word."""
    first, last = before.lower()[:1], behind.lower()[:1]
    is_number = first.isdigit(), last.isdigit()
    if kind is Kind.DATE:
        return not is_number[0] and (not is_number[1] or _TIME.match(behind) is not None)
    if kind is Kind.UID or piece.isdigit():
        return not any(is_number) and first != b"."
    return not (first and first[0] in _LETTERS) and not (last and last[0] in _LETTERS)


_TIME: Final = re.compile(rb"[01]\d[0-5]\d|2[0-3][0-5]\d")


# --- what a value may hide in ------------------------------------------------------------------------

_PERCENT: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_ENTITY: Final = re.compile(rb"&(?:#\d+|#x[0-9A-Fa-f]+|[a-z]{2,8});")
_STREAM: Final = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_PDF_TEXT: Final = re.compile(rb"\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f\s]+>")
_LARGEST_STREAM: Final = 1 << 26


def openings(data: bytes) -> Iterator[bytes]:
    """``data`` itself, and what it says when its escapes and streams are opened."""
    yield data
    if _PERCENT.search(data):
        yield unquote_to_bytes(data)
    if _ENTITY.search(data):
        yield html.unescape(data.decode("utf-8", "replace")).encode("utf-8")
    if b"%PDF-" in data:
        for stream in _STREAM.findall(data):
            plain = _inflated(stream)
            yield plain
            yield b"".join(map(_pdf_text, _PDF_TEXT.findall(plain)))


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream, _LARGEST_STREAM)
    except zlib.error:
        return stream


def _pdf_text(token: bytes) -> bytes:
    if token.startswith(b"<"):
        digits = re.sub(rb"\s", b"", token[1:-1])
        return bytes.fromhex((digits + b"0" * (len(digits) & 1)).decode("ascii"))
    return re.sub(rb"\\(.)", rb"\1", token[1:-1], flags=re.DOTALL)


# --- the scan ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Identifiers:
    """What was learned from the objects of one study; it grows, and begins anew when it is too much."""

    profile: Profile
    patterns: Patterns = field(default_factory=Patterns)
    _known: set[tuple[str, Kind]] = field(default_factory=set)
    _seen: set[int] = field(default_factory=set)
    """Hashes: the values may be many and long."""

    def learn(self, changes: Iterable[Change]) -> None:
        """Look for the identifying values of these from now on."""
        self.learn_values(identifiers(filter(self._is_new, changes), self.profile))

    def learn_values(self, values: Iterable[Identifier]) -> None:
        """Look for these from now on."""
        for identifier in values:
            key = identifier.text, identifier.kind
            if key not in self._known:
                self._known.add(key)
                for form in forms(identifier):
                    self.patterns.add(form, identifier)

    @property
    def is_full(self) -> bool:
        """Whether it is more than should be kept."""
        return len(self._known) > _MOST_IDENTIFIERS or len(self._seen) > _MOST_VALUES

    def _is_new(self, change: Change) -> bool:
        """Whether the same value of the same attribute has not been looked at yet."""
        node = change.before
        if node.items is not None:
            return True
        if node.vr not in IDENTIFYING_VRS or node.fragments is not None or len(node.value) > LONGEST_VALUE:
            return False
        key = hash((node.tag, bytes(node.value), change.character_sets, change.action))
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def scan(self, pieces: Sequence[Value], transfer_syntax_uid: str, tree: Tree | None = None) -> list[Leak]:
        """Where the output, a Part 10 file in ``pieces``, still holds something of what is known.

        ``tree``: the same data set, where it is at hand; else it is read again when something was found.
        """
        small = b"".join([piece for piece in pieces if len(piece) < _LARGE_BYTES])
        large = [piece for piece in pieces if len(piece) >= _LARGE_BYTES]
        if transfer_syntax_uid == DEFLATED_LITTLE:
            small, large = _undeflated(b"".join(pieces)), []
        is_suspicious = any(map(self._is_in, openings(small))) or any(map(self._is_in_large, large))
        return self._located(pieces, tree) if is_suspicious else []

    def _is_in(self, data: bytes) -> bool:
        return (
            next(self.patterns.find(data), None) is not None or next(self.patterns.find_words(data), None) is not None
        )

    def _is_in_large(self, data: Value) -> bool:
        if bytes(data[:5]) == b"%PDF-" or bytes(data[:1]) == b"<":
            return any(map(self._is_in, openings(bytes(data))))
        return next(self.patterns.find(data, _SHORTEST_IN_LARGE), None) is not None

    def _located(self, pieces: Sequence[Value], tree: Tree | None) -> list[Leak]:
        """The same again, element by element: chance across the headers of elements is no leak."""
        if tree is None:
            file = b"".join(pieces)
            meta = read_file_meta(file)
            head: Value = file[: meta.data_offset]
            tree = read_tree(file, meta.transfer_syntax_uid, meta.data_offset)
        else:
            head = pieces[0]
        found = [Leak((), each.identifier.tag, each.identifier.kind) for each in self.patterns.find(head)]
        return list(dict.fromkeys([*found, *self._of_level(tree, ())]))

    def _of_level(self, tree: Tree, path: tuple[int, ...]) -> Iterator[Leak]:
        for node in tree:
            here = (*path, node.tag)
            if node.tag in _OWN:
                continue
            for item in node.items or ():
                yield from self._of_level(item, here)
            # Implicit VR does not say whether pixels are bytes or words: where they are native, they are numbers.
            vr = "OW" if node.tag == PIXEL_DATA and node.fragments is None else node.vr
            for value in node.fragments or ([node.value] if node.items is None else []):
                for found in self._in_value(value, vr):
                    if not self._may_stay(node.tag, node.vr, found):
                        yield Leak(here, found.identifier.tag, found.identifier.kind)

    def _in_value(self, value: Value, vr: str) -> Iterator[_Found]:
        if len(value) >= _LARGE_BYTES or vr not in _TEXT_VRS:
            yield from self.patterns.find(value, SHORTEST if vr in _PLAIN_VRS else _SHORTEST_IN_LARGE)
            if vr in _NUMBER_VRS or (len(value) >= _LARGE_BYTES and bytes(value[:5]) != b"%PDF-"):
                return
        for data in openings(bytes(value)):
            yield from self.patterns.find(data)
            if vr in _TEXT_VRS:
                yield from self.patterns.find_words(data)

    def _may_stay(self, tag: int, vr: str, found: _Found) -> bool:
        """Whether the options let it stand there."""
        if found.identifier.kind is Kind.DATE and vr in ("DA", "DT"):
            # A shifted date may be another date of the same patient; the engine moved it all the same.
            return bool(self.profile.options & {Option.FULL_DATES, Option.SHIFTED_DATES})
        if vr in ("DS", "IS", "TM", "DA", "DT", "AS") and found.form.isdigit() and found.identifier.kind is Kind.TEXT:
            return True  # a number that is also somebody's number
        if found.identifier.kind in (Kind.UID, Kind.DATE) or found.identifier.tag >> 16 == _PATIENT_GROUP:
            return False
        row = table().rows.get(tag)
        if row is not None and any(code == "K" and option in self.profile for option, code in row.options.items()):
            return True
        if found.identifier.kind is Kind.NAME or tag in _OF_THE_PRODUCT:
            return found.identifier.kind is not Kind.NAME
        described = table().rows.get(found.identifier.tag)
        # What was done is often described by the meaning of its code, which the table keeps.
        return tag == _CODE_MEANING and described is not None and Option.DESCRIPTORS in described.options


_PLAIN_VRS: Final = frozenset(("AS", "DA", "DS", "DT", "IS", "TM", "UI"))


def _undeflated(file: bytes) -> bytes:
    start = read_file_meta(file).data_offset
    return file[:start] + zlib.decompressobj(-zlib.MAX_WBITS).decompress(file[start:])


@dataclass(slots=True)
class LeakScan:
    """Searches one output after the other; what it learned in one object of a study it looks for in the next."""

    profile: Profile
    _studies: OrderedDict[str, Identifiers] = field(default_factory=OrderedDict)

    def leaks(self, done: Anonymized) -> list[Leak]:
        """Where ``done`` still holds identifying values of its study's objects so far."""
        known = self._of(done.tree.ascii(_STUDY_INSTANCE_UID))
        known.learn(done.changes)
        return known.scan(done.pieces, done.transfer_syntax_uid, done.tree)

    def _of(self, study: str) -> Identifiers:
        known = self._studies.get(study)
        if known is None or known.is_full:
            known = self._studies[study] = Identifiers(self.profile)
        self._studies.move_to_end(study)
        while len(self._studies) > _MOST_STUDIES:
            self._studies.popitem(last=False)
        return known


def scan(changes: Iterable[Change], pieces: Sequence[Value], profile: Profile | None = None) -> list[Leak]:
    """Where an output holds identifying values of these changes: one object by itself."""
    known = Identifiers(profile or Profile())
    known.learn(changes)
    return known.scan(pieces, read_file_meta(b"".join(pieces)).transfer_syntax_uid)
