"""What the commands that work on images for a while share: a bar, new objects made now, a job instead, a report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from radfuse.cli.console import progress, say, write_object
from radfuse.cli.options import database_named, existing_data_folder, settings_of

if TYPE_CHECKING:
    from radfuse.jobs import NewJob
    from radfuse.objects.common import Making

_STEPS: Final = 1000


@contextlib.contextmanager
def shares_shown(doing: str) -> Iterator[Callable[[float, str], None]]:
    """A bar that is told which share of the work is done."""
    with progress(doing, _STEPS, "steps") as advance:
        yield lambda share, _doing: advance(int(share * _STEPS), None)


def making_now() -> Making:
    """Objects with new UIDs, made at this moment."""
    from datetime import UTC, datetime

    from radfuse.core.uids import new_uid
    from radfuse.objects.common import Making

    return Making(datetime.now(UTC).astimezone(), new_uid)


def queue_job(new_job: Callable[[str], NewJob], data: Path | None, database: str | None, *, as_json: bool) -> None:
    """Queue the job for a database, and say its number."""
    from radfuse.app import open_jobs

    settings = existing_data_folder(settings_of(data))
    job = new_job(database_named(settings, database))
    with contextlib.closing(open_jobs(settings)) as jobs:
        job_id = jobs.submit(job)
    if as_json:
        write_object({"Job": job_id})
    else:
        say(f"Job {job_id} is queued; 'radfuse jobs show {job_id}' shows it.")


def check_report(report: Path | None, *, is_job: bool) -> None:
    """Wrong use that would otherwise be found after the work: a folder with something in it, or one of a job."""
    if report is None:
        return
    if report.exists() and any(report.iterdir()):
        raise typer.BadParameter(f"{report} is not empty", param_hint="--report")
    if is_job:
        raise typer.BadParameter("a job keeps its report in the archive: leave --report out")
