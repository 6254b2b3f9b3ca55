"""The durable jobs: what runs, waits, failed and was done; each with what became of its items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final, Self

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from radfuse.jobs import Item, ItemState, JobState
from radfuse.jobs import Job as QueuedJob
from radfuse.services.job_actions import JobAction, act, actions_of, meaning_of_item
from radfuse.web.api.desk import ApiDesk
from radfuse.web.api.refusals import refusals
from radfuse.web.identity import note

_MOST_JOBS: Final = 500
_MOST_ITEMS: Final = 1000
_MAX_ID: Final = 2**31 - 1


class Metric(BaseModel):
    """How alike the images have become while they are registered: it falls."""

    stage: str = Field(description="What is being done: each stage has numbers of its own.")
    name: str
    values: list[float] = Field(description="The newest of the stage, the last one last; less is better.")


class Live(BaseModel):
    """What can be watched of a job while it runs."""

    metric: Metric | None = None


class Job(BaseModel):
    """A job as it is now. Times are seconds since 1970 (UTC)."""

    id: int
    kind: str = Field(description='one of docs/jobs.md: "send", "register", "export" ...')
    lane: str = Field(description="Of the jobs of one lane only one runs at a time.")
    title: str
    peer: str
    state: JobState
    priority: int = Field(description="1 (first) to 9 (last)")
    attempt: int
    retries: int
    created_s: float
    started_s: float | None
    finished_s: float | None
    next_attempt_s: float | None
    message: str = Field(description="Why it failed or waits and what to do, for people.")
    pending: int
    sent: int
    warned: int
    failed: int
    live: Live | None = Field(None, description="While it runs, where there is something to watch.")
    actions: list[JobAction] = Field(description="What can be done to it now.")

    @classmethod
    def of(cls, job: QueuedJob) -> Self:
        """The job for the API."""
        return cls(
            id=job.id,
            kind=job.kind,
            lane=job.lane,
            title=job.title,
            peer=str(job.parameters.get("peer", "")),
            state=job.state,
            priority=job.priority,
            attempt=job.attempt,
            retries=job.retry.count,
            created_s=job.created_s,
            started_s=job.started_s,
            finished_s=job.finished_s,
            next_attempt_s=job.next_attempt_s,
            message=job.message,
            pending=job.counts.pending,
            sent=job.counts.sent,
            warned=job.counts.warned,
            failed=job.counts.failed,
            live=None if job.live is None else Live.model_validate(job.live),
            actions=list(actions_of(job)),
        )


class JobPage(BaseModel):
    """Jobs, the newest first."""

    jobs: list[Job]
    has_more: bool


class JobTotals(BaseModel):
    """How many jobs are in each state."""

    queued: int
    running: int
    waiting: int
    paused: int
    done: int
    failed: int
    cancelled: int

    @classmethod
    def of(cls, totals: Mapping[JobState, int]) -> Self:
        """The totals for the API."""
        return cls(**{state.value: count for state, count in totals.items()})


class JobItem(BaseModel):
    """What became of one thing that a job does."""

    number: int
    name: str = Field(description="SOP Instance UID or other UID.")
    state: ItemState
    status: str = Field(description='The DIMSE status as "A700"; "" when there is none.')
    meaning: str
    comment: str
    changed_s: float

    @classmethod
    def of(cls, item: Item, kind: str) -> Self:
        """The item of a job of this kind for the API."""
        return cls(
            number=item.number,
            name=item.name,
            state=item.state,
            status="" if item.status is None else f"{item.status:04X}",
            meaning=meaning_of_item(item, kind),
            comment=item.comment,
            changed_s=item.changed_s,
        )


class JobItemPage(BaseModel):
    """Items of a job by number."""

    items: list[JobItem]
    has_more: bool


class JobPriority(BaseModel):
    """When a job's turn is, beside others that are due."""

    model_config = ConfigDict(extra="forbid")
    priority: int = Field(ge=1, le=9, description="1 goes first, 9 last.")


