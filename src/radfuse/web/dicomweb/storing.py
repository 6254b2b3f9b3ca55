"""STOW-RS: objects into the archive, with an answer for each (PS3.18 section 10.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from radfuse.archive import Origin
from radfuse.core.errors import NotPart10, RadfuseError
from radfuse.dicom import FileMeta, read_file_meta, web
from radfuse.services.ingest import check_origin
from radfuse.web.account import note_stored
from radfuse.web.channel import BodyChannel, body_of
from radfuse.web.dicomweb.door import Door, Target
from radfuse.web.dicomweb.keeping import MAX_PARTS, StoreRequest, Verdict
from radfuse.web.dicomweb.negotiation import DICOM, DICOM_JSON, MULTIPART, require_json
from radfuse.web.dicomweb.storing_json import JsonStore
from radfuse.web.media_types import MediaType, media_type_of
from radfuse.web.multipart import MultipartReader, Part
from radfuse.web.problems import HttpProblem, bad_request, too_large, unsupported_type

_HEAD_BYTES: Final = 4096
_LONGEST_HEAD_BYTES: Final = 1 << 20
_OUT_OF_RESOURCES: Final = 0xA700

_REFERENCED_CLASS: Final = 0x00081150
_REFERENCED_INSTANCE: Final = 0x00081155
_RETRIEVE_URL: Final = 0x00081190
_FAILURE_REASON: Final = 0x00081197


async def store(door: Door, request: Request) -> Response:
    """Keep every object of the body; answers when all are durable, or say of each why it is not."""
    require_json(request)
    content = media_type_of(request.headers.get("content-type", ""))
    if content.name not in (MULTIPART, DICOM) or (
        content.name == MULTIPART and content.part not in (DICOM, DICOM_JSON)
    ):
        raise unsupported_type("a store request is multipart/related of application/dicom or application/dicom+json")
    target = Target.of(request)
    base_url = door.base_url(request)
    storing = StoreRequest(door.archive, door.keepers, target.study)
    try:
        async with body_of(request, door.surroundings.body_limit_bytes) as channel:
            await door.run(lambda: _take(storing, channel, content, door), door.takers)
    finally:
        refused = sum(1 for each in storing.verdicts if each.reason)
        note_stored(request.scope, len(storing.verdicts) - refused, refused)
    return _response(storing.verdicts, base_url)


def _take(request: StoreRequest, channel: BodyChannel, content: MediaType, door: Door) -> None:
    """Read the body to its end. What is not well-formed is told of the part it is in, if there was one."""
    try:
        if content.name == DICOM:
            _take_object(request, Part({"content-type": DICOM}, _whole_body(channel)))
            return
        reader = MultipartReader(content.parameters.get("boundary", ""), channel.read)
        if content.part == DICOM_JSON:
            JsonStore(request, door.surroundings.json_limit_bytes).take(reader)
            return
        for number, part in enumerate(reader.parts()):
            if number == MAX_PARTS:
                raise too_large(f"the request has more than {MAX_PARTS} parts")
            _take_object(request, part)
    except HttpProblem as problem:
        request.drain()
        if not request.verdicts or problem.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        request.refuse(problem, None)
    finally:
        request.drain()
    if not request.verdicts:
        raise bad_request("the body holds no object")


def _whole_body(channel: BodyChannel) -> Iterator[memoryview]:
    while chunk := channel.read():
        yield memoryview(chunk)


def _take_object(request: StoreRequest, part: Part) -> None:
    """One object, streamed into the archive; what is wrong with it concerns no other."""
    origin: Origin | None = None
    try:
        if media_type_of(part.headers.get("content-type", DICOM)).name != DICOM:
            raise NotPart10("the part is not application/dicom")
        meta, head = _read_head(part)
        origin = Origin(meta.sop_class_uid, meta.sop_instance_uid, meta.transfer_syntax_uid)
        check_origin(origin)
        incoming = request.archive.receive(origin)
    except HttpProblem:
        raise  # it is the body that is broken
    except RadfuseError as error:
        request.refuse(error, origin)
        return
    try:
        incoming.write(memoryview(head)[meta.data_offset :])
        for piece in part.content:
            incoming.write(piece)
    except BaseException as error:
        incoming.__exit__(None, None, None)
        if isinstance(error, HttpProblem) or not isinstance(error, RadfuseError | OSError):
            raise
        request.refuse(error, origin)
        return
    request.finish(incoming)


def _read_head(part: Part) -> tuple[FileMeta, bytes]:
    """The File Meta Information and the bytes read for it, which reach into the data set."""
    head = bytearray()
    wanted = _HEAD_BYTES
    while True:
        for piece in part.content:
            head += piece
            if len(head) >= wanted:
                break
        try:
            return read_file_meta(bytes(head)), bytes(head)
        except NotPart10:
            if len(head) < wanted or wanted >= _LONGEST_HEAD_BYTES:
                raise
            wanted *= 4


# --- answering -------------------------------------------------------------------------------


def _response(verdicts: Sequence[Verdict], base_url: str) -> Response:
    """PS3.18 tables 10.5.3-1 to 10.5.3-3."""
    kept = [each for each in verdicts if not each.reason]
    failed = [each for each in verdicts if each.reason]
    members = []
    studies = {each.study_uid for each in kept if each.study_uid}
    if len(studies) == 1:
        members.append(web.element_json(_RETRIEVE_URL, "UR", (f"{base_url}/studies/{studies.pop()}",)))
    if failed:
        members.append(_sequence("00081198", [_failed_item(each) for each in failed]))
    if kept:
        members.append(_sequence("00081199", [_kept_item(each, base_url) for each in kept]))
    status = HTTPStatus.OK if not failed else HTTPStatus.ACCEPTED if kept else HTTPStatus.CONFLICT
    headers = {}
    if failed and not kept and all(each.reason == _OUT_OF_RESOURCES for each in failed):
        status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "60"}
    return Response(("{" + ",".join(members) + "}").encode(), status, headers, DICOM_JSON)


def _sequence(tag: str, items: Sequence[str]) -> str:
    return f'"{tag}":{{"vr":"SQ","Value":[{",".join(items)}]}}'


def _item(verdict: Verdict, *more: str) -> str:
    named = [
        web.element_json(tag, "UI", (uid,))
        for tag, uid in ((_REFERENCED_CLASS, verdict.sop_class_uid), (_REFERENCED_INSTANCE, verdict.sop_instance_uid))
        if uid
    ]
    return "{" + ",".join((*named, *more)) + "}"


def _failed_item(verdict: Verdict) -> str:
    return _item(verdict, web.element_json(_FAILURE_REASON, "US", (str(verdict.reason),)))


def _kept_item(verdict: Verdict, base_url: str) -> str:
    if not verdict.study_uid:
        return _item(verdict)
    url = f"{base_url}/studies/{verdict.study_uid}/series/{verdict.series_uid}/instances/{verdict.sop_instance_uid}"
    return _item(verdict, web.element_json(_RETRIEVE_URL, "UR", (url,)))
