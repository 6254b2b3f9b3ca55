"""WADO-RS: bulk data, the values that metadata only refer to (PS3.18 section 10.4.1.1.5)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from radfuse.archive import StoredObject
from radfuse.core.errors import BlobDamaged
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, syntax_of
from radfuse.dicom import web
from radfuse.web.dicomweb import objects
from radfuse.web.dicomweb.conditions import entity_tag, is_known
from radfuse.web.dicomweb.door import Door, Target
from radfuse.web.dicomweb.frames import retrieve_frames
from radfuse.web.dicomweb.negotiation import MULTIPART, OCTETS, accept_of
from radfuse.web.problems import not_acceptable, not_found
from radfuse.web.streaming import Chunk, StreamedResponse


@dataclass(frozen=True, slots=True)
class _Value:
    """One bulk value, and whether its file must be put into little endian first."""

    stored: StoredObject
    path: str
    extent: web.Extent
    is_transcoded: bool


async def retrieve_bulk_data(door: Door, request: Request, path: str) -> Response:
    """The value at ``path`` (tags and item numbers) of an instance; Pixel Data as its frames."""
    if path == "7FE00010":
        return await retrieve_frames(door, request)
    target = Target.of(request)
    value = await door.run(lambda: _find(door, target, path))
    tag = entity_tag([value.stored], "bulk", path)
    headers = {"ETag": tag, "Vary": "Accept"}
    is_multipart = _is_multipart(request)
    if is_known(request, tag):
        return Response(None, 304, headers)
    chunks, length = _chunks(door, value), value.extent.length
    if not is_multipart:
        return await StreamedResponse(chunks, door.pool, OCTETS, length=length, headers=headers).first()
    boundary = objects.new_boundary()
    head = f"--{boundary}\r\nContent-Type: {OCTETS}\r\n\r\n".encode("ascii")
    end = f"\r\n--{boundary}--\r\n".encode("ascii")
    media_type = f'{MULTIPART}; type="{OCTETS}"; boundary={boundary}'
    length += len(head) + len(end)
    around = _around(chunks, head, end)
    return await StreamedResponse(around, door.pool, media_type, length=length, headers=headers).first()


def _is_multipart(request: Request) -> bool:
    for each in accept_of(request):
        if each.covers(MULTIPART) and each.part in ("", "*/*", OCTETS):
            return True
        if each.covers(OCTETS):
            return False
    raise not_acceptable("bulk data are application/octet-stream, alone or in multipart/related")


def _find(door: Door, target: Target, path: str) -> _Value:
    stored = door.objects(target)[0]
    header = door.headers.header_of(stored)
    extent = header.bulk.get(path)
    if extent is None:
        raise not_found("the object has no such bulk data")
    syntax = syntax_of(stored.transfer_syntax_uid)
    return _Value(stored, path, extent, syntax.deflated or not syntax.little_endian)


def _around(chunks: Iterator[Chunk], head: bytes, end: bytes) -> Iterator[Chunk]:
    yield head
    yield from chunks
    yield end


def _chunks(door: Door, value: _Value) -> Iterator[Chunk]:
    with _file_of(door, value) as (file, extent):
        position, end = extent.position, extent.position + extent.length
        while position < end:
            piece = os.pread(file, min(objects.CHUNK_BYTES, end - position), position)
            if not piece:
                raise BlobDamaged(value.stored.blob_id.hex())
            position += len(piece)
            yield piece


@contextlib.contextmanager
def _file_of(door: Door, value: _Value) -> Iterator[tuple[int, web.Extent]]:
    """A file that holds the value little endian, and where."""
    if not value.is_transcoded:
        with door.archive.open_object(value.stored) as opened:
            yield opened.file, value.extent
        return
    download = objects.Download(value.stored, EXPLICIT_LITTLE)
    with (
        objects.transcoded_file(door.archive, door.surroundings.transcoder, download) as path,
        path.open("rb") as stream,
    ):
        yield stream.fileno(), _extent_in(path, value)


def _extent_in(path: Path, value: _Value) -> web.Extent:
    extent = web.header_json(path.read_bytes(), EXPLICIT_LITTLE).bulk.get(value.path)
    if extent is None or extent.length != value.extent.length:
        raise BlobDamaged(value.stored.blob_id.hex())
    return extent
