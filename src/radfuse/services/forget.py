"""Forgetting: objects leave the archive for good, as a query names them or one by one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from radfuse.archive import Archive, Query, StoredObject, queries

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What is gone."""

    objects: int
    size_bytes: int


def forget(archive: Archive, query: Query) -> Forgotten:
    """Forget everything that a retrieval with ``query`` would give now; what arrives meanwhile stays.

    Raises InvalidQuery when the unique key of the query's level has no value.
    """
    with archive.reading() as connection:
        found = list(queries.instances(connection, query))
    return forget_objects(archive, found)


def forget_objects(
    archive: Archive,
    objects: Iterable[StoredObject],
    *,
    leaving_only: bool = False,
    stays: Callable[[StoredObject], bool] | None = None,
) -> Forgotten:
    """Forget these very objects: one that came again under the same UID with a new file stays.

    With ``leaving_only`` only those that are still marked as leaving (``Archive.mark_leaving``).
    What ``stays`` names is kept. It is asked when the objects are marked, and storage commitment
    promises nothing of what is marked: a promise was noted before ``stays`` is asked, or never is.

    When this returns no query finds them, their files are gone and no crash brings them back; nor
    is there a cached volume of them.
    """
    if stays is not None:
        objects = list(objects)
        if not leaving_only:
            archive.mark_leaving(objects)
        objects, leaving_only = _without(archive, objects, stays), True
    gone = archive.delete(objects, leaving_only=leaving_only)
    if gone:
        _forget_volumes(archive, gone)
        _log.info("objects were deleted from the archive", extra={"objects": len(gone)})
    return Forgotten(len(gone), sum(stored.size_bytes for stored in gone))


def _without(
    archive: Archive, objects: Iterable[StoredObject], stays: Callable[[StoredObject], bool]
) -> list[StoredObject]:
    """The objects but for those that stay, which are not marked any more."""
    kept: list[StoredObject] = []
    free: list[StoredObject] = []
    for stored in objects:
        (kept if stays(stored) else free).append(stored)
    if kept:
        archive.unmark_leaving(kept)
        _log.info("objects stay that this node has committed to keep", extra={"objects": len(kept)})
    return free


def _forget_volumes(archive: Archive, gone: Iterable[StoredObject]) -> None:
    from radfuse.services import volumes  # only where something is deleted: it brings numpy

    volumes.forget_volumes(archive.settings.folder, gone)
