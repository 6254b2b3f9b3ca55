"""Follow-up: the priors of a study, and comparing a series with one of them as a durable job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Literal, Self

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.errors import ConfigurationError, InvalidRegion
from radfuse.core.uids import checked_uid
from radfuse.jobs import NewJob
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.registrations import place_of
from radfuse.web.api.databases import DatabaseName
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.jobs import Job
from radfuse.web.api.refusals import refusals
from radfuse.web.api.selection import Uid
from radfuse.web.api.sends import ACCEPTED, Priority, accepted
from radfuse.web.identity import identity_of, note

if TYPE_CHECKING:
    from radfuse.services.followup import Priors, kept

_Name = Annotated[str, Field(max_length=64)]


class PriorSeries(BaseModel):
    """An earlier series of the patient."""

    SeriesInstanceUID: str
    StudyInstanceUID: str
    SeriesDescription: str
    acquired: str
    """Date and time as digits."""
    instances: int
    is_comparable: bool
    is_chosen: bool
    reason: str
    """Why it is chosen, or not."""


class PriorsOfSeries(BaseModel):
    """What a series can be compared with, the nearest first."""

    SeriesInstanceUID: str
    Modality: str
    SeriesDescription: str
    candidates: list[PriorSeries]

    @classmethod
    def of(cls, priors: Priors) -> Self:
        """For the API."""
        return cls(
            SeriesInstanceUID=priors.current,
            Modality=priors.modality,
            SeriesDescription=priors.description,
            candidates=[
                PriorSeries(
                    SeriesInstanceUID=each.series_instance_uid,
                    StudyInstanceUID=each.study_instance_uid,
                    SeriesDescription=each.description,
                    acquired=each.moment,
                    instances=each.instances,
                    is_comparable=not each.refusals,
                    is_chosen=each.is_chosen,
                    reason=each.reason,
                )
                for each in priors.candidates
            ],
        )


class ChangedQuantity(BaseModel):
    """One quantity at both time points; null where it cannot be said."""

    quantity: str
    unit: str
    prior: float | None
    current: float | None
    percent: float | None = Field(description="Of the prior.")


class FollowedLesion(BaseModel):
    """A lesion at both time points."""

    name: str
    status: str
    changes: list[ChangedQuantity]
    notes: list[str]


class FollowupTable(BaseModel):
    """The change table of a follow-up that is kept."""

    SOPInstanceUID: str
    time_points: tuple[str, str] = Field(description="Of the prior and the current images.")
    registration: str = Field(description="How the two are registered, or why nothing was carried.")
    lesions: list[FollowedLesion]
    totals: list[ChangedQuantity]
    findings: list[str]

    @classmethod
    def of(cls, table: kept.KeptTable) -> Self:
        """For the API."""
        lesions = [{**asdict(each), "notes": list(each.notes)} for each in table.lesions]
        return cls(
            SOPInstanceUID=table.sop_instance_uid,
            time_points=table.time_points,
            registration=table.registration,
            lesions=[FollowedLesion.model_validate(each | {"changes": list(each["changes"])}) for each in lesions],
            totals=[ChangedQuantity.model_validate(asdict(each)) for each in table.totals],
            findings=list(table.findings),
        )


class LesionPair(BaseModel):
    """Regions of both time points that are one lesion, by name or number."""

    model_config = ConfigDict(extra="forbid")
    prior: Annotated[str, Field(min_length=1, max_length=64)]
    current: Annotated[str, Field(min_length=1, max_length=64)]


class NewFollowup(BaseModel):
    """A series and what it is compared with."""

    model_config = ConfigDict(extra="forbid")
    current: Uid = Field(description="Series Instance UID")
    prior: Annotated[str, Field(max_length=64, description="Series Instance UID; empty: it is looked for.")] = ""
    structures: Annotated[
        str, Field(max_length=64, description="RT Structure Set or Segmentation of the prior, or its series.")
    ] = ""
    names: list[_Name] = Field([], max_length=200, description="Its lesions, by name or number; empty: all.")
    current_structures: Annotated[str, Field(max_length=64, description="The same of the current images.")] = ""
    pairs: list[LesionPair] = Field([], max_length=200)
    rule: Annotated[str, Field(max_length=32, description="41%, SUV 4, a number, or contour.")] = ""
    margin_mm: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 10.0
    registration: Literal["deformable", "rigid", "none"] = Field(
        "deformable", description="What is made where the time points are not registered."
    )
    allow_other_patient: bool = False
    database: _Name = DEFAULT_DATABASE
    priority: Priority = 5


def router(desk: ApiDesk) -> APIRouter:
    """Follow-ups."""
    routes = APIRouter(tags=["follow-up"])
    routes.get(
        "/studies/{study}/priors",
        summary="What the series of a study can be compared with",
        responses=refusals(400, 404),
    )(_priors(desk))

    routes.get(
        "/followups",
        summary="The change tables that a study has, the one that came last first",
        responses=refusals(400, 404),
    )(_tables(desk))

    @routes.post(
        "/followups",
        status_code=ACCEPTED,
        summary="Compare a series with an earlier one and keep the change table",
        responses=refusals(400, 404, 503),
    )
    def follow_up(new: NewFollowup, request: Request, response: Response) -> Job:
        """The job's message says what became of the lesions; what it keeps is in the study of the current series."""
        archive = desk.archive(new.database)
        named = {"Series Instance UID": (new.current, new.prior), "UID": (new.structures, new.current_structures)}
        for name, uids in named.items():
            for uid in filter(None, uids):
                checked_uid(uid, name)
        checked_uid(new.current, "Series Instance UID")
        studies = [place_of(archive, uid).study_instance_uid for uid in (new.current, new.prior) if uid]
        note(request, "follow up", study=studies[0])
        number = desk.jobs.submit(
            replace(_job(new, identity_of(request).person), studies=tuple(dict.fromkeys(studies)))
        )
        return accepted(desk, number, response)

    return routes


