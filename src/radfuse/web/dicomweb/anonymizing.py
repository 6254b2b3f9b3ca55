"""WADO-RS with ``?anonymize=KEY``: studies, series and instances anonymized under a project key of this node.

A parameter of our own beside those of PS3.18 section 8.3.4; PS3.18 section 9.1.2.1.1 has one of this
name for the older WADO-URI. Nothing but whole objects is given: a request for anything else that
bears it is refused, so that nobody takes an original for an anonymized one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from radfuse.services.anonymize_download import AnonymizedFile, AnonymizedFiles, Download
from radfuse.services.anonymize_job import Treatments
from radfuse.services.roles import Role
from radfuse.web.dicomweb import objects
from radfuse.web.dicomweb.door import Door, Target
from radfuse.web.dicomweb.negotiation import DICOM, ObjectChoice, accept_of, choose_objects
from radfuse.web.identity import identity_of, note
from radfuse.web.problems import HttpProblem, bad_request
from radfuse.web.streaming import Chunk, StreamedResponse

_PARAMETER: Final = "anonymize"


async def retrieve_anonymized(door: Door, request: Request) -> Response:
    """Everything that the path names. What cannot be made safe is left out: 206 then, 422 when it is all."""
    target = Target.of(request)
    key = request.query_params[_PARAMETER]
    note(request, "anonymize", study=target.study, subject=key)
    if not identity_of(request).role.includes(Role.OPERATOR):
        raise HttpProblem(HTTPStatus.FORBIDDEN, "anonymizing needs an operator's account")
    choice = choose_objects(accept_of(request), single=bool(target.instance))
    made, folder = await door.run(lambda: _made(door, request, target, choice))
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    if made.refused:
        kinds = "; ".join(sorted(set(made.refused))[:3])
        headers["Warning"] = f'299 radfuse "{len(made.refused)} left out: {_plain(kinds)}"'
    status = HTTPStatus.PARTIAL_CONTENT if made.refused else HTTPStatus.OK
    boundary = objects.new_boundary() if choice.is_multipart else ""
    media_type = f"{DICOM}; transfer-syntax={made.files[0].transfer_syntax_uid}"
    if boundary:
        media_type = f'multipart/related; type="{DICOM}"; boundary={boundary}'
    chunks = _chunks(made.files, folder, boundary)
    return await StreamedResponse(chunks, door.pool, media_type, headers=headers, status=status).first()


def _made(
    door: Door, request: Request, target: Target, choice: ObjectChoice
) -> tuple[AnonymizedFiles, tempfile.TemporaryDirectory[str]]:
    """The files, and the folder that holds them until it is cleaned up."""
    around = door.surroundings
    if around.data is None:
        raise bad_request("this service has no project keys: it cannot anonymize")
    query = request.query_params
    options = [name for text in query.getlist("options") for name in text.split(",") if name]
    recipe = Treatments(options, query.get("preset", ""), query[_PARAMETER]).recipe(around.data)
    found = door.objects(target)
    folder = tempfile.TemporaryDirectory(prefix="radfuse-web-", dir=door.archive.scratch_folder)
    try:
        made = Download(recipe, around.transcoder, choice.syntax_for).make(door.archive, found, Path(folder.name))
        if not made.files:
            raise HttpProblem(HTTPStatus.UNPROCESSABLE_ENTITY, f"nothing could be anonymized: {made.refused[0]}")
    except BaseException:
        folder.cleanup()
        raise
    return made, folder


def _chunks(files: list[AnonymizedFile], folder: tempfile.TemporaryDirectory[str], boundary: str) -> Iterator[Chunk]:
    """The body; the folder is gone at its end."""
    with folder:
        for each in files:
            head = each.head
            if boundary:
                head = objects.part_head(boundary, each.transfer_syntax_uid) + head
            if head:
                yield head
            with each.path.open("rb") as file:
                while piece := file.read(objects.CHUNK_BYTES):
                    yield piece
            if boundary:
                yield b"\r\n"
        if boundary:
            yield f"--{boundary}--\r\n".encode("ascii")


def _plain(text: str) -> str:
    """As a header can carry it."""
    return text.encode("ascii", "replace").decode("ascii").replace('"', "'").replace("\n", " ")
