"""What to open of a patient."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from radfuse.core.uids import checked_uid
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.identity import note

if TYPE_CHECKING:
    from radfuse.services.viewing import Opening as Found

_MOST_SERIES = 100


class OpeningSeries(BaseModel):
    """A series, and how it is shown."""

    SeriesInstanceUID: str
    Modality: str
    SeriesDescription: str
    instances: int
    FrameOfReferenceUID: str
    shows_as: Literal["volume", "images", "cine", "waveform", "document", "object", "nothing"]
    reason: str
    """Why it is no volume; "" where it is one, or was never meant to be."""


class OpeningStudy(BaseModel):
    """A study of the patient."""

    StudyInstanceUID: str
    StudyDate: str
    StudyDescription: str
    series: list[OpeningSeries]


class OpeningProposal(BaseModel):
    """What one would open: Series Instance UIDs."""

    base: str | None
    overlay: str | None
    prior: str | None
    layout: Literal["fused", "side", "prior", "images"]
    reason: str


class Opening(BaseModel):
    """The study that was asked for comes first, then the patient's others, the newest first."""

    PatientName: str
    PatientID: str
    PatientBirthDate: str
    PatientSex: str
    studies: list[OpeningStudy]
    proposal: OpeningProposal


def router(desk: ApiDesk) -> APIRouter:
    """Opening a patient."""
    routes = APIRouter(tags=["volumes"], responses=refusals(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND))
    routes.get("/openings", summary="The series of a patient with how each is shown, and what to open")(_opening(desk))
    return routes


def _opening(desk: ApiDesk) -> Callable[..., Opening]:
    def opening(
        request: Request,
        study: Annotated[str, Query(max_length=64)],
        series: Annotated[list[str] | None, Query(max_length=_MOST_SERIES, description="Of these alone.")] = None,
        database: Annotated[str, Query(max_length=64)] = DEFAULT_DATABASE,
    ) -> Opening:
        """From the index, and one header of each series."""
        from radfuse.services.viewing import opening_of

        checked_uid(study, "Study Instance UID")
        wanted = [checked_uid(uid, "Series Instance UID") for uid in series or ()]
        note(request, "view", study=study)
        return _of(opening_of(desk.archive(database), study, wanted))

    return opening


def _of(found: Found) -> Opening:
    asked, proposal = found.studies[0].row, found.proposal
    return Opening(
        PatientName=asked.patient_name,
        PatientID=asked.patient_id,
        PatientBirthDate=asked.birth_date,
        PatientSex=asked.sex,
        studies=[
            OpeningStudy(
                StudyInstanceUID=study.row.study_instance_uid,
                StudyDate=study.row.study_date,
                StudyDescription=study.row.description,
                series=[
                    OpeningSeries(
                        SeriesInstanceUID=each.row.series_instance_uid,
                        Modality=each.row.modality,
                        SeriesDescription=each.row.description,
                        instances=each.row.instances,
                        FrameOfReferenceUID=each.row.frame_of_reference_uid,
                        shows_as=each.showable.shows_as.value,
                        reason=each.showable.reason,
                    )
                    for each in study.series
                ],
            )
            for study in found.studies
        ],
        proposal=OpeningProposal(
            base=proposal.base or None,
            overlay=proposal.overlay or None,
            prior=proposal.prior or None,
            layout=proposal.layout,  # type: ignore[arg-type]
            reason=proposal.reason,
        ),
    )
