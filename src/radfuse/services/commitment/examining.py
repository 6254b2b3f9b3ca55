"""Is an object really here, whole and safe? Only then may a peer be told that it is committed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from radfuse.archive import Archive, StoredObject, queries
from radfuse.core.errors import BlobDamaged, BlobMissing
from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from radfuse.services.commitment.model import (
    CLASS_CONFLICT,
    CLASS_NOT_SUPPORTED,
    COMMITTED,
    NO_SUCH_INSTANCE,
    PROCESSING_FAILURE,
    RESOURCE_LIMITATION,
    Outcome,
    Reference,
)

_AT_ONCE: Final = 500
_log = logging.getLogger(__name__)


def examine(
    archive: Archive,
    references: Sequence[Reference],
    should_stop: Callable[[], bool],
    promised: Collection[str] = (),
) -> Sequence[Outcome] | None:
    """The result for every object; None when ``should_stop`` ended it early.

    Commitment is the promise that the peer may delete its own copy, so every byte is read and
    proved against the digest that was taken when the object arrived. What the archive has
    acknowledged is on stable storage, in its file or in the journal. What will be deleted is not
    committed; but the SOP Instance UIDs ``promised`` before stay here, marked or not.
    """
    archive.settle()
    uids = [reference.sop_instance_uid for reference in references]
    kept, _ = _kept(archive, uids)
    reasons: list[int] = []
    for reference in references:
        if should_stop():
            return None
        reasons.append(_judge(archive, reference, kept.get(reference.sop_instance_uid)))
    # Looking takes its time: what was deleted or replaced meanwhile is not what was seen.
    now, leaving = _kept(archive, uids)
    leaving.difference_update(promised)
    if leaving:
        _log.warning("objects cannot be committed: they will be deleted here", extra={"objects": len(leaving)})
    outcomes = []
    for reference, reason in zip(references, reasons, strict=True):
        uid = reference.sop_instance_uid
        reason_now = reason if now.get(uid) == kept.get(uid) else _judge(archive, reference, now.get(uid))
        is_leaving = reason_now == COMMITTED and uid in leaving
        outcomes.append(Outcome(reference, PROCESSING_FAILURE if is_leaving else reason_now))
    return outcomes


def _kept(archive: Archive, uids: Sequence[str]) -> tuple[Mapping[str, StoredObject], set[str]]:
    """The objects with these SOP Instance UIDs that are here, and the UIDs of those that will be deleted.

    The request was noted before, and whoever deletes marks an object first, looks for requests and
    removes it then: so either they see the request, or we see the mark, or no object any more.
    """
    found: dict[str, StoredObject] = {}
    leaving: set[str] = set()
    for start in range(0, len(uids), _AT_ONCE):
        with archive.reading() as connection:
            leaving |= queries.leaving(connection, uids[start : start + _AT_ONCE])
            some = queries.named(connection, uids[start : start + _AT_ONCE])
        found |= {stored.sop_instance_uid: stored for stored in some}
    return found, leaving


def _judge(archive: Archive, reference: Reference, stored: StoredObject | None) -> int:
    """0, or the failure reason (PS3.3 section C.14.1.1)."""
    if stored is None:
        return NO_SUCH_INSTANCE if reference.sop_class_uid in STORAGE_CLASS_NAMES else CLASS_NOT_SUPPORTED
    if stored.sop_class_uid != reference.sop_class_uid:
        return CLASS_CONFLICT
    try:
        with archive.open_object(stored) as opened:
            archive.verify(stored, opened)
    except BlobMissing as error:
        _log.error("an object cannot be committed: %s", error)
        return NO_SUCH_INSTANCE
    except BlobDamaged as error:
        _log.error("an object cannot be committed: %s", error)
        return PROCESSING_FAILURE
    except OSError as error:
        _log.error("an object cannot be committed: %s", error.strerror, extra={"blob": stored.blob_id.hex()})
        return RESOURCE_LIMITATION
    return COMMITTED
