"""What a person can do to a job, and what became of its items in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from radfuse.core.errors import JobNotInState
from radfuse.core.store_statuses import meaning_of
from radfuse.jobs import Item, Job, Jobs, JobState
from radfuse.services.deletion_job import DELETE
from radfuse.services.send_job import SEND


class JobAction(StrEnum):
    """One of the buttons at a job."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"


_ACTIONS: Final[Mapping[JobState, tuple[JobAction, ...]]] = {
    JobState.QUEUED: (JobAction.PAUSE, JobAction.CANCEL),
    JobState.RUNNING: (JobAction.PAUSE, JobAction.CANCEL),
    JobState.WAITING: (JobAction.RESUME, JobAction.PAUSE, JobAction.CANCEL),
    JobState.PAUSED: (JobAction.RESUME, JobAction.CANCEL),
    JobState.DONE: (),
    JobState.FAILED: (JobAction.RETRY,),
    JobState.CANCELLED: (JobAction.RETRY,),
}

_SAID: Final = {
    JobAction.CANCEL: "be cancelled",
    JobAction.PAUSE: "be paused",
    JobAction.RESUME: "be resumed",
    JobAction.RETRY: "be started again",
}


def actions_of(job: Job) -> tuple[JobAction, ...]:
    """What can be done to the job now."""
    if job.kind == DELETE and job.state is JobState.CANCELLED:
        return ()  # it would delete at once, without the time to take it back: delete anew
    return _ACTIONS[job.state]


def act(jobs: Jobs, job_id: int, action: JobAction) -> Job:
    """Do it; the job after it. Raises UnknownJob, JobNotInState."""
    job = jobs.get(job_id)
    if action not in actions_of(job):
        raise JobNotInState(job_id, _SAID[action], job.state)
    does: Mapping[JobAction, Callable[[int], None]] = {
        JobAction.CANCEL: jobs.cancel,
        JobAction.PAUSE: jobs.pause,
        JobAction.RESUME: jobs.resume,
        JobAction.RETRY: jobs.retry,
    }
    does[action](job_id)
    return jobs.get(job_id)


# --- what became of its items ----------------------------------------------------------------

_GENERAL: Final[tuple[tuple[int, int, str], ...]] = (
    (0x0000, 0x0000, "success"),
    (0x0105, 0x0105, "no such attribute"),
    (0x0106, 0x0106, "invalid attribute value"),
    (0x0110, 0x0110, "processing failure"),
    (0x0111, 0x0111, "duplicate SOP instance"),
    (0x0112, 0x0112, "no such SOP instance"),
    (0x0117, 0x0117, "invalid SOP instance"),
    (0x0118, 0x0118, "no such SOP class"),
    (0x0119, 0x0119, "class and instance conflict"),
    (0x0122, 0x0122, "SOP class not supported"),
    (0x0124, 0x0124, "not authorized"),
    (0x0131, 0x0131, "duplicate transaction UID"),
    (0x0210, 0x0210, "duplicate invocation"),
    (0x0211, 0x0211, "unrecognized operation"),
    (0x0212, 0x0212, "mistyped argument"),
    (0x0213, 0x0213, "resource limitation"),
)
"""Statuses that any service may answer (PS3.7 section C.5), and failure reasons of PS3.3 section C.14."""

_RETRIEVE: Final[tuple[tuple[int, int, str], ...]] = (
    (0xA701, 0xA701, "out of resources: cannot count the matches"),
    (0xA702, 0xA702, "out of resources: cannot perform sub-operations"),
    (0xA700, 0xA7FF, "out of resources"),
    (0xA801, 0xA801, "move destination unknown"),
    (0xA900, 0xA900, "identifier does not match SOP class"),
    (0xB000, 0xB000, "complete, with failures"),
    (0xC000, 0xCFFF, "unable to process"),
    (0xFE00, 0xFE00, "cancelled"),
)
"""PS3.4 tables C.4-2 and C.4-3."""


def meaning_of_item(item: Item, kind: str) -> str:
    """What the DIMSE status of an item means in a job of this kind; "" when there is none."""
    status = item.status
    if status is None:
        return ""
    known = next((meaning for first, last, meaning in _GENERAL if first <= status <= last), "")
    if known:
        return known
    if kind == SEND:
        return meaning_of(status).meaning
    return next(
        (meaning for first, last, meaning in _RETRIEVE if first <= status <= last), "a status of the peer's own"
    )
