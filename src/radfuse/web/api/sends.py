"""Sending what is kept to a peer: a durable job."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import Field

from radfuse.services.selection import objects_of, studies_of
from radfuse.services.send_job import check_may_send, new_send
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.jobs import Job
from radfuse.web.api.refusals import refusals
from radfuse.web.api.selection import Selection, note_studies

ACCEPTED: Final = 202
PeerName = Annotated[str, Field(min_length=1, max_length=64, description="The name of a configured peer.")]
Priority = Annotated[int, Field(ge=1, le=9, description="1 goes first, 9 last.")]


class NewSend(Selection):
    """What to send, and to whom."""

    peer: PeerName
    priority: Priority = 5


def router(desk: ApiDesk) -> APIRouter:
    """Sending."""
    routes = APIRouter(tags=["jobs"])

    @routes.post(
        "/sends",
        status_code=ACCEPTED,
        summary="Send studies, series or instances to a peer",
        responses=refusals(404, 503),
    )
    def send(new: NewSend, request: Request, response: Response) -> Job:
        chosen = new.chosen()
        note_studies(request, "send", chosen, new.peer)
        peer = desk.peer(new.peer)
        check_may_send(peer)
        objects = objects_of(desk.archive(new.database), chosen)
        job = new_send(desk.jobs, peer, objects, database=new.database, priority=new.priority)
        number = desk.jobs.submit(replace(job, studies=studies_of(chosen)))
        return accepted(desk, number, response)

    return routes


def accepted(desk: ApiDesk, number: int, response: Response) -> Job:
    """The job that was queued, and where it is."""
    response.headers["Location"] = f"/api/jobs/{number}"
    return Job.of(desk.jobs.get(number))
