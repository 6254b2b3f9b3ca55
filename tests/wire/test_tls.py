"""TLS on DICOM connections: what is offered, who is refused and how that is said, files that change."""

from __future__ import annotations

import base64
import contextlib
import csv
import logging
import os
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from radfuse.core.errors import ConfigurationError, ConnectionLost, PeerTimeout, ProtocolViolation, TlsFailed, WireError
from radfuse.wire import Association, Limits, accept_association, request_association, scu
from radfuse.wire.pdu import encode
from radfuse.wire.tls import ClientCertificates, TlsAddress, TlsClient, TlsIdentity, TlsServer
from radfuse.wire.tls_failures import (
    CLOSED,
    EXPIRED,
    NO_CERTIFICATE,
    NOT_TLS,
    NOTHING_IN_COMMON,
    PLAIN_ANSWER,
    PLAIN_DICOM,
    REVOKED,
    SELF_SIGNED,
    TOO_OLD,
    UNTRUSTED,
    WEAK_KEY,
    WEAK_SIGNATURE,
    WRONG_HOST,
    WRONG_PURPOSE,
)
from radfuse.wire.tls_profiles import (
    BCP_195,
    DH_PARAMETERS,
    LEGACY,
    NON_DOWNGRADING,
    OFFERED,
    TLS_1_3,
    openssl_ciphers,
)
from radfuse.wire.tls_stream import TlsStream
from radfuse.wire.transport import Transport
from tests.support.pki import Issued, Pki, protect
from tests.wire.scenes import CONTEXTS, CT, AcceptsAll, Store, associate_rq

HANDSHAKE = Limits(artim_s=5.0, close_wait_s=0.5, connect_s=5.0, pdu_deadline_s=5.0, idle_s=5.0, response_s=5.0)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """An authority that both sides trust."""
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def node(pki: Pki) -> Issued:
    return pki.issue("node")


@pytest.fixture(scope="module")
def rsa_node(pki: Pki) -> Issued:
    return pki.issue("rsa-node", key="rsa2048")


@pytest.fixture(scope="module")
def peer(pki: Pki) -> Issued:
    return pki.issue("peer", ("peer.hospital.example", "10.0.0.7"))


@dataclass
class Scp:
    """A TLS node of ours that answers anything with success."""

    address: tuple[str, int]
    store: Store
    associations: list[Association]
    errors: list[WireError | None]
    """What ended each connection, None for a release or nothing at all."""
    _threads: list[threading.Thread]

    def only_error(self) -> str:
        """The sentence of the one connection that there was."""
        ends = time.monotonic() + 10
        while not self.errors:
            assert time.monotonic() < ends
            time.sleep(0.01)
        assert len(self.errors) == 1
        return str(self.errors[0])


@contextlib.contextmanager
def scp(tls: TlsServer | None, limits: Limits = HANDSHAKE) -> Iterator[Scp]:
    """A node that serves each connection in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    running = Scp(listener.getsockname(), Store(), [], [], [])

    def serve(sock: socket.socket, address: tuple[str, int]) -> None:
        try:
            association = accept_association(sock, address, AcceptsAll(), limits, tls)
            if association is not None:
                running.associations.append(association)
                with association:
                    while (message := association.receive_command()) is not None:
                        running.store(association, message)
            running.errors.append(None)
        except WireError as error:
            running.errors.append(error)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, address = listener.accept()
                thread = threading.Thread(target=serve, args=(sock, address))
                running._threads.append(thread)
                thread.start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield running
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(10)
        for thread in running._threads:
            thread.join(15)
            assert not thread.is_alive()


def associated(address: tuple[str, int], identity: TlsIdentity, name: str = "") -> Association:
    target = TlsAddress(*address, TlsClient(identity), name)
    return request_association(target, "NODE", "TEST", CONTEXTS, HANDSHAKE)


def python_context(pki: Pki, shown: Issued | None, *, server: bool = False) -> ssl.SSLContext:
    """What an ordinary peer written with Python's ssl has; nothing of ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(pki.authorities)
    if server:
        context.verify_mode = ssl.CERT_REQUIRED
    if shown is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    return context


# --- tables ----------------------------------------------------------------------------------


