"""What a file-set must know of an object: the keys of its records, what the rules of profiles ask, its size."""

from __future__ import annotations

import contextlib
import mmap
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radfuse.core.errors import DataSetError, InvalidInstance, MalformedDataSet, NestingTooDeep
from radfuse.core.transfer_syntaxes import (
    DEFLATED_LITTLE,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    syntax_of,
)
from radfuse.core.uids import is_valid_uid
from radfuse.dicom import FileMeta, Header, build_file_meta, read_file_meta, tree
from radfuse.media.record_keys import KEYS, PROFILE_KEYS, RECORD_KEYS
from radfuse.media.record_types import RecordType, record_type_of
from radfuse.media.spans import (
    LONGEST_VALUE,
    Bytes,
    Encoding,
    Span,
    as_read,
    header,
    items,
    span_at,
    spans,
    take_usual,
)

SOP_CLASS_UID: Final = 0x0008_0016
SOP_INSTANCE_UID: Final = 0x0008_0018
PATIENT_ID: Final = 0x0010_0020
ISSUER_OF_PATIENT_ID: Final = 0x0010_0021
STUDY_INSTANCE_UID: Final = 0x0020_000D
SERIES_INSTANCE_UID: Final = 0x0020_000E
CONTENT_SEQUENCE: Final = 0x0040_A730
VERIFICATION_DATE_TIME: Final = 0x0040_A030
REFERENCED_IMAGES: Final = 0x0008_1140

_VERIFYING_OBSERVERS: Final = 0x0040_A073
_RELATIONSHIP_TYPE: Final = 0x0040_A010
_SHARED_FUNCTIONAL_GROUPS: Final = 0x5200_9229
_MOST_ITEMS: Final = 10_000
"""Of a sequence that is kept."""
_BEGINNINGS_BYTES: Final = (128 << 10, 8 << 20)
"""Of a file on a medium: what is read of it until its pixels are reached."""

_OTHER_TAGS: Final = frozenset(
    {
        SOP_CLASS_UID,
        SOP_INSTANCE_UID,
        0x0008_0021,  # SeriesDate
        0x0008_0022,  # AcquisitionDate
        0x0008_0031,  # SeriesTime
        0x0008_0032,  # AcquisitionTime
        0x0028_0002,  # SamplesPerPixel
        0x0028_0004,  # PhotometricInterpretation
        0x0028_0100,  # BitsAllocated
        0x0028_0101,  # BitsStored
        0x0028_0102,  # HighBit
        0x0028_0103,  # PixelRepresentation
        0x0028_2110,  # LossyImageCompression
    }
)
"""What substitutes for missing keys and the rules of profiles (PS3.11) need beside the keys."""

_PLAIN_TAGS: Final = _OTHER_TAGS | {tag for tag, key in KEYS.items() if key.vr != "SQ"}
_NUMBERS: Final = frozenset(
    {0x0028_0002, *range(0x0028_0100, 0x0028_0104)} | {tag for tag, key in KEYS.items() if key.vr in ("UL", "US", "UV")}
)
"""Binary values: 32 is a blank and a zero, and not padding."""
_PLAIN_AS_READ: Final = {as_read(tag): tag for tag in _PLAIN_TAGS}
_SEQUENCE_TAGS: Final = {tag for tag, key in KEYS.items() if key.vr == "SQ"} | {
    _VERIFYING_OBSERVERS,
    _SHARED_FUNCTIONAL_GROUPS,
}
_PIXELS: Final = frozenset((0x7FE0_0008, 0x7FE0_0009, 0x7FE0_0010))
_OF_SHARED_GROUPS: Final = {
    0x0020_9113: 0x0020_0032,  # PlanePositionSequence: ImagePositionPatient
    0x0020_9116: 0x0020_0037,  # PlaneOrientationSequence: ImageOrientationPatient
    0x0028_9110: 0x0028_0030,  # PixelMeasuresSequence: PixelSpacing
}
"""Keys that enhanced images have in the shared functional groups (PS3.3 section C.7.6.16.2)."""

