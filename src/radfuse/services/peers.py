"""The peers of this node: who they are, where they are, what they may do, and how we talk to them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import RowMapping, delete, insert, select

from radfuse.core.aetitle import AETitle, checked_ae_title
from radfuse.core.errors import ConfigurationError, InvalidAETitle, NotAllowed, UnknownPeer
from radfuse.core.transfer_syntaxes import JPEG_2000, JPEG_BASELINE, JPEG_EXTENDED
from radfuse.core.uids import is_valid_uid
from radfuse.db import (
    read_transaction,
    write_transaction,
)
from radfuse.services.config_schema import open_configuration, peer_table
from radfuse.services.context_lists import DBX, XD, check_known
from radfuse.wire import Limits

LOSSY_SYNTAXES: Final = (JPEG_BASELINE, JPEG_EXTENDED, JPEG_2000)
"""What objects may be compressed with for a peer, where it is configured."""

RETRIES_OF_THE_NODE: Final = 5
RETRIES_OF_THE_WORKSTATION: Final = 0
"""Seed 001 section 4.1.2.1: automatic retry is off unless it is configured."""

_ADDRESS: Final = re.compile(r"(?P<ae_title>[^@]+)@(?P<host>\[[^\]]+\]|[^:\s]+):(?P<port>[0-9]{1,5})\Z")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_HOST: Final = re.compile(r"[^\s\[\]@\x00-\x1f\x7f]{1,253}\Z")
_MAX_PORT: Final = 65_535
_MAX_TIMEOUT_S: Final = 24 * 3600.0
_MAX_RETRIES: Final = 1000
_MAX_RETRY_DELAY_S: Final = 3600.0
_MAX_CONCURRENCY: Final = 64
_MIN_PDU_BYTES: Final = 4096
_MAX_PDU_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Peer:
    """Another DICOM node: its rights here, and how we talk to it. Raises ConfigurationError when made of nonsense."""

    name: str
    ae_title: AETitle
    host: str
    port: int
    may_store: bool = True
    """Whether it may store here; likewise query, retrieve, and ask for storage commitment."""
    may_query: bool = True
    may_retrieve: bool = True
    may_commit: bool = True
    send: bool = True
    """Whether we may send to it; likewise query it, retrieve from it, and ask it for storage commitment."""
    query: bool = True
    retrieve: bool = True
    commit: bool = True
    tls: bool = False
    tls_name: str = ""
    """The name that its certificate must have; empty: the host."""
    calling_ae_title: str = ""
    """Who we are to it; empty: the node, or the workstation where its context list is ``xd``."""
    artim_s: float | None = None
    """None here and below: the node's limits."""
    connect_s: float | None = None
    response_s: float | None = None
    max_pdu_bytes: int | None = None
    """The longest PDU that we offer to receive from it and that we send to it."""
    context_list: str = DBX.name
    """Name of the list of what we propose when we send."""
    preferred_syntaxes: tuple[str, ...] = ()
    """When it accepts several transfer syntaxes: these first."""
    lossy_syntax: str = ""
    """What an object may be compressed with where there is no other way; empty: never with loss."""
    lenient_statuses: bool = False
    """Whether 0111H and every Bxxx answered to C-STORE count as warnings."""
    retries: int | None = None
    """How often a failed send is tried again; None: 5 times as the node, never as the workstation."""
    retry_delay_s: float = 60.0
    """Before the first retry; doubled with every further one, to at most an hour."""
    concurrency: int = 1
    """Send jobs to it at once."""
    is_configured: bool = field(default=False, compare=False)
    """Whether it has its name from the configuration; else it is one of AET@host:port."""

    def __post_init__(self) -> None:
        """Raise ConfigurationError with the key of the first field that cannot be."""
        for key, (is_possible, reason) in _CHECKS.items():
            if not is_possible(getattr(self, key)):
                raise ConfigurationError(key, f"{getattr(self, key)!r} {reason}")
        if not (_NAME.match(self.name) or self.name == self.ae_title):
            raise _no_name(self.name)
        if self.tls_name and not self.tls:
            raise ConfigurationError("tls_name", "a certificate needs TLS: turn it on for this peer")

    @classmethod
    def parse(cls, address: str, name: str = "") -> Self:
        """A peer from ``AET@host:port``. Raises ConfigurationError saying what is wrong."""
        found = _ADDRESS.match(address)
        if found is None:
            raise ConfigurationError("peer", f"{address!r} is not of the form AET@HOST:PORT")
        port = int(found["port"])
        if not 0 < port <= _MAX_PORT:
            raise ConfigurationError("peer", f"{port} is not a port (1 to 65535)")
        try:
            ae_title = checked_ae_title(found["ae_title"])
        except InvalidAETitle as error:
            raise ConfigurationError("peer", str(error)) from error
        return cls(name or ae_title, ae_title, found["host"].strip("[]"), port)

    @property
    def address(self) -> str:
        """AET@host:port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.ae_title}@{host}:{self.port}"

    @property
    def reference(self) -> str:
        """What ``Peers.by_name`` finds this peer with: its name, or its address when it is not configured."""
        return self.name if self.is_configured else self.address

    @property
    def is_of_the_workstation(self) -> bool:
        """Whether we are the workstation to it (seed 001), not the archive node (seed 000)."""
        return self.context_list == XD.name

    @property
    def retry_count(self) -> int:
        """How often a failed send to it is tried again."""
        if self.retries is not None:
            return self.retries
        return RETRIES_OF_THE_WORKSTATION if self.is_of_the_workstation else RETRIES_OF_THE_NODE

    def require(self, operation: str) -> None:
        """Raise NotAllowed unless we may ``send`` to it, ``query`` it, ``retrieve`` from it, ask it to ``commit``."""
        if not getattr(self, operation):
            raise NotAllowed(_OPERATIONS[operation], self.name)

    def limits(self, of_node: Limits) -> Limits:
        """The limits of an association with it: the node's, with its own timeouts and PDU length."""
        own: dict[str, Any] = {
            key: value
            for key in ("artim_s", "connect_s", "response_s", "max_pdu_bytes")
            if (value := getattr(self, key)) is not None
        }
        if self.artim_s is not None:
            own["close_wait_s"] = min(self.artim_s, of_node.close_wait_s)
        if self.response_s is not None:
            own["idle_s"] = self.response_s  # between two responses we wait for it too
        if self.max_pdu_bytes is not None:
            own["send_pdu_bytes"] = self.max_pdu_bytes
        return replace(of_node, **own)


