"""Kept objects as what is to be anonymized."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from radfuse.archive import Archive, StoredFile, StoredObject
from radfuse.core.errors import ArchiveError, BlobDamaged
from radfuse.services.anonymize import BrokenSource, Content, FileSource, Source, reading


@dataclass(frozen=True, slots=True)
class StoredSource:
    """An object that an archive keeps: its file in the store."""

    stored: StoredObject
    path: Path
    data_start: int

    @property
    def name(self) -> str:
        """Its SOP Instance UID."""
        return self.stored.sop_instance_uid

    def read(self) -> Content:
        """Its bytes, proved to be those that were received."""
        with reading(), self.path.open("rb", buffering=0) as file:
            opened = StoredFile(file.fileno(), self.data_start, self.stored.size_bytes)
            Archive.verify(self.stored, opened)
            content = FileSource(self.path).read()
        if content.size_bytes < self.data_start + self.stored.size_bytes:
            raise BlobDamaged(self.stored.blob_id.hex())
        return content


def stored_source(archive: Archive, stored: StoredObject) -> Source:
    """A kept object as a source: one that cannot be read where it is missing or damaged."""
    try:
        with archive.open_object(stored) as opened:
            return StoredSource(stored, archive.path_of(stored), opened.data_start)
    except ArchiveError as error:
        return BrokenSource(stored.sop_instance_uid, str(error))
