"""WADO-RS: studies, series and instances as files, and their metadata (PS3.18 section 10.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from starlette.requests import Request
from starlette.responses import Response

from radfuse.archive import StoredObject
from radfuse.core.errors import DataSetError
from radfuse.dicom import web
from radfuse.web.dicomweb import objects
from radfuse.web.dicomweb.conditions import entity_tag, is_known, range_of
from radfuse.web.dicomweb.door import Door, Target
from radfuse.web.dicomweb.negotiation import (
    DICOM,
    DICOM_JSON,
    accept_of,
    choose_objects,
    require_json,
)
from radfuse.web.dicomweb.objects import CHUNK_BYTES, Download
from radfuse.web.streaming import Chunk, StreamedResponse


async def retrieve(door: Door, request: Request) -> Response:
    """Everything that the path names."""
    target = Target.of(request)
    choice = choose_objects(accept_of(request), single=bool(target.instance))
    found = await door.run(lambda: door.objects(target))
    downloads = [Download(stored, choice.syntax_for(stored.transfer_syntax_uid)) for stored in found]
    tag = entity_tag(found, str(choice.is_multipart), *{each.syntax for each in downloads})
    headers = {"ETag": tag, "Vary": "Accept"}
    if is_known(request, tag):
        return Response(None, 304, headers)
    headers["Content-Location"] = door.base_url(request) + target.path
    if not choice.is_multipart:
        return await _one(door, request, downloads[0], headers)
    return await _many(door, downloads, headers)


async def _many(door: Door, downloads: Sequence[Download], headers: dict[str, str]) -> Response:
    boundary = objects.new_boundary()
    chunks = objects.multipart(door.archive, door.surroundings.transcoder, downloads, boundary)
    media_type = f'multipart/related; type="{DICOM}"; boundary={boundary}'
    length = objects.multipart_length(downloads, boundary)
    return await StreamedResponse(chunks, door.pool, media_type, length=length, headers=headers).first()


async def _one(door: Door, request: Request, download: Download, headers: dict[str, str]) -> Response:
    media_type = f"{DICOM}; transfer-syntax={download.syntax}"
    if not download.is_unchanged:
        chunks: Iterator[Chunk] = objects.object_chunks(door.archive, door.surroundings.transcoder, download)
        return await StreamedResponse(chunks, door.pool, media_type, headers=headers).first()
    size = len(download.head()) + download.stored.size_bytes
    headers["Accept-Ranges"] = "bytes"
    part = range_of(request, headers["ETag"], size)
    if part is None:
        chunks = objects.object_chunks(door.archive, door.surroundings.transcoder, download)
        return await StreamedResponse(chunks, door.pool, media_type, length=size, headers=headers).first()
    first, last = part
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    chunks = objects.object_range(door.archive, download, first, last)
    length = last - first + 1
    return await StreamedResponse(chunks, door.pool, media_type, length=length, headers=headers, status=206).first()


async def metadata(door: Door, request: Request) -> Response:
    """The headers of everything that the path names, as DICOM JSON."""
    require_json(request)
    target = Target.of(request)
    base_url = door.base_url(request)
    found = await door.run(lambda: door.objects(target))
    tag = entity_tag(found, "metadata", base_url)
    headers = {"ETag": tag, "Vary": "Accept"}
    if is_known(request, tag):
        return Response(None, 304, headers)
    chunks = _metadata(door, found, f"{base_url}/studies/{target.study}")
    return await StreamedResponse(chunks, door.pool, DICOM_JSON, headers=headers).first()


def _metadata(door: Door, found: Sequence[StoredObject], study_url: str) -> Iterator[Chunk]:
    opening = b"["
    texts: list[bytes] = []
    size = 0
    for stored in found:
        texts.append(_header(door, stored, study_url))
        size += len(texts[-1])
        if size > CHUNK_BYTES:
            yield opening + b",".join(texts)
            opening, texts, size = b",", [], 0
    yield (opening if texts else b"") + b",".join(texts) + b"]"


def _header(door: Door, stored: StoredObject, study_url: str) -> bytes:
    """The header with the address of its bulk data. Of one that cannot be read, what the index knows."""
    try:
        known = door.headers.header_of(stored)
    except DataSetError:
        named = ((0x00080016, stored.sop_class_uid), (0x00080018, stored.sop_instance_uid))
        return ("{" + ",".join(web.element_json(tag, "UI", (uid,)) for tag, uid in named) + "}").encode()
    url = f"{study_url}/series/{known.series_uid}/instances/{stored.sop_instance_uid}/bulkdata"
    return known.text.replace(b"\0", url.encode("ascii"))
