"""Trying a connection tells the steps that went well, the one that did not, and what to do."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from radfuse.core.aetitle import AETitle
from radfuse.services.associating import Caller
from radfuse.services.peer_test import CONNECT_S, RESPONSE_S, PeerTest, try_peer, within_patience
from radfuse.services.peers import Peer
from radfuse.wire import Limits
from tests.support.pki import Pki

US = Caller("US", Limits())
PACS = Peer("pacs", AETitle("PACS"), "192.0.2.7", 104, response_s=0.3)


def steps(tried: PeerTest) -> list[tuple[str, bool]]:
    return [(step.name.value, step.is_ok) for step in tried.steps]


def test_the_certificate_of_a_tls_peer_is_told(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    ours, theirs = pki.issue("ours"), pki.issue("theirs")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki.authorities))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(theirs.certificate, theirs.key)
    entity = AE("PACS")
    entity.add_supported_context(Verification)
    server = entity.start_server(("127.0.0.1", 0), block=False, ssl_context=context)
    assert server is not None
    try:
        caller = Caller("US", Limits(), ours.identity(pki.authorities))
        peer = Peer("pacs", AETitle("PACS"), "127.0.0.1", server.server_address[1], tls=True)
        tried = try_peer(peer, caller)
        assert [step.name.value for step in tried.steps] == ["network", "TLS", "association", "echo"]
        assert "Protected with TLSv1.3" in tried.steps[1].text
        assert "the certificate is for 127.0.0.1, localhost" in tried.steps[1].text
        assert "days" in tried.steps[1].text
        stranger = Caller("US", Limits(), ours.identity(Pki(tmp_path / "other", "other").authorities))
        refused = try_peer(peer, stranger)
        assert steps(refused) == [("network", True), ("TLS", False)]
        assert "the file that 'authorities' names" in refused.failure
    finally:
        server.shutdown()


def test_a_peer_that_says_nothing_fails_at_the_association() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tried = try_peer(Peer("pacs", AETitle("PACS"), "127.0.0.1", silent.getsockname()[1], response_s=0.2), US)
    assert steps(tried) == [("network", True), ("association", False)]
    assert tried.failure.startswith("pacs took longer than 0.2 s for the answer to the association request. Check")


def test_a_peer_that_hangs_up_on_tls_fails_there(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        listener.accept()[0].close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    pki = Pki(tmp_path)
    caller = Caller("US", Limits(), pki.issue("ours").identity(pki.authorities))
    tried = try_peer(Peer("pacs", AETitle("PACS"), "127.0.0.1", listener.getsockname()[1], tls=True), caller)
    thread.join(10)
    listener.close()
    assert steps(tried) == [("network", True), ("TLS", False)]


def test_a_certificate_of_ours_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    ours = pki.issue("ours")
    caller = Caller("US", Limits(), ours.identity(pki.authorities))
    ours.key.unlink()
    tried = try_peer(Peer("pacs", AETitle("PACS"), "127.0.0.1", 104, tls=True), caller)
    assert steps(tried) == [("TLS", False)]
    assert "cannot be read" in tried.failure


def test_a_page_waits_no_longer_than_somebody_watches_it() -> None:
    patient = within_patience(PACS, US)
    assert (patient.connect_s, patient.response_s) == (CONNECT_S, 0.3)
    slow = within_patience(Peer("pacs", AETitle("PACS"), "192.0.2.7", 104, connect_s=600, response_s=600), US)
    assert (slow.connect_s, slow.response_s) == (CONNECT_S, RESPONSE_S)
