"""Certificates for TLS: what one says, and whether ours can be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from radfuse.core.errors import ConfigurationError
from radfuse.wire.tls import TlsClient, TlsIdentity

if TYPE_CHECKING:
    # 60 ms and 10 MB that only those pay who make or read certificates.
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

WARN_DAYS: Final = 30
"""A certificate that ends sooner is spoken about."""

_MIN_RSA_BITS: Final = 2048
_MIN_EC_BITS: Final = 256
_MIN_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says. Times are in UTC."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key: str
    signature: str
    sha256: str

    def days_left(self, now: datetime) -> int:
        """Whole days until it ends; negative once it has ended."""
        return (self.not_after - now) // timedelta(days=1)

    def days_left_now(self) -> int:
        """Whole days from now."""
        return self.days_left(datetime.now(UTC))


# --- reading -------------------------------------------------------------------------------------


def read_certificate(path: Path) -> CertificateFacts:
    """What the first certificate of a PEM file says. Raises ConfigurationError."""
    from cryptography.hazmat.primitives.hashes import SHA256

    certificate = load_certificate(path)
    return CertificateFacts(
        subject=_common_name(certificate.subject),
        issuer=_common_name(certificate.issuer),
        names=_names_of(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key=_key_kind(certificate.public_key()),
        signature=certificate.signature_hash_algorithm.name.upper() if certificate.signature_hash_algorithm else "",
        sha256=certificate.fingerprint(SHA256()).hex(),
    )


def check_identity(identity: TlsIdentity, now: datetime | None = None) -> CertificateFacts:
    """Whether we can prove ourselves with this; what the certificate says.

    Raises ConfigurationError with the setting that cannot be used: files that cannot be read or do
    not belong together, a certificate that is over, not begun or too weak (PS3.15 section B.12).
    """
    TlsClient(identity)  # reads all three files and matches key and certificate
    facts, moment = read_certificate(identity.certificate), now or datetime.now(UTC)
    if facts.not_after <= moment:
        raise _unusable(identity, f"expired on {facts.not_after:%Y-%m-%d}; replace it")
    if facts.not_before > moment:
        raise _unusable(identity, f"is not valid before {facts.not_before:%Y-%m-%d}")
    certificate = load_certificate(identity.certificate)
    if (weakness := _weakness_of(certificate)) is not None:
        raise _unusable(identity, weakness)
    return facts


def _unusable(identity: TlsIdentity, what: str) -> ConfigurationError:
    return ConfigurationError("tls.certificate", f"{identity.certificate} {what}")


def _weakness_of(certificate: x509.Certificate) -> str | None:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    key, digest = certificate.public_key(), certificate.signature_hash_algorithm
    if isinstance(key, RSAPublicKey) and key.key_size < _MIN_RSA_BITS:
        return f"has an RSA key of {key.key_size} bits: {_MIN_RSA_BITS} are needed"
    if isinstance(key, EllipticCurvePublicKey) and key.key_size < _MIN_EC_BITS:
        return f"has an EC key of {key.key_size} bits: {_MIN_EC_BITS} are needed"
    if digest is not None and digest.digest_size < _MIN_DIGEST_BYTES:
        return f"is signed with {digest.name.upper()}: it needs SHA256"
    return None


def load_certificate(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file. Raises ConfigurationError."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise ConfigurationError("tls.certificate", f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigurationError("tls.certificate", f"{path} is no PEM file with a certificate") from None


def _common_name(name: x509.Name) -> str:
    from cryptography.x509.oid import NameOID

    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    hosts = names.get_values_for_type(x509.DNSName)
    return (*hosts, *map(str, names.get_values_for_type(x509.IPAddress)))


def _key_kind(key: PublicKeyTypes) -> str:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    if isinstance(key, RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.strip("_").removesuffix("PublicKey")
