"""The node over TLS: two ports that never mix, facts in the log, rights by certificate, an end that does not wait."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from radfuse.core.errors import ConnectionLost, TlsFailed, WireError
from radfuse.core.transfer_syntaxes import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from radfuse.node import AcceptancePolicy, NodeServer, NodeSettings
from radfuse.services.databases import Databases
from radfuse.services.peers import Peer, Peers
from radfuse.wire import Association, ProposedContext, request_association, scu
from radfuse.wire.tls import ClientCertificates, TlsAddress, TlsClient
from tests.interop.client import sent_dataset, store
from tests.node.in_process import LIMITS, InProcess, node_in_process, node_settings
from tests.support.generate import CT_IMAGE, base_instance
from tests.support.pki import Issued, Pki

CONTEXTS = [
    ProposedContext("1.2.840.10008.1.1", (IMPLICIT_LITTLE,)),
    ProposedContext(CT_IMAGE, (EXPLICIT_LITTLE,)),
]
NOT_AUTHORIZED = 0x0124


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def ours(pki: Pki) -> Issued:
    return pki.issue("node")


@pytest.fixture(scope="module")
def ct(pki: Pki) -> Issued:
    return pki.issue("scanner", ("ct1.hospital.example",))


@contextlib.contextmanager
def tls_node(folder: Path, pki: Pki, ours: Issued, **changes: object) -> Iterator[InProcess]:
    settings = replace(node_settings(), tls=ours.identity(pki.authorities), **changes)  # type: ignore[arg-type]
    with node_in_process(folder, settings) as node:
        yield node


def associate(node: InProcess, pki: Pki, shown: Issued, address: tuple[str, int] | None = None) -> Association:
    target = TlsAddress(*(address or node.tls_address), TlsClient(shown.identity(pki.authorities)))
    return request_association(target, "NODE", "CT1", CONTEXTS, LIMITS)


def test_the_certificate_of_the_client_is_in_the_line_of_its_association(
    tmp_path: Path, pki: Pki, ours: Issued, ct: Issued, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="radfuse")
    with tls_node(tmp_path, pki, ours) as node, associate(node, pki, ct) as association:
        assert store(association, sent_dataset(base_instance(CT_IMAGE, "CT", 30, 1))) == 0
    (line,) = (record for record in caplog.records if record.getMessage() == "association released")
    facts = vars(line)
    assert (facts["tls"], facts["cipher_suite"]) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert facts["certificate"] == "scanner"
    assert len(facts["certificate_sha256"]) == 64
    assert facts["stored"] == 1


def test_each_port_speaks_its_own_and_says_what_else_came(
    tmp_path: Path, pki: Pki, ours: Issued, ct: Issued, caplog: pytest.LogCaptureFixture
) -> None:
    with tls_node(tmp_path, pki, ours) as node:
        with pytest.raises(TlsFailed, match="plain DICOM"):
            associate(node, pki, ct, node.address)
        with pytest.raises(WireError):
            request_association(node.tls_address, "NODE", "CT1", CONTEXTS, LIMITS)
        with associate(node, pki, ct) as association:
            assert scu.echo(association) == 0
        with node.associate(CONTEXTS) as association:
            assert scu.echo(association) == 0
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    told = [("plain port" in message, "plain DICOM came to the TLS port" in message) for message in messages]
    assert sorted(told) == [(False, True), (True, False)]  # each by a thread of its own


@pytest.mark.parametrize(
    ("tls_name", "answer"),
    [("", 0), ("ct1.hospital.example", 0), ("scanner", 0), ("CT1.Hospital.Example", 0), ("other", NOT_AUTHORIZED)],
)
def test_the_rights_of_a_peer_with_a_certificate_name_hold_with_that_certificate_alone(
    tls_name: str, answer: int, tmp_path: Path, pki: Pki, ours: Issued, ct: Issued
) -> None:
    with tls_node(tmp_path, pki, ours, open_to_all=False) as node:
        node.peers.add(replace(Peer.parse("CT1@127.0.0.1:104", "ct1"), tls=True, tls_name=tls_name))
        with associate(node, pki, ct) as association:
            assert scu.echo(association) == 0
            assert store(association, sent_dataset(base_instance(CT_IMAGE, "CT", 30, 1))) == answer
        with node.associate(CONTEXTS, calling="CT1") as association:  # the same title and address without TLS
            sent = sent_dataset(base_instance(CT_IMAGE, "CT", 30, 2))
            assert store(association, sent) == (NOT_AUTHORIZED if tls_name else 0)


def test_a_certificate_that_nobody_asked_for_proves_nothing(tmp_path: Path, pki: Pki, ours: Issued, ct: Issued) -> None:
    changes = {"open_to_all": False, "client_certificates": ClientCertificates.NONE}
    with tls_node(tmp_path, pki, ours, **changes) as node:
        node.peers.add(replace(Peer.parse("CT1@127.0.0.1:104", "ct1"), tls=True, tls_name="ct1.hospital.example"))
        with associate(node, pki, ct) as association:
            sent = sent_dataset(base_instance(CT_IMAGE, "CT", 30, 1))
            assert store(association, sent) == NOT_AUTHORIZED


def test_a_handshake_that_stalls_keeps_nobody_else_waiting(tmp_path: Path, pki: Pki, ours: Issued, ct: Issued) -> None:
    with tls_node(tmp_path, pki, ours) as node, contextlib.ExitStack() as stack:
        for _ in range(20):
            stalled = stack.enter_context(socket.create_connection(node.tls_address, 5))
            stalled.sendall(b"\x16\x03\x01\x02\x00")
        with associate(node, pki, ct) as association:
            assert scu.echo(association) == 0


def test_stalled_handshakes_count_as_connections(tmp_path: Path, pki: Pki, ours: Issued, ct: Issued) -> None:
    limits = replace(LIMITS, artim_s=60.0)  # they stay until the end
    with tls_node(tmp_path, pki, ours, connections=2, limits=limits) as node, contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(socket.create_connection(node.tls_address, 5)).sendall(b"\x16\x03\x01\x02\x00")
        with pytest.raises((TlsFailed, ConnectionLost)):
            associate(node, pki, ct)
        with pytest.raises(WireError):
            node.associate(CONTEXTS)


def test_stopping_does_not_wait_for_a_stalled_handshake(tmp_path: Path, pki: Pki, ours: Issued) -> None:
    limits, before = replace(LIMITS, artim_s=60.0), threading.active_count()
    with contextlib.ExitStack() as stack:
        node = stack.enter_context(tls_node(tmp_path, pki, ours, limits=limits))
        sock = socket.create_connection(node.tls_address, 5)
        stack.callback(sock.close)
        sock.sendall(b"\x16\x03\x01\x02\x00")
        time.sleep(0.2)
        node.server.stop()
        ends = time.monotonic() + 20
        while threading.active_count() > before:
            assert time.monotonic() < ends, "a thread still waits for the handshake"
            time.sleep(0.05)


def test_a_port_for_tls_without_a_certificate_is_never_served_plain(tmp_path: Path) -> None:
    settings = NodeSettings(AcceptancePolicy(frozenset({"NODE"})), LIMITS, True)
    with (
        contextlib.closing(Databases({}, {})) as databases,
        contextlib.closing(Peers(tmp_path)) as peers,
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(ValueError, match="TLS"),
    ):
        NodeServer(settings, databases, peers).serve([], [listener])
