"""The command that sends: files, or studies and series of the own archive, to a peer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from radfuse.cli.asking import peer_named
from radfuse.cli.console import progress, say, warn, write_object
from radfuse.cli.contexts import context_list_named
from radfuse.cli.failures import sentence_of, talking_to
from radfuse.cli.following import follow
from radfuse.cli.jobs import advice, facts, instance_facts, sentence
from radfuse.cli.many_options import taking
from radfuse.cli.options import Data, Database, From, Json, database_named, settings_of, wrong_use
from radfuse.core.errors import NotPart10, RadfuseError, WireError

if TYPE_CHECKING:
    from radfuse.app import Settings
    from radfuse.archive import Archive, StoredObject
    from radfuse.jobs import Jobs
    from radfuse.services.object_source import FileObject
    from radfuse.services.peers import Peer
    from radfuse.services.send import Sent
    from radfuse.services.storage_scu import Route

_MAX_FAILED_SHOWN: Final = 50

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILES", show_default=False, help="DICOM files, or folders with all folders in them."),
]
Studies = Annotated[
    list[str] | None,
    typer.Option("--study", metavar="UID", help="Send this study of the own archive; can be given again."),
]
SeriesUIDs = Annotated[
    list[str] | None,
    typer.Option("--series", metavar="UID", help="Send this series of the own archive; can be given again."),
]
ToPeer = Annotated[str, typer.Option("--to", metavar="PEER", help="A configured name or AET@HOST:PORT.")]
Now = Annotated[bool, typer.Option("--now", help="Send at once and directly, without a job: nothing is tried again.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Queue the job and end; a worker does it.")]
Priority = Annotated[int, typer.Option("--priority", min=1, max=9, help="1 goes first, 9 last.")]
Contexts = Annotated[
    str | None,
    typer.Option("--contexts", metavar="LIST", help="The context list to propose, not that of the peer."),
]


@dataclass(frozen=True)
class SendOptions:
    """What can be typed."""

    to_peer: ToPeer
    files: Files = None
    study: Studies = None
    series: SeriesUIDs = None
    now: Now = False
    no_wait: NoWait = False
    priority: Priority = 5
    from_title: From = None
    contexts: Contexts = None
    database: Database = None
    data: Data = None
    as_json: Json = False


@taking(SendOptions)
def send(options: SendOptions) -> None:
    """Send files, or studies and series of the own archive, to a peer (C-STORE).

    It is a durable job: what is not sent when the peer, this command or this machine fails is sent
    later. The command follows the job to its end. Objects are sent as they are, or transcoded
    without loss where the peer wants it. Exit code 1 when one was not sent.
    """
    from radfuse.core.aetitle import checked_ae_title

    if bool(options.files) == bool(options.study or options.series):
        raise typer.BadParameter("give either FILES, or --study UID and --series UID")
    if options.now and options.no_wait:
        raise typer.BadParameter("--no-wait is for jobs, and --now makes none")
    settings = settings_of(options.data)
    with wrong_use():
        our_title = checked_ae_title(options.from_title) if options.from_title else ""
    peer = peer_named(settings, options.to_peer)
    if options.contexts:
        with wrong_use():
            context_list_named(settings, options.contexts)
    with contextlib.ExitStack() as stack:
        picked = _Picked.by(options, settings, stack)
        if options.now:
            _send_now(picked, settings, peer, our_title, options)
        else:
            _send_as_job(picked, settings, peer, our_title, options)


# --- what to send ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Picked:
    """The objects to send: files, or those of an archive; and the files that hold a broken object."""

    objects: Sequence[FileObject | StoredObject]
    archive: Archive | None = None
    database: str = ""
    unreadable: Sequence[tuple[str, str]] = ()

    @classmethod
    def by(cls, options: SendOptions, settings: Settings, stack: contextlib.ExitStack) -> _Picked:
        """What the options name; an archive stays open as long as ``stack``."""
        from radfuse.app import open_archive
        from radfuse.services import send as sending

        if options.files:
            objects, unreadable = _readable(options.files)
            return cls(objects, unreadable=unreadable)
        database = database_named(settings, options.database)
        archive = stack.enter_context(open_archive(settings, database))
        with wrong_use():
            found = sending.objects_of_studies(archive, options.study or ())
            found += sending.objects_of_series(archive, options.series or ())
        return cls(list({stored.sop_instance_uid: stored for stored in found}.values()), archive, database)


def _readable(paths: list[Path]) -> tuple[list[FileObject], list[tuple[str, str]]]:
    """The objects in files, and the files that hold a broken one; what is not DICOM is left out."""
    from radfuse.services import import_media
    from radfuse.services import send as sending

    objects, unreadable = [], []
    skipped = 0
    for path in import_media.files_below(paths):
        try:
            objects.append(sending.file_object(path))
        except NotPart10:
            skipped += 1
        except (RadfuseError, OSError) as error:
            unreadable.append((str(path), str(error)))
    if skipped:
        warn(f"{skipped} files are not DICOM objects and are left out")
    return objects, unreadable


# --- as a job --------------------------------------------------------------------------------


def _send_as_job(picked: _Picked, settings: Settings, peer: Peer, our_title: str, options: SendOptions) -> None:
    from radfuse.app import is_worker_running, open_jobs

    if not picked.objects:
        _report(_unreadable_rows(picked), 0, peer, options.as_json, {"JobID": None})
        raise typer.Exit(1)
    with contextlib.closing(open_jobs(settings)) as jobs:
        job_id = _submit(jobs, picked, peer, our_title, options)
        if options.no_wait:
            job = jobs.get(job_id)
            if options.as_json:
                write_object(facts(job))
            else:
                say(f"job {job_id} is queued: {job.title}. {advice(job, is_worker_running(settings))}")
            return
        job = follow(settings, jobs, job_id, "Sending")
        rows = [instance_facts(item, job) for item in jobs.items(job_id, limit=None)] + _unreadable_rows(picked)
    _report(rows, job.counts.pending, peer, options.as_json, facts(job))
    if job.state != "done":
        warn(f"job {job_id} is {job.state.value}: {sentence(job.message)} {advice(job, True)}")
    if job.state != "done" or picked.unreadable:
        raise typer.Exit(1)


def _submit(jobs: Jobs, picked: _Picked, peer: Peer, our_title: str, options: SendOptions) -> int:
    from radfuse.services import send_job

    if not peer.is_configured:
        # Nobody has said how often: a mistyped address would be tried for half an hour.
        peer = replace(peer, retries=0)
    new = send_job.new_send(
        jobs,
        peer,
        picked.objects,
        from_title=our_title,
        context_list=options.contexts or "",
        **({"database": picked.database} if picked.database else {}),
        priority=options.priority,
    )
    return jobs.submit(replace(new, studies=tuple(options.study or ())))


# --- now -------------------------------------------------------------------------------------


def _send_now(picked: _Picked, settings: Settings, peer: Peer, our_title: str, options: SendOptions) -> None:
    from radfuse.app import our_caller
    from radfuse.dicom import Transcoder
    from radfuse.services import send as sending
    from radfuse.services import send_job, storage_scu

    send_job.check_may_send(peer)
    if options.contexts:
        peer = replace(peer, context_list=options.contexts)
    contexts = context_list_named(settings, peer.context_list)
    us = our_caller(settings, peer, our_title)
    with Transcoder() as transcoder, talking_to(peer, us.ae_title):
        destination = storage_scu.Route(peer, us, contexts, transcoder)
        if picked.archive is None:
            sent = sending.send_files(picked.objects, destination)  # type: ignore[arg-type]  # as _Picked says
        else:
            sent = sending.send_objects(picked.archive, picked.objects, destination)  # type: ignore[arg-type]
        results = list(_counted(sent, len(picked.objects)))
    rows = [_row(result, destination) for result in results] + _unreadable_rows(picked)
    _report(rows, 0, peer, options.as_json, {})
    if not rows or any(row["State"] == "failed" for row in rows):
        raise typer.Exit(1)


def _counted(sent: Iterator[Sent], total: int) -> Iterator[Sent]:
    with progress("Sending", total, "objects") as advance:
        for count, result in enumerate(sent, 1):
            yield result
            advance(count, None)


def _row(result: Sent, destination: Route) -> dict[str, object]:
    error = result.error
    if isinstance(error, WireError):
        reason = sentence_of(error, destination.peer, destination.caller.ae_title)
    elif error is not None:
        reason = str(error)
    else:
        reason = "" if result.is_sent else result.comment or "the peer refused it"
    state = "failed" if reason else "warned" if result.status else "sent"
    code = "" if result.status is None else f"{result.status:04X}"
    name = "" if result.path is None else str(result.path)
    return {
        "SOPInstanceUID": result.sop_instance_uid,
        "File": name,
        "State": state,
        "Status": code,
        "Reason": reason,
    }


# --- what came of it -------------------------------------------------------------------------


def _unreadable_rows(picked: _Picked) -> list[dict[str, object]]:
    return [
        {"SOPInstanceUID": "", "File": name, "State": "failed", "Status": "", "Reason": reason}
        for name, reason in picked.unreadable
    ]


def _report(rows: list[dict[str, object]], pending: int, peer: Peer, as_json: bool, job: dict[str, object]) -> None:
    states = [row["State"] for row in rows]
    sent, warned = states.count("sent"), states.count("warned")
    failed = [row for row in rows if row["State"] == "failed"]
    if as_json:
        counts = {"Sent": sent, "Warned": warned, "Failed": len(failed), "Pending": pending}
        write_object(job | counts | {"Instances": rows})
        return
    for row in failed[:_MAX_FAILED_SHOWN]:
        answer = f"status {row['Status']}: " if row["Status"] else ""
        warn(f"not sent: {row['File'] or row['SOPInstanceUID']}: {answer}{row['Reason']}")
    if len(failed) > _MAX_FAILED_SHOWN:
        warn(f"and {len(failed) - _MAX_FAILED_SHOWN} more; --json lists them all")
    told = f" ({warned} with a warning)" if warned else ""
    left = f", {pending} not tried" if pending else ""
    say(f"{sent + warned} sent to {peer.name}{told}, {len(failed)} failed{left}")
