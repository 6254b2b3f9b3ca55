"""Asking the index: from an identifier to a query, to its answers, to the stored objects."""

from radfuse.archive.index.find import find
from radfuse.archive.index.query import query_from_identifier
from radfuse.archive.index.retrieve import instances

__all__ = ["find", "instances", "query_from_identifier"]
