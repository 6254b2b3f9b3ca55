"""The ports: TLS has one of its own, off until there is a certificate that can be used."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from radfuse.app.compose import our_caller, tls_identity
from radfuse.app.listening import Listeners
from radfuse.app.settings import load_settings
from radfuse.core.errors import ConfigurationError
from radfuse.services.certificates import TlsFolder, make_certificate
from radfuse.services.peers import Peer
from radfuse.wire.tls import ClientCertificates
from tests.support.pki import Pki


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("RADFUSE_"):
            monkeypatch.delenv(name)
    yield


def write(folder: Path, text: str) -> Path:
    (folder / "radfuse.toml").write_text(text, encoding="utf-8")
    return folder


def test_without_a_certificate_there_is_no_tls(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, "dicom_port = 0\n"))
    assert settings.tls_port == 2762
    assert settings.tls.client_certificates is ClientCertificates.REQUIRED
    assert tls_identity(settings) is None
    with Listeners.open(settings) as listeners:
        assert listeners.tls is None
        assert listeners.ports.tls is None


def test_the_certificate_of_tls_init_opens_the_port_and_proves_us_to_peers(tmp_path: Path) -> None:
    folder = TlsFolder.of(tmp_path)
    make_certificate(folder, ["localhost"])
    settings = load_settings(write(tmp_path, "dicom_port = 0\ntls_port = 0\n"))
    identity = tls_identity(settings)
    assert identity is not None
    assert (identity.certificate, identity.authorities) == (folder.certificate(), folder.authority)
    assert our_caller(settings, Peer.parse("A@b:1")).tls == identity
    with Listeners.open(settings) as listeners:
        assert listeners.ports.tls not in (None, listeners.ports.dicom)
        copies = [socket.dup(number) for number in listeners.descriptors]
        with Listeners.inherited(copies) as shared:
            assert shared.ports == listeners.ports


def test_the_settings_name_files_relative_to_the_data_folder(tmp_path: Path) -> None:
    pki = Pki(tmp_path / "own")
    pki.issue("node")
    text = '[tls]\ncertificate = "own/node.pem"\nkey = "own/node.key"\n'
    identity = tls_identity(load_settings(write(tmp_path, text)))
    assert identity is not None
    assert identity.authorities is None  # the operating system's
    identity = tls_identity(load_settings(write(tmp_path, f'{text}authorities = "{pki.authorities}"\nlegacy = true\n')))
    assert identity is not None
    assert (identity.authorities, identity.legacy) == (pki.authorities, True)


@pytest.mark.parametrize(
    ("text", "setting", "words"),
    [
        ("tls_port = 0", "tls_port", "radfuse tls init"),
        ("tls_port = 70000", "tls_port", "65535"),
        ('[tls]\ncertificate = "node.pem"', "tls.key", "belong together"),
        ('[tls]\nkey = "node.key"', "tls.certificate", "belong together"),
        ('[tls]\ncertificate = "absent"\nkey = "node.key"', "tls.certificate", "cannot be read"),
        ('[tls]\ncertificate = "node.pem"\nkey = "absent"', "tls.key", "cannot be read"),
        ('[tls]\ncertificate = "node.pem"\nkey = "other.key"', "tls.key", "does not belong"),
        ('[tls]\ncertificate = "node.pem"\nkey = "node.key"\nauthorities = "x"', "tls.authorities", "cannot be read"),
        ('[tls]\ncertificate = "expired.pem"\nkey = "expired.key"', "tls.certificate", "expired on"),
        ('[tls]\nclient_certificates = "sometimes"', "tls.client_certificates", "required"),
        ("[tls]\nlegacy = 7", "tls.legacy", "boolean"),
        ('[tls]\ncertificates = "node.pem"', "tls.certificates", "not permitted"),
    ],
)
def test_what_cannot_be_used_is_refused_at_start_with_its_setting(
    text: str, setting: str, words: str, tmp_path: Path
) -> None:
    pki = Pki(tmp_path)
    for name, days in (("node", 300), ("other", 300), ("expired", -1)):
        pki.issue(name, ends=timedelta(days=days))
    with pytest.raises(ConfigurationError) as refused:
        Listeners.open(load_settings(write(tmp_path, f"dicom_port = 0\n{text}\n")))
    assert refused.value.setting == setting
    assert words in refused.value.reason


def test_a_tls_port_that_is_taken_is_said_and_leaves_the_other_free(tmp_path: Path, free_port: int) -> None:
    make_certificate(TlsFolder.of(tmp_path), ["localhost"])
    settings = load_settings(write(tmp_path, f"dicom_port = {free_port}\n"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings.model_copy(update={"tls_port": taken.getsockname()[1]})
        with pytest.raises(ConfigurationError) as refused:
            Listeners.open(settings)
    assert refused.value.setting == "tls_port"
    with Listeners.open(settings.model_copy(update={"tls_port": 0})) as listeners:
        assert listeners.ports.dicom == free_port


def test_a_certificate_that_ends_soon_is_spoken_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Pki(tmp_path).issue("node", ends=timedelta(days=20))
    settings = load_settings(
        write(tmp_path, 'dicom_port = 0\ntls_port = 0\n[tls]\ncertificate = "node.pem"\nkey = "node.key"\n')
    )
    with Listeners.open(settings):
        pass
    (record,) = (record for record in caplog.records if record.levelno == logging.WARNING)
    assert vars(record)["days_left"] == 19
