"""Anonymizing what is kept: a durable job, and a look at what would become of one object."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.errors import ConfigurationError, DataSetError
from radfuse.services import anonymize_preview
from radfuse.services.anonymize_job import Treatments, new_anonymization
from radfuse.services.anonymize_stored import stored_source
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.peers import Peer
from radfuse.services.project_keys import DEFAULT_KEY
from radfuse.services.selection import InstanceAddress, objects_of, studies_of
from radfuse.services.selection import Selection as Chosen
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.jobs import Job
from radfuse.web.api.refusals import refusals
from radfuse.web.api.selection import Selection, Uid, note_studies
from radfuse.web.api.sends import ACCEPTED, PeerName, Priority, accepted
from radfuse.web.identity import note

_Name = Annotated[str, Field(max_length=64)]
_Options = Annotated[tuple[_Name, ...], Field(max_length=20, description="Of the profile, such as shifted-dates.")]
_Preset = Annotated[_Name, Field(description="Options that belong together: pet, or nothing.")]
_Key = Annotated[_Name, Field(description="A project key of this node; the key default is made when it is not there.")]
_Database = Annotated[_Name, Field(description="A further database of this node.")]


class NewAnonymization(Selection):
    """What to anonymize, how, and where to: a peer, or another database of this node."""

    options: _Options = ()
    preset: _Preset = ""
    key: _Key = DEFAULT_KEY
    peer: PeerName | None = None
    into: _Database | None = None
    priority: Priority = 5


class PreviewQuery(BaseModel):
    """Which object, and how it would be anonymized."""

    model_config = ConfigDict(extra="forbid")
    study: Uid
    series: Uid
    instance: Uid
    database: _Database = DEFAULT_DATABASE
    options: _Options = ()
    preset: _Preset = ""
    key: _Key = DEFAULT_KEY


class PreviewedElement(BaseModel):
    """One element of an object."""

    element: str = Field(description="Its keyword, behind those of the sequences that hold it.")
    tag: str
    before: str
    after: str
    became: str = Field(description="kept, removed, emptied, replaced or added")

    @classmethod
    def of(cls, row: anonymize_preview.PreviewRow) -> Self:
        """The row for the API."""
        return cls(element=row.path, tag=row.tag, before=row.before, after=row.after, became=row.became)


class AnonymizationPreview(BaseModel):
    """One object before and after."""

    elements: list[PreviewedElement]
    warnings: list[str]


def router(desk: ApiDesk) -> APIRouter:
    """Anonymizing."""
    routes = APIRouter(tags=["jobs"])

    @routes.post(
        "/anonymizations",
        status_code=ACCEPTED,
        summary="Anonymize studies, series or instances, to a peer or into another database",
        responses=refusals(404, 503),
    )
    def anonymize(new: NewAnonymization, request: Request, response: Response) -> Job:
        chosen = new.chosen()
        if (new.peer is None) == (new.into is None):
            raise ConfigurationError("peer", "say where it goes: either a peer, or a database in 'into'")
        note_studies(request, "anonymize", chosen, new.peer or new.into or "")
        how = Treatments(new.options, new.preset, new.key)
        how.recipe(desk.data)
        objects = objects_of(desk.archive(new.database), chosen)
        job = new_anonymization(desk.jobs, objects, how, _to(desk, new), database=new.database, priority=new.priority)
        number = desk.jobs.submit(replace(job, studies=studies_of(chosen)))
        return accepted(desk, number, response)

    _add_preview(routes, desk)
    return routes


def _to(desk: ApiDesk, new: NewAnonymization) -> Peer | str:
    """Where it goes. Raises UnknownPeer, UnknownDatabase."""
    if new.peer is not None:
        return desk.peer(new.peer)
    name = new.into or ""
    desk.archive(name)
    return name


def _add_preview(routes: APIRouter, desk: ApiDesk) -> None:
    @routes.get(
        "/preview-anonymization",
        summary="What would become of one object, before and after",
        responses=refusals(404, 503),
    )
    def preview(request: Request, address: Annotated[PreviewQuery, Query()]) -> AnonymizationPreview:
        """Nothing is stored or sent. An object that would be refused is answered with the reason, as a warning."""
        where = InstanceAddress(address.study, address.series, address.instance)
        chosen = Chosen(instances=[where], database=address.database)
        note(request, "view", study=address.study)
        recipe = Treatments(address.options, address.preset, address.key).recipe(desk.data)
        archive = desk.archive(address.database)
        (stored,) = objects_of(archive, chosen)
        try:
            made = anonymize_preview.preview(stored_source(archive, stored).read().view, recipe)
        except DataSetError as error:
            return AnonymizationPreview(elements=[], warnings=[str(error)])
        return AnonymizationPreview(elements=list(map(PreviewedElement.of, made.rows)), warnings=list(made.warnings))
