"""TLS on DICOM connections (PS3.15 section B.12): who we are, whom we trust, certificates that change on disk."""

from __future__ import annotations

import hashlib
import logging
import os
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

from radfuse.core.errors import ConfigurationError, TlsFailed
from radfuse.wire import tls_failures
from radfuse.wire.tls_profiles import DH_PARAMETERS, TLS_1_3, offered, openssl_ciphers
from radfuse.wire.tls_stream import TlsStream
from radfuse.wire.transport import Transport

_log = logging.getLogger(__name__)

HANDSHAKE_RECORD: Final = 0x16
"""First byte of a TLS connection (RFC 8446 section 5.1); no PDU type."""

_PDU_TYPES: Final = range(1, 8)
_MAX_PEM_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """PEM files that say who we are and whom we trust; ``legacy`` adds the suites of the retired AES profile.

    ``certificate`` may hold the chain after our own, ``authorities`` None is the operating system's store.
    """

    certificate: Path
    key: Path
    authorities: Path | None = None
    legacy: bool = False


VERSIONS: Final = ("TLS 1.3", "TLS 1.2")
"""What is offered, the most liked first."""


def suites_offered(*, legacy: bool) -> tuple[str, ...]:
    """The IANA names of the cipher suites offered in TLS 1.3 and 1.2, in the order of preference."""
    return tuple(suite.name for suite in (*TLS_1_3, *offered(legacy=legacy)))


class ClientCertificates(StrEnum):
    """What a server asks of its clients; a certificate that is shown must be good in any case."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """What the certificate of a peer says. ``names`` are in lower case, the common name among them."""

    common_name: str
    names: frozenset[str]
    sha256: str
    not_after_s: float
    """Its end, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """How a connection is protected."""

    version: str
    cipher_suite: str
    peer: PeerCertificate | None


class TlsAddress(NamedTuple):
    """Where a peer listens for TLS. Its certificate must be for ``name``; empty: for the host."""

    host: str
    port: int
    tls: TlsClient
    name: str = ""


class TlsServer:
    """Makes accepted connections TLS ones."""

    def __init__(
        self, identity: TlsIdentity, client_certificates: ClientCertificates = ClientCertificates.REQUIRED
    ) -> None:
        """Raises ConfigurationError with the setting that cannot be used."""
        self._contexts = _Contexts(identity, lambda: _server_context(identity, client_certificates))

    def wrap(self, transport: Transport, deadline_s: float) -> TlsStream | None:
        """Shake hands as server; None when the peer closed without a byte.

        Raises TlsFailed, PeerTimeout or ConnectionLost; the transport is closed then.
        """
        context = self._contexts.current()
        stream = TlsStream(transport, lambda ours, theirs: context.wrap_bio(ours, theirs, server_side=True))
        return stream if stream.handshake(deadline_s, _wrong_in_a_client) else None


