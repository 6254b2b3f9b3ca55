"""Registrations that are kept, and the path between two series."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from radfuse.archive.queries import SeriesPlace
from radfuse.core.uids import checked_uid
from radfuse.services import registrations as service
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.registrations import KeptRegistration, NotRegistered, Wish
from radfuse.services.registrations import RegistrationPath as Path
from radfuse.services.registrations import Step as PathStep
from radfuse.web.api.databases import DatabaseName
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.identity import note

_Uid = Annotated[str, Query(max_length=64)]
_Only = Annotated[list[str] | None, Query(max_length=100, description="SOP Instance UIDs: use these alone.")]

GradeName = Literal["PASS", "NOT JUDGED", "CAUTION", "FAIL"]


class RegistrationLink(BaseModel):
    """What one registration joins: a transform from points of the fixed frame of reference to the moving one."""

    fixed: str
    moving: str
    is_deformable: bool
    method: str
    series: list[str] | None
    """The moving series that it holds for; null: all of the frame."""


class Registration(BaseModel):
    """A Spatial or Deformable Spatial Registration."""

    SOPInstanceUID: str
    SOPClassUID: str
    SeriesInstanceUID: str
    StudyInstanceUID: str
    FrameOfReferenceUID: str
    ContentLabel: str
    ContentDescription: str
    ContentCreatorName: str
    made: str
    equipment: list[str]
    links: list[RegistrationLink]
    grade: GradeName
    grade_reason: str
    report: str
    findings: list[str]

    @classmethod
    def of(cls, kept: KeptRegistration) -> Self:
        """For the API."""
        return cls(
            SOPInstanceUID=kept.sop_instance_uid,
            SOPClassUID=kept.stored.sop_class_uid,
            SeriesInstanceUID=kept.series_instance_uid,
            StudyInstanceUID=kept.study_instance_uid,
            FrameOfReferenceUID=kept.fixed,
            ContentLabel=kept.label,
            ContentDescription=kept.description,
            ContentCreatorName=kept.creator,
            made=kept.date,
            equipment=list(kept.equipment),
            links=[
                RegistrationLink(
                    fixed=link.fixed,
                    moving=link.moving,
                    is_deformable=link.is_deformable,
                    method=link.method,
                    series=None if link.series is None else sorted(link.series),
                )
                for link in kept.links
            ],
            grade=kept.grading.grade.value,
            grade_reason=kept.grading.reason,
            report=kept.grading.report,
            findings=list(kept.findings),
        )


class PlacedSeries(BaseModel):
    """A series and its frame of reference."""

    SeriesInstanceUID: str
    StudyInstanceUID: str
    Modality: str
    SeriesDescription: str
    FrameOfReferenceUID: str

    @classmethod
    def of(cls, place: SeriesPlace) -> Self:
        """For the API."""
        return cls(
            SeriesInstanceUID=place.series_instance_uid,
            StudyInstanceUID=place.study_instance_uid,
            Modality=place.modality,
            SeriesDescription=place.description,
            FrameOfReferenceUID=place.frame_of_reference_uid,
        )


class RegistrationStep(BaseModel):
    """A registration on a path."""

    registration: str
    """SOP Instance UID."""
    start: str
    end: str
    is_forward: bool
    is_deformable: bool
    grade: GradeName

    @classmethod
    def of(cls, step: PathStep) -> Self:
        """For the API."""
        return cls(
            registration=step.link.registration,
            start=step.start,
            end=step.end,
            is_forward=step.is_forward,
            is_deformable=step.link.is_deformable,
            grade=step.link.grade.value,
        )


class RegistrationContradiction(BaseModel):
    """Another path, and how far it is off."""

    difference_mm: float
    sentence: str
    steps: list[RegistrationStep]


class RegistrationPath(BaseModel):
    """How to get from the fixed to the moving series, or that they are not registered: then nothing overlays them."""

    is_registered: bool
    sentence: str
    fixed: PlacedSeries
    moving: PlacedSeries
    grade: GradeName | None = None
    """The worst on the path."""
    is_deformable: bool = False
    is_other_patient: bool = False
    steps: list[RegistrationStep] = []
    matrix: list[float] | None = None
    """By rows, from points of the fixed frame to the moving one in mm; null where the path is deformable."""
    contradictions: list[RegistrationContradiction] = []
    warnings: list[str] = []

    @classmethod
    def of(cls, answer: Path | NotRegistered) -> Self:
        """For the API."""
        fixed, moving = PlacedSeries.of(answer.fixed), PlacedSeries.of(answer.moving)
        if isinstance(answer, NotRegistered):
            return cls(
                is_registered=False,
                sentence=answer.sentence,
                fixed=fixed,
                moving=moving,
                is_other_patient=answer.fixed.patient != answer.moving.patient,
                warnings=list(answer.warnings),
            )
        return cls(
            is_registered=True,
            sentence=answer.reason,
            fixed=fixed,
            moving=moving,
            grade=answer.grade.value,
            is_deformable=answer.is_deformable,
            is_other_patient=answer.is_other_patient,
            steps=[RegistrationStep.of(step) for step in answer.steps],
            matrix=None if answer.is_deformable else [float(one) for one in answer.chain.affine().matrix.ravel()],
            contradictions=[
                RegistrationContradiction(
                    difference_mm=other.difference_mm,
                    sentence=other.sentence,
                    steps=[RegistrationStep.of(step) for step in other.steps],
                )
                for other in answer.contradictions
            ],
            warnings=list(answer.warnings),
        )


def router(desk: ApiDesk) -> APIRouter:
    """Looking at registrations."""
    responses = refusals(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
    routes = APIRouter(prefix="/registrations", tags=["registrations"], responses=responses)
    routes.get("", summary="Registrations that touch a study")(_listing(desk))
    routes.get("/path", summary="The path from one series to another through registrations")(_path(desk))
    return routes


def _listing(desk: ApiDesk) -> Callable[..., list[Registration]]:
    def registrations(request: Request, study: _Uid, database: DatabaseName = DEFAULT_DATABASE) -> list[Registration]:
        """Those that are in the study, or join a frame of reference of one of its series."""
        checked_uid(study, "Study Instance UID")
        note(request, "view", study=study)
        return [Registration.of(kept) for kept in service.registrations_of_study(desk.archive(database), study)]

    return registrations


def _path(desk: ApiDesk) -> Callable[..., RegistrationPath]:
    def registration_path(
        request: Request,
        fixed: _Uid,
        moving: _Uid,
        only: _Only = None,
        allow_failed: Annotated[bool, Query(description="Use registrations too that failed.")] = False,
        allow_other_patient: Annotated[bool, Query(description="Also between two patients.")] = False,
        database: DatabaseName = DEFAULT_DATABASE,
    ) -> RegistrationPath:
        """Best: the worst grade on it is the best there is; then fewer deformations, fewer steps, the newest."""
        for uid in (fixed, moving):
            checked_uid(uid, "Series Instance UID")
        wish = Wish(
            allow_failed, allow_other_patient, frozenset(checked_uid(uid, "SOP Instance UID") for uid in only or ())
        )
        answer = service.path(desk.archive(database), fixed, moving, wish)
        note(request, "view", study=answer.fixed.study_instance_uid)
        return RegistrationPath.of(answer)

    return registration_path
