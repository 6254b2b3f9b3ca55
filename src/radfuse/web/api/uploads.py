"""Files from a browser into the archive: any number in one form, read as they come."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import unquote

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from radfuse.services import upload
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.upload import FileState, Upload
from radfuse.web.account import note_stored
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.media_models import ImportFinding
from radfuse.web.api.refusals import refusals
from radfuse.web.channel import body_of
from radfuse.web.identity import note
from radfuse.web.media_types import media_type_of
from radfuse.web.multipart import MultipartReader, Part
from radfuse.web.problems import HttpProblem, bad_request, too_large, unsupported_type

_AT_ONCE: Final = 8
_FORM: Final = "multipart/form-data"
_FILE_NAME: Final = re.compile(r'filename\*?="?((?:[^"\\]|\\.)*)"?', re.IGNORECASE)
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            _FORM: {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            }
        },
    }
}


class UploadedFile(BaseModel):
    """What became of one file."""

    name: str = Field(description='As the browser calls it; for a member of an archive "archive.zip/member".')
    state: FileState
    reason: str
    study: str

    @classmethod
    def of(cls, file: upload.UploadedFile) -> UploadedFile:
        """The file for the API."""
        return cls(name=file.name, state=file.state, reason=file.reason, study=file.study_instance_uid)


class UploadResult(BaseModel):
    """What became of each file."""

    files: list[UploadedFile]
    kept: int
    duplicates: int
    refused: int
    ignored: int
    studies: list[str]
    findings: list[ImportFinding] = Field(description="About media in zip archives and disc images.")


def router(desk: ApiDesk) -> APIRouter:
    """Uploading."""
    statuses = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    routes = APIRouter(tags=["studies"], responses=refusals(*statuses, HTTPStatus.UNSUPPORTED_MEDIA_TYPE))
    # Slow uploads wait for one another, not the pages that other people ask for.
    places = asyncio.Semaphore(_AT_ONCE)

    @routes.post(
        "/uploads",
        summary="Upload DICOM files, and zip archives and disc images of them",
        openapi_extra=_BODY,
    )
    async def uploads(
        request: Request, database: Annotated[str, Query(max_length=64)] = DEFAULT_DATABASE
    ) -> UploadResult:
        taken = Upload(desk.archive(database))
        try:
            async with places:
                await _take(request, taken, desk.databases[database].body_limit_bytes)
        finally:
            for study in taken.studies:
                note(request, "store", study=study)
            note_stored(request.scope, taken.count(FileState.KEPT), taken.count(FileState.REFUSED))
        return _result(taken)

    return routes


async def _take(request: Request, taken: Upload, limit_bytes: int) -> None:
    """Read the form in a thread while the body comes."""
    content = media_type_of(request.headers.get("content-type", ""))
    if content.name != _FORM:
        raise unsupported_type(f"files are uploaded as {_FORM}")
    async with body_of(request, limit_bytes) as channel:
        reader = MultipartReader(content.parameters.get("boundary", ""), channel.read)
        await run_in_threadpool(_read_form, reader, taken)


def _read_form(reader: MultipartReader, taken: Upload) -> None:
    """Every file of the form. Where the form breaks off, the files before stay taken."""
    name: str | None = None
    try:
        for part in reader.parts():
            if taken.is_full:
                most = taken.limits.members
                raise too_large(f"the request has more than {most:,} files; upload the rest with another")
            name = file_name(part)
            if name is not None:
                taken.take(name, part.content)
                name = None
    except HttpProblem as problem:
        if not taken.files:
            raise
        taken.refuse(name or "", f"the upload broke off here: {problem.detail}")
    if not taken.files:
        raise bad_request("the form holds no file")


def file_name(part: Part) -> str | None:
    """What the browser calls the file; None for a field that is no file (RFC 7578 section 4.2)."""
    found = _FILE_NAME.search(part.headers.get("content-disposition", ""))
    if found is None:
        return None
    text = re.sub(r"\\(.)", r"\1", found[1])
    # Names are UTF-8, quotes and line ends in them written as in addresses (HTML, section 4.10.22.7).
    name = text.encode("latin-1", "replace").decode("utf-8", "replace")
    return re.sub("%(22|0[aAdD])", lambda each: unquote(each[0]), name) or "unnamed"


def _result(taken: Upload) -> UploadResult:
    return UploadResult(
        files=[UploadedFile.of(file) for file in taken.files],
        kept=taken.count(FileState.KEPT),
        duplicates=taken.count(FileState.DUPLICATE),
        refused=taken.count(FileState.REFUSED),
        ignored=taken.count(FileState.IGNORED),
        studies=taken.studies,
        findings=[ImportFinding(kind=str(kind), count=count) for kind, count in taken.report.findings.counts.items()],
    )
