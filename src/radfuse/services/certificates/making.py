"""A small authority of one's own, which makes the certificates of this node and of its peers."""

from __future__ import annotations

import ipaddress
import os
import platform
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from radfuse.core.errors import ConfigurationError
from radfuse.services.certificates.reading import load_certificate

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

    from radfuse.services.peers import Peer

DEFAULT_DAYS: Final = 825
AUTHORITY_DAYS: Final = 3650

_KEY_BITS: Final = 3072
"""RSA, since the suites of the older profiles want it; 128 bits of strength (NIST SP 800-57)."""
_STARTS_BEFORE: Final = timedelta(days=1)
"""Certificates begin before they are made: the clocks of devices go wrong."""
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_HOST_NAME: Final = re.compile(r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\Z")
_COMMON_NAME_CHARACTERS: Final = 64
"""ub-common-name (RFC 5280 appendix A.1)."""


@dataclass(frozen=True, slots=True)
class TlsFolder:
    """The files that ``radfuse tls init`` makes."""

    root: Path

    @classmethod
    def of(cls, data_folder: Path) -> TlsFolder:
        """That of a data folder."""
        return cls(data_folder / "tls")

    @property
    def authority(self) -> Path:
        """The certificate of the authority: peers need it to trust us."""
        return self.root / "ca.pem"

    @property
    def authority_key(self) -> Path:
        """The key that makes certificates."""
        return self.root / "ca.key"

    def certificate(self, name: str = "") -> Path:
        """The node's certificate, or that of a peer."""
        return self.root / f"{_stem(name)}.pem"

    def key(self, name: str = "") -> Path:
        """Its key."""
        return self.root / f"{_stem(name)}.key"


def _stem(name: str) -> str:
    if not name:
        return "node"
    if not _FILE_NAME.match(name):
        raise ConfigurationError("--for", f"{name!r} is not a name (letters, digits, '_', '.', '-')")
    return f"peer-{name}"


def make_certificate(folder: TlsFolder, hosts: Sequence[str], days: int = DEFAULT_DAYS, peer: str = "") -> list[Path]:
    """Make what is missing of the authority, and the certificate of the node or of ``peer``; the new files.

    A file that is there is never overwritten. Raises ConfigurationError, also when there is nothing to do.
    """
    if folder.certificate(peer).exists():
        raise ConfigurationError(
            str(folder.certificate(peer)), "there is one already; move it and its key away to have a new one made"
        )
    alternatives = [_general_name(host) for host in dict.fromkeys(hosts)]
    before = _files(folder)
    folder.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not folder.authority.exists():
        _make_authority(folder)
    _issue(folder, peer or str(hosts[0]), alternatives, days, peer)
    return sorted(_files(folder) - before)


def renew_certificate(folder: TlsFolder, hosts: Sequence[str], days: int = DEFAULT_DAYS, peer: str = "") -> list[Path]:
    """Make a new key and certificate in place of the old ones, by the same authority; the files that changed.

    Whoever serves with the old ones takes the new ones for the next connection. Raises ConfigurationError.
    """
    with tempfile.TemporaryDirectory(dir=folder.root, prefix="new-") as beside:
        made = TlsFolder(Path(beside))
        for ours, copy in ((folder.authority, made.authority), (folder.authority_key, made.authority_key)):
            if ours.exists():
                os.link(ours, copy)
        make_certificate(made, hosts, days, peer)
        changed = [folder.key(peer), folder.certificate(peer)]
        for path in changed:
            (made.root / path.name).replace(path)
    return sorted(changed)


def hosts_of_node(listening_at: str) -> list[str]:
    """What a node is called by: the machine's name, loopback, and the address that it listens at."""
    own = [platform.node(), "localhost", "127.0.0.1", "::1"]
    try:
        is_any = ipaddress.ip_address(listening_at).is_unspecified
    except ValueError:
        is_any = False
    return list(dict.fromkeys(filter(None, own if is_any else [*own, listening_at])))


def hosts_of_peer(name: str, known: Iterable[Peer]) -> list[str]:
    """What a peer's certificate must be for: as it is configured, else its name alone."""
    found = next((peer for peer in known if peer.name == name), None)
    return [name] if found is None else list(dict.fromkeys(filter(None, (found.tls_name, found.host))))


def _files(folder: TlsFolder) -> set[Path]:
    return set(folder.root.iterdir()) if folder.root.is_dir() else set()


def _general_name(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not _HOST_NAME.match(host):
        raise ConfigurationError("--name", f"{host!r} is neither a host name nor an address")
    return x509.DNSName(host)


def _make_authority(folder: TlsFolder) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    key = _key(folder.authority_key)
    name = _name(f"Radfuse authority {os.urandom(4).hex()}")
    certificate = (
        _builder(name, name, key.public_key(), AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    _write_certificate(folder.authority, certificate)


def _issue(folder: TlsFolder, subject: str, alternatives: Sequence[x509.GeneralName], days: int, peer: str) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509.oid import ExtendedKeyUsageOID

    if not folder.authority_key.exists():
        raise ConfigurationError(str(folder.authority_key), "the key of the authority is not there to sign with")
    authority, authority_key = load_certificate(folder.authority), _key(folder.authority_key)
    key = _key(folder.key(peer))
    # Every DICOM node is both: a C-MOVE calls back.
    uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    certificate = (
        _builder(_name(subject), authority.subject, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(uses, critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, SHA256())
    )
    _write_certificate(folder.certificate(peer), certificate)


def _builder(subject: x509.Name, issuer: x509.Name, key: RSAPublicKey, days: int) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _STARTS_BEFORE)
        .not_valid_after(now + timedelta(days=days))
    )


def _name(common_name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_COMMON_NAME_CHARACTERS])])


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not authority,
        # RSA key exchange, which the legacy suites have.
        key_encipherment=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key(path: Path) -> RSAPrivateKey:
    """The key in a file, made if it is not there. Raises ConfigurationError."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    if path.exists():
        try:
            found = serialization.load_pem_private_key(path.read_bytes(), None)
        except (ValueError, TypeError, OSError):
            raise ConfigurationError(
                str(path), "this key cannot be read; move it away to have a new one made"
            ) from None
        if not isinstance(found, rsa.RSAPrivateKey):
            raise ConfigurationError(str(path), "this is no RSA key; move it away to have a new one made")
        return found
    key = rsa.generate_private_key(65537, _KEY_BITS)
    encoding, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    _write_new(path, key.private_bytes(encoding, kind, serialization.NoEncryption()), 0o600)
    return key


def _write_certificate(path: Path, certificate: x509.Certificate) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    _write_new(path, certificate.public_bytes(Encoding.PEM), 0o644)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is not there yet; what is there is never touched."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
