"""What ends or refuses an association."""

from __future__ import annotations

from dataclasses import dataclass

from radfuse.core.errors.tree import RadfuseError


class WireError(RadfuseError):
    """Anything that ends or refuses an association."""


@dataclass(eq=False)
class ProtocolViolation(WireError):
    """The peer broke PS3.7 or PS3.8. ``abort_reason`` is the A-ABORT reason to send."""

    reason: str
    abort_reason: int = 0
    template = "the peer broke the protocol: {reason}"


@dataclass(eq=False)
class AssociationRejected(WireError):
    """The peer answered A-ASSOCIATE-RJ (PS3.8 section 9.3.4)."""

    result: int
    source: int
    reason: int
    meaning: str
    template = "the peer rejected the association: {meaning}"


@dataclass(eq=False)
class AssociationAborted(WireError):
    """The peer, or the provider, aborted (PS3.8 section 9.3.8)."""

    source: int
    reason: int
    template = "the association was aborted (source {source}, reason {reason})"


@dataclass(eq=False)
class ConnectionLost(WireError):
    """The TCP connection is gone or could not be made."""

    reason: str
    template = "connection lost: {reason}"


@dataclass(eq=False)
class PeerTimeout(WireError):
    """The peer did not do in time what it had to."""

    waiting_for: str
    after_s: float
    template = "the peer took longer than {after_s:g} s for {waiting_for}"


@dataclass(eq=False)
class NoPresentationContext(WireError):
    """No accepted presentation context for what must be sent."""

    sop_class_uid: str
    transfer_syntax_uid: str = ""
    template = "the peer accepted no presentation context for SOP class {sop_class_uid} {transfer_syntax_uid}"


@dataclass(eq=False)
class TlsFailed(WireError):
    """No TLS connection could be made with the peer, or it was broken.

    ``remedy`` says what must be put right: "trust" (the authorities that we trust), "name" or "port" (as
    the peer is configured), "ours" or "theirs" (the certificate), or nothing in particular.
    """

    reason: str
    remedy: str = ""
    template = "no TLS connection: {reason}"


@dataclass(eq=False)
class OperationFailed(WireError):
    """A DIMSE response with a failure status (PS3.7 Annex C)."""

    operation: str
    status: int
    comment: str = ""
    template = "{operation} failed with status {status:04X} {comment}"
