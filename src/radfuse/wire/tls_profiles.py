"""What is offered over TLS: the cipher suites of PS3.15 Annex B as tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class CipherSuite:
    """A cipher suite by its IANA name and by the name that OpenSSL knows it by."""

    name: str
    openssl_name: str


ECDHE_ECDSA_128: Final = CipherSuite("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256")
ECDHE_RSA_128: Final = CipherSuite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256")
ECDHE_ECDSA_256: Final = CipherSuite("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384")
ECDHE_RSA_256: Final = CipherSuite("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384")
DHE_RSA_128: Final = CipherSuite("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE-RSA-AES128-GCM-SHA256")
DHE_RSA_256: Final = CipherSuite("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE-RSA-AES256-GCM-SHA384")
RSA_CBC_128: Final = CipherSuite("TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA")
RSA_CBC_256: Final = CipherSuite("TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA")

TLS_1_3: Final = (
    CipherSuite("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
    CipherSuite("TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
    CipherSuite("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
)
"""The suites of TLS 1.3 that OpenSSL offers by default; Python's ssl cannot choose among them."""

BCP_195: Final = (ECDHE_ECDSA_128, ECDHE_RSA_128, ECDHE_ECDSA_256, ECDHE_RSA_256)
"""PS3.15 section B.12: the recommendation of RFC 9325 section 4.2."""

NON_DOWNGRADING: Final = (ECDHE_RSA_128, DHE_RSA_128, ECDHE_RSA_256, DHE_RSA_256)
"""PS3.15 section B.10 (retired in 2022): what a peer that follows it has."""

LEGACY: Final = (RSA_CBC_128, RSA_CBC_256)
"""PS3.15 section B.3 (retired in 2018), without its 3DES fallback that OpenSSL no longer has, with its stronger kin."""

OFFERED: Final = (*BCP_195, DHE_RSA_128, DHE_RSA_256)
"""What is offered in TLS 1.2, the most liked first."""

SECURITY_LEVEL: Final = 2
"""OpenSSL's: 112 bits at least, so RSA and DH from 2048 bits, EC from 224, no signature with SHA-1."""

DH_PARAMETERS: Final = Path(__file__).with_name("ffdhe2048.pem")
"""The group ffdhe2048 of RFC 7919 appendix A.1, for the DHE suites."""


def offered(*, legacy: bool) -> tuple[CipherSuite, ...]:
    """The suites offered in TLS 1.2."""
    return OFFERED + LEGACY if legacy else OFFERED


def openssl_ciphers(*, legacy: bool) -> str:
    """The same as a cipher string of OpenSSL, with the security level."""
    return ":".join([suite.openssl_name for suite in offered(legacy=legacy)] + [f"@SECLEVEL={SECURITY_LEVEL}"])