_UNITS: Final = {
    **dict.fromkeys(("US", "SS", "OW", "AT"), 2),
    **dict.fromkeys(("UL", "SL", "FL", "OF", "OL"), 4),
    **dict.fromkeys(("FD", "OD", "SV", "UV", "OV"), 8),
}
"""Bytes of one number, by VR: what changes places between byte orders."""


def _sequence_tags() -> Mapping[str, frozenset[int]]:
    """The sequences that are keys, by record type, whatever the table of the profile."""
    found: dict[str, set[int]] = {}
    for table in (RECORD_KEYS, *PROFILE_KEYS.values()):
        for record_type, keys in table.items():
            found.setdefault(record_type, set()).update(key.tag for key in keys if key.vr == "SQ")
    return {record_type: frozenset(tags) for record_type, tags in found.items()}


_SEQUENCES: Final = _sequence_tags()


@dataclass(frozen=True, slots=True)
class Described:
    """An object as a file-set sees it.

    ``size_bytes``: of the whole file that it becomes with our File Meta Information. ``data_offset``:
    where its data set begins in the file that was described. ``values``, never to be changed: raw
    top-level values by tag, in little endian byte order; of a sequence its items in explicit VR.
    """

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    size_bytes: int
    data_offset: int
    values: dict[int, bytes]
    has_pixels: bool = False
    before_pixels_bytes: int = 0
    """Of its data set, inflated: up to its pixels, or all of it when there are none."""

    @property
    def record_type(self) -> RecordType:
        """The type of its directory record."""
        return record_type_of(self.sop_class_uid)

    @property
    def study_instance_uid(self) -> str:
        """ "" for an object without a patient."""
        return self.text(STUDY_INSTANCE_UID)

    @property
    def series_instance_uid(self) -> str:
        """ "" for an object without a patient."""
        return self.text(SERIES_INSTANCE_UID)

    @property
    def header(self) -> Header:
        """The values, decoded when asked for."""
        return Header(self.values, EXPLICIT_LITTLE)

    def has(self, tag: int) -> bool:
        """Whether it has a value at ``tag`` that is not only padding."""
        value = self.values.get(tag, b"")
        return bool(value if tag in _NUMBERS else value.strip(b" \0")) or (tag in _PIXELS and self.has_pixels)

    def text(self, tag: int) -> str:
        """The value at ``tag`` as text without padding, "" when there is none."""
        return self.header.text(tag)

    def number(self, tag: int) -> int | None:
        """The first value at ``tag`` as a whole number; None when there is none."""
        first = self.text(tag).partition("\\")[0].strip()
        try:
            return int(first)
        except ValueError:
            return None


def describe(view: bytes | memoryview | mmap.mmap, *, meta: FileMeta | None = None) -> Described:
    """The object in ``view``, the bytes of a DICOM file; its pixels are not read.

    Raises NotPart10, MalformedDataSet, NestingTooDeep and InflatedTooLarge for what cannot be read,
    InvalidInstance for an object that does not say of what class, which one or how encoded it is.
    """
    return _described(view, len(view), meta)


def describe_file(path: Path) -> Described:
    """As ``describe``, of a file on a medium that somebody may pull out: it is read and never mapped.

    Only its beginning where pixels are behind that; otherwise a copy without a name. Raises OSError, too.
    """
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        for length in _BEGINNINGS_BYTES:
            head = os.pread(file.fileno(), length, 0)
            with contextlib.suppress(*(() if len(head) >= size else (DataSetError,))):
                return _described(head, size)
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(file, copy, _BEGINNINGS_BYTES[-1])
            copy.flush()
            with mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return describe(content)


