"""STOW-RS with metadata as DICOM JSON and bulk data in parts of their own (PS3.18 section 10.5.2)."""

from __future__ import annotations

import contextlib
import json
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from radfuse.archive import Incoming, Origin
from radfuse.core.errors import InvalidInstance, RadfuseError
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.dicom import Element, Identifier, encode_identifier, web
from radfuse.dicom.words import character_set_for
from radfuse.services.ingest import check_origin
from radfuse.web.dicomweb.keeping import MAX_PARTS, StoreRequest
from radfuse.web.dicomweb.negotiation import DEFAULT_SYNTAX_OF, DICOM_JSON, MEDIA_TYPE_OF, OCTETS
from radfuse.web.media_types import MediaType, media_type_of
from radfuse.web.multipart import MultipartReader, Part
from radfuse.web.problems import bad_request, too_large

_PIXEL_DATA: Final = 0x7FE00010
_SOP_CLASS: Final = 0x00080016
_SOP_INSTANCE: Final = 0x00080018
_NUMBER_OF_FRAMES: Final = 0x00280008
_CHUNK_BYTES: Final = 1 << 20
_MAX_LENGTH: Final = 0xFFFFFFFE
_LONG_VRS: Final = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UC", "UN", "UR", "UT"))


@dataclass(frozen=True, slots=True)
class _Bulk:
    path: Path
    media_type: MediaType


@dataclass(slots=True)
class JsonStore:
    """Takes the parts of one request; the objects are put together once the last is there."""

    request: StoreRequest
    json_limit_bytes: int
    _metadata: bytearray = field(default_factory=bytearray)
    _data_sets: list[Any] = field(default_factory=list)
    _bulk: dict[str, _Bulk] = field(default_factory=dict)

    def take(self, reader: MultipartReader) -> None:
        """Read every part, then store every object. Raises 400 and 413."""
        scratch = self.request.archive.scratch_folder
        with tempfile.TemporaryDirectory(prefix="radfuse-stow-", dir=scratch) as folder:
            for number, part in enumerate(reader.parts()):
                if number == MAX_PARTS:
                    raise too_large(f"the request has more than {MAX_PARTS} parts")
                content = media_type_of(part.headers.get("content-type", OCTETS))
                if content.name == DICOM_JSON:
                    self._take_metadata(part)
                else:
                    self._take_bulk(part, content, Path(folder) / str(number))
            for members in self._data_sets:
                self._store(members)
            self.request.drain()

    def _take_metadata(self, part: Part) -> None:
        text = bytearray()
        for piece in part.content:
            text += piece
            if len(text) > self.json_limit_bytes:
                raise too_large(f"the metadata have more than {self.json_limit_bytes} bytes")
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise bad_request("the metadata are not JSON") from None
        self._data_sets.extend(found if isinstance(found, list) else [found])

    def _take_bulk(self, part: Part, content: MediaType, path: Path) -> None:
        space = self.request.archive.settings.space
        with path.open("wb") as file:
            for piece in part.content:
                space.check(path.parent, len(piece))
                file.write(piece)
        self._bulk[part.headers.get("content-location", "")] = _Bulk(path, content)

    def _store(self, members: object) -> None:
        origin: Origin | None = None
        try:
            data_set = web.data_set_of_json(members)
            named = data_set.elements.text(_SOP_CLASS), data_set.elements.text(_SOP_INSTANCE)
            origin = Origin(*named, IMPLICIT_LITTLE)
            check_origin(origin)
            bulk = {tag: (vr, self._bulk_at(uri)) for tag, (vr, uri) in data_set.bulk.items()}
            origin = Origin(*named, _syntax_of(bulk))
            incoming = self.request.archive.receive(origin)
            with contextlib.ExitStack() as stack:
                stack.enter_context(_discarded_on_error(incoming))
                for piece in _encoded(data_set.elements, bulk, origin.transfer_syntax_uid):
                    incoming.write(piece)
        except (RadfuseError, OSError) as error:
            self.request.refuse(error, origin)
            return
        self.request.finish(incoming)

    def _bulk_at(self, uri: str) -> _Bulk:
        found = self._bulk.get(uri)
        if found is None:
            raise InvalidInstance("bulk data that its metadata name are not in the request")
        return found


@contextlib.contextmanager
def _discarded_on_error(incoming: Incoming) -> Iterator[None]:
    try:
        yield
    except BaseException:
        incoming.__exit__(None, None, None)
        raise


def _syntax_of(bulk: dict[int, tuple[str, _Bulk]]) -> str:
    """The transfer syntax that the type of the pixels makes of the object."""
    if _PIXEL_DATA not in bulk:
        return EXPLICIT_LITTLE
    content = bulk[_PIXEL_DATA][1].media_type
    named = content.parameters.get("transfer-syntax", "")
    if content.name == OCTETS and named in ("", EXPLICIT_LITTLE, IMPLICIT_LITTLE):
        return EXPLICIT_LITTLE
    syntax = named or DEFAULT_SYNTAX_OF.get(content.name, "")
    if MEDIA_TYPE_OF.get(syntax) != content.name:
        raise InvalidInstance("the media type of its pixels is not supported, or not that of its transfer syntax")
    return syntax


def _encoded(elements: Identifier, bulk: dict[int, tuple[str, _Bulk]], syntax: str) -> Iterator[bytes]:
    """The data set in explicit VR little endian, its bulk data read as they are written."""
    sets = character_set_for(list(_texts(elements)), ())
    set_bytes = len(encode_identifier(Identifier(), EXPLICIT_LITTLE, sets))
    rest: list[Element] = sorted(elements, key=lambda element: element.tag)
    is_first = True
    for tag in (*sorted(bulk), None):
        before = [element for element in rest if tag is None or element.tag < tag]
        rest = rest[len(before) :]
        encoded = encode_identifier(Identifier(tuple(before)), EXPLICIT_LITTLE, sets)
        yield encoded if is_first else encoded[set_bytes:]
        is_first = False
        if tag == _PIXEL_DATA and syntax != EXPLICIT_LITTLE:
            yield from _encapsulated(elements, bulk[tag][1])
        elif tag is not None:
            yield from _plain(tag, *bulk[tag])


def _texts(elements: Identifier) -> Iterator[str]:
    for element in elements:
        yield from element.values
        for item in element.items:
            yield from _texts(item)


def _plain(tag: int, vr: str, bulk: _Bulk) -> Iterator[bytes]:
    length = bulk.path.stat().st_size
    padding = length & 1
    if length + padding > _MAX_LENGTH:
        raise InvalidInstance("a value is longer than a data set can say")
    name = (vr if vr in _LONG_VRS else "UN").encode("ascii")
    yield struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, name, 0, length + padding)
    yield from _pieces(bulk.path)
    yield bytes(padding)


def _encapsulated(elements: Identifier, bulk: _Bulk) -> Iterator[bytes]:
    """One compressed frame as encapsulated Pixel Data (PS3.5 section A.4)."""
    if elements.text(_NUMBER_OF_FRAMES) not in ("", "1"):
        raise InvalidInstance(
            "compressed pixels of several frames are not supported in this form; send application/dicom"
        )
    length = bulk.path.stat().st_size
    padding = length & 1
    if not length or length + padding > _MAX_LENGTH:
        raise InvalidInstance("its compressed pixels are empty or too long")
    yield struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    yield struct.pack("<HHI", 0xFFFE, 0xE000, length + padding)
    yield from _pieces(bulk.path)
    yield bytes(padding) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            yield piece
