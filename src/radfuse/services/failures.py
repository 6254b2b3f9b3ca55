"""What went wrong with a peer, in one sentence that says what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

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
from radfuse.core.uid_names import name_of_uid
from radfuse.services.peers import Peer

_REJECTED_TRANSIENT: Final = 2
"""Result of A-ASSOCIATE-RJ (PS3.8 Table 9-21)."""
_UNKNOWN_CALLING: Final = (1, 3)
_UNKNOWN_CALLED: Final = (1, 7)
_CONGESTION: Final = frozenset({(3, 1), (3, 2)})
_OUT_OF_RESOURCES: Final = 0xA7
_NOT_AUTHORIZED: Final = 0x0124
_UNKNOWN_DESTINATION: Final = 0xA801


class Explanation(NamedTuple):
    """What happened, without a full stop, and what to do about it: a sentence, or nothing."""

    happened: str
    cure: str


def explained(error: WireError, peer: Peer, our_title: str) -> Explanation:
    """What happened, and what to do about it."""
    explain = next((explain for kind, explain in _EXPLANATIONS if isinstance(error, kind)), None)
    return explain(error, peer, our_title) if explain else Explanation(f"{peer.name}: {error}", "")


def sentence_of(error: WireError, peer: Peer, our_title: str) -> str:
    """What happened, and what to do about it, in one breath."""
    happened, cure = explained(error, peer, our_title)
    return f"{happened}. {cure}".strip()


def job_failure(error: WireError, peer: Peer, our_title: str) -> JobError:
    """The end of a job that met ``error``: TransientFailure when another attempt may succeed, else JobFailed."""
    if isinstance(error, AssociationRejected):
        may_pass = error.result == _REJECTED_TRANSIENT
    else:
        may_pass = isinstance(error, ConnectionLost | PeerTimeout | AssociationAborted)
    return (TransientFailure if may_pass else JobFailed)(sentence_of(error, peer, our_title))


def _where(peer: Peer) -> str:
    return f"{peer.host} port {peer.port}"


def _rejected(error: AssociationRejected, peer: Peer, our_title: str) -> Explanation:
    key = (error.source, error.reason)
    refused = f"{peer.name} refused the association"
    if key == _UNKNOWN_CALLING:
        cure = (
            "Add it there, or change ours: for this peer on the page Peers (or --as, --from), "
            "for all in Settings > This node."
        )
        return Explanation(f"{refused}: it does not know our AE title {our_title}", cure)
    if key == _UNKNOWN_CALLED:
        cure = "Ask for its AE title and correct the peer's."
        return Explanation(f"{refused}: it is not called {peer.ae_title}", cure)
    if key in _CONGESTION:
        return Explanation(f"{refused}: {error.meaning}", "Try again later.")
    cure = f"Ask those who run it whether it accepts {our_title} from this machine."
    return Explanation(f"{refused}: {error.meaning}", cure)


def _lost(error: ConnectionLost, peer: Peer, _our_title: str) -> Explanation:
    reason = error.reason[:1].lower() + error.reason[1:]
    return Explanation(
        f"{peer.name} cannot be reached or has closed the connection ({reason})",
        f"Check that a DICOM node listens at {_where(peer)} and that no firewall is between.",
    )


def _timeout(error: PeerTimeout, peer: Peer, _our_title: str) -> Explanation:
    return Explanation(
        f"{peer.name} took longer than {error.after_s:g} s for {error.waiting_for}",
        f"Check that {_where(peer)} is a DICOM node, or allow more time: page Peers, or Settings > Limits.",
    )


def _aborted(_error: AssociationAborted, peer: Peer, _our_title: str) -> Explanation:
    return Explanation(f"{peer.name} aborted the association", "Its log says why.")


def _violation(error: ProtocolViolation, peer: Peer, _our_title: str) -> Explanation:
    happened = f"{peer.name} does not speak DICOM as it should: {error.reason}"
    return Explanation(happened, f"Check that {_where(peer)} is a DICOM node.")


def _tls(error: TlsFailed, peer: Peer, _our_title: str) -> Explanation:
    happened = f"{peer.name}: {error} ({_where(peer)})"
    return Explanation(happened, _TLS_ADVICE.get(error.remedy, "Its log may say more."))


_TLS_ADVICE: Final = {
    "trust": "Add its authority's certificate to the file that 'authorities' names (Settings > TLS, or radfuse.toml).",
    "name": (
        "Check that this is the right peer; if it is, its TLS name must be that in its certificate "
        "(page Peers, or --tls-name)."
    ),
    "port": "Give the port on which it speaks TLS, or turn TLS off for it (page Peers, or without --tls).",
    "ours": (
        "Give our authority's certificate to those who run it; Settings > TLS and 'radfuse tls show' say what ours is."
    ),
    "theirs": "Those who run it must replace its certificate.",
}


def _no_context(error: NoPresentationContext, peer: Peer, _our_title: str) -> Explanation:
    what = name_of_uid(error.sop_class_uid)
    if error.transfer_syntax_uid:
        what = f"{what} in {name_of_uid(error.transfer_syntax_uid)}"
    return Explanation(f"{peer.name} does not offer {what}", "Allow it there, or ask another peer.")


def _failed(error: OperationFailed, peer: Peer, our_title: str) -> Explanation:
    said = f": {error.comment}" if error.comment else ""
    answer = f"{peer.name} answered {error.operation} with status {error.status:04X}{said}"
    if error.status == _NOT_AUTHORIZED:
        return Explanation(answer, f"It does not allow this to our AE title {our_title}: ask for the right there.")
    if error.status == _UNKNOWN_DESTINATION:
        return Explanation(answer, "It does not know the destination's AE title: add it there.")
    if error.status >> 8 == _OUT_OF_RESOURCES:
        return Explanation(answer, "It is out of resources: ask for less, or try again later.")
    return Explanation(answer, "Check the keys and the level; its log says more.")


_EXPLANATIONS: Final[tuple[tuple[type[WireError], Callable[..., Explanation]], ...]] = (
    (AssociationRejected, _rejected),
    (ConnectionLost, _lost),
    (PeerTimeout, _timeout),
    (AssociationAborted, _aborted),
    (ProtocolViolation, _violation),
    (TlsFailed, _tls),
    (NoPresentationContext, _no_context),
    (OperationFailed, _failed),
)
