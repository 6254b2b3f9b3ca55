"""radfuse tls: certificates of one's own, and what is offered."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from radfuse.wire.tls_profiles import LEGACY, OFFERED, TLS_1_3
from tests.cli.conftest import Run
from tests.support.pki import Pki


def test_init_makes_a_node_certificate_and_show_tells_of_it(run: Run, tmp_path: Path) -> None:
    off = run("tls", "show")
    assert off.code == 0
    assert "TLS is off" in off.out
    assert run("tls", "show", "--json").json == {"Offered": False}
    made = run("tls", "init", "--name", "pacs.example", "--days", "90", "--json")
    assert made.code == 0
    folder = tmp_path / "data" / "tls"
    assert made.json["Files"] == [str(folder / name) for name in ("ca.key", "ca.pem", "node.key", "node.pem")]
    assert {"pacs.example", "localhost", "127.0.0.1"} <= set(made.json["Names"])
    shown = run("tls", "show", "--json").json
    assert shown["Versions"] == ["TLS 1.3", "TLS 1.2"]
    assert shown["CipherSuites"] == [suite.name for suite in (*TLS_1_3, *OFFERED)]
    assert (shown["Subject"], shown["DaysLeft"], shown["ClientCertificates"]) == ("pacs.example", 89, "required")
    text = run("tls", "show")
    assert "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256" in text.out
    assert "DaysLeft: 89" in text.out
    assert text.err == ""


def test_init_says_what_to_do_next_and_never_overwrites(run: Run, tmp_path: Path) -> None:
    first = run("tls", "init")
    assert "Peers need" in first.out
    before = (tmp_path / "data" / "tls" / "node.pem").read_bytes()
    again = run("tls", "init")
    assert again.code == 1
    assert "there is one already" in again.err
    assert (tmp_path / "data" / "tls" / "node.pem").read_bytes() == before


def test_a_certificate_for_a_peer_is_for_its_host_or_certificate_name(run: Run) -> None:
    run("peers", "add", "ct1", "CT1@10.0.0.7:104", "--tls", "--tls-name", "ct1.example")
    known = run("tls", "init", "--for", "ct1", "--json")
    assert known.json["Names"] == ["ct1.example", "10.0.0.7"]
    unknown = run("tls", "init", "--for", "ct2")
    assert "Give peer-ct2.pem, peer-ct2.key and ca.pem to ct2." in unknown.out
    named = run("tls", "init", "--for", "ct3", "--name", "x.example", "--json")
    assert named.json["Names"] == ["x.example"]


@pytest.mark.parametrize(
    "words", [("--for", "../x"), ("--name", "no host"), ("--days", "0"), ("--days", "99999"), ("--nothing",)]
)
def test_wrong_use_makes_nothing(words: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    assert run("tls", "init", *words).code == 2
    assert not (tmp_path / "data" / "tls").exists()


def test_the_settings_name_other_files_and_the_old_suites(run: Run, tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki")
    issued = pki.issue("ours", ends=timedelta(days=10))
    settings = f'[tls]\ncertificate = "{issued.certificate}"\nkey = "{issued.key}"\nlegacy = true\n'
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "radfuse.toml").write_text(settings)
    shown = run("tls", "show", "--json").json
    assert shown["CipherSuites"][-2:] == [suite.name for suite in LEGACY]
    assert shown["Authorities"] == "those of the operating system"
    text = run("tls", "show")
    assert "ends in 9 days" in text.err


def test_files_that_cannot_be_used_are_said_with_their_setting(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "radfuse.toml").write_text('[tls]\ncertificate = "absent.pem"\nkey = "absent.key"\n')
    shown = run("tls", "show")
    assert shown.code == 1
    assert shown.err.startswith("radfuse: tls.certificate: ")
    assert "No such file" in shown.err
