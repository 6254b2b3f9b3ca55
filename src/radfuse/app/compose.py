"""Composition: settings in, the parts of a running node out. Knows every concrete class."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from sqlalchemy.exc import DBAPIError

from radfuse.app.settings import Settings
from radfuse.archive import Archive, ArchiveSettings, SpaceGuard
from radfuse.core.aetitle import AETitle
from radfuse.core.errors import ConfigurationError, FolderInUse
from radfuse.jobs import Jobs
from radfuse.services.access_log import AccessLog
from radfuse.services.associating import Caller, title_to
from radfuse.services.certificates import TlsFolder
from radfuse.services.context_lists import ContextLists
from radfuse.services.databases import DEFAULT_DATABASE, Databases, database_folder
from radfuse.services.peers import Peer, Peers
from radfuse.services.users import Accounts
from radfuse.services.workspaces import Workspaces
from radfuse.wire import Limits
from radfuse.wire.tls import TlsIdentity

_BACKLOG = 512


def archive_settings(settings: Settings, database: str = DEFAULT_DATABASE) -> ArchiveSettings:
    """The settings of one database's archive."""
    return ArchiveSettings(
        folder=database_folder(settings.data, database),
        index_url=settings.index_url if database == DEFAULT_DATABASE else "",
        duplicate_policy=settings.storage.duplicates,
        object_limit_bytes=settings.storage.object_limit_bytes,
        space=SpaceGuard(settings.storage.reserve_bytes),
        volume_cache_bytes=settings.volume_cache_bytes,
    )


def open_archive(settings: Settings, database: str = DEFAULT_DATABASE) -> Archive:
    """One database's archive, opened and put right after a crash."""
    settings.data.mkdir(parents=True, exist_ok=True)
    return Archive(archive_settings(settings, database))


def open_peers(settings: Settings) -> Peers:
    """The peers of the data folder."""
    settings.data.mkdir(parents=True, exist_ok=True)
    return Peers(settings.data)


def open_context_lists(settings: Settings) -> ContextLists:
    """The context lists of the data folder."""
    settings.data.mkdir(parents=True, exist_ok=True)
    return ContextLists(settings.data)


def open_accounts(settings: Settings) -> Accounts:
    """The users of the data folder, their sessions and tokens."""
    settings.data.mkdir(parents=True, exist_ok=True)
    sessions = settings.sessions
    return Accounts.open(settings.data, sessions.idle_minutes * 60, sessions.hours * 3600)


def open_access_log(settings: Settings) -> AccessLog:
    """The access log of the data folder."""
    settings.data.mkdir(parents=True, exist_ok=True)
    return AccessLog(settings.data, settings.access_log_days)


def open_workspaces(settings: Settings) -> Workspaces:
    """The drafts of the data folder."""
    settings.data.mkdir(parents=True, exist_ok=True)
    return Workspaces(settings.data, settings.workspace_days)


def open_jobs(settings: Settings) -> Jobs:
    """The durable jobs of the data folder, or of the database that the settings name.

    Raises ConfigurationError when that one cannot be used.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    if not settings.jobs_url:
        return Jobs(settings.data)
    try:
        return Jobs(settings.jobs_url)
    except ConfigurationError as error:
        raise ConfigurationError("jobs_url", error.reason) from error
    except DBAPIError as error:
        raise ConfigurationError("jobs_url", f"the database does not answer: {error.orig}") from error


def our_caller(settings: Settings, peer: Peer, ae_title: str = "") -> Caller:
    """Who we are to ``peer``: ``ae_title``, or what its configuration says."""
    title = ae_title or title_to(peer, settings.ae_title, settings.workstation_ae_title)
    return Caller(title, wire_limits(settings), tls_identity(settings))


def tls_identity(settings: Settings) -> TlsIdentity | None:
    """What we prove ourselves with over TLS; None while there is no certificate. Raises ConfigurationError."""
    tls, folder = settings.tls, settings.data
    authorities = folder / tls.authorities if tls.authorities else None
    if tls.certificate or tls.key:
        for name in ("certificate", "key"):
            if not getattr(tls, name):
                raise ConfigurationError(f"tls.{name}", "certificate and key belong together: give both or none")
        return TlsIdentity(folder / tls.certificate, folder / tls.key, authorities, tls.legacy)
    made = TlsFolder.of(folder)
    if not made.certificate().exists():
        return None
    return TlsIdentity(made.certificate(), made.key(), authorities or made.authority, tls.legacy)


def open_databases(settings: Settings) -> Databases:
    """All archives of the node by AE title."""
    names = settings.database_names()
    return Databases(
        {AETitle(title): name for title, name in names.items()},
        {name: archive_settings(settings, name) for name in set(names.values())},
    )


def wire_limits(settings: Settings) -> Limits:
    """The deadlines of the settings as the wire's limits."""
    limits = settings.limits
    standard = Limits()
    return dataclasses.replace(
        standard,
        artim_s=limits.artim_s,
        close_wait_s=min(limits.artim_s, standard.close_wait_s),
        pdu_deadline_s=limits.pdu_s,
        idle_s=limits.idle_s,
        response_s=limits.response_s,
        connect_s=limits.connect_s,
    )


def listen(settings: Settings, setting: Literal["dicom_port", "http_port", "tls_port"] = "dicom_port") -> socket.socket:
    """The listening socket for DICOM, plain or over TLS, or for HTTP.

    Raises ConfigurationError when the port cannot be had.
    """
    port: int = getattr(settings, setting)
    host = settings.http_host if setting == "http_port" else settings.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        reason = f"cannot listen on {host} port {port}: {error.strerror}"
        raise ConfigurationError(setting, reason) from error
    return listener


@contextlib.contextmanager
def data_folder_lock(folder: Path) -> Iterator[None]:
    """Hold the data folder for one service. Raises FolderInUse when another one has it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / "radfuse.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUse(str(folder)) from error
        yield
    finally:
        os.close(file)
