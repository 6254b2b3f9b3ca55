"""Carrying over: points at once; regions and images as a durable job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.errors import ConfigurationError
from radfuse.core.uids import checked_uid
from radfuse.jobs import NewJob
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.registrations import RegistrationPath as FoundPath
from radfuse.services.registrations import Wish
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.jobs import Job
from radfuse.web.api.refusals import refusals
from radfuse.web.api.registrations import GradeName, RegistrationPath
from radfuse.web.api.selection import Uid
from radfuse.web.api.sends import ACCEPTED, Priority, accepted
from radfuse.web.identity import identity_of, note

_Mm = Annotated[float, Field(ge=-1e5, le=1e5, allow_inf_nan=False)]
_Point = tuple[_Mm, _Mm, _Mm]
_Name = Annotated[str, Field(max_length=64)]
_Stack = Annotated[int, Field(ge=1, le=1000)]


class Ends(BaseModel):
    """Two series, and which registrations may lead from one to the other."""

    model_config = ConfigDict(extra="forbid")
    fixed: Uid = Field(description="Series Instance UID: where things are carried to.")
    moving: Uid = Field(description="Series Instance UID: where they lie.")
    only: list[Uid] = Field([], max_length=100, description="SOP Instance UIDs: use these registrations alone.")
    allow_failed: bool = Field(False, description="Use registrations too that failed.")
    allow_other_patient: bool = Field(False, description="Also between two patients.")
    database: _Name = DEFAULT_DATABASE

    def wish(self) -> Wish:
        """What a path may use. Raises InvalidUID."""
        for uid in (self.fixed, self.moving):
            checked_uid(uid, "Series Instance UID")
        only = frozenset(checked_uid(uid, "SOP Instance UID") for uid in self.only)
        return Wish(self.allow_failed, self.allow_other_patient, only)


class NewPoints(Ends):
    """Points in mm of the moving series' frame of reference."""

    points: list[_Point] = Field(min_length=1, max_length=10_000)


class CarriedPoints(BaseModel):
    """The same points in mm of the fixed series' frame of reference, in their order."""

    points: list[tuple[float, float, float] | None]
    """null: the registration says nothing of it."""
    grade: GradeName
    path: RegistrationPath
    notes: list[str]
    """What a person should know before trusting them."""


class NewCarrying(Ends):
    """The images of the moving series; or, with ``structures``, regions that were drawn on them."""

    structures: Uid | None = Field(None, description="UID of an RT Structure Set or Segmentation, or of its series.")
    names: list[_Name] = Field([], max_length=1000, description="Names or numbers of regions; none: all.")
    form: Literal["contours", "slices", "seg"] | None = None
    """What regions become: contours moved point by point, contours drawn anew on slices, or a Segmentation."""
    fixed_stack: _Stack | None = None
    moving_stack: _Stack | None = None
    priority: Priority = 5


def router(desk: ApiDesk) -> APIRouter:
    """Carrying over."""
    responses = refusals(
        HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY
    )
    routes = APIRouter(prefix="/registrations", tags=["registrations"], responses=responses)
    routes.post("/points", summary="Carry points from one series to another")(_points(desk))
    routes.post(
        "/carry",
        status_code=ACCEPTED,
        summary="Carry regions or images from one series to another, and keep what arrives",
        responses=refusals(HTTPStatus.SERVICE_UNAVAILABLE),
    )(_carry(desk))
    return routes


def _points(desk: ApiDesk) -> Callable[..., CarriedPoints]:
    def points(new: NewPoints, request: Request) -> CarriedPoints:
        """409 where the two series are not registered."""
        # Loads numpy, which the other routes do without.
        from radfuse.services.carry import NamedPoint, carry_points

        wanted = [NamedPoint(point) for point in new.points]
        carried = carry_points(desk.archive(new.database), new.fixed, new.moving, wanted, new.wish())
        note(request, "view", study=carried.path.fixed.study_instance_uid)
        return CarriedPoints(
            points=[point.mm for point in carried.points],
            grade=carried.path.grade.value,
            path=RegistrationPath.of(carried.path),
            notes=list(carried.notes),
        )

    return points


def _carry(desk: ApiDesk) -> Callable[..., Job]:
    def carry(new: NewCarrying, request: Request, response: Response) -> Job:
        """The job keeps to the path there is now. Its message says what was left out; 409 where there is no path."""
        from radfuse.services.carry import path_of

        path = path_of(desk.archive(new.database), new.fixed, new.moving, new.wish())
        study = path.fixed.study_instance_uid
        note(request, "carry", study=study)
        job = _job(new, path, identity_of(request).person)
        number = desk.jobs.submit(replace(job, studies=tuple(dict.fromkeys((study, path.moving.study_instance_uid)))))
        return accepted(desk, number, response)

    return carry


def _job(new: NewCarrying, path: FoundPath, by: str) -> NewJob:
    """The job. Raises ConfigurationError for what does not go together."""
    from radfuse.services.carry import CarryAsk, Form, Images, Regions
    from radfuse.services.carry_job import new_carrying

    if new.structures is None and (new.names or new.form):
        raise ConfigurationError("structures", "names and form are those of regions: say of which object")
    what: Regions | Images = Images()
    if new.structures is not None:
        uid = checked_uid(new.structures, "UID of structures")
        what = Regions(uid, tuple(new.names), None if new.form is None else Form(new.form))
    ask = CarryAsk(new.fixed, new.moving, what, new.wish(), new.fixed_stack, new.moving_stack)
    return new_carrying(ask, path, database=new.database, priority=new.priority, by=by)
