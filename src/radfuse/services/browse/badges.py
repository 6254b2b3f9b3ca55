"""What is going on with studies: what arrives, what was sent where, what will be deleted, what was kept of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from radfuse.archive.queries import StudyRow
from radfuse.jobs import Job, Jobs, JobState
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.deletion_job import DELETE
from radfuse.services.send_job import SEND

ARRIVING_S: Final = 10.0
"""Something that came so lately is probably not all."""

_MANIFEST: Final = "KO"
"""Modality of what holds a session together."""
_TO_COME: Final = (JobState.QUEUED, JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Leaving:
    """A deletion to come: when, by which job."""

    due_s: float
    job: int


@dataclass(frozen=True, slots=True)
class Badges:
    """What is going on with one study."""

    is_arriving: bool = False
    sent_to: Sequence[str] = ()
    leaving: Leaving | None = None
    has_session: bool = False
    """Somebody saved a session of the workstation in it."""


@dataclass(slots=True)
class _Found:
    sent_to: dict[str, None] = field(default_factory=dict)
    leaving: Leaving | None = None


def badges_of(
    jobs: Jobs, studies: Collection[StudyRow], database: str, has_session: Callable[[str], bool] = lambda _: False
) -> Mapping[str, Badges]:
    """The badges of each study of a database, by its UID. ``has_session`` is asked of studies with key objects only."""
    found = {row.study_instance_uid: _Found() for row in studies}
    for study, job in jobs.about(list(found)) if found else ():
        if job.parameters.get("database", DEFAULT_DATABASE) == database:
            _note(found[study], job)
    now_s = time.time()
    return {
        row.study_instance_uid: Badges(
            now_s - row.last_arrived_s < ARRIVING_S,
            sorted(found[row.study_instance_uid].sent_to),
            found[row.study_instance_uid].leaving,
            _MANIFEST in row.modalities and has_session(row.study_instance_uid),
        )
        for row in studies
    }


def _note(found: _Found, job: Job) -> None:
    if job.kind == SEND and job.counts.sent + job.counts.warned:
        found.sent_to[str(job.parameters.get("peer", ""))] = None
    elif job.kind == DELETE and job.state in _TO_COME:
        due_s = job.next_attempt_s if job.next_attempt_s is not None else job.created_s
        if found.leaving is None or due_s < found.leaving.due_s:
            found.leaving = Leaving(due_s, job.id)
