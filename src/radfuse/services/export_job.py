"""Exporting what was found in the workstation as a durable job: to the archive, to peers, or as files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from radfuse.archive import Archive
from radfuse.jobs import Item, ItemState, JobContext, Jobs, NewItem, NewJob, Retry
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.image_jobs import counting, making_of, run_whole, telling
from radfuse.services.peers import RETRIES_OF_THE_WORKSTATION, Peer, Peers
from radfuse.services.send_job import SEND, check_may_send, new_send
from radfuse.services.stored_objects import objects_named

if TYPE_CHECKING:
    from radfuse.services.exporting import Exported

EXPORT: Final = "export"
"""The kind of these jobs."""

_MAKE: Final = "objects"
_TO_PEER: Final = "peer"
_EXPORTED: Final = "export"
"""Parameter of a send: the export, and which of its items, that it is for."""


@dataclass(frozen=True, slots=True)
class ExportSurroundings:
    """What such a job needs of the process that runs it. ``data``: the data folder, where files are kept."""

    open_archive: Callable[[str], Archive]
    jobs: Jobs
    peers: Peers
    data: Path


def new_export(
    content: Mapping[str, Any],
    *,
    peers: Sequence[Peer] = (),
    is_download: bool = False,
    database: str = DEFAULT_DATABASE,
    priority: int = 5,
    by: str = "",
) -> NewJob:
    """The job that makes everything in ``content`` (JSON: ``items`` and ``draft``) and keeps it in ``database``.

    With ``peers`` it is sent to them then, by a job each; as ``is_download`` it becomes a file instead, and the
    archive keeps nothing. ``by``: who wanted it, as a Person Name. Raises ConfigurationError for a peer that gets
    nothing from us.
    """
    for peer in peers:
        check_may_send(peer)
    where = "as files" if is_download else "to " + ", ".join(["the archive", *(peer.name for peer in peers)])
    items = [NewItem(_MAKE), *(NewItem(_TO_PEER, peer.reference) for peer in peers)]
    count = len(content["items"])
    title = f"export of {count} thing{'s' if count != 1 else ''} {where}"
    parameters = {**content, "database": database, "download": is_download, "by": by}
    return NewJob(EXPORT, f"{EXPORT} {database}", title, parameters, items, priority)


def run_export(context: JobContext, surroundings: ExportSurroundings) -> None:
    """The kind "export": everything is made and checked before the first object is kept; it is kept before it is sent.

    Raises TransientFailure when there is no space, and what making and keeping raise: the job has failed then.
    """
    run_whole(context, lambda items: _export(context, items, surroundings))


def _export(context: JobContext, items: Sequence[Item], surroundings: ExportSurroundings) -> None:
    from radfuse.services.exporting import ask_of, forget_old, make_export

    job = context.job
    archive = surroundings.open_archive(job.parameters["database"])
    forget_old(surroundings.data)
    # What was kept before is made again after a crash, with the same UIDs: keeping it twice does nothing.
    exported = make_export(archive, ask_of(job.parameters), making_of(job), telling(context))
    if context.should_stop():
        return
    if job.parameters["download"]:
        sentence = _write(context, archive, exported, surroundings.data)
    else:
        sentence = _keep(context, archive, exported)
    words = "; ".join((sentence, *exported.notes))
    for item in items:
        if item.name == _MAKE:
            state = ItemState.WARNED if exported.notes else ItemState.SENT
            context.record(item.number, state, None, words)
        else:
            _send(context, item, archive, exported, surroundings)
    context.say(words)


def _keep(context: JobContext, archive: Archive, exported: Exported) -> str:
    from radfuse.services.store_results import store

    store(archive, exported.made, progress=counting(context, "kept"))
    return f"{_objects(len(exported.made))} made and kept in the archive"


def _write(context: JobContext, archive: Archive, exported: Exported, data: Path) -> str:
    from radfuse.objects.checking import require_valid
    from radfuse.services.exporting import exported_file, write_files
    from radfuse.services.store_results import known_to

    require_valid(exported.made, known_to(archive, exported.made))
    place = exported_file(data, context.job.id)
    count = write_files(place, archive, exported, counting(context, "written"))
    return f"{_objects(count)} as files, {place.stat().st_size / 1e6:.1f} MB, kept for a day"


def _send(
    context: JobContext, item: Item, archive: Archive, exported: Exported, surroundings: ExportSurroundings
) -> None:
    from radfuse.services.store_results import WORKSTATION

    peer = surroundings.peers.by_name(item.where)
    uids = [*(stored.sop_instance_uid for stored in exported.stored), *(str(ds.SOPInstanceUID) for ds in exported.made)]
    objects = list(objects_named(archive, uids).values())
    job = context.job
    send = new_send(
        surroundings.jobs,
        peer,
        objects,
        from_title=WORKSTATION,
        database=job.parameters["database"],
        priority=job.priority,
    )
    retry = Retry(RETRIES_OF_THE_WORKSTATION, peer.retry_delay_s) if peer.retries is None else send.retry
    studies = tuple(dict.fromkeys(job.parameters.get("studies", ())))
    mark = [job.id, item.number]
    number = _queued_before(surroundings.jobs, peer, mark)
    if number is None:
        new = replace(send, retry=retry, studies=studies, parameters={**send.parameters, _EXPORTED: mark})
        number = surroundings.jobs.submit(new)
    context.record(item.number, ItemState.SENT, None, f"{_objects(len(objects))} to {peer.name} by job {number}")


def _queued_before(jobs: Jobs, peer: Peer, mark: Sequence[int]) -> int | None:
    """The send that an attempt before this one queued, and could not record any more."""
    before: int | None = None
    while found := jobs.list(kind=SEND, peer=peer.reference, before_id=before):
        for job in found:
            if job.id <= mark[0]:  # it is older than the export
                return None
            if job.parameters.get(_EXPORTED) == list(mark):
                return job.id
        before = found[-1].id
    return None


def _objects(count: int) -> str:
    return f"{count} object{'s' if count != 1 else ''}"
