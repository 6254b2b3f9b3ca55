"""Every failure of a peer is one sentence that names it and says what to do."""

from __future__ import annotations

import pytest

from radfuse.cli.failures import PeerFailed, sentence_of, talking_to
from radfuse.core.aetitle import AETitle
from radfuse.core.errors import (
    AssociationAborted,
    AssociationRejected,
    ConnectionLost,
    NoPresentationContext,
    OperationFailed,
    PeerTimeout,
    ProtocolViolation,
    WireError,
)
from radfuse.services.peers import Peer
from radfuse.wire.tls_failures import CLOSED, EXPIRED, PLAIN_ANSWER, UNTRUSTED, WRONG_HOST, failed

PACS = Peer("pacs", AETitle("PACS"), "192.0.2.7", 104)


@pytest.mark.parametrize(
    ("error", "happened", "advice"),
    [
        (AssociationRejected(1, 1, 3, ""), "does not know our AE title OURS", "Add it there, or change ours"),
        (AssociationRejected(1, 1, 7, ""), "it is not called PACS", "correct the peer's"),
        (AssociationRejected(2, 3, 2, "local limit exceeded"), "local limit exceeded", "Try again later"),
        (AssociationRejected(1, 1, 1, "no reason given"), "no reason given", "Ask those who run it"),
        (ConnectionLost("No route to host"), "cannot be reached", "192.0.2.7 port 104"),
        (PeerTimeout("the connection", 10.0), "longer than 10 s for the connection", "Settings > Limits"),
        (AssociationAborted(0, 0), "aborted the association", "Its log says why"),
        (ProtocolViolation("no PDU"), "does not speak DICOM as it should: no PDU", "is a DICOM node"),
        (NoPresentationContext("1.2.3", "1.2.4"), "does not offer 1.2.3 in 1.2.4", "Allow it there"),
        (NoPresentationContext("1.2.840.10008.5.1.4.1.1.4", ""), "does not offer MR Image Storage", "Allow it there"),
        (OperationFailed("C-FIND", 0x0124), "status 0124", "ask for the right there"),
        (OperationFailed("C-MOVE", 0xA801, "who?"), "status A801: who?", "add it there"),
        (OperationFailed("C-FIND", 0xA700), "status A700", "try again later"),
        (OperationFailed("C-FIND", 0xC001), "status C001", "Check the keys"),
        (failed(UNTRUSTED), "comes from no authority that we trust", "Settings > TLS"),
        (failed(EXPIRED), "has expired", "must replace its certificate"),
        (failed(WRONG_HOST, "192.0.2.7"), "is not for 192.0.2.7", "--tls-name"),
        (failed(PLAIN_ANSWER), "in plain DICOM", "without --tls"),
        (failed("the peer refused our certificate"), "refused our certificate", "radfuse tls show"),
        (failed(CLOSED), "closed the connection during the handshake", "log may say more"),
        (WireError(), "Radfuse could not do this", ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, WireError) else "",
)
def test_the_sentence_says_who_what_and_what_to_do(error: WireError, happened: str, advice: str) -> None:
    sentence = sentence_of(error, PACS, "OURS")
    assert sentence.startswith("pacs")
    assert sentence.endswith(".")
    assert happened in sentence
    assert advice in sentence


def test_only_failures_of_the_peer_are_explained() -> None:
    with pytest.raises(PeerFailed, match="pacs aborted"), talking_to(PACS, "OURS"):
        raise AssociationAborted(0, 0)
    with pytest.raises(KeyError), talking_to(PACS, "OURS"):
        raise KeyError
