"""Certificates for tests, good ones and bad ones, made in a moment."""

from __future__ import annotations

import ipaddress
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from radfuse.wire.tls import TlsIdentity

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
LOOPBACK = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Issued:
    """A certificate, its key and their files."""

    certificate: Path
    key: Path
    parsed: x509.Certificate
    private: Key

    def identity(self, authorities: Path | None, *, legacy: bool = False) -> TlsIdentity:
        """Who has it, and trusts ``authorities``."""
        return TlsIdentity(self.certificate, self.key, authorities, legacy)


def new_key(kind: str) -> Key:
    """A key: ec256, ec224, rsa1024, rsa2048 …"""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    return ec.generate_private_key({"ec256": ec.SECP256R1, "ec224": ec.SECP224R1}[kind]())


class Pki:
    """An authority and what it issues, in a folder."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        key = new_key("ec256")
        self._authority = self._write(name, key, self._builder(name, name, key).sign(key, hashes.SHA256()))
        self.authorities = self._authority.certificate

    def issue(
        self,
        name: str,
        hosts: tuple[str, ...] = LOOPBACK,
        *,
        key: str = "ec256",
        ends: timedelta = timedelta(days=1),
        self_signed: bool = False,
        uses: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
    ) -> Issued:
        """A certificate for ``hosts`` (with none: for its common name ``name``) that ends ``ends`` from now."""
        private = new_key(key)
        issuer, signer = (name, private) if self_signed else (self._authority.certificate.stem, self._authority.private)
        builder = self._builder(name, issuer, private, ends, authority=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_alternative, hosts))), critical=False)
        return self._write(name, private, builder.sign(signer, hashes.SHA256()))

    def issue_with_sha1(self, name: str) -> Issued:
        """A certificate that is signed with SHA-1, which only the program openssl still does."""
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("openssl is not installed (apt-get install openssl)")
        issued = self.issue(name)
        request = subprocess.run(
            [openssl, "req", "-new", "-key", str(issued.key), "-subj", f"/CN={name}"], capture_output=True, check=True
        )
        extensions = self.folder / "extensions"
        extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        signer = ["-CA", str(self.authorities), "-CAkey", str(self._authority.key), "-CAcreateserial"]
        made = ["-sha1", "-days", "1", "-extfile", str(extensions), "-out", str(issued.certificate)]
        subprocess.run([openssl, "x509", "-req", *signer, *made], input=request.stdout, capture_output=True, check=True)
        return issued

    def revocation_list(self, *revoked: Issued) -> bytes:
        """The list of the certificates that the authority takes back, as PEM."""
        now = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder(_name(self._authority.certificate.stem))
        builder = builder.last_update(now - timedelta(days=1)).next_update(now + timedelta(days=1))
        for issued in revoked:
            entry = x509.RevokedCertificateBuilder(issued.parsed.serial_number, now - timedelta(hours=1)).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self._authority.private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _builder(
        self,
        subject: str,
        issuer: str,
        key: Key,
        ends: timedelta = timedelta(days=1),
        *,
        authority: bool = True,
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(_name(issuer), _name(subject), key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now + ends - timedelta(days=30)).not_valid_after(now + ends)
        return builder.add_extension(x509.BasicConstraints(authority, None), critical=True)

    def _write(self, name: str, key: Key, certificate: x509.Certificate) -> Issued:
        issued = Issued(self.folder / f"{name}.pem", self.folder / f"{name}.key", certificate, key)
        issued.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        issued.key.write_bytes(_pem_of(key))
        return issued


def _pem_of(key: Key, password: bytes | None = None) -> bytes:
    protection: Any = serialization.NoEncryption()
    if password is not None:
        protection = serialization.BestAvailableEncryption(password)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def protect(issued: Issued, password: bytes = b"secret") -> None:
    """Write the key again, with a password."""
    issued.key.write_bytes(_pem_of(issued.private, password))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