def test_the_suites_are_those_of_the_profiles(conformance_tables: Path) -> None:
    with (conformance_tables / "tls_profiles.csv").open(encoding="utf-8") as file:
        rows = {row["ps3_15"]: row["cipher_suites"].split(";") for row in csv.DictReader(file)}
    assert {suite.name for suite in BCP_195} == set(rows["B.12"])
    assert {suite.name for suite in NON_DOWNGRADING} == set(rows["B.10"])
    assert set(rows["B.12"]) | set(rows["B.10"]) == {suite.name for suite in OFFERED}
    assert set(rows["B.11"]) == {suite.name for suite in OFFERED}  # the Extended profile, which is closed, holds too
    # AES TLS, of which no OpenSSL has the fallback.
    assert set(rows["B.3"]) - {suite.name for suite in LEGACY} == {"TLS_RSA_WITH_3DES_EDE_CBC_SHA"}


@pytest.mark.parametrize("legacy", [False, True])
def test_openssl_knows_all_suites_and_offers_no_other(legacy: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(openssl_ciphers(legacy=legacy))
    wanted = [suite.openssl_name for suite in (*TLS_1_3, *OFFERED, *(LEGACY if legacy else ()))]
    assert [cipher["name"] for cipher in context.get_ciphers()] == wanted
    assert context.security_level == 2


def test_3des_cannot_be_offered() -> None:
    with pytest.raises(ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers("DES-CBC3-SHA:@SECLEVEL=0")


def test_the_diffie_hellman_group_is_that_of_the_rfc() -> None:
    text = "".join(line for line in DH_PARAMETERS.read_text().splitlines() if not line.startswith("-"))
    encoded = base64.b64decode(text)
    # DHParameter of PKCS #3: a SEQUENCE of the INTEGERs p (257 bytes) and g (1 byte).
    assert (encoded[:8], encoded[265:]) == (bytes.fromhex("3082010802820101"), bytes.fromhex("020102"))
    # RFC 7919 appendix A.1: p = 2^2048 - 2^1984 + (floor(2^1918 * e) + 560316) * 2^64 - 1
    e, term, count = 0, 1 << 2400, 0
    while term:
        e += term
        count += 1
        term //= count
    p = 2**2048 - 2**1984 + ((e >> (2400 - 1918)) + 560316) * 2**64 - 1
    assert int.from_bytes(encoded[8:265], "big") == p


# --- both sides ours -------------------------------------------------------------------------


def test_an_association_over_tls_carries_large_and_small_and_is_polled(pki: Pki, node: Issued, peer: Issued) -> None:
    content = os.urandom(3_000_001)
    with scp(TlsServer(node.identity(pki.authorities))) as running:
        with associated(running.address, peer.identity(pki.authorities)) as association:
            assert scu.store(association, scu.context_for(association, CT), CT, "1.2", content).status == 0
            assert not association.poll(0.05)
            for _ in range(50):
                assert scu.echo(association) == 0
            assert association.tls is not None
            assert (association.tls.version, association.tls.cipher_suite) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
            assert association.tls.peer is not None
            assert association.tls.peer.common_name == "node"
        assert running.only_error() == "None"
        assert running.store.received[0] == ("1.2", content)
        (served,) = running.associations
        assert served.tls is not None
        assert served.tls.peer is not None
        assert served.tls.peer.names == {"peer", "peer.hospital.example", "10.0.0.7"}
        der = ssl.PEM_cert_to_DER_cert(peer.certificate.read_text())
        import hashlib

        assert served.tls.peer.sha256 == hashlib.sha256(der).hexdigest()


def test_a_plain_association_has_no_tls_facts(pki: Pki) -> None:
    with scp(None) as running, request_association(running.address, "N", "T", CONTEXTS, HANDSHAKE) as association:
        assert association.tls is None


@pytest.mark.parametrize("name", ["peer.hospital.example", "PEER.hospital.example", "10.0.0.7"])
def test_the_certificate_must_be_for_the_name_that_the_peer_is_configured_with(
    name: str, pki: Pki, node: Issued, peer: Issued
) -> None:
    with scp(TlsServer(peer.identity(pki.authorities))) as running:
        with associated(running.address, node.identity(pki.authorities), name) as association:
            assert scu.echo(association) == 0
        with pytest.raises(TlsFailed) as refused:
            associated(running.address, node.identity(pki.authorities))
        assert refused.value.reason == WRONG_HOST.format(host="127.0.0.1")
        with pytest.raises(TlsFailed) as refused:
            associated(running.address, node.identity(pki.authorities), "other.hospital.example")
        assert refused.value.reason == WRONG_HOST.format(host="other.hospital.example")


@pytest.mark.parametrize("name", [".", "a" * 70 + ".example", "x\0y"])
def test_a_name_that_no_certificate_can_have_is_refused(name: str, pki: Pki, node: Issued) -> None:
    with scp(TlsServer(node.identity(pki.authorities))) as running, pytest.raises(TlsFailed):
        associated(running.address, node.identity(pki.authorities), name)


# --- we are the server -----------------------------------------------------------------------


def handshake_with(address: tuple[str, int], context: ssl.SSLContext) -> ssl.SSLSocket:
    """A client that is not ours, until it has read what the server says after the handshake."""
    sock = context.wrap_socket(socket.create_connection(address, 5), server_hostname="127.0.0.1")
    try:
        sock.sendall(encode(associate_rq()))
        assert sock.recv(1) == b"\2"
    except BaseException:
        sock.close()
        raise
    return sock


@pytest.mark.parametrize("suite", [*BCP_195, *NON_DOWNGRADING], ids=lambda suite: suite.name)
def test_every_offered_suite_of_tls_1_2_is_served(
    suite: object, pki: Pki, node: Issued, rsa_node: Issued, peer: Issued
) -> None:
    name: str = suite.openssl_name  # type: ignore[attr-defined]
    shown = rsa_node if "RSA" in name else node
    context = python_context(pki, peer)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(name)
    if "ECDSA" in name:
        shown = node
    with scp(TlsServer(shown.identity(pki.authorities))) as running, handshake_with(running.address, context) as sock:
        assert sock.cipher() == (name, "TLSv1.2", 256 if "256-GCM" in name or "AES256" in name else 128)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_an_older_version_is_refused(version: ssl.TLSVersion, pki: Pki, node: Issued, peer: Issued) -> None:
    context = python_context(pki, peer)
    context.minimum_version = version
    context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    with scp(TlsServer(node.identity(pki.authorities))) as running:
        with pytest.raises(ssl.SSLError, match="protocol version"):
            handshake_with(running.address, context)
        assert running.only_error() == f"no TLS connection: {TOO_OLD}"


@pytest.mark.parametrize("cipher", ["AES128-SHA", "AES256-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES128-SHA256"])
def test_a_client_with_cbc_alone_is_refused(cipher: str, pki: Pki, rsa_node: Issued, peer: Issued) -> None:
    context = python_context(pki, peer)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(cipher)
    with scp(TlsServer(rsa_node.identity(pki.authorities))) as running:
        with pytest.raises(ssl.SSLError, match="handshake failure"):
            handshake_with(running.address, context)
        assert running.only_error() == f"no TLS connection: {NOTHING_IN_COMMON}"


@pytest.mark.parametrize("suite", LEGACY, ids=lambda suite: suite.name)
def test_the_legacy_switch_serves_the_aes_profile_and_nothing_below(
    suite: object, pki: Pki, rsa_node: Issued, peer: Issued
) -> None:
    context = python_context(pki, peer)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with scp(TlsServer(rsa_node.identity(pki.authorities, legacy=True))) as running:
        context.set_ciphers(suite.openssl_name)  # type: ignore[attr-defined]
        with handshake_with(running.address, context) as sock:
            assert (sock.cipher() or ("",))[0] == suite.openssl_name  # type: ignore[attr-defined]
        context.set_ciphers("ECDHE-RSA-AES128-SHA")
        with pytest.raises(ssl.SSLError):
            handshake_with(running.address, context)


def bad_client(kind: str, pki: Pki, folder: Path) -> Issued | None:
    """What a client must not show."""
    makers: dict[str, Callable[[], Issued | None]] = {
        "none": lambda: None,
        "expired": lambda: pki.issue("expired", ends=timedelta(days=-1)),
        "foreign": lambda: Pki(folder, "foreign").issue("guest"),
        "self-signed": lambda: pki.issue("alone", self_signed=True),
        "sha1": lambda: pki.issue_with_sha1("sha1"),
        "rsa1024": lambda: pki.issue("short", key="rsa1024"),
        "server-only": lambda: pki.issue("server-only", uses=(ExtendedKeyUsageOID.SERVER_AUTH,)),
    }
    return makers[kind]()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("none", NO_CERTIFICATE),
        ("expired", EXPIRED),
        ("foreign", UNTRUSTED),
        ("self-signed", SELF_SIGNED),
        ("sha1", WEAK_SIGNATURE),
        ("rsa1024", WEAK_KEY),
        ("server-only", WRONG_PURPOSE),
    ],
)
def test_a_client_with_a_bad_certificate_is_refused_and_told_so(
    kind: str, sentence: str, version: ssl.TLSVersion, pki: Pki, node: Issued, tmp_path: Path
) -> None:
    context = python_context(pki, None)
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if (shown := bad_client(kind, pki, tmp_path)) is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    with scp(TlsServer(node.identity(pki.authorities))) as running:
        with pytest.raises(ssl.SSLError, match="alert"):
            handshake_with(running.address, context)
        assert running.only_error() == f"no TLS connection: {sentence}"
    assert not running.associations


