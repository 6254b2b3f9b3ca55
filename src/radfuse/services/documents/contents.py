"""The bytes of an object of the archive that is read whole."""

from __future__ import annotations

from typing import Final

from radfuse.archive import Archive, StoredObject, queries
from radfuse.core.errors import UnreadableObject
from radfuse.core.uids import checked_uid
from radfuse.services.stored_objects import object_of, proved_file

_MOST_BYTES: Final = 256 * 1024 * 1024


def content_of(archive: Archive, sop_instance_uid: str) -> tuple[StoredObject, bytes]:
    """An object, and it as a Part 10 file that was proved to be what was stored.

    Raises InvalidUID, UnknownEntity, BlobMissing, BlobDamaged, and UnreadableObject for what is too large.
    """
    stored = object_of(archive, checked_uid(sop_instance_uid, "SOP Instance UID"))
    if stored.size_bytes > _MOST_BYTES:
        raise UnreadableObject("it is too large to be read in a browser; save it as a file")
    return stored, proved_file(archive, stored)


def study_of(archive: Archive, sop_instance_uid: str) -> str:
    """The Study Instance UID of an object, for the access log; "" where it is not kept."""
    with archive.reading() as connection:
        found = queries.places_of_images(connection, [sop_instance_uid]).get(sop_instance_uid)
        place = None if found is None else queries.series_place(connection, found.series_instance_uid)
    return "" if place is None else place.study_instance_uid