def _described(view: bytes | memoryview | mmap.mmap, file_bytes: int, meta: FileMeta | None = None) -> Described:
    """By the whole file, or its beginning: raises MalformedDataSet where the beginning does not reach the pixels."""
    found = meta or read_file_meta(view)
    syntax = found.transfer_syntax_uid
    with memoryview(view) as whole:
        size = file_bytes - found.data_offset
        if syntax == DEFLATED_LITTLE:
            if len(view) < file_bytes:
                raise MalformedDataSet("it is deflated: its beginning says nothing", found.data_offset)
            inflated = tree.read_tree(whole, syntax, found.data_offset)
            content = b"".join(tree.write_tree(inflated, EXPLICIT_LITTLE))
            values, pixels_at = _collected(content, 0, Encoding(), len(content))
            before = len(content) if pixels_at is None else pixels_at
        else:
            encoding = Encoding(syntax_of(syntax).explicit_vr, not syntax_of(syntax).little_endian)
            values, pixels_at = _collected(whole, found.data_offset, encoding, file_bytes)
            before = size if pixels_at is None else pixels_at - found.data_offset
    sop_class, instance = _uid(values, SOP_CLASS_UID), _uid(values, SOP_INSTANCE_UID)
    uids = {"SOP Class UID": sop_class, "SOP Instance UID": instance, "Transfer Syntax UID": syntax}
    for name, uid in uids.items():
        if not is_valid_uid(uid):
            raise InvalidInstance(f"it has no valid {name}")
    head = build_file_meta(FileMeta(sop_class, instance, syntax))
    names = sys.intern(sop_class), instance, sys.intern(syntax)
    return Described(*names, len(head) + size, found.data_offset, values, pixels_at is not None, before)


def _uid(values: Mapping[int, bytes], tag: int) -> str:
    return values.get(tag, b"").strip(b" \0").decode("latin-1")


def _collected(view: Bytes, start: int, encoding: Encoding, file_bytes: int) -> tuple[dict[int, bytes], int | None]:
    """The values that are wanted, and where the pixels are, behind which a beginning may end."""
    collector = _Collector(view, encoding)
    is_usual = encoding == Encoding()
    pixels_at, position, end = None, start, len(view)
    while position < end:
        if is_usual:
            position = take_usual(view, position, _PLAIN_AS_READ, collector.values)
            if position == end:
                break
        if end < file_bytes and header(view, position, end, encoding)[0] in _PIXELS:
            span_at(view, position, file_bytes, encoding)  # raises when they are not whole
            return collector.values, position
        span = span_at(view, position, end, encoding)
        if span is None:
            break
        tag, position = span.tag, span.end
        if tag in _PLAIN_TAGS:
            collector.plain(span)
        elif tag in _PIXELS:
            pixels_at = span.at
        elif tag in _SEQUENCE_TAGS:
            # A sequence that cannot be understood is as good as none: what must be there is asked for later.
            with contextlib.suppress(MalformedDataSet, NestingTooDeep):
                collector.sequence(span)
    if end < file_bytes:
        raise MalformedDataSet("it goes on behind its beginning", end)
    return collector.values, pixels_at


