"""WADO-RS: frames (PS3.18 section 10.4.1.1.6), read from where they lie or transcoded one by one."""

from __future__ import annotations

import json
import mmap
import os
import struct
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import Response

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import BlobDamaged, CannotTranscode, MalformedDataSet
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, syntax_of
from radfuse.dicom import Element, FileMeta, Identifier, build_file_meta, encode_identifier, web
from radfuse.web.dicomweb import objects
from radfuse.web.dicomweb.conditions import entity_tag, is_known
from radfuse.web.dicomweb.door import Door, Target
from radfuse.web.dicomweb.headers import IMAGE_MODULE, Headers, KnownImage
from radfuse.web.dicomweb.negotiation import MULTIPART, FrameChoice, accept_of, choose_frames
from radfuse.web.problems import bad_request, not_found
from radfuse.web.streaming import Chunk, StreamedResponse
from radfuse.web.surroundings import WebSurroundings

_MAX_NUMBERS: Final = 10_000
_NUMBER_OF_FRAMES: Final = "00280008"
_UNDEFINED: Final = 0xFFFFFFFF
_IN_ONE_PIECE_BYTES: Final = 8 << 20


def numbers_of(text: str) -> list[int]:
    """The frame numbers in a path, from 1. Raises 400."""
    numbers = text.split(",")
    if len(numbers) > _MAX_NUMBERS or not all(each.isascii() and each.isdigit() and len(each) < 10 for each in numbers):
        raise bad_request("the frames are not a list of numbers")
    return [int(each) for each in numbers]


class FrameSource(Protocol):
    """What frames of an archive are read with."""

    @property
    def archive(self) -> Archive:
        """Where they are kept."""

    @property
    def headers(self) -> Headers:
        """What is remembered of its objects."""

    @property
    def surroundings(self) -> WebSurroundings:
        """What decodes them."""


def require_image(door: FrameSource, stored: StoredObject, numbers: Sequence[int]) -> KnownImage:
    """The image that has all these frames. Raises 404."""
    try:
        known = door.headers.image_of(stored)
    except MalformedDataSet as error:
        raise not_found(f"the object has no readable frames: {error.reason}") from None
    if known is None or not all(1 <= number <= known.image.frames for number in numbers):
        raise not_found("the object has no such frame")
    return known


async def retrieve_frames(door: Door, request: Request, frames: str | None = None) -> Response:
    """The frames that the path names; all of them without ``frames``."""
    target = Target.of(request)
    numbers = numbers_of(frames) if frames is not None else []
    ranges = accept_of(request)

    def prepare() -> tuple[StoredObject, KnownImage, FrameChoice, Chunk | None]:
        stored = door.objects(target)[0]
        known = require_image(door, stored, numbers)
        wanted = numbers or range(1, known.image.frames + 1)
        choice = choose_frames(ranges, stored.transfer_syntax_uid, single=len(wanted) == 1)
        numbers[:] = wanted
        body = _small_body(door, stored, known, numbers, choice)
        return stored, known, choice, body

    stored, known, choice, body = await door.run(prepare)
    tag = entity_tag([stored], "frames", choice.media_type, choice.syntax, str(choice.is_multipart), str(numbers))
    headers = {"ETag": tag, "Vary": "Accept"}
    if is_known(request, tag):
        return Response(None, 304, headers)
    part_type = f"{choice.media_type}; transfer-syntax={choice.syntax}"
    if not choice.is_multipart:
        if body is not None:
            return Response(bytes(body), 200, headers, part_type)
        alone = _pieces(door, stored, known, numbers, choice.syntax)
        return await StreamedResponse(alone, door.pool, part_type, headers=headers).first()
    boundary = objects.new_boundary()
    part_head = f"--{boundary}\r\nContent-Type: {part_type}\r\n\r\n".encode("ascii")
    end = f"--{boundary}--\r\n".encode("ascii")
    media_type = f'{MULTIPART}; type="{choice.media_type}"; boundary={boundary}'
    if body is not None:
        return Response(b"".join((part_head, body, b"\r\n", end)), 200, headers, media_type)
    chunks = _pieces(door, stored, known, numbers, choice.syntax, (part_head, b"\r\n", end))
    return await StreamedResponse(chunks, door.pool, media_type, headers=headers).first()


def _small_body(
    door: Door, stored: StoredObject, known: KnownImage, numbers: Sequence[int], choice: FrameChoice
) -> bytes | None:
    """The one frame that is asked for, when it lies ready in the file: no second way to a thread for it."""
    if len(numbers) != 1 or not _lies_ready(stored, known, choice) or _length(known, numbers[0]) > _IN_ONE_PIECE_BYTES:
        return None
    with door.archive.open_object(stored) as opened:
        return _read_frame(opened.file, known, numbers[0])


def _lies_ready(stored: StoredObject, known: KnownImage, choice: FrameChoice) -> bool:
    is_encapsulated = syntax_of(stored.transfer_syntax_uid).encapsulated
    return (
        bool(known.spans)
        and (choice.syntax == stored.transfer_syntax_uid or not is_encapsulated)
        and (is_encapsulated == syntax_of(choice.syntax).encapsulated)
    )


