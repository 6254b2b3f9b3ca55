"""Commands about the durable jobs: list, show, retry, cancel, pause, resume, forget."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.console import say, write_array, write_object, write_rows, write_table
from radfuse.cli.options import Data, Json, settings_of
from radfuse.core.errors import UnknownJob
from radfuse.core.levels import UNIQUE_KEYS, Level

if TYPE_CHECKING:
    from radfuse.app import Settings
    from radfuse.jobs import Item, Job, Jobs

app = typer.Typer(
    help="The durable jobs: list, show, retry, cancel, pause, resume, forget.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_DAY_S: Final = 86_400.0
_COLUMNS: Final = ("JobID", "Kind", "Title", "State", "Sent", "Warned", "Failed", "Pending", "Created", "Message")
_ITEM_COLUMNS: Final = ("State", "Status", "Changed", "Reason")

JobID = Annotated[int, typer.Argument(metavar="ID", help="The job's number, as 'radfuse jobs list' shows it.")]
JobIDs = Annotated[
    list[int], typer.Argument(metavar="ID...", help="The numbers of the jobs, as 'radfuse jobs list' shows them.")
]


class StateName(StrEnum):
    """A state as it is typed."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@contextlib.contextmanager
def _jobs_of(settings: Settings) -> Iterator[Jobs | None]:
    """The jobs of a data folder; None where there is no folder, which is not made on the way."""
    from radfuse.app import open_jobs

    if not settings.data.is_dir():
        yield None
        return
    with contextlib.closing(open_jobs(settings)) as jobs:
        yield jobs


