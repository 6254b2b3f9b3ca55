"""Why there is no TLS connection, in words for people."""

from __future__ import annotations

import ssl
from typing import Final

from radfuse.core.errors import TlsFailed

TOO_OLD: Final = "the peer offers only versions before TLS 1.2"
NOTHING_IN_COMMON: Final = "the peer offers none of our cipher suites"
NO_CERTIFICATE: Final = "the peer showed no certificate"
NOT_TLS: Final = "what the peer sent is not TLS"
PLAIN_DICOM: Final = "plain DICOM came to the TLS port"
PLAIN_ANSWER: Final = "the peer answered in plain DICOM: this is not its TLS port"
CLOSED: Final = "the peer closed the connection during the handshake"
UNTRUSTED: Final = "the peer's certificate comes from no authority that we trust"
EXPIRED: Final = "the peer's certificate, or that of its authority, has expired"
NOT_YET_VALID: Final = "the peer's certificate is not valid yet (is one of the clocks wrong?)"
SELF_SIGNED: Final = "the peer's certificate is self-signed and not one that we trust"
REVOKED: Final = "the peer's certificate has been revoked"
WRONG_PURPOSE: Final = "the peer's certificate is not for this use (extended key usage)"
WRONG_HOST: Final = "the peer's certificate is not for {host}"
WEAK_KEY: Final = "the peer's certificate has a weak key (RSA needs 2048 bits, EC 256)"
WEAK_SIGNATURE: Final = "the peer's certificate is signed with SHA-1 or weaker (it needs SHA-256)"

_BY_VERIFY_CODE: Final = {
    3: "an authority is missing its certificate revocation list",
    9: NOT_YET_VALID,
    10: EXPIRED,
    12: "a certificate revocation list has expired",
    18: SELF_SIGNED,
    19: UNTRUSTED,
    20: UNTRUSTED,
    21: UNTRUSTED,
    23: REVOKED,
    26: WRONG_PURPOSE,
    62: WRONG_HOST,
    64: WRONG_HOST,
    66: WEAK_KEY,
    67: WEAK_KEY,
    68: WEAK_SIGNATURE,
}
"""X509_V_ERR codes of OpenSSL (x509_vfy.h)."""

_BY_REASON: Final = {
    "UNSUPPORTED_PROTOCOL": TOO_OLD,
    "VERSION_TOO_LOW": TOO_OLD,
    "INAPPROPRIATE_FALLBACK": "the peer falls back to an older version of TLS",
    "NO_SHARED_CIPHER": NOTHING_IN_COMMON,
    "WRONG_CIPHER_RETURNED": NOTHING_IN_COMMON,
    "NO_SUITABLE_KEY_SHARE": NOTHING_IN_COMMON,
    "NO_SUITABLE_GROUPS": NOTHING_IN_COMMON,
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "the peer takes no signature that our certificate can make",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": NO_CERTIFICATE,
    "WRONG_CURVE": WEAK_KEY,
    "DH_KEY_TOO_SMALL": "the peer wants Diffie-Hellman with a group below 2048 bits",
    "EE_KEY_TOO_SMALL": WEAK_KEY,
    "CA_KEY_TOO_SMALL": WEAK_KEY,
    "CA_MD_TOO_WEAK": WEAK_SIGNATURE,
    "WRONG_SIGNATURE_TYPE": "the peer signs with an algorithm that is too weak",
    "WRONG_VERSION_NUMBER": NOT_TLS,
    "HTTP_REQUEST": NOT_TLS,
    "RECORD_LAYER_FAILURE": "the bytes on the way were changed",
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": "the bytes on the way were changed",
    # What the other side says about us.
    "TLSV1_ALERT_PROTOCOL_VERSION": TOO_OLD,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the peer refused: no cipher suite in common, or it wants another certificate",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "the peer refused: it wants stronger cipher suites than ours",
    "TLSV1_ALERT_UNKNOWN_CA": "the peer refused our certificate: it does not trust the authority",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the peer refused our certificate",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "the peer refused our certificate: not a kind or use that it takes",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "the peer refused our certificate: it says that it was revoked",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the peer refused our certificate: it has expired",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the peer refused our certificate",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the peer wants a certificate of ours and got none",
    "TLSV1_ALERT_ACCESS_DENIED": "the peer denied access",
    "TLSV1_ALERT_DECRYPT_ERROR": "the peer could not check our certificate",
    "TLSV1_UNRECOGNIZED_NAME": "the peer does not know the name that it was called by",
}
"""Reasons of OpenSSL (sslerr.h), as Python's ssl names them."""


_REMEDIES: Final = {
    UNTRUSTED: "trust",
    SELF_SIGNED: "trust",
    EXPIRED: "theirs",
    NOT_YET_VALID: "theirs",
    REVOKED: "theirs",
    WRONG_PURPOSE: "theirs",
    WEAK_KEY: "theirs",
    WEAK_SIGNATURE: "theirs",
    WRONG_HOST: "name",
    PLAIN_ANSWER: "port",
    NOT_TLS: "port",
}


def failed(sentence: str, host: str = "") -> TlsFailed:
    """The error that says one of the sentences above, with the kind of its remedy."""
    remedy = _REMEDIES.get(sentence, "ours" if "refused our certificate" in sentence else "")
    return TlsFailed(sentence.format(host=host) if sentence is WRONG_HOST else sentence, remedy)


def failure_of(error: ssl.SSLError, host: str = "") -> TlsFailed:
    """Why there is no TLS connection; ``host`` is the name that the peer's certificate had to carry."""
    return failed(_sentence_of(error), host)


def _sentence_of(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code:
        unknown = f"the peer's certificate cannot be trusted: {error.verify_message}"
        return _BY_VERIFY_CODE.get(error.verify_code, unknown)
    reason: str | None = error.reason
    if isinstance(error, ssl.SSLEOFError):
        return CLOSED
    if not reason:
        return type(error).__name__
    return _BY_REASON.get(reason) or reason.lower().replace("_", " ")