def test_a_224_bit_curve_is_refused(pki: Pki, node: Issued) -> None:
    shown = pki.issue("curve", key="ec224")
    context = python_context(pki, None)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(shown.certificate, shown.key)
    with scp(TlsServer(node.identity(pki.authorities))) as running:
        with pytest.raises(ssl.SSLError):
            handshake_with(running.address, context)
        assert "no TLS connection" in running.only_error()


@pytest.mark.parametrize(
    ("asked", "names"), [(ClientCertificates.OPTIONAL, {"peer"}), (ClientCertificates.NONE, set())]
)
def test_client_certificates_can_be_left_out_where_the_settings_say_so(
    asked: ClientCertificates, names: set[str], pki: Pki, node: Issued, peer: Issued, tmp_path: Path
) -> None:
    with scp(TlsServer(node.identity(pki.authorities), asked)) as running:
        handshake_with(running.address, python_context(pki, None)).close()
        handshake_with(running.address, python_context(pki, peer)).close()
    without, shown = (association.tls for association in running.associations)
    assert without is not None
    assert without.peer is None
    assert shown is not None
    assert names <= (shown.peer.names if shown.peer else set())
    if asked is ClientCertificates.OPTIONAL:  # what is shown must be good all the same
        foreign = Pki(tmp_path, "foreign").issue("guest")
        with scp(TlsServer(node.identity(pki.authorities), asked)) as running:
            with pytest.raises(ssl.SSLError):
                handshake_with(running.address, python_context(pki, foreign))
            assert running.only_error() == f"no TLS connection: {UNTRUSTED}"


