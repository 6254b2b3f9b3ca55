"""What is no picture, for a browser: reports, lists of objects, PDF, waveforms."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.web.api.databases import DatabaseName
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.identity import note

if TYPE_CHECKING:
    from radfuse.archive import Archive
    from radfuse.objects.waveform import Waveform
    from radfuse.services.documents import DocumentFacts as Found

_Instance = Annotated[str, Path(max_length=64, description="SOP Instance UID")]
_REFUSALS: Final = refusals(
    HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY
)
_PDF: Final = "application/pdf"
_SAMPLES: Final = "application/octet-stream"
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {_PDF: {}, _SAMPLES: {}}, "description": "A PDF to be shown, anything else to be saved."}
}
_ANY_SAMPLES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {_SAMPLES: {}}, "description": "float32, little endian, channels x samples; NaN: not measured."}
}


class DocumentLine(BaseModel):
    """Something that is known of an object."""

    name: str
    text: str


class DocumentReference(BaseModel):
    """An object that is named, and where it is kept; "" where it is not."""

    SOPInstanceUID: str
    frames: list[int]
    SeriesInstanceUID: str
    StudyInstanceUID: str
    Modality: str
    SeriesDescription: str


class DocumentFacts(BaseModel):
    """An object that is no picture."""

    SOPInstanceUID: str
    kind: Literal["report", "selection", "state", "pdf", "file", "object"]
    sop_class_name: str
    title: str
    lines: list[DocumentLine]
    references: list[DocumentReference]
    unlisted: int = Field(description="References beyond those that are listed.")
    page: str = Field(description="Of a report: HTML without script, for a sandboxed frame; empty otherwise.")


class WaveformChannel(BaseModel):
    """One signal."""

    name: str
    unit: str = Field(description="UCUM; empty: the object does not say.")
    low_hz: float | None
    high_hz: float | None


class WaveformGroup(BaseModel):
    """Channels with one clock."""

    label: str
    originality: str
    frequency_hz: float
    samples: int
    offset_s: float
    channels: list[WaveformChannel]


class WaveformAnnotation(BaseModel):
    """What is said of the signal."""

    name: str
    value: str
    unit: str
    group: int | None = Field(description="From 0; null: the whole recording.")
    channel: int | None
    at_s: list[float]


class WaveformFacts(BaseModel):
    """A recording, without its samples."""

    SOPInstanceUID: str
    acquired: str
    groups: list[WaveformGroup]
    annotations: list[WaveformAnnotation]
    findings: list[str]


class SamplesQuery(BaseModel):
    """A part of a recording."""

    group: int = Field(0, ge=0, le=10_000, description="From 0.")
    from_s: float = Field(0, ge=0, le=1e9, allow_inf_nan=False)
    seconds: float = Field(10, gt=0, le=1e9, allow_inf_nan=False)
    database: str = Field(DEFAULT_DATABASE, max_length=64, description="A further database of this node.")


def router(desk: ApiDesk) -> APIRouter:
    """Documents and waveforms."""
    routes = APIRouter(tags=["documents"], responses=_REFUSALS)
    routes.get("/documents/{instance}", summary="What an object without a picture says")(_document(desk))
    routes.get(
        "/documents/{instance}/file",
        summary="The PDF or other file in an object",
        response_class=Response,
        responses=_FILE,
    )(_file(desk))
    routes.get("/waveforms/{instance}", summary="A recording: its channels, and what is said of them")(_waveform(desk))
    routes.get(
        "/waveforms/{instance}/samples",
        summary="Samples of a recording, in the units of its channels",
        response_class=Response,
        responses=_ANY_SAMPLES,
    )(_samples(desk))
    return routes


def _noted(desk: ApiDesk, request: Request, database: str, instance: str, action: str = "view") -> Archive:
    from radfuse.services.documents import study_of

    archive = desk.archive(database)
    note(request, action, study=study_of(archive, instance))
    return archive


def _document(desk: ApiDesk) -> Callable[..., DocumentFacts]:
    def document(request: Request, instance: _Instance, database: DatabaseName = DEFAULT_DATABASE) -> DocumentFacts:
        """Of a structured report also its page."""
        from radfuse.services.documents import DocumentKind, document_facts, report_page

        archive = _noted(desk, request, database, instance)
        found = document_facts(archive, instance)
        return _of(found, report_page(archive, instance) if found.kind is DocumentKind.REPORT else "")

    return document


def _of(found: Found, page: str) -> DocumentFacts:
    return DocumentFacts(
        SOPInstanceUID=found.sop_instance_uid,
        kind=found.kind.value,
        sop_class_name=found.sop_class_name,
        title=found.title,
        lines=[DocumentLine(name=name, text=text) for name, text in found.lines],
        references=[
            DocumentReference(
                SOPInstanceUID=each.sop_instance_uid,
                frames=list(each.frames),
                SeriesInstanceUID=each.series_instance_uid,
                StudyInstanceUID=each.study_instance_uid,
                Modality=each.modality,
                SeriesDescription=each.series_description,
            )
            for each in found.references
        ],
        unlisted=found.unlisted,
        page=page,
    )


def _file(desk: ApiDesk) -> Callable[..., Response]:
    def document_file(request: Request, instance: _Instance, database: DatabaseName = DEFAULT_DATABASE) -> Response:
        """A PDF is shown by the browser's own viewer, in a frame of our pages only; all else is to be saved."""
        from radfuse.services.documents import attached_file

        found = attached_file(_noted(desk, request, database, instance, "download"), instance)
        how = "inline" if found.media_type == _PDF else "attachment"
        headers = {
            "Content-Disposition": f'{how}; filename="{found.name}"',
            "Content-Security-Policy": "frame-ancestors 'self'",
            "Cache-Control": "private, no-store",
        }
        return Response(found.content, 200, headers, found.media_type)

    return document_file


def _waveform(desk: ApiDesk) -> Callable[..., WaveformFacts]:
    def waveform(request: Request, instance: _Instance, database: DatabaseName = DEFAULT_DATABASE) -> WaveformFacts:
        """The samples are at ``/samples``."""
        from radfuse.services.documents import recording

        return _facts(recording(_noted(desk, request, database, instance), instance))

    return waveform


def _facts(found: Waveform) -> WaveformFacts:
    return WaveformFacts(
        SOPInstanceUID=found.sop_instance_uid,
        acquired=found.acquired,
        groups=[
            WaveformGroup(
                label=group.label,
                originality=group.originality,
                frequency_hz=group.frequency_hz,
                samples=group.samples,
                offset_s=group.offset_s,
                channels=[
                    WaveformChannel(name=each.name, unit=each.unit, low_hz=each.low_hz, high_hz=each.high_hz)
                    for each in group.channels
                ],
            )
            for group in found.groups
        ],
        annotations=[
            WaveformAnnotation(
                name=each.name,
                value=each.value,
                unit=each.unit,
                group=each.group,
                channel=each.channel,
                at_s=list(each.at_s),
            )
            for each in found.annotations
        ],
        findings=list(found.findings),
    )


def _samples(desk: ApiDesk) -> Callable[..., Response]:
    def waveform_samples(request: Request, instance: _Instance, query: Annotated[SamplesQuery, Query()]) -> Response:
        """Channel after channel; fewer than were asked for where the recording ends."""
        from radfuse.services.documents import part_of, recording

        found = recording(_noted(desk, request, query.database, instance), instance)
        values = part_of(found, query.group, query.from_s, query.seconds)
        return Response(values.astype("<f4").tobytes(), 200, {"Cache-Control": "private, no-cache"}, _SAMPLES)

    return waveform_samples
