"""The node as the API sees and changes it: its settings, its certificates, how it runs."""

from __future__ import annotations

import ipaddress
import json
import os
import platform
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from radfuse import __version__
from radfuse.app.compose import tls_identity
from radfuse.app.processes import LISTENING
from radfuse.app.setting_values import check_startable, checked_changes, setting_facts
from radfuse.app.settings import Settings
from radfuse.app.settings_file import change_file, read_text, values_in
from radfuse.app.worker import is_worker_running
from radfuse.core.errors import AlreadyThere, ConfigurationError
from radfuse.services.certificates import (
    WARN_DAYS,
    TlsFolder,
    check_identity,
    hosts_of_node,
    hosts_of_peer,
    make_certificate,
    read_certificate,
    renew_certificate,
)
from radfuse.services.node_facts import CertificateOrder, NodeFacts, SettingFacts, SettingValue, TlsOffer
from radfuse.services.peers import Peers
from radfuse.wire.tls import VERSIONS, TlsIdentity, suites_offered

_MAX_DAYS = 3650


class RunningNode:
    """A ``web.NodeDesk`` over the data folder of the running settings."""

    def __init__(self, settings: Settings, peers: Peers, check: Callable[[Settings], None] | None = None) -> None:
        """``check`` raises ConfigurationError for settings that the service could not start with."""
        self._settings = settings
        self._check = check
        self._peers = peers
        self._started_s = time.time()
        self._had_certificate = _has_certificate(settings)
        self._lock = threading.Lock()

    # --- settings ----------------------------------------------------------------------------

    def settings(self) -> Sequence[SettingFacts]:
        """Every setting, as a start now would have it. Raises ConfigurationError."""
        folder = self._settings.data
        return setting_facts(self._settings, values_in(read_text(folder)))

    def change_settings(self, changes: Mapping[str, SettingValue | None]) -> None:
        """Write changes to ``radfuse.toml``; the next start uses them. Raises ConfigurationError."""
        folder = self._settings.data
        with self._lock:
            checked = checked_changes(changes, folder)
            change_file(folder, checked, lambda settings: self._check_startable(settings, checked))

    def _check_startable(self, settings: Settings, changes: Mapping[str, SettingValue | None]) -> None:
        check_startable(settings, changes)
        if self._check is not None:
            self._check(settings)

    # --- TLS ---------------------------------------------------------------------------------

    def tls(self) -> TlsOffer:
        """DICOM over TLS as it is offered, and what is wrong with it."""
        settings, identity, warning = self._settings, None, ""
        certificate = None
        try:
            identity = tls_identity(settings)
            if identity is not None:
                certificate = read_certificate(identity.certificate)
                left = check_identity(identity).days_left_now()
                if left < WARN_DAYS:
                    warning = f"The certificate ends in {left} {'day' if left == 1 else 'days'}: renew it."
        except ConfigurationError as error:
            warning = f"{error}."
        if identity is not None and not self._had_certificate and not warning:
            warning = "TLS is offered once the service is started again."
        is_offered = self._had_certificate and identity is not None
        return TlsOffer(
            is_offered=is_offered,
            port=(self._ports().get("tls") or settings.tls_port) if is_offered else settings.tls_port,
            versions=VERSIONS,
            cipher_suites=suites_offered(legacy=settings.tls.legacy),
            client_certificates=settings.tls.client_certificates.value,
            certificate=certificate,
            authorities=_authorities(identity),
            warning=warning,
        )

    def make_certificate(self, order: CertificateOrder) -> Mapping[str, Path]:
        """Have the node's own authority make a certificate; what its owner needs, by the names of the files."""
        if not 0 < order.days <= _MAX_DAYS:
            raise ConfigurationError("days", f"needs a number of days from 1 to {_MAX_DAYS}")
        folder = TlsFolder.of(self._settings.data)
        if not order.peer and (self._settings.tls.certificate or self._settings.tls.key):
            reason = "names a certificate of your own: replace its files, they are read again by themselves"
            raise ConfigurationError("tls.certificate", reason)
        with self._lock:
            self._make(folder, order)
        files = (folder.certificate(order.peer), folder.key(order.peer), folder.authority)
        return {path.name: path for path in files}

    def _make(self, folder: TlsFolder, order: CertificateOrder) -> None:
        try:
            is_there = folder.certificate(order.peer).exists()
            if is_there and not order.renew:
                raise AlreadyThere(f"a certificate of {order.peer or 'this node'}")
            make = renew_certificate if is_there else make_certificate
            make(folder, order.names or self._hosts(order.peer), order.days, order.peer)
        except ConfigurationError as error:
            # The options of the command line, by their names here.
            setting = {"--name": "names", "--for": "peer"}.get(error.setting, Path(error.setting).name)
            raise ConfigurationError(setting, error.reason) from error
        except OSError as error:
            raise ConfigurationError("tls", f"its folder cannot be written: {error.strerror}") from error

    def _hosts(self, peer: str) -> list[str]:
        if not peer:
            return hosts_of_node(self._settings.host)
        return hosts_of_peer(peer, self._peers.all())

    # --- how it runs -------------------------------------------------------------------------

    def running(self) -> NodeFacts:
        """How the service runs."""
        settings, ports = self._settings, self._ports()
        tls_port = ports.get("tls") or settings.tls_port
        http_port = ports.get("http") or settings.http_port
        scheme = "https" if settings.http_tls else "http"
        return NodeFacts(
            version=__version__,
            ae_title=settings.ae_title,
            databases=settings.database_names(),
            started_s=self._started_s,
            dicom_address=_address(settings.host, ports.get("dicom") or settings.dicom_port),
            tls_address=_address(settings.host, tls_port) if self._had_certificate else "",
            http_address=settings.public_url or f"{scheme}://{_address(settings.http_host, http_port)}",
            reserve_bytes=settings.storage.reserve_bytes,
            is_worker_running=is_worker_running(settings),
        )

    def _ports(self) -> Mapping[str, int | None]:
        """Those that the service listens on, as its supervisor says; none when this process is alone."""
        found: Mapping[str, int | None] = json.loads(os.environ.get(LISTENING, "{}"))
        return found


def _has_certificate(settings: Settings) -> bool:
    try:
        return tls_identity(settings) is not None
    except ConfigurationError:
        return False


def _authorities(identity: TlsIdentity | None) -> str:
    if identity is None:
        return ""
    return str(identity.authorities) if identity.authorities else "those of the operating system"


def _address(host: str, port: int) -> str:
    """Where to reach it; by the machine's name when it listens everywhere."""
    try:
        if ipaddress.ip_address(host).is_unspecified:
            host = platform.node()
    except ValueError:
        pass
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