_JobId = Annotated[int, Path(ge=1, le=_MAX_ID, description="The job's number.")]
_Before = Annotated[int | None, Query(ge=1, le=_MAX_ID, description="The last number of the page before.")]


def router(desk: ApiDesk) -> APIRouter:
    """Looking at jobs, and acting on them."""
    routes = APIRouter(prefix="/jobs", tags=["jobs"])
    routes.get("", summary="Jobs, the newest first")(_listing(desk))
    routes.get("/totals", summary="How many jobs are in each state")(_totals(desk))
    routes.get("/{number}", summary="One job", responses=refusals(404))(_one(desk))
    routes.get("/{number}/items", summary="What became of each item of a job", responses=refusals(404))(_items(desk))
    summary = "Let a job that does not run yet go earlier or later"
    routes.put("/{number}/priority", summary=summary, responses=refusals(404, 409))(_priority(desk))
    for action, summary in _SUMMARIES.items():
        path, refused = f"/{{number}}/{action}", refusals(404, 409)
        routes.post(path, summary=summary, name=f"{action} job", responses=refused)(_action(desk, action))
    return routes


def _listing(desk: ApiDesk) -> Callable[..., JobPage]:
    def jobs(
        state: Annotated[list[JobState] | None, Query(description="Only jobs in these states.")] = None,
        kind: Annotated[str, Query(max_length=64)] = "",
        peer: Annotated[str, Query(max_length=320, description="The peer's name.")] = "",
        before: _Before = None,
        limit: Annotated[int, Query(ge=1, le=_MOST_JOBS)] = 100,
    ) -> JobPage:
        found = desk.jobs.list(state or (), kind=kind, peer=peer, before_id=before, limit=limit + 1)
        return JobPage(jobs=[Job.of(job) for job in found[:limit]], has_more=len(found) > limit)

    return jobs


def _totals(desk: ApiDesk) -> Callable[..., JobTotals]:
    def job_totals() -> JobTotals:
        return JobTotals.of(desk.jobs.totals())

    return job_totals


def _one(desk: ApiDesk) -> Callable[..., Job]:
    def job(number: _JobId) -> Job:
        return Job.of(desk.jobs.get(number))

    return job


def _items(desk: ApiDesk) -> Callable[..., JobItemPage]:
    def job_items(
        number: _JobId,
        state: Annotated[list[ItemState] | None, Query(description="Only items in these states.")] = None,
        after: Annotated[int, Query(ge=0, le=_MAX_ID, description="The last number of the page before.")] = 0,
        limit: Annotated[int, Query(ge=1, le=_MOST_ITEMS)] = 200,
    ) -> JobItemPage:
        kind = desk.jobs.get(number).kind
        found = desk.jobs.items(number, state or (), after, limit + 1)
        return JobItemPage(items=[JobItem.of(item, kind) for item in found[:limit]], has_more=len(found) > limit)

    return job_items


def _priority(desk: ApiDesk) -> Callable[..., Job]:
    def set_priority(number: _JobId, new: JobPriority, request: Request) -> Job:
        note(request, "change job", subject=f"job {number}")
        desk.jobs.set_priority(number, new.priority)
        return Job.of(desk.jobs.get(number))

    return set_priority


_SUMMARIES: Final[Mapping[JobAction, str]] = {
    JobAction.CANCEL: "End a job; what was sent stays sent",
    JobAction.PAUSE: "Hold a job until it is resumed",
    JobAction.RESUME: "Let a paused job go on, or a waiting one start now",
    JobAction.RETRY: "Start a failed or cancelled job again: what failed is tried once more",
}


def _action(desk: ApiDesk, action: JobAction) -> Callable[..., Job]:
    def change(number: _JobId, request: Request) -> Job:
        note(request, f"{action} job", subject=f"job {number}")
        return Job.of(act(desk.jobs, number, action))

    return change
