"""Drafts, their versions, and their tables in ``workspaces.sqlite``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text

metadata: Final = MetaData()

workspace_table: Final = Table(
    "workspace",
    metadata,
    Column("id", Text, primary_key=True),
    Column("database", Text, nullable=False),
    Column("study", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_s", Float, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("newest", Integer, nullable=False),
    Column("changed_s", Float, nullable=False, index=True),
    Index("ix_workspace_study", "database", "study"),
)

version_table: Final = Table(
    "version",
    metadata,
    Column("workspace", Text, ForeignKey("workspace.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("based_on", Integer, nullable=False),
    Column("changed_s", Float, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("state", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class WorkspaceFacts:
    """A draft without what is in it."""

    id: str
    revision: int
    study: str
    title: str
    made_by: str
    changed_by: str
    changed_s: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Newest:
    """A draft as it is now, or as one of its versions was."""

    facts: WorkspaceFacts
    state: bytes
    """JSON."""


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a draft that is kept."""

    number: int
    revision: int
    """The revision that it is, or was; of one that came too late that which it was built on."""
    changed_by: str
    changed_s: float
    is_newest: bool
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Change:
    """A state that somebody sends."""

    revision: int
    """The one that it was built on."""
    state: bytes
    """JSON."""
    by: str
    client: str = ""
    """Tells one page of somebody from another; "" is nobody's."""
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a change."""

    revision: int
    """The newest one now."""
    study: str
    theirs: Newest | None = None
    """What is the newest instead, where the change was not built on it; the change is kept as a version."""
