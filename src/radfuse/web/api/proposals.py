"""Registrations that are proposed: their report card and pictures, and what a person decides; and fits of landmarks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from radfuse.core.errors import CannotRegister, ConfigurationError
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.registrations import place_of
from radfuse.web.api.databases import DatabaseName
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.api.registering import PointPair
from radfuse.web.identity import ALLOW_FAILED, identity_of, note

if TYPE_CHECKING:
    from radfuse.services.proposals import Proposal

_Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="Of the job that proposes it.")]
_Matrix = Annotated[list[float] | None, Field(description="16 numbers, row by row: from fixed to moving points.")]


class ProposalCheck(BaseModel):
    """A number of the report card beside its limits."""

    quantity: str
    subject: str
    value: float
    before: float | None
    unit: str
    grade: str
    passes: float | None
    fails: float | None
    limit_from: str


class ProposalPicture(BaseModel):
    """One of its pictures; they are numbered from 0."""

    kind: str
    view: str


class RegistrationProposal(BaseModel):
    """A registration that was made and judged, and is kept only when a person accepts it."""

    job: int
    fixed: str = Field(description="Series Instance UID")
    moving: str = Field(description="Series Instance UID")
    kind: str
    method: str
    grade: Literal["PASS", "NOT JUDGED", "CAUTION", "FAIL"]
    reason: str
    checks: list[ProposalCheck]
    concerns: list[str]
    notes: list[str]
    parameters: dict[str, str]
    fell_back: str = Field(description="Why a deformation was given up for its start; empty where it was not.")
    matrix: _Matrix = None
    before: _Matrix = None
    pictures: list[ProposalPicture]
    made_s: float
    registration: str = Field(description="SOP Instance UID that it has once it is kept.")
    accepted_by: str
    accepted_s: float | None = None

    @classmethod
    def of(cls, proposal: Proposal) -> Self:
        """For the API."""
        facts, accepted = proposal.facts, proposal.accepted
        return cls(
            job=proposal.job,
            fixed=proposal.fixed_series,
            moving=proposal.moving_series,
            kind=facts["Kind"],
            method=facts["Method"],
            grade=facts["Grade"],
            reason=facts["Reason"],
            checks=[_check(each) for each in facts["Checks"]],
            concerns=facts["Concerns"],
            notes=facts["Notes"],
            parameters=facts["Parameters"],
            fell_back=facts["FellBack"],
            matrix=_flat(facts["FixedToMoving"]),
            before=_flat(proposal.before),
            pictures=[ProposalPicture(kind=each["Kind"], view=each["View"]) for each in facts["Pictures"]],
            made_s=facts["Made"],
            registration=proposal.registration,
            accepted_by=accepted.get("By", ""),
            accepted_s=datetime.fromisoformat(accepted["At"]).timestamp() if accepted else None,
        )


class Acceptance(BaseModel):
    """A yes."""

    model_config = ConfigDict(extra="forbid")
    allow_failed: bool = Field(False, description="Also of a registration that failed its check.")


class LandmarkAsk(BaseModel):
    """Pairs of points that show the same places."""

    model_config = ConfigDict(extra="forbid")
    pairs: list[PointPair] = Field(min_length=1, max_length=1000)
    kind: Literal["translation", "rigid", "similarity", "affine"] = "rigid"


class LandmarkAnswer(BaseModel):
    """What fits the pairs best, and how well."""

    matrix: list[float] = Field(description="16 numbers, row by row: from fixed to moving points.")
    residuals_mm: list[float] = Field(description="What is left at each pair; the fit has seen it.")
    left_out_mm: list[float | None] = Field(description="At each pair of a fit to the others: its error, as it were.")
    rms_mm: float
    expected_error_mm: float | None
    worst: int = Field(description="The pair (from 0) that fits the others least: look at it again first.")


def router(desk: ApiDesk) -> APIRouter:
    """What is proposed, and fits of landmarks."""
    routes = APIRouter(prefix="/registrations", tags=["registrations"], responses=refusals(400, 404))
    one = "/proposals/{number}"
    routes.get(one, summary="A proposed registration with its report card")(_one(desk))
    routes.get(
        one + "/pictures/{picture}",
        summary="A picture of a proposed registration",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}, "description": "256 x 256 pixels."}},
    )(_picture(desk))
    routes.post(one + "/accept", summary="Keep a proposed registration", responses=refusals(409, 422, 503))(
        _accept(desk)
    )
    routes.delete(one, status_code=204, summary="Forget a proposed registration")(_discard(desk))
    routes.post("/landmarks", summary="Fit pairs of points, and say how well they fit")(landmarks)
    return routes


def landmarks(ask: LandmarkAsk) -> LandmarkAnswer:
    """Nothing is kept."""
    import numpy as np

    from radfuse.registration.landmarks import fit_landmarks

    fixed, moving = ([getattr(pair, side) for pair in ask.pairs] for side in ("fixed", "moving"))
    try:
        fit = fit_landmarks(np.array(fixed), np.array(moving), ask.kind)
    except CannotRegister as error:
        raise ConfigurationError("pairs", error.reason) from error
    left_out = [None if np.isnan(each) else float(each) for each in fit.left_out_mm]
    return LandmarkAnswer(
        matrix=fit.transform.matrix.ravel().tolist(),
        residuals_mm=fit.residuals_mm.tolist(),
        left_out_mm=left_out,
        rms_mm=fit.rms_mm,
        expected_error_mm=None if np.isnan(fit.expected_error_mm) else fit.expected_error_mm,
        worst=fit.worst,
    )


def _one(desk: ApiDesk) -> Callable[..., RegistrationProposal]:
    def proposal(number: _Number, database: DatabaseName = DEFAULT_DATABASE) -> RegistrationProposal:
        from radfuse.services import proposals

        return RegistrationProposal.of(proposals.proposal_of(desk.archive(database), number))

    return proposal


def _picture(desk: ApiDesk) -> Callable[..., Response]:
    def proposal_picture(
        number: _Number,
        picture: Annotated[int, Path(ge=0, le=99)],
        request: Request,
        database: DatabaseName = DEFAULT_DATABASE,
    ) -> Response:
        from radfuse.services import proposals

        archive = desk.archive(database)
        found = proposals.proposal_of(archive, number)
        note(request, "view", study=place_of(archive, found.fixed_series).study_instance_uid)
        content = proposals.picture_of(found, picture)
        return Response(content, media_type="image/png", headers={"Cache-Control": "private, no-cache"})

    return proposal_picture


def _accept(desk: ApiDesk) -> Callable[..., RegistrationProposal]:
    def accept_proposal(
        number: _Number, yes: Acceptance, request: Request, database: DatabaseName = DEFAULT_DATABASE
    ) -> RegistrationProposal:
        """The registration, its pictures and its report card are in the study of the fixed series then."""
        from radfuse.services import proposals

        archive = desk.archive(database)
        found = proposals.proposal_of(archive, number)
        study = place_of(archive, found.fixed_series).study_instance_uid
        note(request, "accept registration", study=study, subject=found.registration)
        if yes.allow_failed:
            note(request, ALLOW_FAILED, study=study, subject=found.registration)
        operator, now = identity_of(request).person, datetime.now(UTC).astimezone()
        return RegistrationProposal.of(proposals.accept(archive, number, operator, now, allow_failed=yes.allow_failed))

    return accept_proposal


def _discard(desk: ApiDesk) -> Callable[..., None]:
    def discard_proposal(number: _Number, request: Request, database: DatabaseName = DEFAULT_DATABASE) -> None:
        """What was accepted stays."""
        from radfuse.services import proposals

        note(request, "discard registration", subject=f"job {number}")
        proposals.discard(desk.archive(database), number)

    return discard_proposal


def _flat(matrix: list[list[float]] | None) -> list[float] | None:
    return None if matrix is None else [number for row in matrix for number in row]


def _check(facts: dict[str, Any]) -> ProposalCheck:
    return ProposalCheck(
        quantity=facts["Quantity"],
        subject=facts["Subject"],
        value=facts["Value"],
        before=facts["Before"],
        unit=facts["Unit"],
        grade=facts["Grade"],
        passes=facts["PassesTo"],
        fails=facts["FailsBeyond"],
        limit_from=facts["LimitFrom"],
    )
