"""Live events: what changes, told to every page that is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Request
from pydantic import BaseModel

from radfuse.services.live import ArchiveChanged, Change, JobsChanged, Live
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.jobs import Job, JobTotals
from radfuse.web.endings import endings_of
from radfuse.web.event_stream import HELLO, Broadcast, EventStreamResponse, encoded

_DESCRIPTION: Final = """\
`hello` comes at the start and after a gap: read everything again. `jobs` (JobsEvent) tells of jobs that changed,
`archive` (ArchiveEvent) of studies to which something came; with no studies, or when something is gone, read again.
A comment line comes every 15 s when there is nothing else."""


class JobsEvent(BaseModel):
    """Jobs that changed since the last event."""

    jobs: list[Job]
    totals: JobTotals


class ArchiveEvent(BaseModel):
    """Something was stored or is gone."""

    studies: list[str]
    database: str


def router(desk: ApiDesk) -> APIRouter:
    """The stream of events."""
    routes = APIRouter(tags=["live events"])
    archives = {name: each.archive for name, each in desk.databases.items()}
    live = Live(desk.jobs, archives)

    def start(tell: Callable[[bytes], None]) -> None:
        live.start(lambda change: tell(_event_of(change)))

    broadcast = Broadcast(start, live.stop)

    @routes.get(
        "/events",
        summary="What changes, as it does (server-sent events)",
        description=_DESCRIPTION,
        status_code=200,
        response_class=EventStreamResponse,
        responses={200: {"model": JobsEvent | ArchiveEvent, "description": "Events until either side ends it."}},
    )
    async def events(request: Request) -> EventStreamResponse:
        return EventStreamResponse(broadcast, endings_of(request))

    return routes


def _event_of(change: Change) -> bytes:
    if isinstance(change, JobsChanged):
        event = JobsEvent(jobs=[Job.of(job) for job in change.jobs], totals=JobTotals.of(change.totals))
        return encoded("jobs", event.model_dump_json().encode())
    if isinstance(change, ArchiveChanged):
        studies = ArchiveEvent(studies=list(change.studies), database=change.database)
        return encoded("archive", studies.model_dump_json().encode())
    return encoded(HELLO)
