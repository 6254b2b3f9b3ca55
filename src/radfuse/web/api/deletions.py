"""Deleting from the archive, with time to take it back."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from radfuse.services.deletion_job import submit_deletion
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.jobs import Job
from radfuse.web.api.refusals import refusals
from radfuse.web.api.selection import Selection, note_studies
from radfuse.web.identity import identity_of


class Deletion(BaseModel):
    """A deletion to come: nothing is gone before ``due_s``; cancelling its job takes it back."""

    job: Job
    due_s: float = Field(description="Seconds since 1970 (UTC).")


def router(desk: ApiDesk) -> APIRouter:
    """Deleting."""
    routes = APIRouter(tags=["studies"], responses=refusals(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND))

    @routes.post(
        "/deletions",
        status_code=HTTPStatus.ACCEPTED,
        summary="Delete studies, series or instances, after the time to take it back",
    )
    def delete(selection: Selection, request: Request, response: Response) -> Deletion:
        chosen = selection.chosen()
        note_studies(request, "delete", chosen)
        archive = desk.archive(selection.database)
        number = submit_deletion(desk.jobs, archive, chosen, desk.undo_s, identity_of(request).user)
        job = desk.jobs.get(number)
        response.headers["Location"] = f"/api/jobs/{number}"
        due_s = job.next_attempt_s if job.next_attempt_s is not None else job.created_s
        return Deletion(job=Job.of(job), due_s=due_s)

    return routes