def test_without_authorities_the_operating_systems_are_trusted(pki: Pki, node: Issued, peer: Issued) -> None:
    with scp(TlsServer(node.identity(None))) as running:
        with pytest.raises(ssl.SSLError):
            handshake_with(running.address, python_context(pki, peer))
        assert running.only_error() == f"no TLS connection: {UNTRUSTED}"


def test_a_certificate_that_is_listed_itself_is_trusted(pki: Pki, node: Issued, tmp_path: Path) -> None:
    alone = Pki(tmp_path).issue("device", self_signed=True)
    foreign = Pki(tmp_path / "x", "foreign").issue("guest")
    listed = tmp_path / "listed.pem"
    listed.write_bytes(alone.certificate.read_bytes() + foreign.certificate.read_bytes())
    with scp(TlsServer(node.identity(listed))) as running:
        handshake_with(running.address, python_context(pki, alone)).close()
        handshake_with(running.address, python_context(pki, foreign)).close()
    assert len(running.associations) == 2


def test_a_revoked_certificate_is_refused_where_the_authorities_have_a_list(
    pki: Pki, node: Issued, peer: Issued, tmp_path: Path
) -> None:
    lost = pki.issue("lost")
    listed = tmp_path / "listed.pem"
    listed.write_bytes(pki.authorities.read_bytes() + pki.revocation_list(lost))
    with scp(TlsServer(node.identity(listed))) as running:
        with pytest.raises(ssl.SSLError, match="revoked"):
            handshake_with(running.address, python_context(pki, lost))
        assert running.only_error() == f"no TLS connection: {REVOKED}"
        handshake_with(running.address, python_context(pki, peer)).close()
    assert len(running.associations) == 1


