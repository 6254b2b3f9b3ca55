"""What goes wrong with what is kept."""

from __future__ import annotations

from dataclasses import dataclass

from radfuse.core.errors.tree import RadfuseError


class ArchiveError(RadfuseError):
    """The archive could not keep or give."""


@dataclass(eq=False)
class OutOfSpace(ArchiveError):
    """The store's volume has no room (or only its reserve) left."""

    where: str
    template = "no space left for {where}"


@dataclass(eq=False)
class ObjectTooLarge(ArchiveError):
    """An object over the configured size."""

    limit_bytes: int
    template = "the object is larger than the configured {limit_bytes} bytes"


@dataclass(eq=False)
class DuplicateRejected(ArchiveError):
    """Same SOP Instance UID, other bytes, and the policy is to reject."""

    template = "another object with this SOP Instance UID is already kept"


@dataclass(eq=False)
class BlobMissing(ArchiveError):
    """An indexed object whose file is not in the store."""

    blob_id: str
    template = "the stored object {blob_id} is missing; run 'radfuse check'"


@dataclass(eq=False)
class BlobDamaged(ArchiveError):
    """A stored object whose bytes no longer match their digest."""

    blob_id: str
    template = "the stored object {blob_id} is damaged; run 'radfuse check'"


@dataclass(eq=False)
class UnknownEntity(ArchiveError):
    """A study, series or instance that is not kept, or not any more."""

    level: str
    template = "the archive has no such {level}; it may have been deleted"


@dataclass(eq=False)
class FolderInUse(ArchiveError):
    """A second service on the same data folder."""

    folder: str
    template = "another Radfuse is already serving the data folder {folder}; stop it first or use --data"


@dataclass(eq=False)
class IndexDamaged(ArchiveError):
    """An index that cannot be read or is gone, and cannot be rebuilt while others use it."""

    folder: str
    template = "the index in {folder} is damaged; stop every Radfuse that uses it, move index.sqlite away, start again"


@dataclass(eq=False)
class SchemaTooNew(ArchiveError):
    """A database written by a newer Radfuse."""

    database: str
    revision: str
    template = "{database} was written by a newer Radfuse (schema {revision}); install that version or newer"
