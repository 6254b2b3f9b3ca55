"""Certificates: what one says, which of ours cannot be used, the small authority that makes them."""

from __future__ import annotations

import socket
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from radfuse.core.aetitle import AETitle
from radfuse.core.errors import ConfigurationError
from radfuse.services.certificates import (
    TlsFolder,
    check_identity,
    hosts_of_node,
    hosts_of_peer,
    make_certificate,
    read_certificate,
    renew_certificate,
)
from radfuse.services.peers import Peer
from radfuse.wire.tls import TlsClient, TlsIdentity, TlsServer
from radfuse.wire.transport import Transport
from tests.support.pki import Issued, Pki


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> TlsFolder:
    """What ``radfuse tls init`` and ``--for ct1`` make."""
    folder = TlsFolder(tmp_path_factory.mktemp("data") / "tls")
    files = make_certificate(folder, ["node.example", "127.0.0.1"], 100)
    assert [path.name for path in files] == ["ca.key", "ca.pem", "node.key", "node.pem"]
    files = make_certificate(folder, ["ct1.example"], 100, "ct1")
    assert [path.name for path in files] == ["peer-ct1.key", "peer-ct1.pem"]
    return folder


def test_a_certificate_says_who_it_is_for_and_how_long(made: TlsFolder) -> None:
    facts, now = read_certificate(made.certificate()), datetime.now(UTC)
    assert facts.subject == "node.example"
    assert facts.issuer == read_certificate(made.authority).subject
    assert facts.names == ("node.example", "127.0.0.1")
    assert (facts.key, facts.signature) == ("RSA 3072", "SHA256")
    assert facts.days_left(now) == 99
    assert facts.days_left(facts.not_after + timedelta(seconds=1)) == -1
    assert facts.not_before < now
    assert read_certificate(made.authority).days_left(now) > 3600


def test_keys_are_for_their_owner_alone(made: TlsFolder) -> None:
    for path in made.root.iterdir():
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == (0 if path.suffix == ".key" else mode & 0o044), path.name
    assert stat.S_IMODE(made.root.stat().st_mode) == 0o700


def test_what_is_made_is_what_the_standards_want(made: TlsFolder) -> None:
    authority = x509.load_pem_x509_certificate(made.authority.read_bytes())
    node = x509.load_pem_x509_certificate(made.certificate().read_bytes())
    node.verify_directly_issued_by(authority)
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not node.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    uses = node.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(uses) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    usage = node.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.key_encipherment  # the suites of the old AES profile exchange keys with RSA
    assert not usage.key_cert_sign


def test_node_and_peer_trust_each_other_with_what_is_made(made: TlsFolder) -> None:
    ours = TlsIdentity(made.certificate(), made.key(), made.authority)
    theirs = TlsIdentity(made.certificate("ct1"), made.key("ct1"), made.authority)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), 10)
        served, _ = listener.accept()
    serving = threading.Thread(target=TlsServer(ours).wrap, args=(Transport(served, 0.1, 5.0), 5.0))
    serving.start()
    stream = TlsClient(theirs).wrap(Transport(client, 0.1, 5.0), "node.example", 5.0)
    serving.join(10)
    assert stream.tls.version() == "TLSv1.3"
    stream.close()
    served.close()


def test_nothing_is_ever_overwritten(made: TlsFolder) -> None:
    before = {path: path.read_bytes() for path in made.root.iterdir()}
    for peer in ("", "ct1"):
        with pytest.raises(ConfigurationError, match="there is one already"):
            make_certificate(made, ["x.example"], 100, peer)
    assert {path: path.read_bytes() for path in made.root.iterdir()} == before


def test_what_is_missing_is_made_from_what_is_there(tmp_path: Path) -> None:
    folder = TlsFolder(tmp_path)
    make_certificate(folder, ["a.example"])
    key = folder.key().read_bytes()
    folder.certificate().unlink()
    assert make_certificate(folder, ["b.example"]) == [folder.certificate()]
    assert folder.key().read_bytes() == key
    assert check_identity(TlsIdentity(folder.certificate(), folder.key(), folder.authority)).names == ("b.example",)
    folder.authority_key.unlink()
    with pytest.raises(ConfigurationError, match="the key of the authority is not there"):
        make_certificate(folder, ["c.example"], peer="c")
    folder.authority_key.write_text("no key")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        make_certificate(folder, ["c.example"], peer="c")
    folder.authority_key.write_bytes(Pki(tmp_path / "ec").issue("ec").key.read_bytes())
    with pytest.raises(ConfigurationError, match="no RSA key"):
        make_certificate(folder, ["c.example"], peer="c")
    assert not folder.certificate("c").exists()