def _pieces(
    door: Door,
    stored: StoredObject,
    known: KnownImage,
    numbers: Sequence[int],
    syntax: str,
    around: tuple[bytes, bytes, bytes] = (b"", b"", b""),
) -> Iterator[Chunk]:
    """The frames ``numbers``; ``around``: what stands before and behind each, and at the end.

    Raises CannotTranscode, BlobMissing or BlobDamaged.
    """
    before, behind, end = around
    if not _lies_ready(stored, known, FrameChoice(True, "", syntax)):
        for frame, _ in _transcoded(door, stored, known, numbers, syntax):
            yield b"".join((before, frame, behind))
    else:
        with door.archive.open_object(stored) as opened:
            for number in numbers:
                if _length(known, number) <= _IN_ONE_PIECE_BYTES:
                    yield b"".join((before, _read_frame(opened.file, known, number), behind))
                else:
                    yield before
                    yield from _pieces_of(opened.file, known.spans[number - 1])
                    yield behind
    yield end


def _pieces_of(file: int, spans: Sequence[web.Span]) -> Iterator[bytes]:
    """A large frame."""
    for span in spans:
        position, end = span.position, span.position + span.length
        while position < end:
            piece = os.pread(file, min(objects.CHUNK_BYTES, end - position), position)
            if not piece:
                raise BlobDamaged("")
            position += len(piece)
            yield piece


def _length(known: KnownImage, number: int) -> int:
    return sum(span.length for span in known.spans[number - 1])


def _read_frame(file: int, known: KnownImage, number: int) -> bytes:
    """A frame as it lies in the file; one of single bits begins with its own first bit."""
    parts = [os.pread(file, span.length, span.position) for span in known.spans[number - 1]]
    frame = parts[0] if len(parts) == 1 else b"".join(parts)
    if len(frame) != _length(known, number):
        raise BlobDamaged("")
    skipped = (number - 1) * known.image.frame_bits % 8 if known.image.bits_allocated == 1 else 0
    if skipped:
        bits = int.from_bytes(frame, "little") >> skipped
        frame = bits.to_bytes((known.image.frame_bits + 7) // 8 + 1, "little")[: (known.image.frame_bits + 7) // 8]
    return frame


# --- frames in another transfer syntax -------------------------------------------------------------


def native_frame(
    door: FrameSource, stored: StoredObject, known: KnownImage, number: int
) -> tuple[bytes, dict[str, Any]]:
    """One frame in native little endian, and the object's header with the Image Pixel module that fits it."""
    header = known.header.parsed()
    if _lies_ready(stored, known, FrameChoice(True, "", EXPLICIT_LITTLE)):
        with door.archive.open_object(stored) as opened:
            return _read_frame(opened.file, known, number), header
    for frame, its_header in _transcoded(door, stored, known, [number], EXPLICIT_LITTLE):
        return frame, header | {
            tag: its_header[tag] for tag in IMAGE_MODULE if tag in its_header and tag != _NUMBER_OF_FRAMES
        }
    raise AssertionError("a frame was asked for and none came")


def _transcoded(
    door: FrameSource, stored: StoredObject, known: KnownImage, numbers: Sequence[int], syntax: str
) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Frames put into another transfer syntax, each alone in an object, or with the whole object where need be."""
    if not known.spans:
        whole = objects.Download(stored, syntax)
        with objects.transcoded_file(door.archive, door.surroundings.transcoder, whole) as path:
            yield from _frames_in(path, syntax, numbers)
        return
    for number in numbers:
        with door.archive.open_object(stored) as opened:
            frame = _read_frame(opened.file, known, number)
        with tempfile.TemporaryDirectory(prefix="radfuse-web-", dir=door.archive.scratch_folder) as folder:
            source, result = Path(folder) / "frame", Path(folder) / "transcoded"
            source.write_bytes(_object_around(stored, known, frame))
            door.surroundings.transcoder.transcode(source, syntax, result)
            yield from _frames_in(result, syntax, [1])


def _object_around(stored: StoredObject, known: KnownImage, frame: bytes) -> bytes:
    """A Part 10 file of nothing but the Image Pixel module and one frame."""
    encapsulated = syntax_of(stored.transfer_syntax_uid).encapsulated
    syntax = stored.transfer_syntax_uid if encapsulated else EXPLICIT_LITTLE
    meta = build_file_meta(FileMeta(stored.sop_class_uid, stored.sop_instance_uid, syntax))
    elements = encode_identifier(Identifier(tuple(_image_module(known.header.image_module()))), EXPLICIT_LITTLE)
    frame += bytes(len(frame) & 1)
    if not encapsulated:
        vr = b"OB" if known.image.bits_allocated <= 8 else b"OW"
        return meta + elements + struct.pack("<HH2sHI", 0x7FE0, 0x0010, vr, 0, len(frame)) + frame
    pixels = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, _UNDEFINED) + struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(frame)) + frame + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return meta + elements + pixels + item


def _image_module(header: Mapping[str, Any]) -> Iterator[Element]:
    for tag in IMAGE_MODULE:
        member = header.get(tag, {})
        values = member.get("Value")
        if values and tag != _NUMBER_OF_FRAMES:
            yield Element(int(tag, 16), member["vr"], tuple(map(str, values)))


def _frames_in(path: Path, syntax: str, numbers: Sequence[int]) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Frames of a bare data set, each with its header."""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = web.header_json(content, syntax)
        header = json.loads(found.text.replace(web.BULK_MARK, ""))
        image = web.image_of(header)
        if found.pixels is None or image is None:
            raise CannotTranscode("an image", syntax, "it has no pixels")
        spans = web.frame_map(stream, found.pixels, image, syntax, found.offset_table)
        for number in numbers:
            parts = [content[span.position : span.position + span.length] for span in spans[number - 1]]
            yield b"".join(parts), header
