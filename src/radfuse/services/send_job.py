"""Sending as a durable job: one item an instance, done only when the peer has acknowledged every one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from radfuse.archive import Archive, StoredObject
from radfuse.core.errors import ConfigurationError, RadfuseError
from radfuse.dicom import Transcoder
from radfuse.jobs import Item, ItemState, JobContext, Jobs, JobState, NewItem, NewJob, Retry
from radfuse.services.associating import Caller
from radfuse.services.context_lists import ContextLists
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.object_source import FileObject
from radfuse.services.peers import Peer, Peers
from radfuse.services.send import file_object
from radfuse.services.storage_scu import Outgoing, Route, StorageScu, reason_of
from radfuse.services.stored_objects import objects_named

SEND: Final = "send"
"""The kind of these jobs."""

_UNFINISHED: Final = (JobState.QUEUED, JobState.RUNNING, JobState.WAITING)


@dataclass(frozen=True, slots=True)
class SendSurroundings:
    """What a send job needs of the process that runs it.

    ``open_archive`` gives the archive of a database, which stays open; ``caller_of`` says who we are
    to a peer when the job wants to be called by an AE title (empty: the peer's own setting).
    """

    open_archive: Callable[[str], Archive]
    peers: Peers
    context_lists: ContextLists
    caller_of: Callable[[Peer, str], Caller]
    transcoder: Transcoder


def submit_send(
    jobs: Jobs,
    peer: Peer,
    objects: Sequence[StoredObject | FileObject],
    *,
    from_title: str = "",
    context_list: str = "",
    database: str = DEFAULT_DATABASE,
    priority: int = 5,
) -> int:
    """Queue the sending of files, or of objects of a database; the job's number.

    Otherwise as ``new_send``; also raises what ``Jobs.submit`` raises.
    """
    return jobs.submit(
        new_send(
            jobs,
            peer,
            objects,
            from_title=from_title,
            context_list=context_list,
            database=database,
            priority=priority,
        )
    )


def new_send(
    jobs: Jobs,
    peer: Peer,
    objects: Sequence[StoredObject | FileObject],
    *,
    from_title: str = "",
    context_list: str = "",
    database: str = DEFAULT_DATABASE,
    priority: int = 5,
) -> NewJob:
    """The job that sends files, or objects of a database, to be queued with whatever must change together with it.

    Empty ``from_title`` and ``context_list``: as the peer is configured when the job runs. Raises
    ConfigurationError when there is nothing to send or the peer gets nothing from us.
    """
    check_may_send(peer)
    if not objects:
        raise ConfigurationError("send", "there is nothing to send")
    as_what = replace(peer, context_list=context_list) if context_list else peer
    what = "1 object" if len(objects) == 1 else f"{len(objects)} objects"
    return NewJob(
        SEND,
        lane_to(jobs, peer),
        f"{what} to {peer.name}",
        {"peer": peer.reference, "from": from_title, "context_list": context_list, "database": database},
        [NewItem(item.sop_instance_uid, _where(item)) for item in objects],
        priority,
        Retry(as_what.retry_count, peer.retry_delay_s),
    )


def _where(item: StoredObject | FileObject) -> str:
    return str(item.path.absolute()) if isinstance(item, FileObject) else ""


def lane_to(jobs: Jobs, peer: Peer) -> str:
    """Where jobs to a peer wait for one another: of one that takes several at once the lane with the least to do."""
    if peer.concurrency == 1:
        return peer.reference
    lanes = [f"{peer.reference}/{slot}" for slot in range(1, peer.concurrency + 1)]
    return min(lanes, key=lambda lane: _unfinished(jobs, lane))


def _unfinished(jobs: Jobs, lane: str) -> int:
    totals = jobs.totals(SEND, lane)
    return sum(totals[state] for state in _UNFINISHED)


def check_may_send(peer: Peer) -> None:
    """Raise ConfigurationError when the peer gets nothing from us."""
    if not peer.send:
        reason = f"sending to {peer.name} is turned off; turn it on with the page Peers or 'radfuse peers add'"
        raise ConfigurationError("send", reason)


def run_send(context: JobContext, surroundings: SendSurroundings) -> None:
    """The kind "send": send what is still pending.

    Raises TransientFailure, JobFailed, or what an unknown peer or list raises.
    """
    parameters = context.job.parameters
    peer = surroundings.peers.by_name(parameters["peer"])
    check_may_send(peer)
    if parameters.get("context_list"):
        peer = replace(peer, context_list=parameters["context_list"])
    route = Route(
        peer,
        surroundings.caller_of(peer, parameters.get("from", "")),
        surroundings.context_lists.get(peer.context_list),
        surroundings.transcoder,
    )
    items = context.pending()
    archive = None
    if any(not item.where for item in items):
        archive = surroundings.open_archive(parameters.get("database", DEFAULT_DATABASE))
    StorageScu(route, context, archive).send(_found(context, items, archive))


def _found(context: JobContext, items: Sequence[Item], archive: Archive | None) -> list[Outgoing]:
    """What is to be sent; items whose object is gone or is another one now are recorded as failed."""
    kept = objects_named(archive, [item.name for item in items if not item.where]) if archive else {}
    found = []
    for item in items:
        if not item.where:
            content: StoredObject | FileObject | None = kept.get(item.name)
            reason = "the archive no longer has the object"
        else:
            content, reason = _file(item)
        if content is None:
            context.record(item.number, ItemState.FAILED, None, reason)
        else:
            found.append(Outgoing(item.number, content))
    return found


def _file(item: Item) -> tuple[FileObject | None, str]:
    """The file's object, or why it cannot be sent."""
    try:
        content = file_object(Path(item.where))
    except (RadfuseError, OSError) as error:
        return None, reason_of(error)
    if content.sop_instance_uid != item.name:
        return None, "the file holds another object than when the job was made"
    return content, ""
