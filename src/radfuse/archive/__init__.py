"""The archive: objects kept durably as files, and the index that finds them."""

from radfuse.archive.archive import Archive, ArchiveSettings, StoredFile
from radfuse.archive.blobs import SpaceGuard
from radfuse.archive.committer import DuplicatePolicy, Outcome
from radfuse.archive.incoming import Incoming, Origin
from radfuse.archive.index.find import find
from radfuse.archive.index.model import Answer, InformationModel, Query, StoredObject
from radfuse.archive.index.query import query_from_identifier
from radfuse.archive.index.retrieve import instances

__all__ = [
    "Answer",
    "Archive",
    "ArchiveSettings",
    "DuplicatePolicy",
    "Incoming",
    "InformationModel",
    "Origin",
    "Outcome",
    "Query",
    "SpaceGuard",
    "StoredFile",
    "StoredObject",
    "find",
    "instances",
    "query_from_identifier",
]
