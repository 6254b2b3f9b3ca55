"""peers add, list, show, remove, test."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from pynetdicom import AE

from radfuse.core.sop_classes import VERIFICATION
from tests.cli.conftest import Run
from tests.support.servers import RunningNode

NEW = {
    "Name": "viewer",
    "AETitle": "VIEWER",
    "Host": "2001:db8::1",
    "Port": 11112,
    "TLS": False,
    "TLSName": "",
    "CallingAETitle": "",
    "MayStore": True,
    "MayQuery": True,
    "MayRetrieve": True,
    "MayCommit": True,
    "Send": True,
    "Query": True,
    "Retrieve": True,
    "Commit": True,
    "ContextList": "dbx",
    "PreferredSyntaxes": [],
    "LossySyntax": "",
    "LenientStatuses": False,
    "Retries": 5,
    "RetryDelay": 60.0,
    "Concurrency": 1,
    "MaxPDU": None,
    "ARTIM": None,
    "ConnectTimeout": None,
    "ResponseTimeout": None,
}

EVERY_OPTION = [
    *("--tls", "--tls-name", "node.example", "--as", "US", "--contexts", "xd"),
    *("--prefer", "JPEGLosslessSV1", "--prefer", "1.2.840.10008.1.2.1", "--lossy", "JPEG2000", "--lenient"),
    *("--retries", "3", "--retry-delay", "7.5", "--concurrency", "4", "--max-pdu", "16384"),
    *("--artim", "1.5", "--connect-timeout", "2.5", "--response-timeout", "3.5"),
    *("--no-store", "--no-query", "--no-retrieve", "--no-commit", "--no-send", "--no-ask"),
]

CHANGED = {
    "TLS": True,
    "TLSName": "node.example",
    "CallingAETitle": "US",
    **dict.fromkeys(("MayStore", "MayQuery", "MayRetrieve", "MayCommit", "Send", "Query", "Retrieve", "Commit"), False),
    "ContextList": "xd",
    "PreferredSyntaxes": ["1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.1"],
    "LossySyntax": "1.2.840.10008.1.2.4.91",
    "LenientStatuses": True,
    "Retries": 3,
    "RetryDelay": 7.5,
    "Concurrency": 4,
    "MaxPDU": 16384,
    "ARTIM": 1.5,
    "ConnectTimeout": 2.5,
    "ResponseTimeout": 3.5,
}


def test_a_peer_is_added_listed_changed_and_removed(run: Run) -> None:
    assert run("peers", "add", "pacs", "PACS@192.0.2.7:104").out == "pacs is PACS at 192.0.2.7 port 104\n"
    assert run("peers", "add", "viewer", "VIEWER@[2001:db8::1]:11112", "--json").json == NEW
    assert run("peers", "add", "pacs", "PACS@192.0.2.8:105").code == 0
    listed = run("peers", "list", "--json").json
    assert [(row["Name"], row["Host"]) for row in listed] == [("pacs", "192.0.2.8"), ("viewer", "2001:db8::1")]
    assert listed[1] == NEW
    assert "PACS     192.0.2.8    105    no   yes" in run("peers", "list").out
    assert run("peers", "remove", "pacs").code == 0
    assert run("peers", "remove", "viewer", "--json").json == {"Name": "viewer"}
    assert run("peers", "list", "--json").json == []
    assert "No peers are configured" in run("peers", "list").out


def test_every_option_is_kept_and_stays_when_only_the_address_changes(run: Run) -> None:
    words = ("peers", "add", "viewer", "VIEWER@[2001:db8::1]:11112")
    assert run(*words, *EVERY_OPTION, "--json").json == NEW | CHANGED
    assert not [key for key, value in CHANGED.items() if NEW[key] == value]
    moved = run("peers", "add", "viewer", "VIEWER@viewer.example:104", "--store", "--lossy", "none", "--json").json
    expected = {"Host": "viewer.example", "Port": 104, "MayStore": True, "LossySyntax": ""}
    assert moved == NEW | CHANGED | expected
    assert run("peers", "show", "viewer", "--json").json == moved


def test_what_was_given_can_be_taken_back(run: Run) -> None:
    words = ("peers", "add", "viewer", "VIEWER@[2001:db8::1]:11112")
    run(*words, *EVERY_OPTION)
    changed = run(*words, "--no-tls", "--prefer", "none", "--lossy", "none", "--json")
    assert changed.code == 0, changed.err
    assert (changed.json["TLS"], changed.json["TLSName"]) == (False, "")
    assert (changed.json["PreferredSyntaxes"], changed.json["LossySyntax"]) == ([], "")


def test_a_peer_is_shown_in_words(run: Run) -> None:
    run("peers", "add", "pacs", "PACS@192.0.2.7:104", "--prefer", "JPEGLosslessSV1", "--no-store")
    rows = dict(line.split(maxsplit=1) for line in run("peers", "show", "pacs").out.splitlines())
    assert rows["Host"].strip() == "192.0.2.7"
    assert rows["MayStore"].strip() == "no"
    assert rows["PreferredSyntaxes"].strip() == "JPEG Lossless (Process 14, SV1) (1.2.840.10008.1.2.4.70)"
    assert rows["MaxPDU"].strip() == "as in the settings"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--retries", "-1"], "retries: -1 is no number of retries"),
        (["--retry-delay", "0"], "retry_delay_s: 0.0 is no delay"),
        (["--concurrency", "0"], "concurrency: 0 is no number of jobs at once"),
        (["--max-pdu", "12"], "max_pdu_bytes: 12 is no PDU length"),
        (["--response-timeout", "-3"], "response_s: -3.0 is no time to wait"),
        (["--contexts", "other"], "context_list: no context list 'other'; known are dbx, xd"),
        (["--prefer", "JPEG"], "--prefer: 'JPEG' is neither a UID nor the name or keyword of a transfer syntax"),
        (["--lossy", "ImplicitVRLittleEndian"], "lossy_syntax: '1.2.840.10008.1.2' is not one of the syntaxes"),
        (["--tls-name", "node.example"], "tls_name: a certificate needs TLS"),
        (["--as", "X" * 17], "calling_ae_title: 'XXXXXXXXXXXXXXXXX' is no AE title"),
    ],
)
def test_an_impossible_option_is_wrong_use_and_keeps_nothing(run: Run, options: list[str], said: str) -> None:
    answer = run("peers", "add", "pacs", "PACS@192.0.2.7:104", *options)
    assert answer.code == 2
    assert said in " ".join(answer.err.split())
    assert run("peers", "list", "--json").json == []


def test_an_unknown_peer_is_not_shown_or_removed_and_no_folder_is_made(run: Run, tmp_path: Path) -> None:
    for command in ("show", "remove"):
        answer = run("peers", command, "nobody")
        assert (answer.code, "unknown peer 'nobody'" in answer.err) == (1, True)
    assert not (tmp_path / "data").exists()
    run("peers", "add", "pacs", "PACS@192.0.2.7:104")
    assert run("peers", "show", "nobody").code == 1


def test_a_configured_peer_answers_to_its_name_and_tells_the_story(run: Run, node: RunningNode) -> None:
    run("peers", "add", "ours", node.peer)
    lines = run("peers", "test", "ours").out.splitlines()
    assert lines[0].startswith(f"Connected to 127.0.0.1 port {node.port} in ")
    assert lines[1].startswith("RADFUSE accepted the association of TESTER in ")
    assert lines[2].startswith(f"ours (RADFUSE at 127.0.0.1 port {node.port}) answered in ")
    assert lines[3] == (
        "Accepts 102 of 102 storage classes of the list dbx, and 9 of its 9 transfer syntaxes for CT Image Storage"
    )
    assert len(run("echo", "ours").out.splitlines()) == 3
    assert run("peers", "test", "ours", "--json").json["Contexts"] == lines[3]
    story = run("echo", "ours", "--json").json
    assert (story["Name"], story["CallingAETitle"], story["TLS"], story["CertificateNames"]) == (
        "ours",
        "TESTER",
        "",
        [],
    )
    assert story["Milliseconds"] > 0


def test_we_are_to_a_peer_who_its_configuration_says(run: Run, node: RunningNode) -> None:
    run("peers", "add", "ours", node.peer, "--as", "SOMEBODY")
    assert run("echo", "ours", "--json").json["CallingAETitle"] == "SOMEBODY"
    assert run("echo", "ours", "--from", "ELSE", "--json").json["CallingAETitle"] == "ELSE"
    run("peers", "add", "station", node.peer, "--contexts", "xd")
    assert run("echo", "station", "--json").json["CallingAETitle"] == "RADFUSE_SCU"


def test_a_tls_peer_without_a_certificate_of_ours_says_what_to_do(run: Run, node: RunningNode) -> None:
    run("peers", "add", "ours", node.peer, "--tls")
    answer = run("echo", "ours")
    assert answer.code == 1
    assert "or with 'radfuse tls init'" in answer.err


@pytest.mark.peers
def test_the_story_of_a_tls_peer_names_its_protection_and_certificate(run: Run, tmp_path: Path) -> None:
    assert run("tls", "init", "--name", "127.0.0.1", "--name", "node.example").code == 0
    folder = tmp_path / "data" / "tls"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / "node.pem", folder / "node.key")
    entity = AE("PACS1")
    entity.add_supported_context(VERIFICATION)
    server = entity.start_server(("127.0.0.1", 0), block=False, ssl_context=context)
    assert server is not None
    address = f"PACS1@127.0.0.1:{server.server_address[1]}"
    try:
        run("peers", "add", "pacs", address, "--tls", "--tls-name", "node.example")
        lines = run("echo", "pacs").out.splitlines()
        assert lines[0].startswith(f"Connected to 127.0.0.1 port {server.server_address[1]} in ")
        assert lines[1].startswith("Protected with TLSv1.3 (TLS_")
        names = lines[1].partition("the certificate is for ")[2].partition(" and ends in ")[0]
        assert {"127.0.0.1", "node.example"} <= set(names.split(", "))
        story = run("echo", "pacs", "--json").json
        assert story["TLS"] == "TLSv1.3"
        assert "node.example" in story["CertificateNames"]
        run("peers", "add", "pacs", address, "--tls-name", "other.example")
        refused = run("echo", "pacs")
        assert refused.code == 1
        assert "other.example" in refused.err
        run("peers", "remove", "pacs")
        run("peers", "add", "pacs", address)
        assert run("echo", "pacs").code == 1, "plain DICOM on a TLS port"
    finally:
        server.shutdown()