def _no_name(name: str) -> ConfigurationError:
    return ConfigurationError("peer", f"{name!r} is not a name (letters, digits, '_', '.', '-')")


def _is_host(text: str) -> bool:
    """Whether a name can be looked up at all, or an address be connected to."""
    try:
        return bool(_HOST.match(text) and text.encode("idna"))
    except UnicodeError:
        return False


def _is_ae_title(text: str) -> bool:
    try:
        return checked_ae_title(text) == text
    except InvalidAETitle:
        return False


def _between(least: float, most: float) -> Callable[[float | None], bool]:
    return lambda number: number is None or (math.isfinite(number) and least <= number <= most)


def _are_syntaxes(uids: Sequence[str]) -> bool:
    return all(map(is_valid_uid, uids)) and len(set(uids)) == len(uids)


_SECONDS: Final = (_between(0.05, _MAX_TIMEOUT_S), "is no time to wait (0.05 s to a day)")
_AE_TITLE: Final = (_is_ae_title, "is no AE title (1 to 16 printable ASCII characters, no backslash)")

_CHECKS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "ae_title": _AE_TITLE,
    "host": (_is_host, "is no host name or address"),
    "port": (_between(1, _MAX_PORT), "is not a port (1 to 65535)"),
    "tls_name": (lambda name: not name or _is_host(name), "is no host name or address"),
    "calling_ae_title": (lambda title: not title or _is_ae_title(title), _AE_TITLE[1]),
    "artim_s": _SECONDS,
    "connect_s": _SECONDS,
    "response_s": _SECONDS,
    "max_pdu_bytes": (_between(_MIN_PDU_BYTES, _MAX_PDU_BYTES), "is no PDU length (4096 to 1048576 bytes)"),
    "context_list": (lambda name: bool(_NAME.match(name)), "is not the name of a context list"),
    "preferred_syntaxes": (_are_syntaxes, "are not transfer syntax UIDs, each once"),
    "lossy_syntax": (
        lambda uid: uid in ("", *LOSSY_SYNTAXES),
        f"is not one of the syntaxes with loss that we write: {', '.join(LOSSY_SYNTAXES)}",
    ),
    "retries": (_between(0, _MAX_RETRIES), "is no number of retries (0 to 1000)"),
    "retry_delay_s": (_between(0.1, _MAX_RETRY_DELAY_S), "is no delay (0.1 to 3600 s)"),
    "concurrency": (_between(1, _MAX_CONCURRENCY), "is no number of jobs at once (1 to 64)"),
}
"""What each field may be, and what to say of another value."""

_OPERATIONS: Final = {
    "send": "send to",
    "query": "query",
    "retrieve": "retrieve from",
    "commit": "ask for storage commitment from",
}

_COLUMNS: Final = tuple(field.name for field in fields(Peer) if field.name in peer_table.c)


def _as_row(peer: Peer) -> dict[str, Any]:
    return {name: getattr(peer, name) for name in _COLUMNS} | {"preferred_syntaxes": list(peer.preferred_syntaxes)}


def _of_row(row: RowMapping) -> Peer:
    values = {name: row[name] for name in _COLUMNS} | {"preferred_syntaxes": tuple(row["preferred_syntaxes"])}
    return Peer(**values, is_configured=True)


class Peers:
    """The configured peers, in the configuration database of a data folder.

    Kept apart from the index, so that losing an index never loses the configuration.
    """

    def __init__(self, folder: Path) -> None:
        self._engine = open_configuration(folder)

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def all(self) -> Sequence[Peer]:
        """All peers by name."""
        with read_transaction(self._engine) as connection:
            rows = connection.execute(select(peer_table).order_by(peer_table.c.name)).mappings().all()
        return [_of_row(row) for row in rows]

    def add(self, peer: Peer, instead_of: str = "") -> None:
        """Add a peer, or change the one of this name, or put it in the place of another.

        Raises ConfigurationError for an unknown context list.
        """
        if not _NAME.match(peer.name):
            raise _no_name(peer.name)
        with write_transaction(self._engine) as connection:
            check_known(connection, peer.context_list)
            connection.execute(delete(peer_table).where(peer_table.c.name.in_((peer.name, instead_of or peer.name))))
            connection.execute(insert(peer_table).values(**_as_row(peer)))

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