def test_no_session_is_resumed_without_asking_for_the_certificate_again(pki: Pki, node: Issued, peer: Issued) -> None:
    context = python_context(pki, peer)
    with scp(TlsServer(node.identity(pki.authorities))) as running:
        with handshake_with(running.address, context) as first:
            session = first.session
        assert session is None or not session.has_ticket


# --- what is not TLS -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first_bytes", "sentence"),
    [
        (encode(associate_rq()), PLAIN_DICOM),
        (b"GET / HTTP/1.1\r\n\r\n", NOT_TLS),
        (b"\x80\x2e\x01\x03\x01", NOT_TLS),
        (b"\x16\x00\x00\x00\x00garbage", NOT_TLS),
    ],
)
def test_what_is_not_tls_is_closed_and_nothing_plain_is_said(
    first_bytes: bytes, sentence: str, pki: Pki, node: Issued
) -> None:
    with scp(TlsServer(node.identity(pki.authorities))) as running:
        with socket.create_connection(running.address, 5) as sock:
            sock.sendall(first_bytes)
            answer = sock.recv(100)
            assert answer == b"" or answer[0] == 0x15  # at most a TLS alert, never a PDU
            assert sock.recv(100) == b""
        assert running.only_error() == f"no TLS connection: {sentence}"


def test_a_connection_that_is_closed_at_once_is_nothing_to_speak_of(pki: Pki, node: Issued) -> None:
    with scp(TlsServer(node.identity(pki.authorities))) as running:
        socket.create_connection(running.address, 5).close()
        assert running.only_error() == "None"


def test_a_client_that_goes_away_within_the_handshake_is_said(pki: Pki, node: Issued) -> None:
    with scp(TlsServer(node.identity(pki.authorities))) as running:
        with socket.create_connection(running.address, 5) as sock:
            sock.sendall(b"\x16\x03\x01\x02\x00")
        assert running.only_error() == f"no TLS connection: {CLOSED}"


@pytest.mark.parametrize("drip", [b"", b"\x16\x03\x01\x02\x00\x01"])
def test_a_handshake_has_a_deadline_however_the_bytes_drip(drip: bytes, pki: Pki, node: Issued) -> None:
    limits = Limits(artim_s=0.3, close_wait_s=0.1)
    with scp(TlsServer(node.identity(pki.authorities)), limits) as running:
        with socket.create_connection(running.address, 5) as sock:
            for place in range(100):
                if place < len(drip):
                    sock.sendall(drip[place : place + 1])
                sock.settimeout(0.1)
                try:
                    if sock.recv(100) == b"":
                        break
                except TimeoutError:
                    continue
            else:
                pytest.fail("the connection was never closed")
        assert running.only_error() == "the peer took longer than 0.3 s for the TLS handshake"


