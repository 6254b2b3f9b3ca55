"""Objects of the archive by their SOP Instance UIDs, and their bytes as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from radfuse.archive import Archive, StoredObject, queries
from radfuse.core.errors import UnknownEntity
from radfuse.dicom import FileMeta, build_file_meta

_UIDS_AT_ONCE: Final = 500


def objects_named(archive: Archive, sop_instance_uids: Sequence[str]) -> Mapping[str, StoredObject]:
    """The objects with these SOP Instance UIDs, as far as the archive has them."""
    found: dict[str, StoredObject] = {}
    for start in range(0, len(sop_instance_uids), _UIDS_AT_ONCE):
        with archive.reading() as connection:
            some = queries.named(connection, sop_instance_uids[start : start + _UIDS_AT_ONCE])
        found |= {stored.sop_instance_uid: stored for stored in some}
    return found


def object_of(archive: Archive, sop_instance_uid: str) -> StoredObject:
    """One object. Raises UnknownEntity when it is not kept."""
    found = objects_named(archive, [sop_instance_uid])
    if not found:
        raise UnknownEntity("instance")
    return found[sop_instance_uid]


def proved_file(archive: Archive, stored: StoredObject) -> bytes:
    """The whole object as a Part 10 file in memory, proved to be what was stored. Raises BlobMissing, BlobDamaged."""
    with archive.open_object(stored) as opened:
        content = archive.read_verified(stored, opened)
    return (
        build_file_meta(FileMeta(stored.sop_class_uid, stored.sop_instance_uid, stored.transfer_syntax_uid)) + content
    )
