"""WADO-RS: rendered resources and thumbnails (PS3.18 sections 10.4.1.1.2 and 10.4.1.1.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from radfuse.archive import StoredObject
from radfuse.core.errors import ArchiveError, CannotTranscode, DataSetError
from radfuse.web.dicomweb import objects
from radfuse.web.dicomweb.conditions import entity_tag, is_known
from radfuse.web.dicomweb.door import Door, Target
from radfuse.web.dicomweb.frames import native_frame, numbers_of, require_image
from radfuse.web.dicomweb.negotiation import MULTIPART, accept_of
from radfuse.web.dicomweb.rendering import MAX_FRAME_BITS, Viewport, Window, jpeg, png, rendered
from radfuse.web.problems import HttpProblem, bad_request, not_acceptable, not_found, too_large
from radfuse.web.streaming import Chunk, StreamedResponse

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
_TYPES: Final = (JPEG, PNG)
_THUMBNAIL: Final = Viewport(128, 128)
_QUALITY: Final = 90
_LOOKED_AT: Final = 50


@dataclass(frozen=True, slots=True)
class _Look:
    """How pictures are to look."""

    media_type: str
    window: Window | None
    viewport: Viewport | None
    quality: int

    @property
    def name(self) -> str:
        return repr(self)


def _look_of(request: Request, viewport: Viewport | None = None) -> _Look:
    parameters = request.query_params
    quality = parameters.get("quality", str(_QUALITY))
    if not (quality.isascii() and quality.isdigit() and 1 <= int(quality[:4]) <= 100):
        raise bad_request("quality is not a number from 1 to 100")
    window = Window.parse(parameters["window"]) if "window" in parameters else None
    if "viewport" in parameters:
        viewport = Viewport.parse(parameters["viewport"])
    return _Look(_media_type(request), window, viewport, int(quality))


def _media_type(request: Request) -> str:
    for each in accept_of(request):
        wanted = each.part or "*/*" if each.name == MULTIPART else each.name
        for media_type in _TYPES:
            if wanted in ("*/*", "image/*", media_type):
                return media_type
    raise not_acceptable("pictures are image/jpeg or image/png")


async def retrieve_rendered(door: Door, request: Request, frames: str | None = None) -> Response:
    """One picture of a frame or an instance; of a study or series, one for each instance in a multipart body."""
    target = Target.of(request)
    numbers = numbers_of(frames) if frames is not None else [1]
    look = _look_of(request)
    found = await door.run(lambda: door.objects(target))
    headers = {"ETag": entity_tag(found, "rendered", look.name, str(numbers)), "Vary": "Accept"}
    if is_known(request, headers["ETag"]):
        return Response(None, 304, headers)
    if target.instance and len(numbers) == 1:
        picture = await door.run(lambda: _picture(door, found[0], numbers[0], look))
        return Response(picture, 200, headers, look.media_type)
    boundary = objects.new_boundary()
    media_type = f'{MULTIPART}; type="{look.media_type}"; boundary={boundary}'
    pictures = _pictures(door, found, numbers, look)
    if target.instance:
        pictures = (_picture(door, found[0], number, look) for number in numbers)
    chunks = _multipart(pictures, look.media_type, boundary)
    return await StreamedResponse(chunks, door.pool, media_type, headers=headers).first()


async def retrieve_thumbnail(door: Door, request: Request, frames: str | None = None) -> Response:
    """One small picture: of the frame, or of what stands for the instance, the series or the study."""
    target = Target.of(request)
    look = _look_of(request, _THUMBNAIL)
    numbers = numbers_of(frames) if frames is not None else []
    found = await door.run(lambda: door.objects(target))
    headers = {"ETag": entity_tag(found, "thumbnail", look.name, str(numbers)), "Vary": "Accept"}
    if is_known(request, headers["ETag"]):
        return Response(None, 304, headers)
    picture = await door.run(lambda: _representative(door, found, numbers, look))
    return Response(picture, 200, headers, look.media_type)


def _representative(door: Door, found: Sequence[StoredObject], numbers: Sequence[int], look: _Look) -> bytes:
    """The picture of the middle object that has one."""
    middle = len(found) // 2
    for stored in (*found[middle : middle + _LOOKED_AT], *found[max(middle - _LOOKED_AT, 0) : middle]):
        try:
            return _picture(door, stored, numbers[0] if numbers else 0, look)
        except (HttpProblem, DataSetError, ArchiveError):
            continue
    raise not_found("there is nothing to show a picture of")


def _pictures(door: Door, found: Sequence[StoredObject], numbers: Sequence[int], look: _Look) -> Iterator[bytes]:
    """Of every object that has one."""
    shown = 0
    for stored in found:
        try:
            picture = _picture(door, stored, numbers[0], look)
        except (HttpProblem, DataSetError):
            continue
        shown += 1
        yield picture
    if not shown:
        raise not_found("there is nothing to show a picture of")


def _multipart(pictures: Iterator[bytes], media_type: str, boundary: str) -> Iterator[Chunk]:
    head = f"--{boundary}\r\nContent-Type: {media_type}\r\n\r\n".encode("ascii")
    for picture in pictures:
        yield b"".join((head, picture, b"\r\n"))
    yield f"--{boundary}--\r\n".encode("ascii")


def _picture(door: Door, stored: StoredObject, number: int, look: _Look) -> bytes:
    """Frame ``number``, or the middle one for 0."""
    known = require_image(door, stored, [number] if number else [])
    number = number or known.image.frames // 2 or 1
    if known.image.frame_bits > MAX_FRAME_BITS:
        raise too_large("the image is too large to be rendered")
    try:
        frame, header = native_frame(door, stored, known, number)
    except CannotTranscode as error:
        raise not_acceptable(f"the frame cannot be decoded: {error.reason}") from None
    image = rendered(frame, header, number, look.window)
    if look.viewport is not None:
        image = look.viewport.apply(image)
    return png(image) if look.media_type == PNG else jpeg(image, look.quality)