def test_a_client_that_was_refused_cannot_stay_however_the_bytes_drip(pki: Pki, node: Issued) -> None:
    limits = Limits(artim_s=0.5, close_wait_s=0.5)  # a tick of 0.1 s
    done = threading.Event()

    def drip(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not done.wait(0.02):
                sock.sendall(b"G")

    with (
        scp(TlsServer(node.identity(pki.authorities)), limits) as running,
        socket.create_connection(running.address, 5) as sock,
    ):
        dripping = threading.Thread(target=drip, args=(sock,))
        dripping.start()
        try:
            assert running.only_error() == f"no TLS connection: {NOT_TLS}"
        finally:
            done.set()
            dripping.join()


def test_tls_on_the_plain_port_is_said(pki: Pki, node: Issued, peer: Issued) -> None:
    with scp(None) as running:
        with pytest.raises(TlsFailed) as refused:
            associated(running.address, peer.identity(pki.authorities))
        assert refused.value.reason == PLAIN_ANSWER
        assert "a TLS client came to the plain port" in running.only_error()


def test_plain_dicom_to_a_tls_port_is_said_on_our_side_too(pki: Pki, peer: Issued) -> None:
    """A peer whose TLS library answers with an alert."""
    context = python_context(pki, peer, server=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            sock, _ = listener.accept()
            with sock, contextlib.suppress(ssl.SSLError):
                context.wrap_socket(sock, server_side=True)

        serving = threading.Thread(target=serve)
        serving.start()
        with pytest.raises((ProtocolViolation, ConnectionLost)):
            request_association(listener.getsockname(), "NODE", "TEST", CONTEXTS, HANDSHAKE)
        serving.join(10)


# --- we are the client -----------------------------------------------------------------------


@contextlib.contextmanager
def python_server(context: ssl.SSLContext) -> Iterator[tuple[str, int]]:
    """A TLS server that is not ours: one connection, which it leaves open until the client ends it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        with sock, contextlib.suppress(OSError):
            wrapped = context.wrap_socket(sock, server_side=True)
            while wrapped.recv(65536):
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("expired", EXPIRED),
        ("foreign", UNTRUSTED),
        ("self-signed", SELF_SIGNED),
        ("sha1", WEAK_SIGNATURE),
        ("rsa1024", WEAK_KEY),
        ("client-only", WRONG_PURPOSE),
        ("wrong-host", WRONG_HOST.format(host="127.0.0.1")),
        ("wrong-common-name", WRONG_HOST.format(host="127.0.0.1")),
    ],
)
def test_a_server_with_a_bad_certificate_is_refused(
    kind: str, sentence: str, pki: Pki, peer: Issued, tmp_path: Path
) -> None:
    others: dict[str, Callable[[], Issued]] = {
        "client-only": lambda: pki.issue("client-only", uses=(ExtendedKeyUsageOID.CLIENT_AUTH,)),
        "wrong-host": lambda: pki.issue("elsewhere", ("elsewhere.example",)),
        "wrong-common-name": lambda: pki.issue("elsewhere.example", ()),
    }
    shown = others[kind]() if kind in others else bad_client(kind, pki, tmp_path)
    assert shown is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(shown.certificate, shown.key)
    with python_server(context) as address, pytest.raises(TlsFailed) as refused:
        associated(address, peer.identity(pki.authorities))
    assert refused.value.reason == sentence


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_a_server_with_an_older_version_is_refused(
    version: ssl.TLSVersion, pki: Pki, node: Issued, peer: Issued
) -> None:
    context = python_context(pki, node, server=True)
    context.minimum_version = version
    context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    with python_server(context) as address, pytest.raises(TlsFailed) as refused:
        associated(address, peer.identity(pki.authorities))
    assert refused.value.reason == TOO_OLD


def test_a_server_with_cbc_alone_is_refused(pki: Pki, rsa_node: Issued, peer: Issued) -> None:
    context = python_context(pki, rsa_node, server=True)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-RSA-AES128-SHA256:AES128-SHA")
    with python_server(context) as address, pytest.raises(TlsFailed, match="no cipher suite in common"):
        associated(address, peer.identity(pki.authorities))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_does_not_trust_us_is_quoted(
    version: ssl.TLSVersion, pki: Pki, node: Issued, tmp_path: Path
) -> None:
    stranger = Pki(tmp_path, "foreign").issue("stranger")
    context = python_context(pki, node, server=True)
    context.maximum_version = version
    with python_server(context) as address, pytest.raises(TlsFailed) as refused:
        associated(address, stranger.identity(pki.authorities))
    assert refused.value.reason == "the peer refused our certificate: it does not trust the authority"


def test_a_server_that_never_answers_ends_with_the_time_to_connect(pki: Pki, peer: Issued) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = TlsAddress("127.0.0.1", listener.getsockname()[1], TlsClient(peer.identity(pki.authorities)))
        with pytest.raises(PeerTimeout) as timeout:
            request_association(target, "NODE", "TEST", CONTEXTS, Limits(connect_s=0.2, close_wait_s=0.1))
        assert timeout.value.waiting_for == "the TLS handshake"


def test_a_server_that_closes_is_said(pki: Pki, peer: Issued) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def close_at_once() -> None:
            listener.accept()[0].close()

        closing = threading.Thread(target=close_at_once)
        closing.start()
        with pytest.raises(WireError) as failed:
            associated(listener.getsockname(), peer.identity(pki.authorities))
        closing.join(10)
    assert isinstance(failed.value, TlsFailed | ConnectionLost)


# --- files that change -----------------------------------------------------------------------


def replace(old: Issued, new: Issued) -> None:
    """Put other files in the place of a certificate and its key, as an administrator does."""
    for source, target in ((new.certificate, old.certificate), (new.key, old.key)):
        beside = target.with_name("new")
        shutil.copy(source, beside)
        beside.replace(target)


def shown_by(running: Scp, identity: TlsIdentity) -> str:
    with associated(running.address, identity) as association:
        assert association.tls is not None
        assert association.tls.peer is not None
        return association.tls.peer.common_name


def test_new_connections_see_new_files_and_a_broken_one_keeps_the_old(
    pki: Pki, peer: Issued, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="radfuse")
    mine = Pki(tmp_path)
    first, second = mine.issue("first"), mine.issue("second")
    trusted = tmp_path / "trusted.pem"
    shutil.copy(mine.authorities, trusted)
    us = peer.identity(trusted)
    with scp(TlsServer(first.identity(pki.authorities))) as running:
        assert shown_by(running, us) == "first"
        first.certificate.write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
        assert shown_by(running, us) == "first"
        assert shown_by(running, us) == "first"
        first.certificate.unlink()
        assert shown_by(running, us) == "first"
        replace(first, second)
        assert shown_by(running, us) == "second"
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 2  # one for each change, however many connections came
    assert all("the old ones stay in use" in message for message in errors)
    assert "new connections use them" in caplog.records[-1].getMessage()


def test_a_client_sees_new_authorities_at_once(pki: Pki, node: Issued, peer: Issued, tmp_path: Path) -> None:
    trusted = tmp_path / "trusted.pem"
    shutil.copy(Pki(tmp_path / "x", "foreign").authorities, trusted)
    client = TlsClient(peer.identity(trusted))
    with scp(TlsServer(node.identity(pki.authorities))) as running:
        target = TlsAddress(*running.address, client)
        with pytest.raises(TlsFailed, match="no authority that we trust"):
            request_association(target, "NODE", "TEST", CONTEXTS, HANDSHAKE)
        shutil.copy(pki.authorities, trusted)
        with request_association(target, "NODE", "TEST", CONTEXTS, HANDSHAKE) as association:
            assert scu.echo(association) == 0


@pytest.mark.parametrize(
    ("setting", "spoil", "words"),
    [
        ("tls.certificate", lambda files: files.certificate.unlink(), "cannot be read"),
        ("tls.certificate", lambda files: files.certificate.write_text("nothing"), "no PEM file"),
        (
            "tls.certificate",
            lambda files: files.certificate.write_text("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"),
            "cannot be read",
        ),
        ("tls.key", lambda files: files.key.unlink(), "cannot be read"),
        ("tls.key", lambda files: files.key.write_text("nothing"), "no PEM file"),
        ("tls.key", lambda files: files.key.write_text("-----BEGIN PRIVATE KEY-----\n!"), "cannot be read"),
        ("tls.key", lambda files: shutil.copy(Pki(files.key.parent / "x").issue("y").key, files.key), "belong"),
        ("tls.key", protect, "password"),
        ("tls.authorities", lambda files: (files.key.parent / "ca.pem").unlink(), "cannot be read"),
        ("tls.authorities", lambda files: (files.key.parent / "ca.pem").write_text(""), "no PEM file"),
        ("tls.authorities", lambda files: (files.key.parent / "ca.pem").write_text("-----BEGIN X"), "no certificates"),
    ],
)
@pytest.mark.parametrize("side", [TlsServer, TlsClient])
def test_files_that_cannot_be_used_are_refused_with_their_setting(
    side: type[TlsServer] | type[TlsClient], setting: str, spoil: Callable[[Issued], object], words: str, tmp_path: Path
) -> None:
    mine = Pki(tmp_path)
    files = mine.issue("mine")
    spoil(files)
    with pytest.raises(ConfigurationError) as refused:
        side(files.identity(mine.authorities))
    assert refused.value.setting == setting
    assert words in refused.value.reason


def test_a_weak_certificate_of_our_own_is_refused(tmp_path: Path) -> None:
    mine = Pki(tmp_path)
    for files, words in ((mine.issue("short", key="rsa1024"), "weak key"), (mine.issue_with_sha1("sha1"), "SHA-1")):
        with pytest.raises(ConfigurationError, match=words) as refused:
            TlsServer(files.identity(mine.authorities))
        assert refused.value.setting == "tls.certificate"


# --- the stream ------------------------------------------------------------------------------


@contextlib.contextmanager
def streams(pki: Pki, node: Issued, peer: Issued) -> Iterator[tuple[TlsStream, ssl.SSLSocket]]:
    """Our end of a connection, and the other as Python has it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), 10)
        served, _ = listener.accept()
    result: list[TlsStream | None] = []
    server = TlsServer(node.identity(pki.authorities))
    thread = threading.Thread(target=lambda: result.append(server.wrap(Transport(served, 0.05, 2.0), 5.0)))
    thread.start()
    other = python_context(pki, peer).wrap_socket(client, server_hostname="127.0.0.1")
    thread.join(10)
    (stream,) = result
    assert stream is not None
    with other:
        yield stream, other
        stream.close()


