"""What is told of the running node: its settings, what it offers over TLS, where it listens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from radfuse.services.certificates import CertificateFacts

SettingValue: TypeAlias = str | int | float | bool | list[str] | dict[str, str]


class SettingKind(StrEnum):
    """What a setting can be."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    LIST = "list"
    MAP = "map"


class SettingSource(StrEnum):
    """Where the value of a setting comes from."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    """Or the command line of the service, which passes it on to its processes in the environment."""


@dataclass(frozen=True, slots=True)
class SettingFacts:
    """One setting as it stands, and what it can be."""

    key: str
    """As in ``radfuse.toml``: ``limits.pdu_s``."""
    section: str
    """``limits``; empty at the top."""
    value: SettingValue
    """What a start now would give; passwords in it are hidden."""
    default: SettingValue
    source: SettingSource
    kind: SettingKind
    choices: tuple[str, ...]
    description: str
    needs_restart: bool
    """Whether the running service still has another value."""


@dataclass(frozen=True, slots=True)
class TlsOffer:
    """DICOM over TLS as this node offers it."""

    is_offered: bool
    """By the service as it runs: what was made since it started is offered by the next start."""
    port: int
    versions: tuple[str, ...]
    cipher_suites: tuple[str, ...]
    client_certificates: str
    certificate: CertificateFacts | None
    authorities: str
    """The file with those whom we trust, for people."""
    warning: str
    """What is wrong or soon will be; empty when all is well."""


@dataclass(frozen=True, slots=True)
class CertificateOrder:
    """A certificate to be made by the node's own small authority."""

    names: tuple[str, ...] = ()
    """Names and addresses that it is for; empty: those by which its owner is known here."""
    days: int = 825
    renew: bool = False
    """Whether one that is there is replaced; its key too."""
    peer: str = ""
    """Whose it is; empty: this node's."""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """The service as it runs."""

    version: str
    ae_title: str
    databases: Mapping[str, str]
    """Our AE titles and the database of each."""
    started_s: float
    """Seconds since 1970."""
    dicom_address: str
    tls_address: str
    """Empty: not offered."""
    http_address: str
    reserve_bytes: int
    """What stays free on the volume."""
    is_worker_running: bool
