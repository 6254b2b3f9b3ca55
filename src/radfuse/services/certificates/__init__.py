"""Certificates for TLS: what one says, whether ours can be used, and a small authority that makes them."""

from radfuse.services.certificates.making import (
    DEFAULT_DAYS,
    TlsFolder,
    hosts_of_node,
    hosts_of_peer,
    make_certificate,
    renew_certificate,
)
from radfuse.services.certificates.reading import WARN_DAYS, CertificateFacts, check_identity, read_certificate

__all__ = [
    "DEFAULT_DAYS",
    "WARN_DAYS",
    "CertificateFacts",
    "TlsFolder",
    "check_identity",
    "hosts_of_node",
    "hosts_of_peer",
    "make_certificate",
    "read_certificate",
    "renew_certificate",
]