def test_a_receive_gives_bytes_or_a_tick_or_the_end(pki: Pki, node: Issued, peer: Issued) -> None:
    with streams(pki, node, peer) as (stream, other):
        view = memoryview(bytearray(10))
        assert stream.recv_into(view) is None
        assert not stream.readable(0.0)
        other.sendall(b"abc")
        assert stream.readable(1.0)
        assert stream.recv_into(view) == 3
        assert not stream.readable(0.0)
        other.sendall(b"0123456789abcdef")
        assert stream.recv_into(view) == 10
        assert stream.readable(0.0)  # decrypted already: the socket alone would not say so
        assert stream.recv_into(view) == 6
        other.settimeout(0.0)
        with contextlib.suppress(ssl.SSLWantReadError):
            other.unwrap()  # says the end, and would wait for ours
        assert stream.readable(1.0)
        assert stream.recv_into(view) == 0


def test_our_end_is_said_before_the_connection_is_closed(pki: Pki, node: Issued, peer: Issued) -> None:
    with streams(pki, node, peer) as (stream, other):
        # An end without close_notify would raise then; the types of ssl do not know it.
        other.suppress_ragged_eofs = False  # type: ignore[attr-defined]
        stream.send_buffers([b"last words"])
        stream.finish()
        assert other.recv(100) == b"last words"
        assert other.recv(100) == b""
        stream.close()


