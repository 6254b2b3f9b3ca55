"""What went wrong with a peer, in one sentence that says what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from radfuse.core.errors import (
    AssociationAborted,
    AssociationRejected,
    ConnectionLost,
    JobError,
    JobFailed,
    NoPresentationContext,
    OperationFailed,
    PeerTimeout,
    ProtocolViolation,
    TlsFailed,
    TransientFailure,
    WireError,
)
from radfuse.services.peers import Peer

_REJECTED_TRANSIENT: Final = 2
"""Result of A-ASSOCIATE-RJ (PS3.8 Table 9-21)."""
_UNKNOWN_CALLING: Final = (1, 3)
_UNKNOWN_CALLED: Final = (1, 7)
_CONGESTION: Final = frozenset({(3, 1), (3, 2)})
_OUT_OF_RESOURCES: Final = 0xA7
_NOT_AUTHORIZED: Final = 0x0124
_UNKNOWN_DESTINATION: Final = 0xA801


def sentence_of(error: WireError, peer: Peer, our_title: str) -> str:
    """What happened, and what to do about it."""
    explain = next((explain for kind, explain in _EXPLANATIONS if isinstance(error, kind)), None)
    return explain(error, peer, our_title) if explain else f"{peer.name}: {error}."


def job_failure(error: WireError, peer: Peer, our_title: str) -> JobError:
    """The end of a job that met ``error``: TransientFailure when another attempt may succeed, else JobFailed."""
    if isinstance(error, AssociationRejected):
        may_pass = error.result == _REJECTED_TRANSIENT
    else:
        may_pass = isinstance(error, ConnectionLost | PeerTimeout | AssociationAborted)
    return (TransientFailure if may_pass else JobFailed)(sentence_of(error, peer, our_title))


def _where(peer: Peer) -> str:
    return f"{peer.host} port {peer.port}"


def _rejected(error: AssociationRejected, peer: Peer, our_title: str) -> str:
    key = (error.source, error.reason)
    refused = f"{peer.name} refused the association"
    if key == _UNKNOWN_CALLING:
        return (
            f"{refused}: it does not know our AE title {our_title}. "
            "Add it there, or change ours with --from or in radfuse.toml."
        )
    if key == _UNKNOWN_CALLED:
        return f"{refused}: it is not called {peer.ae_title}. Ask for its AE title and correct the peer's."
    if key in _CONGESTION:
        return f"{refused}: {error.meaning}. Try again later."
    return f"{refused}: {error.meaning}. Ask those who run it whether it accepts {our_title} from this machine."


def _lost(error: ConnectionLost, peer: Peer, _our_title: str) -> str:
    reason = error.reason[:1].lower() + error.reason[1:]
    return (
        f"{peer.name} cannot be reached or has closed the connection ({reason}). "
        f"Check that a DICOM node listens at {_where(peer)} and that no firewall is between."
    )


def _timeout(error: PeerTimeout, peer: Peer, _our_title: str) -> str:
    return (
        f"{peer.name} took longer than {error.after_s:g} s for {error.waiting_for}. "
        f"Check that {_where(peer)} is a DICOM node, or allow more time in radfuse.toml ([limits])."
    )


def _aborted(_error: AssociationAborted, peer: Peer, _our_title: str) -> str:
    return f"{peer.name} aborted the association. Its log says why."


def _violation(error: ProtocolViolation, peer: Peer, _our_title: str) -> str:
    return f"{peer.name} does not speak DICOM as it should: {error.reason}. Check that {_where(peer)} is a DICOM node."


def _tls(error: TlsFailed, peer: Peer, _our_title: str) -> str:
    said = f"{peer.name}: {error} ({_where(peer)})"
    return f"{said}. {_TLS_ADVICE.get(error.remedy, 'Its log may say more.')}"


_TLS_ADVICE: Final = {
    "trust": "Add its authority's certificate to the file that [tls] authorities in radfuse.toml names.",
    "name": "Check that this is the right peer; if it is, give the name in its certificate with --tls-name.",
    "port": "Give the port on which it speaks TLS, or add it without --tls.",
    "ours": "Give our authority's certificate to those who run it; 'radfuse tls show' says what ours is.",
    "theirs": "Those who run it must replace its certificate.",
}


def _no_context(error: NoPresentationContext, peer: Peer, _our_title: str) -> str:
    what = f"SOP class {error.sop_class_uid} {error.transfer_syntax_uid}".strip()
    return f"{peer.name} does not offer {what}. Allow it there, or ask another peer."


def _failed(error: OperationFailed, peer: Peer, our_title: str) -> str:
    said = f": {error.comment}" if error.comment else ""
    answer = f"{peer.name} answered {error.operation} with status {error.status:04X}{said}"
    if error.status == _NOT_AUTHORIZED:
        return f"{answer}. It does not allow this to our AE title {our_title}: ask for the right there."
    if error.status == _UNKNOWN_DESTINATION:
        return f"{answer}. It does not know the destination's AE title: add it there."
    if error.status >> 8 == _OUT_OF_RESOURCES:
        return f"{answer}. It is out of resources: ask for less, or try again later."
    return f"{answer}. Check the keys and the level; its log says more."


_EXPLANATIONS: Final[tuple[tuple[type[WireError], Callable[..., str]], ...]] = (
    (AssociationRejected, _rejected),
    (ConnectionLost, _lost),
    (PeerTimeout, _timeout),
    (AssociationAborted, _aborted),
    (ProtocolViolation, _violation),
    (TlsFailed, _tls),
    (NoPresentationContext, _no_context),
    (OperationFailed, _failed),
)
