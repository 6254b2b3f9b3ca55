"""A data set copied element by element into another encoding; only its pixels are understood."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from radfuse.dicom.codecs.element_stream import (
    IMPLICIT,
    ITEM,
    ITEM_END,
    SEQUENCE_END,
    UNDEFINED_LENGTH,
    ElementReader,
    ElementWriter,
    Encoding,
    Header,
)
from radfuse.dicom.codecs.pixel_plan import Job, PixelPlan, plan_native
from radfuse.dicom.codecs.refused import Refused
from radfuse.dicom.codecs.scan import DEEPEST, PIXEL_DATA, PIXEL_REPRESENTATION, scan
from radfuse.dicom.codecs.value_representations import vr_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_ICON_IMAGE_SEQUENCE: Final = 0x0088_0200
_WAVEFORM_BITS_ALLOCATED: Final = 0x5400_1004
_SCOPED: Final = frozenset((PIXEL_REPRESENTATION, _WAVEFORM_BITS_ALLOCATED))


@dataclass(slots=True)
class Scope:
    """What earlier elements of one level say of later ones, and what is to change at this level."""

    signed: bool = False
    waveform_bits: int = 0
    depth: int = 0
    plan: PixelPlan | None = None
    pending: list[int] = field(default_factory=list)

    def inner(self, plan: PixelPlan | None = None) -> Scope:
        """The scope of an item within this level."""
        if self.depth == DEEPEST:
            raise Refused("sequences are nested too deeply")
        return Scope(self.signed, self.waveform_bits, self.depth + 1, plan, sorted(plan.edits) if plan else [])


class Rewriter:
    """Copies a data set from a reader to a writer; raises ``Refused``.

    Sequences and items come out with undefined length, as their new length is only known
    afterwards. Group lengths (retired, PS3.5 section 7.2) would be wrong and are left out.
    """

    def __init__(self, job: Job, reader: ElementReader, writer: ElementWriter) -> None:
        self._job = job
        self._reader = reader
        self._writer = writer

    def object(self, source: Encoding, plan: PixelPlan, *, signed: bool) -> None:
        """Copy the whole data set from the reader's position on."""
        scope = Scope(signed=signed, plan=plan, pending=sorted(plan.edits))
        self._level(source, self._reader.end, scope)

    def _level(self, source: Encoding, end: int | None, scope: Scope) -> None:
        """Copy the elements of one level to ``end``, or to its item delimiter."""
        reader = self._reader
        while end is None or reader.position < end:
            header = reader.header(source)
            if header.tag == ITEM_END and end is None:
                break
            self._flush(scope, header.tag)
            if header.tag & 0xFFFF == 0 or (scope.plan is not None and scope.plan.replaces(header.tag)):
                self._skip(header, source, scope)
            else:
                self._element(header, source, scope)
        self._flush(scope, UNDEFINED_LENGTH)
        if end is not None and reader.position != end:
            raise Refused("an element is longer than what holds it")

    def _flush(self, scope: Scope, before: int) -> None:
        """Write our own attributes that come before tag ``before``."""
        while scope.pending and scope.pending[0] <= before:
            assert scope.plan is not None  # noqa: S101 - pending comes from the plan
            tag = scope.pending.pop(0)
            self._writer.short(tag, *scope.plan.edits[tag])

    def _skip(self, header: Header, source: Encoding, scope: Scope) -> None:
        """Pass over an element; a sequence without a length ends where its copy would."""
        if header.length != UNDEFINED_LENGTH:
            self._reader.seek(self._reader.position + header.length)
            return
        nowhere = ElementWriter(io.BytesIO(), source)
        Rewriter(self._job, self._reader, nowhere)._element(header, source, scope.inner())

    def _element(self, header: Header, source: Encoding, scope: Scope) -> None:
        tag, vr, length = header
        if tag >> 16 == 0xFFFE:
            raise Refused("a delimiter stands where an element must")
        if not vr:
            vr = vr_of(tag, length, signed=scope.signed, waveform_bits=scope.waveform_bits)
            header = Header(tag, vr, length)
        if tag == PIXEL_DATA and (scope.plan is not None or length == UNDEFINED_LENGTH):
            self._pixel_data(scope)
        elif vr == b"SQ" or (vr == b"UN" and length == UNDEFINED_LENGTH):
            # UN of undefined length is a sequence in implicit VR little endian (PS3.5 section 6.2.2).
            self._sequence(header, IMPLICIT if vr == b"UN" else source, scope)
        elif length == UNDEFINED_LENGTH:
            raise Refused("an element that is no sequence has undefined length")
        elif tag in _SCOPED and length == 2:
            self._scoped(header, source, scope)
        else:
            self._writer.value(header, self._reader, source)

    def _scoped(self, header: Header, source: Encoding, scope: Scope) -> None:
        """Copy one of the numbers that later elements depend on."""
        start = self._reader.position
        (value,) = struct.unpack("<H" if source.little else ">H", self._reader.read(2))
        if header.tag == PIXEL_REPRESENTATION:
            scope.signed = value == 1
        else:
            scope.waveform_bits = value
        self._reader.seek(start)
        self._writer.value(header, self._reader, source)

    def _pixel_data(self, scope: Scope) -> None:
        if scope.plan is None:
            raise Refused("there is encapsulated Pixel Data outside of the image and its icon")
        scope.plan.write(self._writer)
        self._reader.seek(scope.plan.end)

    def _sequence(self, header: Header, source: Encoding, scope: Scope) -> None:
        writer = self._writer
        if header.length == 0:
            writer.header(header.tag, b"SQ", 0)
            return
        writer.header(header.tag, b"SQ", UNDEFINED_LENGTH)
        for end in self._items(header.length, source):
            plan = self._icon_plan(source, end) if header.tag == _ICON_IMAGE_SEQUENCE else None
            writer.header(ITEM, b"", UNDEFINED_LENGTH)
            self._level(source, end, scope.inner(plan))
            writer.header(ITEM_END, b"", 0)
        writer.header(SEQUENCE_END, b"", 0)

    def _items(self, length: int, source: Encoding) -> Iterator[int | None]:
        """The end of each item of a sequence, None for an undefined length; stands at its start."""
        reader = self._reader
        end = None if length == UNDEFINED_LENGTH else reader.position + length
        while end is None or reader.position < end:
            header = reader.header(source)
            if header.tag == SEQUENCE_END:
                break
            if header.tag != ITEM:
                raise Refused("a sequence holds something else than items")
            yield None if header.length == UNDEFINED_LENGTH else reader.position + header.length
        if end is not None and reader.position > end:
            raise Refused("an item is longer than its sequence")

    def _icon_plan(self, source: Encoding, end: int | None) -> PixelPlan | None:
        """An icon is always written native, whatever the image's own transfer syntax."""
        start = self._reader.position
        found = scan(self._reader, source, end, self._job.limits)
        plan = None
        if found.pixels is not None:
            plan = plan_native(self._job, self._reader, found, found.pixels, self._writer.encoding)
        self._reader.seek(start)
        return plan
