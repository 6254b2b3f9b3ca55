"""What happened to a study: what came, which jobs were about it, who looked at it and changed it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from radfuse.archive import Archive
from radfuse.archive.queries import SeriesRow, series_rows
from radfuse.jobs import Job, Jobs, JobState
from radfuse.services.access_log import AccessEntry, AccessLog, AccessQuery, Outcome
from radfuse.services.databases import DEFAULT_DATABASE

_APART_S: Final = 600
"""Series that came within so long of one another came together."""
_MOST_JOBS: Final = 200
_MOST_ACCESSES: Final = 200
_NEAR_S: Final = 10.0
_WORDS: Final = {
    "view": "looked at",
    "download": "downloaded",
    "store": "stored",
    "send": "sent to",
    "delete": "deleted",
}


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened, as a person reads it."""

    time_s: float
    user: str
    what: str
    job: int | None = None


def history_of(
    archive: Archive, jobs: Jobs, access_log: AccessLog, study_instance_uid: str, database: str
) -> list[HistoryEntry]:
    """Everything that is known, the newest first; also of a study that is not kept any more."""
    with archive.reading() as connection:
        series = series_rows(connection, study_instance_uid)
    about = [
        job
        for _, job in jobs.about([study_instance_uid], _MOST_JOBS)
        if job.parameters.get("database", DEFAULT_DATABASE) == database
    ]
    accesses, _ = access_log.page(AccessQuery(study=study_instance_uid, limit=_MOST_ACCESSES))
    users: dict[int, str] = {}
    found = list(_arrivals(series))
    for access in accesses:
        its_job = next((job for job in about if _began(access, job)), None)
        if its_job is None:
            found.append(HistoryEntry(access.last_s or access.time_s, access.user, _said(access)))
        else:  # the job tells more, but for who wanted it
            users[its_job.id] = access.user
    for job in about:
        found += _of_job(job, users.get(job.id, str(job.parameters.get("user", ""))))
    return sorted(found, key=lambda entry: entry.time_s, reverse=True)


def _arrivals(series: Sequence[SeriesRow]) -> Iterator[HistoryEntry]:
    """What is kept came in one or more goes."""
    together: list[SeriesRow] = []
    for each in sorted(series, key=lambda row: row.first_arrived_s):
        if together and each.first_arrived_s - max(row.last_arrived_s for row in together) > _APART_S:
            yield _arrival(together)
            together = []
        together.append(each)
    if together:
        yield _arrival(together)


def _arrival(series: Sequence[SeriesRow]) -> HistoryEntry:
    objects = sum(row.instances for row in series)
    what = f"{_counted(objects, 'object')} of {_counted(len(series), 'series', 'series')} arrived"
    return HistoryEntry(max(row.last_arrived_s for row in series), "", what)


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _of_job(job: Job, user: str) -> Iterator[HistoryEntry]:
    """That it was queued, and how it ended if it has."""
    yield HistoryEntry(job.created_s, user, f"{_title(job)}: queued", job.id)
    if job.finished_s is not None:
        yield HistoryEntry(job.finished_s, "", f"{_title(job)}: {_ending(job)}", job.id)


def _began(access: AccessEntry, job: Job) -> bool:
    """Whether this access is the one that queued the job."""
    is_near = min(abs(access.time_s - job.created_s), abs(access.last_s - job.created_s)) < _NEAR_S
    return access.action == job.kind and access.outcome is Outcome.DONE and is_near


def _said(access: AccessEntry) -> str:
    text = f"{_WORDS.get(access.action, access.action).capitalize()} {access.subject}".strip()
    times = f", {access.count} times" if access.count > 1 else ""
    return text + times + ("" if access.outcome is Outcome.DONE else f" ({access.outcome.value})")


def _title(job: Job) -> str:
    return f"{job.kind.capitalize()} {job.title}"


def _ending(job: Job) -> str:
    counts = job.counts
    if job.state is JobState.CANCELLED:
        return "cancelled" if not counts.sent + counts.warned else f"cancelled after {counts.sent + counts.warned}"
    if job.state is JobState.FAILED:
        return f"failed, {counts.sent + counts.warned} of {counts.total} done"
    return "done"