@pytest.mark.parametrize("host", ["", "a b", "x/../y", "-a", "a\n", "é.example"])
def test_what_is_no_host_name_is_refused_before_anything_is_made(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        make_certificate(TlsFolder(tmp_path / "tls"), ["good.example", host])
    assert refused.value.setting == "--name"
    assert not (tmp_path / "tls").exists()


@pytest.mark.parametrize("peer", ["../x", "a/b", ".hidden", "a b"])
def test_the_name_of_a_peer_never_leaves_the_folder(peer: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        make_certificate(TlsFolder(tmp_path / "tls"), ["x.example"], peer=peer)
    assert refused.value.setting == "--for"
    assert not list(tmp_path.iterdir())


# --- whether ours can be used ----------------------------------------------------------------


def identity(pki: Pki, issued: Issued) -> TlsIdentity:
    return issued.identity(pki.authorities)


def test_a_certificate_that_is_over_or_has_not_begun_is_refused(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    files = identity(pki, pki.issue("node", ends=timedelta(days=10)))
    now = datetime.now(UTC)
    assert check_identity(files, now).days_left(now) == 9
    for moment, words in ((now + timedelta(days=11), "expired on"), (now - timedelta(days=25), "not valid before")):
        with pytest.raises(ConfigurationError, match=words) as refused:
            check_identity(files, moment)
        assert refused.value.setting == "tls.certificate"


def test_a_weak_certificate_is_refused(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    for issued in (pki.issue("a", key="rsa1024"), pki.issue("b", key="ec224"), pki.issue_with_sha1("c")):
        with pytest.raises(ConfigurationError) as refused:
            check_identity(identity(pki, issued))
        assert refused.value.setting == "tls.certificate"
    assert check_identity(identity(pki, pki.issue("d"))).key == "EC secp256r1"
    assert check_identity(identity(pki, pki.issue("e", key="rsa2048"))).key == "RSA 2048"


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    one, other = pki.issue("one"), pki.issue("other")
    with pytest.raises(ConfigurationError) as refused:
        check_identity(TlsIdentity(one.certificate, other.key, pki.authorities))
    assert refused.value.setting == "tls.key"


def test_a_certificate_without_names_is_read(tmp_path: Path) -> None:
    assert read_certificate(Pki(tmp_path).issue("plain", ()).certificate).names == ()
    with pytest.raises(ConfigurationError):
        read_certificate(tmp_path / "absent.pem")
    (tmp_path / "text.pem").write_text("text")
    with pytest.raises(ConfigurationError):
        read_certificate(tmp_path / "text.pem")


# --- made anew -----------------------------------------------------------------------------------


def test_a_renewed_certificate_has_a_new_key_of_the_same_authority(made: TlsFolder) -> None:
    files = {path.name: path.read_bytes() for path in made.root.iterdir()}
    changed = renew_certificate(made, ["node.example"], 100)
    assert changed == [made.key(), made.certificate()]
    after = {path.name: path.read_bytes() for path in made.root.iterdir()}
    assert {name for name in after if after[name] != files.get(name)} == {"node.pem", "node.key"}
    assert set(after) == set(files)
    assert stat.S_IMODE(made.key().stat().st_mode) == 0o600
    facts = check_identity(TlsIdentity(made.certificate(), made.key(), made.authority))
    assert (facts.names, facts.days_left_now() in (99, 100)) == (("node.example",), True)


def test_what_cannot_be_renewed_stays_as_it_was(made: TlsFolder) -> None:
    before = {path.name: path.read_bytes() for path in made.root.iterdir()}
    with pytest.raises(ConfigurationError, match="neither a host name nor an address"):
        renew_certificate(made, ["two words"])
    made.authority_key.rename(made.root / "away")
    with pytest.raises(ConfigurationError, match=r"ca\.key: the key of the authority is not there"):
        renew_certificate(made, ["node.example"])
    (made.root / "away").rename(made.authority_key)
    assert {path.name: path.read_bytes() for path in made.root.iterdir()} == before


def test_a_node_is_called_by_what_it_listens_at() -> None:
    assert hosts_of_node("192.0.2.1")[-1] == "192.0.2.1"
    assert hosts_of_node("0.0.0.0")[-3:] == ["localhost", "127.0.0.1", "::1"]  # noqa: S104
    assert hosts_of_node("node.example")[-1] == "node.example"
    assert hosts_of_node("localhost").count("localhost") == 1


def test_a_peer_is_called_as_it_is_configured() -> None:
    peer = Peer("pacs", AETitle("PACS"), "192.0.2.7", 104, tls=True, tls_name="pacs.example")
    assert hosts_of_peer("pacs", [peer]) == ["pacs.example", "192.0.2.7"]
    assert hosts_of_peer("other", [peer]) == ["other"]
