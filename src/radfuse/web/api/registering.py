"""Registering two kept series: a durable job."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.errors import CannotRegister, ConfigurationError
from radfuse.core.uids import checked_uid
from radfuse.jobs import NewJob
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.registrations import place_of
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.jobs import Job
from radfuse.web.api.refusals import refusals
from radfuse.web.api.selection import Uid
from radfuse.web.api.sends import ACCEPTED, Priority, accepted
from radfuse.web.identity import Identity, identity_of, note

_Mm = Annotated[float, Field(ge=-1e5, le=1e5, allow_inf_nan=False)]
_Point = tuple[_Mm, _Mm, _Mm]
_Degrees = Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)]
_Name = Annotated[str, Field(max_length=64)]


class PointPair(BaseModel):
    """Two points that show the same place, in mm of the fixed and of the moving frame of reference."""

    model_config = ConfigDict(extra="forbid")
    fixed: _Point
    moving: _Point
    name: _Name = ""


_Length = Annotated[float, Field(gt=0, le=4000, allow_inf_nan=False)]


class Part(BaseModel):
    """A part of the fixed images: a sphere, or a box along their columns, rows and slices."""

    model_config = ConfigDict(extra="forbid")
    centre: _Point = Field(description="In mm of the fixed frame of reference.")
    radius_mm: Annotated[float, Field(gt=0, le=2000, allow_inf_nan=False)] | None = None
    size_mm: tuple[_Length, _Length, _Length] | None = Field(
        None, description="Whole lengths of a box along increasing columns, rows and slices of the fixed images."
    )


class Hand(BaseModel):
    """The moving images turned about the middle of their volume (degrees about x, then y, then z), then shifted."""

    model_config = ConfigDict(extra="forbid")
    shift_mm: _Point = (0.0, 0.0, 0.0)
    turn_degrees: tuple[_Degrees, _Degrees, _Degrees] = (0.0, 0.0, 0.0)


class NewRegistration(BaseModel):
    """Two series, and how the moving one is brought onto the fixed one."""

    model_config = ConfigDict(extra="forbid")
    fixed: Uid = Field(description="Series Instance UID")
    moving: Uid = Field(description="Series Instance UID")
    kind: Literal["rigid", "affine", "deformable", "landmarks", "manual"] = "rigid"
    clicks: list[PointPair] = Field([], max_length=100, description="About the same places, to begin from.")
    landmarks: list[PointPair] = Field([], max_length=1000, description="They measure the error.")
    manual: Hand | None = Field(None, description="What a registration by hand is.")
    region: Part | None = Field(None, description="Compare only this: a sphere or a box.")
    from_path: bool = Field(False, description="Begin from the registrations that are kept.")
    check_back: bool = Field(True, description="Measure the inverse consistency of a deformation.")
    propose: bool = Field(False, description="Keep nothing yet: a person accepts what comes of it, or not.")
    allow_other_patient: bool = False
    allow_same_frame: bool = False
    database: _Name = DEFAULT_DATABASE
    priority: Priority = 5


def router(desk: ApiDesk) -> APIRouter:
    """Registering."""
    routes = APIRouter(tags=["registrations"])

    @routes.post(
        "/registrations",
        status_code=ACCEPTED,
        summary="Register two series, judge the result and keep it",
        responses=refusals(400, 404, 503),
    )
    def register(new: NewRegistration, request: Request, response: Response) -> Job:
        """The job's message is the grade with its reason; what it keeps is in the study of the fixed series."""
        archive = desk.archive(new.database)
        studies = []
        for uid in (new.fixed, new.moving):
            checked_uid(uid, "Series Instance UID")
            studies.append(place_of(archive, uid).study_instance_uid)
        note(request, "register", study=studies[0])
        number = desk.jobs.submit(replace(_job(new, identity_of(request)), studies=tuple(dict.fromkeys(studies))))
        return accepted(desk, number, response)

    return routes


def _job(new: NewRegistration, who: Identity) -> NewJob:
    """The job. Raises ConfigurationError for what does not go together."""
    # Loads numpy and more, which the other routes do without.
    from radfuse.services.measure import Image
    from radfuse.services.register import Allowed, LandmarkPair, Region, RegisterAsk, RegisterKind
    from radfuse.services.register_job import new_registration

    clicks, landmarks = (
        tuple(LandmarkPair(pair.fixed, pair.moving, pair.name) for pair in pairs)
        for pairs in (new.clicks, new.landmarks)
    )
    part = new.region
    try:
        ask = RegisterAsk(
            Image(new.fixed),
            Image(new.moving),
            RegisterKind(new.kind),
            clicks,
            landmarks,
            None if part is None else Region(part.centre, part.radius_mm or 0.0, part.size_mm),
            from_path=new.from_path,
            check_back=new.check_back,
            allowed=Allowed(new.allow_other_patient, new.allow_same_frame),
            manual=None if new.manual is None else (new.manual.shift_mm, new.manual.turn_degrees),
        )
    except CannotRegister as error:
        raise ConfigurationError("kind", error.reason) from error
    # What is proposed has the name of who accepts it.
    by = "" if new.propose else who.person
    return new_registration(ask, database=new.database, priority=new.priority, is_proposal=new.propose, by=by)
