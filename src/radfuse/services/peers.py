"""The peers of this node: who they are, where they are, what they may do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Text, delete, insert, select

from radfuse.core.aetitle import AETitle, checked_ae_title
from radfuse.core.errors import ConfigurationError, InvalidAETitle, UnknownPeer
from radfuse.db import (
    Schema,
    create_database_engine,
    prepare_schema,
    read_transaction,
    sqlite_url,
    write_transaction,
)

_ADDRESS: Final = re.compile(r"(?P<ae_title>[^@]+)@(?P<host>\[[^\]]+\]|[^:\s]+):(?P<port>[0-9]{1,5})\Z")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")

_metadata = MetaData()
peer_table = Table(
    "peer",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("ae_title", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("may_store", Boolean, nullable=False),
    Column("may_query", Boolean, nullable=False),
    Column("may_retrieve", Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Peer:
    """Another DICOM node and its rights here."""

    name: str
    ae_title: AETitle
    host: str
    port: int
    may_store: bool = True
    may_query: bool = True
    may_retrieve: bool = True

    @classmethod
    def parse(cls, address: str, name: str = "") -> Self:
        """A peer from ``AET@host:port``. Raises ConfigurationError saying what is wrong."""
        found = _ADDRESS.match(address)
        if found is None:
            raise ConfigurationError("peer", f"{address!r} is not of the form AET@HOST:PORT")
        port = int(found["port"])
        if not 0 < port <= 65535:
            raise ConfigurationError("peer", f"{port} is not a port (1 to 65535)")
        try:
            ae_title = checked_ae_title(found["ae_title"])
        except InvalidAETitle as error:
            raise ConfigurationError("peer", str(error)) from error
        return cls(name or ae_title, ae_title, found["host"].strip("[]"), port)


class Peers:
    """The configured peers, in the configuration database of a data folder.

    Kept apart from the index, so that losing an index never loses the configuration.
    """

    def __init__(self, folder: Path) -> None:
        self._engine = create_database_engine(sqlite_url(folder / "config.sqlite"), synced_commits=True)
        prepare_schema(self._engine, Schema.CONFIG)

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def all(self) -> Sequence[Peer]:
        """All peers by name."""
        columns = [peer_table.c[field.name] for field in fields(Peer)]
        with read_transaction(self._engine) as connection:
            rows = connection.execute(select(*columns).order_by(peer_table.c.name)).all()
        return [Peer(*row) for row in rows]

    def add(self, peer: Peer) -> None:
        """Add a peer, or change the one of this name."""
        if not _NAME.match(peer.name):
            raise ConfigurationError("peer", f"{peer.name!r} is not a name (letters, digits, '_', '.', '-')")
        with write_transaction(self._engine) as connection:
            connection.execute(delete(peer_table).where(peer_table.c.name == peer.name))
            connection.execute(insert(peer_table).values(**asdict(peer)))

    def remove(self, name: str) -> None:
        """Remove a peer by name. Raises UnknownPeer."""
        with write_transaction(self._engine) as connection:
            removed = connection.execute(delete(peer_table).where(peer_table.c.name == name)).rowcount
        if not removed:
            raise UnknownPeer(name)

    def by_name(self, name: str) -> Peer:
        """The peer of this name, or ``AET@host:port`` as a peer. Raises UnknownPeer."""
        for peer in self.all():
            if peer.name == name:
                return peer
        if "@" in name:
            return Peer.parse(name)
        raise UnknownPeer(name)

    def by_ae_title(self, ae_title: str) -> Sequence[Peer]:
        """The peers with this AE title (none, one, or several on different hosts)."""
        return [peer for peer in self.all() if peer.ae_title == ae_title]