@app.command("list")
def list_jobs(
    state: Annotated[
        list[StateName] | None, typer.Option("--state", help="Only jobs in this state; can be given again.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many, the newest first.")] = 100,
    before: Annotated[
        int | None, typer.Option("--before", metavar="ID", show_default=False, help="Only jobs before this one.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the jobs, the newest first."""
    from radfuse.jobs import JobState

    states = [JobState(name.value) for name in state or ()]
    with _jobs_of(settings_of(data)) as jobs:
        found = jobs.list(states=states, before_id=before, limit=limit) if jobs else []
    shown = facts if as_json else _row
    count = write_rows((shown(job) for job in found), () if as_json else _COLUMNS, as_json=as_json)
    if as_json:
        return
    if not count:
        say("No jobs." if states else "No jobs. Make one with: radfuse send FILES --to PEER")
    elif count == limit:
        say(f"These are the newest {limit}; --limit shows more, and so does --before {found[-1].id}.")


@app.command()
def show(
    job_id: JobID,
    failed: Annotated[bool, typer.Option("--failed", help="Only the instances that failed.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show a job, what to do about it, and what became of each of its instances."""
    from radfuse.app import is_worker_running
    from radfuse.jobs import ItemState

    settings = settings_of(data)
    with _jobs_of(settings) as jobs:
        if jobs is None:
            raise UnknownJob(job_id)
        job = jobs.get(job_id)
        items = jobs.items(job_id, states=(ItemState.FAILED,) if failed else (), limit=None)
        worker_runs = is_worker_running(settings)
        if as_json:
            told = {"Advice": advice(job, worker_runs), "Instances": [instance_facts(item, job) for item in items]}
            write_object(facts(job) | told)
            return
        say(f"Job {job.id}: {job.title}")
        for line in _story(job):
            say(f"  {line}")
        say(advice(job, worker_runs))
        say("")
        rows = (instance_facts(item, job) | {"Changed": when(item.changed_s)} for item in items)
        if not write_table(rows, (_keyword_of_names(job), *_ITEM_COLUMNS)):
            say("No instance failed." if failed else "It has no instances.")


@app.command()
def retry(job_ids: JobIDs, data: Data = None, as_json: Json = False) -> None:
    """Start failed or cancelled jobs again; what was sent is not sent again."""
    _change(settings_of(data), job_ids, lambda jobs, job: jobs.retry(job), "is queued again", as_json)


@app.command()
def cancel(job_ids: JobIDs, data: Data = None, as_json: Json = False) -> None:
    """Cancel jobs that have not ended; what was sent stays sent."""
    _change(settings_of(data), job_ids, lambda jobs, job: jobs.cancel(job), "is cancelled", as_json)


@app.command()
def pause(job_ids: JobIDs, data: Data = None, as_json: Json = False) -> None:
    """Pause jobs until they are resumed."""
    _change(settings_of(data), job_ids, lambda jobs, job: jobs.pause(job), "is paused", as_json)


@app.command()
def resume(job_ids: JobIDs, data: Data = None, as_json: Json = False) -> None:
    """Let paused jobs go on, and waiting ones try again now."""
    _change(settings_of(data), job_ids, lambda jobs, job: jobs.resume(job), "is queued again", as_json)


@app.command()
def forget(
    days: Annotated[
        float | None, typer.Option("--days", min=0, help="Those that ended so long ago; the default is jobs.keep_days.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Forget jobs that have ended. The worker does it by itself after jobs.keep_days."""
    settings = settings_of(data)
    kept_days = settings.jobs.keep_days if days is None else days
    with _jobs_of(settings) as jobs:
        count = jobs.forget(kept_days * _DAY_S) if jobs else 0
    if as_json:
        write_object({"Forgotten": count})
    else:
        say(f"{count} jobs are forgotten")


def _change(
    settings: Settings, job_ids: list[int], change: Callable[[Jobs, int], None], outcome: str, as_json: bool
) -> None:
    changed = []
    with _jobs_of(settings) as jobs:
        for job_id in job_ids:
            if jobs is None:
                raise UnknownJob(job_id)
            change(jobs, job_id)
            changed.append(jobs.get(job_id))
            if not as_json:
                say(f"job {job_id} {outcome}")
    if as_json:
        write_array(map(facts, changed))


# --- what people and programs see ------------------------------------------------------------


_ADVICE: Final = {
    "queued": "It waits for its turn.",
    "running": "It is running; 'radfuse jobs pause {id}' or 'radfuse jobs cancel {id}' stops it.",
    "waiting": "It is tried again {when}; 'radfuse jobs resume {id}' tries now, 'radfuse jobs cancel {id}' gives up.",
    "paused": "'radfuse jobs resume {id}' lets it go on.",
    "done": "Nothing is left to do.",
    "failed": "When the cause is gone, 'radfuse jobs retry {id}' does what is left.",
    "cancelled": "'radfuse jobs retry {id}' would do what is left.",
}
_NEEDS_A_WORKER: Final = frozenset({"queued", "running", "waiting"})


def advice(job: Job, worker_runs: bool) -> str:
    """The one sentence that says how the job goes on, and what a person can do about it."""
    if job.state in _NEEDS_A_WORKER and not worker_runs:
        return "No worker runs on this data folder: start 'radfuse serve' or 'radfuse worker', and the job goes on."
    return _ADVICE[job.state].format(id=job.id, when=when(job.next_attempt_s))


def sentence(message: str) -> str:
    """A job's message with a full stop, so that another sentence can follow."""
    return message if not message or message.endswith((".", "!", "?")) else f"{message}."


def when(seconds: float | None, now_s: float | None = None) -> str:
    """A moment as people say it: the time of today, else the date too; how long until then if it is to come."""
    if seconds is None:
        return ""
    now = time.time() if now_s is None else now_s
    moment, today = datetime.fromtimestamp(seconds).astimezone(), datetime.fromtimestamp(now).astimezone()
    text = f"{moment:%H:%M:%S}" if moment.date() == today.date() else f"{moment:%Y-%m-%d %H:%M}"
    return f"at {text} (in {_duration(seconds - now)})" if seconds > now else text


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"


def _story(job: Job) -> Iterator[str]:
    counts = job.counts
    yield f"{job.kind}, {job.state.value}, priority {job.priority}, attempt {job.attempt}"
    yield f"made {when(job.created_s)}" + (f", ended {when(job.finished_s)}" if job.finished_s else "")
    yield f"{counts.sent} sent, {counts.warned} with a warning, {counts.failed} failed, {counts.pending} to do"
    if job.message:
        yield job.message


def facts(job: Job) -> dict[str, object]:
    """What programs read."""
    return {
        "JobID": job.id,
        "Kind": job.kind,
        "Title": job.title,
        "State": job.state.value,
        "Attempt": job.attempt,
        "Priority": job.priority,
        "Sent": job.counts.sent,
        "Warned": job.counts.warned,
        "Failed": job.counts.failed,
        "Pending": job.counts.pending,
        "Created": _iso(job.created_s),
        "NextAttempt": _iso(job.next_attempt_s),
        "Message": job.message,
    }


def _row(job: Job) -> dict[str, object]:
    """What people read."""
    return facts(job) | {"Created": when(job.created_s)}


def instance_facts(item: Item, job: Job) -> dict[str, object]:
    """What programs read of one instance, or of one study (or patient, series) that a job retrieves."""
    return {
        _keyword_of_names(job): item.name,
        "File": item.where if job.kind == "send" else "",
        "State": item.state.value,
        "Status": "" if item.status is None else f"{item.status:04X}",
        "Reason": item.comment,
        "Changed": _iso(item.changed_s),
    }


def _keyword_of_names(job: Job) -> str:
    """What the names of a job's items are."""
    level = str(job.parameters.get("level", "")) if job.kind == "retrieve" else ""
    return UNIQUE_KEYS[Level[level]] if level in Level.__members__ else UNIQUE_KEYS[Level.IMAGE]


def _iso(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
