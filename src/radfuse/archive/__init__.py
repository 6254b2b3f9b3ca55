"""The archive: objects kept durably as files, and the index that finds them."""

from radfuse.archive import queries
from radfuse.archive.archive import Archive, ArchiveSettings, StoredFile
from radfuse.archive.blobs import SpaceGuard
from radfuse.archive.check import CheckReport, check_archive
from radfuse.archive.committer import DuplicatePolicy, Outcome
from radfuse.archive.incoming import Incoming, Origin
from radfuse.archive.index.model import Answer, InformationModel, Query, StoredObject

__all__ = [
    "Answer",
    "Archive",
    "ArchiveSettings",
    "CheckReport",
    "DuplicatePolicy",
    "Incoming",
    "InformationModel",
    "Origin",
    "Outcome",
    "Query",
    "SpaceGuard",
    "StoredFile",
    "StoredObject",
    "check_archive",
    "queries",
]