class _Collector:
    """Takes values out of one data set."""

    __slots__ = ("_encoding", "_sequences", "_view", "values")

    def __init__(self, view: Bytes, encoding: Encoding) -> None:
        """One that has nothing yet."""
        self._view = view
        self._encoding = encoding
        self._sequences: frozenset[int] | None = None
        self.values: dict[int, bytes] = {}

    def plain(self, span: Span) -> None:
        """Keep a value that is no sequence."""
        if span.is_open or span.end - span.value_at > LONGEST_VALUE:
            return
        value = bytes(self._view[span.value_at : span.end])
        if self._encoding.is_big:
            value = _little(value, _UNITS.get(span.vr, 1))
        self.values[span.tag] = value

    def sequence(self, span: Span) -> None:
        """Keep a sequence, or what is wanted of its items."""
        if self._sequences is None:
            # The SOP class stands before every sequence that is a key, in (0008,0016).
            self._sequences = _SEQUENCES[record_type_of(_uid(self.values, SOP_CLASS_UID)).name]
        if span.tag == _VERIFYING_OBSERVERS:
            self._verification(span)
        elif span.tag == _SHARED_FUNCTIONAL_GROUPS:
            self._shared_groups(span)
        elif span.tag in self._sequences:
            self._keep(span, self._inner(span))

    def _inner(self, span: Span) -> Encoding:
        """How the items are encoded: a sequence that is called UN has implicit VR inside (PS3.5 section 6.2.2)."""
        return self._encoding._replace(is_explicit=self._encoding.is_explicit and span.vr != "UN")

    def _keep(self, span: Span, encoding: Encoding) -> None:
        """A sequence whole, or of a document's content what modifies its title."""
        syntax = EXPLICIT_BIG if encoding.is_big else EXPLICIT_LITTLE if encoding.is_explicit else IMPLICIT_LITTLE
        kept: list[tree.Tree] = []
        for start, end in items(self._view, span.value_at, span.end, encoding):
            if span.tag == CONTENT_SEQUENCE and not self._modifies(start, end, encoding):
                continue
            if len(kept) >= _MOST_ITEMS:
                raise MalformedDataSet("a sequence that its directory record holds has too many items", start)
            item = tree.read_tree(bytes(self._view[start:end]), syntax)
            if encoding.is_big:
                _turn(item)
            kept.append(item)
        sequence = tree.Tree({span.tag: tree.Node(span.tag, "SQ", items=kept)})
        if kept:
            self.values[span.tag] = b"".join(tree.write_tree(sequence, EXPLICIT_LITTLE))[12:]

    def _modifies(self, start: int, end: int, encoding: Encoding) -> bool:
        for span in spans(self._view, start, end, encoding):
            if span.tag == _RELATIONSHIP_TYPE:
                return bytes(self._view[span.value_at : span.end]).strip(b" \0") == b"HAS CONCEPT MOD"
            if span.tag > _RELATIONSHIP_TYPE:
                break
        return False

    def _verification(self, span: Span) -> None:
        """When the document was verified last."""
        latest = b""
        for observer in self._elements(span, 100):
            if found := observer.get(VERIFICATION_DATE_TIME):
                latest = max(latest, bytes(self._view[found.value_at : found.end]))
        if latest:
            self.values[VERIFICATION_DATE_TIME] = latest

    def _shared_groups(self, span: Span) -> None:
        for groups in self._elements(span, 1):
            for tag, key in _OF_SHARED_GROUPS.items():
                if group := groups.get(tag):
                    for inside in self._elements(group, 1):
                        if key in inside and key not in self.values:
                            self.plain(inside[key])
            referenced = groups.get(REFERENCED_IMAGES)
            if referenced and REFERENCED_IMAGES not in self.values:
                self._keep(referenced, self._inner(referenced))

    def _elements(self, span: Span, most: int) -> Iterator[dict[int, Span]]:
        """The elements of the first items of a sequence."""
        encoding = self._inner(span)
        for number, (start, end) in enumerate(items(self._view, span.value_at, span.end, encoding)):
            if number >= most:
                return
            yield {inside.tag: inside for inside in spans(self._view, start, end, encoding)}


def _little(value: bytes, unit: int) -> bytes:
    """Numbers of ``unit`` bytes in the other byte order."""
    if unit == 1 or len(value) % unit:
        return value
    turned = bytearray(len(value))
    for place in range(unit):
        turned[place::unit] = value[unit - 1 - place :: unit]
    return bytes(turned)


def _turn(level: tree.Tree) -> None:
    """Big endian values of an item, and of all below, into little endian."""
    for _, node in level.walk():
        if node.items is None:
            # A tag is two numbers, each turned by itself (PS3.5 section 7.3).
            node.value = _little(bytes(node.value), _UNITS.get(node.vr, 1))