def _priors(desk: ApiDesk) -> Callable[..., list[PriorsOfSeries]]:
    def priors(
        request: Request, study: Annotated[str, Path(max_length=64)], database: DatabaseName = DEFAULT_DATABASE
    ) -> list[PriorsOfSeries]:
        """For each PET, CT and MR series: the earlier ones of the patient, and why each is chosen or not."""
        # Loads numpy and more, which the other routes do without.
        from radfuse.services.followup import priors_of_study

        checked_uid(study, "Study Instance UID")
        note(request, "view", study=study)
        return [PriorsOfSeries.of(each) for each in priors_of_study(desk.archive(database), study)]

    return priors


def _tables(desk: ApiDesk) -> Callable[..., list[FollowupTable]]:
    def tables(
        request: Request, study: Annotated[str, Query(max_length=64)], database: DatabaseName = DEFAULT_DATABASE
    ) -> list[FollowupTable]:
        """Read from the structured reports that follow-ups keep."""
        # Loads what reads reports, which the other routes do without.
        from radfuse.services.followup import kept

        checked_uid(study, "Study Instance UID")
        note(request, "view", study=study)
        return [FollowupTable.of(each) for each in kept.kept_tables(desk.archive(database), study)]

    return tables


def _job(new: NewFollowup, by: str) -> NewJob:
    """The job. Raises ConfigurationError for what does not go together."""
    from radfuse.services.followup import FollowupAsk, Linking, PairByHand, rule_of
    from radfuse.services.followup_job import new_followup

    try:
        ask = FollowupAsk(
            new.current,
            new.prior,
            new.structures,
            tuple(new.names),
            new.current_structures,
            tuple(PairByHand(pair.prior, pair.current) for pair in new.pairs),
            rule_of(new.rule) if new.rule else None,
            new.margin_mm,
            Linking(new.registration),
            new.allow_other_patient,
        )
    except InvalidRegion as error:
        raise ConfigurationError("followup", error.reason) from error
    return new_followup(ask, database=new.database, priority=new.priority, by=by)