def https_context(identity: TlsIdentity) -> ssl.SSLContext:
    """What a server of HTTPS shakes hands with; a certificate that changes on disk is used from then on.

    Raises ConfigurationError with the setting that cannot be used.
    """
    contexts = _Contexts(identity, lambda: _server_context(identity, ClientCertificates.NONE))
    first = contexts.current()

    def choose(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = contexts.current()

    first.sni_callback = choose
    return first


class TlsClient:
    """Makes connections to peers TLS ones."""

    def __init__(self, identity: TlsIdentity) -> None:
        """Raises ConfigurationError with the setting that cannot be used."""
        self._contexts = _Contexts(identity, lambda: _client_context(identity))

    def wrap(self, transport: Transport, server_name: str, deadline_s: float) -> TlsStream:
        """Shake hands as client with a peer whose certificate must be for ``server_name``, a host name or address.

        Raises TlsFailed, PeerTimeout or ConnectionLost; the transport is closed then.
        """
        context = self._contexts.current()
        try:
            stream = TlsStream(
                transport, lambda ours, theirs: context.wrap_bio(ours, theirs, server_hostname=server_name)
            )
        except (ValueError, TypeError):
            transport.close()
            raise TlsFailed(f"{server_name!r} is no name that a certificate can be for", "name") from None
        stream.handshake(deadline_s, _wrong_in_a_server, server_name)
        return stream


def facts_of(stream: TlsStream) -> TlsFacts:
    """How the connection is protected, after the handshake."""
    cipher = stream.tls.cipher()
    return TlsFacts(stream.tls.version() or "", cipher[0] if cipher else "", _peer_certificate(stream.tls))


def _peer_certificate(tls: ssl.SSLObject) -> PeerCertificate | None:
    encoded = tls.getpeercert(True)
    # ((("commonName", "..."),), ...) and (("DNS", "..."), ...), which the types of ssl do not say.
    decoded: Mapping[str, Any] = tls.getpeercert() or {}
    if not encoded or not decoded:
        return None
    subject = dict(pair for relative_name in decoded.get("subject", ()) for pair in relative_name)
    common_name = subject.get("commonName", "")
    alternatives = decoded.get("subjectAltName", ())
    names = {value for kind, value in alternatives if kind in ("DNS", "IP Address")} | {common_name}
    return PeerCertificate(
        common_name,
        frozenset(name.lower() for name in names if name),
        hashlib.sha256(encoded).hexdigest(),
        ssl.cert_time_to_seconds(str(decoded["notAfter"])),
    )


def _wrong_in_a_client(first_bytes: bytes) -> str | None:
    if first_bytes[0] == HANDSHAKE_RECORD:
        return None
    return tls_failures.PLAIN_DICOM if first_bytes[0] in _PDU_TYPES else tls_failures.NOT_TLS


def _wrong_in_a_server(first_bytes: bytes) -> str | None:
    return tls_failures.PLAIN_ANSWER if first_bytes[0] in _PDU_TYPES else None


# --- contexts --------------------------------------------------------------------------------


class _Contexts:
    """The context for new connections; made anew when a file has changed, kept when the new one is broken."""

    def __init__(self, identity: TlsIdentity, make: Callable[[], ssl.SSLContext]) -> None:
        authorities = str(identity.authorities) if identity.authorities else ssl.get_default_verify_paths().cafile
        self._files = tuple(filter(None, (str(identity.certificate), str(identity.key), authorities)))
        self._make = make
        self._lock = threading.Lock()
        self._seen = self._state()
        self._context = make()

    def current(self) -> ssl.SSLContext:
        """The context of the files as they are now, or as they last could be used."""
        if self._state() != self._seen:
            with self._lock:
                state = self._state()
                if state != self._seen:
                    self._seen = state
                    self._reload()
        return self._context

    def _reload(self) -> None:
        try:
            self._context = self._make()
        except ConfigurationError as error:
            _log.error("TLS files were changed and cannot be used, the old ones stay in use: %s", error)
        else:
            _log.info("TLS files were changed; new connections use them")

    def _state(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_state_of(path) for path in self._files)


def _state_of(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _server_context(identity: TlsIdentity, client_certificates: ClientCertificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # A session that is resumed would not be asked for a certificate again.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.load_dh_params(str(DH_PARAMETERS))
    context.verify_mode = {
        ClientCertificates.REQUIRED: ssl.CERT_REQUIRED,
        ClientCertificates.OPTIONAL: ssl.CERT_OPTIONAL,
        ClientCertificates.NONE: ssl.CERT_NONE,
    }[client_certificates]
    return _complete(context, identity, ssl.Purpose.CLIENT_AUTH)


def _client_context(identity: TlsIdentity) -> ssl.SSLContext:
    return _complete(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), identity, ssl.Purpose.SERVER_AUTH)


def _complete(context: ssl.SSLContext, identity: TlsIdentity, purpose: ssl.Purpose) -> ssl.SSLContext:
    """``context`` with what both sides have; ConfigurationError with the setting that cannot be used."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_ciphers(openssl_ciphers(legacy=identity.legacy))
    _pem("tls.certificate", identity.certificate, b"-----BEGIN CERTIFICATE-----")
    if b"ENCRYPTED" in _pem("tls.key", identity.key, b"PRIVATE KEY-----"):
        reason = f"{identity.key} is protected by a password; give a key that is not, readable by Radfuse alone"
        raise ConfigurationError("tls.key", reason)
    try:
        context.load_cert_chain(identity.certificate, identity.key)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise _unusable(error, identity) from None
    if identity.authorities is None:
        context.load_default_certs(purpose)
        return context
    authorities = _pem("tls.authorities", identity.authorities, b"-----BEGIN ")
    try:
        context.load_verify_locations(identity.authorities)
    except (ssl.SSLError, OSError) as error:
        reason = f"{identity.authorities} holds no certificates that can be read ({_word(error)})"
        raise ConfigurationError("tls.authorities", reason) from None
    # Certificates that are listed are trusted as they are, without the authorities above them.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if b"-----BEGIN X509 CRL-----" in authorities:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def _pem(setting: str, path: Path, mark: bytes) -> bytes:
    """The content of a PEM file. ConfigurationError when it cannot be read or is none."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_PEM_BYTES)
    except OSError as error:
        raise ConfigurationError(setting, f"{path} cannot be read: {error.strerror}") from None
    if mark not in content:
        raise ConfigurationError(setting, f"{path} is no PEM file with {_KIND_OF_FILE[setting]}")
    return content


_KIND_OF_FILE: Final = {
    "tls.certificate": "a certificate",
    "tls.key": "a private key",
    "tls.authorities": "certificates",
}

_REASONS: Final = {
    "KEY_VALUES_MISMATCH": ("tls.key", "{key} does not belong to {certificate}"),
    "EE_KEY_TOO_SMALL": ("tls.certificate", "{certificate} has a weak key: RSA needs 2048 bits, EC 256"),
    "CA_KEY_TOO_SMALL": ("tls.certificate", "{certificate} holds a weak key: RSA needs 2048 bits, EC 256"),
    "CA_MD_TOO_WEAK": ("tls.certificate", "{certificate} is signed with SHA-1 or weaker: it needs SHA-256"),
}


def _unusable(error: Exception, identity: TlsIdentity) -> ConfigurationError:
    """Why certificate and key cannot be used together."""
    setting, reason = _REASONS.get(getattr(error, "reason", None) or "", ("", ""))
    if not setting:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(identity.certificate)
        except (ssl.SSLError, OSError):
            setting, reason = "tls.certificate", "{certificate} cannot be read: it is damaged"
        else:
            setting, reason = "tls.key", "{key} cannot be read: it is damaged, or of a kind that OpenSSL does not know"
    return ConfigurationError(setting, reason.format(key=identity.key, certificate=identity.certificate))


def _word(error: Exception) -> str:
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__).lower()
