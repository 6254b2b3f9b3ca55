"""Asking the index: from an identifier to a query, to its answers, to the stored objects."""

from radfuse.archive.index.address import instance_at
from radfuse.archive.index.arrivals import Arrival, KeptObject, arrivals, identity_of, newest_arrival, objects_since
from radfuse.archive.index.find import find
from radfuse.archive.index.keys import INDEX_KEYS, is_counted
from radfuse.archive.index.matching import comparable, criteria, name_criteria
from radfuse.archive.index.model import QueryKey
from radfuse.archive.index.query import query_from_identifier
from radfuse.archive.index.retrieve import instances, leaving, named
from radfuse.archive.index.totals import totals

__all__ = [
    "INDEX_KEYS",
    "Arrival",
    "KeptObject",
    "QueryKey",
    "arrivals",
    "comparable",
    "criteria",
    "find",
    "identity_of",
    "instance_at",
    "instances",
    "is_counted",
    "leaving",
    "name_criteria",
    "named",
    "newest_arrival",
    "objects_since",
    "query_from_identifier",
    "totals",
]
