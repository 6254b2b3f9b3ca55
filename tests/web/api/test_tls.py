"""TLS over the API: what is offered, and certificates by an authority of one's own."""

from __future__ import annotations

import io
import zipfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from radfuse.app import load_settings
from radfuse.app.node_desk import RunningNode
from radfuse.core.errors import ConfigurationError
from radfuse.services.node_facts import CertificateOrder
from tests.web.api.conftest import RunningApi


def test_a_certificate_is_made_once_and_renewed_when_asked(api: RunningApi) -> None:
    before = api.get("/tls")
    assert (before["is_offered"], before["certificate"], before["warning"]) == (False, None, "")
    assert before["versions"] == ["TLS 1.3", "TLS 1.2"]
    made = api.send("POST", "/tls/init", {"names": ["node.example"], "days": 100})
    assert made["certificate"]["names"] == ["node.example"]
    assert made["certificate"]["days_left"] in (99, 100)
    assert made["warning"] == "TLS is offered once the service is started again."
    assert api.problem("POST", "/tls/init", {})["status"] == 409
    assert api.get("/tls") == made
    renewed = api.send("POST", "/tls/init", {"renew": True})
    assert renewed["certificate"]["sha256"] != made["certificate"]["sha256"]
    assert renewed["certificate"]["issuer"] == made["certificate"]["issuer"]
    assert "localhost" in renewed["certificate"]["names"]
    assert sorted(path.name for path in (api.folder / "tls").iterdir()) == ["ca.key", "ca.pem", "node.key", "node.pem"]


def test_a_certificate_that_ends_soon_is_warned_of(api: RunningApi) -> None:
    told = api.send("POST", "/tls/init", {"days": 3})
    assert told["warning"].startswith("The certificate ends in ")
    assert any("The certificate ends in" in trouble for trouble in api.get("/status")["troubles"])


def test_nonsense_is_refused_by_the_field(api: RunningApi) -> None:
    for body, setting in (({"names": ["two words"]}, "names"), ({"days": 0}, "days"), ({"days": 10**9}, "days")):
        refused = api.problem("POST", "/tls/init", body)
        assert (refused["status"], refused["setting"]) == (400, setting)
    assert api.problem("POST", "/tls/peer-certificate", {"peer": "../evil"})["setting"] == "peer"
    assert not (api.folder / "tls").exists() or not list((api.folder / "tls").glob("*.pem"))


def test_a_certificate_of_the_settings_is_not_replaced(api: RunningApi) -> None:
    (api.folder / "radfuse.toml").write_text('[tls]\ncertificate = "a.pem"\nkey = "a.key"\n', encoding="utf-8")
    node = RunningNode(load_settings(api.folder), api.desk.peers)
    with pytest.raises(ConfigurationError, match=r"tls\.certificate: names a certificate of your own"):
        node.make_certificate(CertificateOrder(renew=True))
    assert "a.pem" in node.tls().warning


def test_a_peer_gets_its_certificate_key_and_our_authority(api: RunningApi) -> None:
    api.send("PUT", "/peers/scanner", {"name": "scanner", "ae_title": "CT1", "host": "192.0.2.11", "port": 104})
    answer = api.http.post(f"{api.url}/api/tls/peer-certificate", json={"peer": "scanner"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        assert sorted(files.namelist()) == ["ca.pem", "peer-scanner.key", "peer-scanner.pem"]
        certificate = x509.load_pem_x509_certificate(files.read("peer-scanner.pem"))
        authority = x509.load_pem_x509_certificate(files.read("ca.pem"))
        key = load_pem_private_key(files.read("peer-scanner.key"), None)
    certificate.verify_directly_issued_by(authority)
    public = key.public_key()
    assert isinstance(public, RSAPublicKey)
    assert public == certificate.public_key()
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name) for name in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.11"]
    assert api.problem("POST", "/tls/peer-certificate", {"peer": "scanner"})["status"] == 409
