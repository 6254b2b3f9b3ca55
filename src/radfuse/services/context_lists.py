"""Named lists of the presentation contexts that a send may propose: ``dbx``, ``xd``, and own ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select

from radfuse.core.errors import ConfigurationError
from radfuse.core.sop_classes import STORAGE_CLASS_NAMES
from radfuse.core.transfer_syntaxes import (
    DEFLATED_LITTLE,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_SV1,
)
from radfuse.core.uids import is_valid_uid
from radfuse.db import (
    read_transaction,
    write_transaction,
)
from radfuse.services.config_schema import context_list_table, open_configuration, peer_table

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class ContextList:
    """What a send may propose: SOP classes, each in these transfer syntaxes, the preferred ones first."""

    name: str
    sop_classes: tuple[str, ...]
    transfer_syntaxes: tuple[str, ...]
    storage_negotiation: bool = False
    """Whether the extended negotiation of the storage service goes with it (PS3.4 section B.3.1)."""

    def __post_init__(self) -> None:
        """Raise ConfigurationError naming what cannot be proposed."""
        if not _NAME.match(self.name):
            raise ConfigurationError("context_list", f"{self.name!r} is not a name (letters, digits, '_', '.', '-')")
        _check_uids("sop_classes", self.sop_classes)
        _check_uids("transfer_syntaxes", self.transfer_syntaxes)


def _check_uids(key: str, uids: tuple[str, ...]) -> None:
    if not uids:
        raise ConfigurationError(key, "the list is empty; name at least one")
    for uid in uids:
        if not is_valid_uid(uid):
            raise ConfigurationError(key, f"{uid!r} is not a UID")
    if len(set(uids)) < len(uids):
        raise ConfigurationError(key, "a UID is there twice")


DBX: Final = ContextList(
    "dbx",
    tuple(STORAGE_CLASS_NAMES),
    (
        EXPLICIT_LITTLE,
        IMPLICIT_LITTLE,
        DEFLATED_LITTLE,
        JPEG_LOSSLESS_SV1,
        JPEG_LOSSLESS,
        JPEG_2000_LOSSLESS,
        JPEG_2000,
        JPEG_BASELINE,
        JPEG_EXTENDED,
    ),
)
"""The archive's: 102 classes in nine syntaxes (seed 000 Table 7)."""

XD: Final = ContextList(
    "xd",
    (
        "1.2.840.10008.5.1.4.1.1.2",  # CT Image
        "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT Image
        "1.2.840.10008.5.1.4.1.1.4",  # MR Image
        "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR Image
        "1.2.840.10008.5.1.4.1.1.20",  # Nuclear Medicine Image
        "1.2.840.10008.5.1.4.1.1.128",  # Positron Emission Tomography Image
        "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture Image
        "1.2.840.10008.5.1.4.1.1.7.1",  # Multi-frame Single Bit Secondary Capture Image
        "1.2.840.10008.5.1.4.1.1.7.2",  # Multi-frame Grayscale Byte Secondary Capture Image
        "1.2.840.10008.5.1.4.1.1.7.3",  # Multi-frame Grayscale Word Secondary Capture Image
        "1.2.840.10008.5.1.4.1.1.7.4",  # Multi-frame True Color Secondary Capture Image
        "1.2.840.10008.5.1.4.1.1.66.1",  # Spatial Registration
        "1.2.840.10008.5.1.4.1.1.66.3",  # Deformable Spatial Registration
        "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
        "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
        "1.2.840.10008.5.1.4.1.1.481.3",  # RT Structure Set
    ),
    (IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG),
    storage_negotiation=True,
)
"""The workstation's: the 16 classes of seed 001 Table 3, uncompressed, big endian last, and its note."""

BUILT_IN: Final = {DBX.name: DBX, XD.name: XD}


class ContextLists:
    """The context lists of a data folder: the built-in ones, edited or not, and own ones."""

    def __init__(self, folder: Path) -> None:
        self._engine = open_configuration(folder)

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def all(self) -> Sequence[ContextList]:
        """All lists by name."""
        with read_transaction(self._engine) as connection:
            rows = connection.execute(select(context_list_table)).all()
        stored = {row.name: _of_row(row) for row in rows}
        return [known for _, known in sorted((BUILT_IN | stored).items())]

    def get(self, name: str) -> ContextList:
        """The list of this name. Raises ConfigurationError when there is none."""
        known = {known.name: known for known in self.all()}
        if name not in known:
            raise _unknown(name, known)
        return known[name]

    def put(self, changed: ContextList) -> None:
        """Keep a list under its name, in place of the one that has it."""
        with write_transaction(self._engine) as connection:
            _forget(connection, changed.name)
            connection.execute(
                insert(context_list_table).values(
                    name=changed.name,
                    sop_classes=list(changed.sop_classes),
                    transfer_syntaxes=list(changed.transfer_syntaxes),
                    storage_negotiation=changed.storage_negotiation,
                )
            )

    def reset(self, name: str) -> None:
        """Make a built-in list what it was, and remove an own one.

        Raises ConfigurationError for an unknown list, and for an own one that a peer uses.
        """
        with write_transaction(self._engine) as connection:
            known = known_names(connection)
            if name not in known:
                raise _unknown(name, known)
            users = connection.scalars(select(peer_table.c.name).where(peer_table.c.context_list == name)).all()
            if users and name not in BUILT_IN:
                raise ConfigurationError("context_list", f"{name!r} is used by the peers {', '.join(sorted(users))}")
            _forget(connection, name)


def _of_row(row: Row[Any]) -> ContextList:
    return ContextList(row.name, tuple(row.sop_classes), tuple(row.transfer_syntaxes), row.storage_negotiation)


def known_names(connection: Connection) -> set[str]:
    """The names of all lists, in an open transaction on the configuration database."""
    return set(BUILT_IN) | set(connection.scalars(select(context_list_table.c.name)))


def check_known(connection: Connection, name: str) -> None:
    """Raise ConfigurationError when no list has this name."""
    known = known_names(connection)
    if name not in known:
        raise _unknown(name, known)


def _unknown(name: str, known: Iterable[str]) -> ConfigurationError:
    return ConfigurationError("context_list", f"no context list {name!r}; known are {', '.join(sorted(known))}")


def _forget(connection: Connection, name: str) -> None:
    connection.execute(delete(context_list_table).where(context_list_table.c.name == name))
