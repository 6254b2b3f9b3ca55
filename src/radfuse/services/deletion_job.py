"""Deleting as a durable job: not before the time to take it back is over, and the very objects that were chosen.

What arrives later stays, also under the UID of an object that was chosen. What this node has
promised to keep (storage commitment) stays, and its item says to whom. Until the job runs
everything is where it was; cancelling the job undoes the deletion.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from radfuse.archive import Archive, StoredObject, queries
from radfuse.core.errors import OutOfSpace, TransientFailure
from radfuse.jobs import Item, ItemState, JobContext, Jobs, NewItem, NewJob, Retry
from radfuse.services.commitment import Commitments
from radfuse.services.databases import DEFAULT_DATABASE
from radfuse.services.forget import forget_objects
from radfuse.services.selection import Selection, objects_of, studies_of
from radfuse.services.stored_objects import objects_named
from radfuse.services.workspaces import Workspaces

DELETE: Final = "delete"
"""The kind of these jobs."""

_AT_ONCE: Final = 500
_GONE_BEFORE: Final = "it was gone already"
_IS_ANOTHER: Final = "another object has come under its UID, and stays"


@dataclass(frozen=True, slots=True)
class DeletionSurroundings:
    """What a deletion needs of the process that runs it: ``open_archive`` gives the archive of a database."""

    open_archive: Callable[[str], Archive]
    commitments: Commitments
    open_workspaces: Callable[[], Workspaces] | None = None
    """The drafts of the workstation: those of a study that is gone go with it."""


def submit_deletion(jobs: Jobs, archive: Archive, selection: Selection, undo_s: float, user: str = "") -> int:
    """Queue the deletion of what is selected, to begin in ``undo_s``; the job's number.

    Raises UnknownEntity for what is not kept (any more), and what ``Jobs.submit`` raises.
    """
    objects = objects_of(archive, selection)
    studies = studies_of(selection)
    of = "1 study" if len(studies) == 1 else f"{len(studies):,} studies"
    what = "1 object" if len(objects) == 1 else f"{len(objects):,} objects"
    new = NewJob(
        DELETE,
        f"{DELETE} {selection.database}",
        f"{what} of {of}",
        {"database": selection.database, "user": user},
        [NewItem(stored.sop_instance_uid, stored.blob_id.hex()) for stored in objects],
        retry=Retry(10, 60.0),
        delay_s=undo_s,
        studies=studies,
    )
    return jobs.submit(new)


def run_deletion(context: JobContext, surroundings: DeletionSurroundings) -> None:
    """The kind "delete": delete what is still pending. Raises TransientFailure where the index cannot be written."""
    archive = surroundings.open_archive(context.job.parameters.get("database", DEFAULT_DATABASE))
    after = 0
    while items := context.pending(after, _AT_ONCE):
        if context.should_stop():
            return
        after = items[-1].number
        try:
            _delete(context, archive, surroundings.commitments, items)
        except OutOfSpace as error:
            raise TransientFailure(str(error)) from error
    _forget_drafts(context, archive, surroundings)


def _forget_drafts(context: JobContext, archive: Archive, surroundings: DeletionSurroundings) -> None:
    """Drafts hold names and voxels of studies: none outlives its study."""
    if surroundings.open_workspaces is None:
        return

    def is_kept(study: str) -> bool:
        with archive.reading() as connection:
            return bool(queries.study_places(connection, study))

    with contextlib.closing(surroundings.open_workspaces()) as workspaces:
        workspaces.remove_gone(context.job.parameters.get("database", DEFAULT_DATABASE), is_kept)


def _delete(context: JobContext, archive: Archive, commitments: Commitments, items: Sequence[Item]) -> None:
    """Delete some objects, then write down what became of them: a crash between finds them gone already."""
    kept = objects_named(archive, [item.name for item in items])
    chosen = {item.number: kept[item.name] for item in items if _is_it(kept, item)}
    promised: dict[str, str] = {}

    def stays(stored: StoredObject) -> bool:
        partners = commitments.promised_to(stored.sop_instance_uid)
        if partners:
            promised[stored.sop_instance_uid] = ", ".join(partner.peer or partner.ae_title for partner in partners)
        return bool(partners)

    forget_objects(archive, list(chosen.values()), stays=stays)
    for item in items:
        if item.name in promised and item.number in chosen:
            comment = f"it stays: this node has promised {promised[item.name]} to keep it"
            context.record(item.number, ItemState.WARNED, None, comment)
        elif item.number in chosen:
            context.record(item.number, ItemState.SENT)
        elif item.name in kept:
            context.record(item.number, ItemState.WARNED, None, _IS_ANOTHER)
        else:
            context.record(item.number, ItemState.SENT, None, _GONE_BEFORE)


def _is_it(kept: Mapping[str, StoredObject], item: Item) -> bool:
    """Whether what is kept under the UID is the very object that was chosen."""
    stored = kept.get(item.name)
    return stored is not None and bytes(stored.blob_id).hex() == item.where
