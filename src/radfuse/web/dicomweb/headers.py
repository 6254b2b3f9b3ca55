"""Headers of stored objects as DICOM JSON, and where their frames lie; remembered in bounded memory."""

from __future__ import annotations

import json
import mmap
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import BlobDamaged, MalformedDataSet
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE, syntax_of
from radfuse.dicom import web

_FIRST_READ_BYTES: Final = 64 * 1024
_SERIES_UID: Final = re.compile(r'"0020000E":\{"vr":"UI","Value":\["([0-9.]+)"')
IMAGE_MODULE: Final = (
    *("00280002", "00280004", "00280006", "00280008", "00280010", "00280011"),
    *("00280100", "00280101", "00280102", "00280103"),
)
"""The Image Pixel module as far as decoding needs it (PS3.3 section C.7.6.3), and Number of Frames."""

_ENTRY_BYTES: Final = 500
_SPAN_BYTES: Final = 200
_Value = TypeVar("_Value")


class BoundedCache(Generic[_Value]):
    """The values used last, as many as fit into ``limit_bytes``. Thread-safe.

    ``largest_bytes``: what is larger is not kept; None: an eighth of the limit.
    """

    def __init__(self, limit_bytes: int, largest_bytes: int | None = None) -> None:
        self._limit_bytes = limit_bytes
        self._largest_bytes = limit_bytes // 8 if largest_bytes is None else largest_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, tuple[_Value, int]] = OrderedDict()
        self.size_bytes = 0

    def get(self, key: bytes) -> _Value | None:
        """The value of ``key``, if it is still there."""
        with self._lock:
            found = self._entries.get(key)
            if found is None:
                return None
            self._entries.move_to_end(key)
            return found[0]

    def put(self, key: bytes, value: _Value, size_bytes: int) -> None:
        """Remember ``value``; what was used least is forgotten for it."""
        if size_bytes > self._largest_bytes:
            return
        with self._lock:
            _, before = self._entries.pop(key, (None, 0))
            self._entries[key] = (value, size_bytes)
            self.size_bytes += size_bytes - before
            while self.size_bytes > self._limit_bytes:
                _, (_, gone) = self._entries.popitem(last=False)
                self.size_bytes -= gone


@dataclass(frozen=True, slots=True)
class KnownHeader:
    """The header of one object."""

    text: bytes
    """DICOM JSON in UTF-8, with ``web.BULK_MARK`` for the address of its bulk data."""
    series_uid: str
    pixels: web.Extent | None
    offset_table: web.Extent | None
    bulk: Mapping[str, web.Extent]
    pixel_members: tuple[tuple[str, str], ...]
    """What the object has of ``IMAGE_MODULE``: tag and member of the text."""

    def parsed(self) -> dict[str, Any]:
        """As JSON."""
        members: dict[str, Any] = json.loads(self.text.replace(b"\0", b""))
        return members

    def image_module(self) -> dict[str, Any]:
        """Its Image Pixel module as JSON, without a look at what else may be in a long header."""
        members: dict[str, Any] = json.loads("{" + ",".join(text for _, text in self.pixel_members) + "}")
        return members


@dataclass(frozen=True, slots=True)
class KnownImage:
    """An image and where its frames lie in its file; ``spans`` is empty where only a transcoded copy has any."""

    image: web.Image
    header: KnownHeader
    spans: web.FrameMap


class Headers:
    """Reads and remembers headers of one archive."""

    def __init__(self, archive: Archive, cache_bytes: int) -> None:
        self._archive = archive
        self._headers: BoundedCache[KnownHeader] = BoundedCache(cache_bytes * 3 // 4)
        self._images: BoundedCache[KnownImage] = BoundedCache(cache_bytes // 4)

    def header_of(self, stored: StoredObject) -> KnownHeader:
        """The object's header. Raises BlobMissing, BlobDamaged or DataSetError."""
        known = self._headers.get(stored.blob_id)
        if known is None:
            known = self._read(stored)
            self._headers.put(stored.blob_id, known, len(known.text) + _ENTRY_BYTES + _SPAN_BYTES * len(known.bulk))
        return known

    def image_of(self, stored: StoredObject) -> KnownImage | None:
        """The object's image; None when it has none. Raises as ``header_of``."""
        known = self._images.get(stored.blob_id)
        if known is not None:
            return known
        header = self.header_of(stored)
        image = web.image_of(header.image_module()) if header.pixels is not None else None
        if image is None:
            return None
        known = KnownImage(image, header, self._spans(stored, header, image))
        size = _ENTRY_BYTES + len(header.text) + _SPAN_BYTES * len(known.spans)
        self._images.put(stored.blob_id, known, size)
        return known

    def _spans(self, stored: StoredObject, header: KnownHeader, image: web.Image) -> web.FrameMap:
        syntax = syntax_of(stored.transfer_syntax_uid)
        if header.pixels is None or not (syntax.encapsulated or syntax.uid in (IMPLICIT_LITTLE, EXPLICIT_LITTLE)):
            return ()
        with self._archive.open_object(stored) as opened, os.fdopen(os.dup(opened.file), "rb") as stream:
            return web.frame_map(stream, header.pixels, image, syntax.uid, header.offset_table)

    def _read(self, stored: StoredObject) -> KnownHeader:
        with self._archive.open_object(stored) as opened:
            head = os.pread(opened.file, _FIRST_READ_BYTES, 0)
            is_whole = len(head) >= opened.data_start + opened.size_bytes
            try:
                found = web.header_json(head, stored.transfer_syntax_uid, opened.data_start, is_whole=is_whole)
            except web.HeaderIncomplete:
                try:
                    with mmap.mmap(opened.file, 0, access=mmap.ACCESS_READ) as whole:
                        found = web.header_json(whole, stored.transfer_syntax_uid, opened.data_start)
                except ValueError as error:  # the file is empty
                    raise BlobDamaged(stored.blob_id.hex()) from error
        series = _SERIES_UID.match(found.member("0020000E"))
        if series is None:
            raise MalformedDataSet("it has no Series Instance UID", 0)
        pixel_members = tuple((tag, member) for tag in IMAGE_MODULE if (member := found.member(tag)))
        return KnownHeader(found.text.encode(), series[1], found.pixels, found.offset_table, found.bulk, pixel_members)