def test_a_peer_that_takes_nothing_is_given_up(pki: Pki, node: Issued, peer: Issued) -> None:
    with streams(pki, node, peer) as (stream, _), pytest.raises(PeerTimeout):
        stream.send_buffers([bytes(50_000_000)])


def test_bytes_that_were_changed_on_the_way_end_the_connection(pki: Pki, node: Issued, peer: Issued) -> None:
    with streams(pki, node, peer) as (stream, other):
        os.write(other.fileno(), b"\x17\x03\x03\x00\x20" + bytes(32))
        with pytest.raises(TlsFailed, match="changed"):
            while stream.recv_into(memoryview(bytearray(10))) is None:
                pass


def test_buffers_arrive_in_order_however_slowly_they_are_taken(pki: Pki, node: Issued, peer: Issued) -> None:
    with streams(pki, node, peer) as (stream, other):
        pieces = [os.urandom(size) for size in [1, 0, 7, 70_000, 16_384] * 50]
        received = bytearray()

        def take() -> None:
            while chunk := other.recv(3_001):
                received.extend(chunk)

        taker = threading.Thread(target=take)
        taker.start()
        stream.send_buffers(pieces)
        stream.finish()
        taker.join(30)
        assert bytes(received) == b"".join(pieces)


def test_memory_stays_small_whatever_comes(pki: Pki, node: Issued, peer: Issued) -> None:
    """What is received but not asked for waits in the kernel, not in our memory."""
    with streams(pki, node, peer) as (stream, other):
        sender = threading.Thread(target=other.sendall, args=(bytes(20_000_000),))
        sender.start()
        view, total = memoryview(bytearray(1000)), 0
        while total < 20_000_000:
            total += stream.recv_into(view if total < 100_000 else memoryview(bytearray(100_000))) or 0
            assert stream._incoming.pending <= 600_000
        sender.join(10)
