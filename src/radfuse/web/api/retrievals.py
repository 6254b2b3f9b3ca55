"""Retrieving from a peer: a durable job."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.levels import UNIQUE_KEYS
from radfuse.core.levels import Level as QueryLevel
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.hierarchy import checked_above, checked_names, model_for
from radfuse.services.retrieve_job import How, Into, Wanted, submit_retrieve
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.jobs import Job
from radfuse.web.api.levels import Level
from radfuse.web.api.refusals import refusals
from radfuse.web.api.sends import ACCEPTED, PeerName, Priority, accepted
from radfuse.web.identity import note

_NOTED: Final = 100


class NewRetrieval(BaseModel):
    """What to retrieve, and from whom."""

    model_config = ConfigDict(extra="forbid")
    peer: PeerName
    level: Level
    names: list[Annotated[str, Field(max_length=64)]] = Field(
        min_length=1, max_length=10_000, description="Values of the level's unique key: Patient ID or UIDs."
    )
    above: dict[str, Annotated[str, Field(max_length=64)]] = Field(
        {}, max_length=4, description="Unique keys above the level, by keyword: a series needs its StudyInstanceUID."
    )
    how: How | None = Field(None, description="By default C-GET, and C-MOVE to ourselves where the peer has none.")
    database: str = Field(DEFAULT_DATABASE, max_length=64)
    priority: Priority = 5

    def wanted(self) -> Wanted:
        """What to retrieve. Raises ConfigurationError, InvalidUID."""
        level = self.level.in_query
        return Wanted(model_for(level), level, checked_names(level, self.names), checked_above(level, self.above))


def router(desk: ApiDesk) -> APIRouter:
    """Retrieving."""
    routes = APIRouter(tags=["jobs"])

    @routes.post(
        "/retrievals",
        status_code=ACCEPTED,
        summary="Retrieve from a peer into a database of this node",
        responses=refusals(404, 409, 503),
    )
    def retrieve(new: NewRetrieval, request: Request, response: Response) -> Job:
        wanted = new.wanted()
        _note(request, new)
        peer = desk.peer(new.peer)
        desk.archive(new.database)
        ours = desk.databases[new.database].ae_title
        move_to, or_move_to = (ours, "") if new.how is How.MOVE else ("", "" if new.how else ours)
        into = Into(new.database, move_to, or_move_to)
        number = submit_retrieve(desk.jobs, peer, wanted, into, priority=new.priority)
        return accepted(desk, number, response)

    return routes


def _note(request: Request, new: NewRetrieval) -> None:
    """Tell the access log of each study; of patients it is told only that there were some."""
    study = UNIQUE_KEYS[QueryLevel.STUDY]
    studies = new.names[:_NOTED] if new.level is Level.STUDY else [new.above.get(study, "")]
    for uid in studies:
        note(request, "retrieve", study=uid, subject=new.peer)
