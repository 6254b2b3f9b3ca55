"""DICOM over TLS with DCMTK, openssl and Orthanc, in and out; what must be refused, and how it is said."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from radfuse.services.peers import Peer
from tests.interop.client import as_sent, configured_peer, log_of, stored_files, wait_until
from tests.interop.conftest import write_settings
from tests.support.generate import STUDY_UID, GeneratedSet
from tests.support.orthanc import Orthanc
from tests.support.pki import Issued, Pki
from tests.support.servers import RunningNode, radfuse, running_node, running_storescp, wait_for_port

pytestmark = pytest.mark.peers

Tool = Callable[[str], str]
SETTINGS = '[tls]\ncertificate = "{0}/node.pem"\nkey = "{0}/node.key"\nauthorities = "{0}/ca.pem"\n'


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """An authority that everybody trusts, and the node's certificate: RSA, for the suites of all profiles."""
    made = Pki(tmp_path_factory.mktemp("pki"))
    made.issue("node", key="rsa2048")
    return made


@pytest.fixture(scope="module")
def scu(pki: Pki) -> Issued:
    return pki.issue("scu", key="rsa2048")


@contextlib.contextmanager
def serving(folder: Path, pki: Pki, settings: str = "", workers: str = "1") -> Iterator[RunningNode]:
    """The service with a port for TLS."""
    write_settings(folder, SETTINGS.format(pki.folder) + settings)
    with running_node(folder, "--tls-port", "0", "--workers", workers, command=("serve",)) as node:
        yield node


@pytest.fixture(scope="module")
def node(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """The service as it is by default: client certificates are required."""
    with serving(tmp_path_factory.mktemp("node") / "data", pki) as running:
        yield running


def tls_port(node: RunningNode) -> int:
    found = re.search(r"and (\d+) \(TLS\)", node.ready_line)
    assert found, node.ready_line
    return int(found[1])


def authenticated(pki: Pki, shown: Issued) -> list[str]:
    return ["--enable-tls", str(shown.key), str(shown.certificate), "--add-cert-file", str(pki.authorities)]


def anonymous(pki: Pki) -> list[str]:
    return ["--anonymous-tls", "--add-cert-file", str(pki.authorities)]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def echo(dcmtk: Tool, node: RunningNode, *options: str, port: int = 0) -> int:
    return run(dcmtk("echoscu"), *options, "-aec", node.ae_title, "localhost", str(port or tls_port(node))).returncode


def logs(node: RunningNode, *words: str) -> None:
    """Wait until one line of the log has all these words."""
    wait_until(
        lambda: any(all(word in line for word in words) for line in log_of(node).splitlines()),
        f"the log does not say {words}",
    )


# --- they to us ------------------------------------------------------------------------------


def test_dcmtk_stores_and_finds_over_tls(
    node: RunningNode, pki: Pki, scu: Issued, dcmtk: Tool, generated_set: GeneratedSet
) -> None:
    options = [*authenticated(pki, scu), "-aec", node.ae_title]
    where = ["localhost", str(tls_port(node))]
    stored = run(dcmtk("storescu"), *options, *where, *map(str, generated_set.ct))
    assert stored.returncode == 0, stored.stderr
    kept = {as_sent(path).data for path in stored_files(node)}
    assert kept == {as_sent(path).data for path in generated_set.ct}
    found = run(dcmtk("findscu"), *options, "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", *where)
    assert STUDY_UID in found.stdout + found.stderr
    logs(node, "association released", '"certificate": "scu"', f'"stored": {len(kept)}')


@pytest.mark.parametrize(
    ("profile", "suite"),
    [
        ("--profile-bcp195-nd", "GCM"),
        ("--profile-bcp195", "GCM"),
        ("--profile-bcp195-ex", "GCM"),
    ],
)
def test_every_current_profile_of_dcmtk_is_served(
    profile: str, suite: str, node: RunningNode, pki: Pki, scu: Issued, dcmtk: Tool
) -> None:
    assert echo(dcmtk, node, *authenticated(pki, scu), profile) == 0
    assert suite in log_of(node)


def test_the_aes_profile_needs_the_legacy_switch(
    node: RunningNode, pki: Pki, scu: Issued, dcmtk: Tool, tmp_path: Path
) -> None:
    options = [*authenticated(pki, scu), "--profile-aes"]
    assert echo(dcmtk, node, *options) != 0
    logs(node, "none of our cipher suites")
    with serving(tmp_path / "data", pki, "legacy = true\n") as legacy:
        assert echo(dcmtk, legacy, *options) == 0
        logs(legacy, "association released", "AES128-SHA")


def test_a_client_without_a_certificate_is_refused_where_one_is_required(
    node: RunningNode, pki: Pki, dcmtk: Tool
) -> None:
    assert echo(dcmtk, node, *anonymous(pki)) != 0
    logs(node, "the peer showed no certificate", '"address": "127.0.0.1"')


@pytest.mark.parametrize("asked", ["optional", "none"])
def test_anonymous_tls_is_served_where_the_settings_say_so(
    asked: str, pki: Pki, scu: Issued, dcmtk: Tool, generated_set: GeneratedSet, tmp_path: Path
) -> None:
    with serving(tmp_path / "data", pki, f'client_certificates = "{asked}"\n') as node:
        where = ["-aec", node.ae_title, "localhost", str(tls_port(node))]
        stored = run(dcmtk("storescu"), *anonymous(pki), *where, str(generated_set.ct[0]))
        assert stored.returncode == 0, stored.stderr
        stored = run(dcmtk("storescu"), *authenticated(pki, scu), *where, str(generated_set.ct[1]))
        assert stored.returncode == 0, stored.stderr
        assert len(stored_files(node)) == 2


def test_a_client_of_a_foreign_authority_is_refused(node: RunningNode, pki: Pki, dcmtk: Tool, tmp_path: Path) -> None:
    stranger = Pki(tmp_path, "foreign").issue("stranger")
    assert echo(dcmtk, node, *authenticated(pki, stranger)) != 0
    logs(node, "no authority that we trust")


def test_plain_dicom_on_the_tls_port_and_tls_on_the_plain_one_are_refused(
    node: RunningNode, pki: Pki, scu: Issued, dcmtk: Tool
) -> None:
    assert echo(dcmtk, node) != 0
    logs(node, "plain DICOM came to the TLS port")
    assert echo(dcmtk, node, *authenticated(pki, scu), port=node.port) != 0
    logs(node, "a TLS client came to the plain port")
    assert echo(dcmtk, node, port=node.port) == 0


@pytest.mark.parametrize(
    ("option", "answer"),
    [("-tls1_3", "TLSv1.3"), ("-tls1_2", "TLSv1.2"), ("-tls1_1", "alert protocol version"),
     ("-tls1", "alert protocol version")],
)  # fmt: skip
def test_openssl_sees_two_versions_and_no_others(
    option: str, answer: str, node: RunningNode, pki: Pki, scu: Issued
) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed (apt-get install openssl)")
    where = [
        "-connect",
        f"localhost:{tls_port(node)}",
        "-CAfile",
        str(pki.authorities),
        "-verify_hostname",
        "localhost",
    ]
    said = run(
        openssl, "s_client", option, "-cipher", "ALL:@SECLEVEL=0", *where, "-verify_return_error",
        "-cert", str(scu.certificate), "-key", str(scu.key),
    )  # fmt: skip
    assert answer in said.stdout + said.stderr
    if answer.startswith("TLSv"):
        assert "Verify return code: 0 (ok)" in said.stdout


def test_all_workers_serve_tls_and_new_files_without_a_restart(
    pki: Pki, scu: Issued, dcmtk: Tool, tmp_path: Path
) -> None:
    own = Pki(tmp_path / "pki")
    own.issue("node")
    with serving(tmp_path / "data", own, workers="2") as node:
        for _ in range(4):
            assert echo(dcmtk, node, *authenticated(own, own.issue("scu"))) == 0
        for name in ("ca.pem", "node.pem", "node.key"):
            shutil.copy(pki.folder / name, own.folder / name)
        for _ in range(4):
            assert echo(dcmtk, node, *authenticated(pki, scu)) == 0


# --- we to them ------------------------------------------------------------------------------


@contextlib.contextmanager
def tls_peer(node: RunningNode, port: int, host: str = "localhost", **fields: str) -> Iterator[Peer]:
    """A peer of the node on this machine that wants TLS."""
    peer = replace(Peer.parse(f"SINK@{host}:{port}", "sink"), tls=True, **fields)  # type: ignore[arg-type]
    with configured_peer(node, peer):
        yield peer


def scp_options(pki: Pki, shown: Issued) -> list[str]:
    return ["--enable-tls", str(shown.key), str(shown.certificate), "--add-cert-file", str(pki.authorities)]


def test_dcmtk_receives_over_tls_from_send_and_from_c_move(
    node: RunningNode, pki: Pki, dcmtk: Tool, generated_set: GeneratedSet, free_port: int, tmp_path: Path
) -> None:
    scp = pki.issue("scp", key="rsa2048")
    wanted = {as_sent(path).data for path in generated_set.files}
    with (
        running_storescp(dcmtk("storescp"), tmp_path / "in", free_port, *scp_options(pki, scp)),
        tls_peer(node, free_port),
    ):
        files = list(map(str, generated_set.files))
        sent = radfuse("send", *files, "--to", "sink", "--now", "--data", str(node.data))
        assert sent.returncode == 0, sent.stderr
        assert {as_sent(path).data for path in (tmp_path / "in").iterdir()} == wanted
        shutil.rmtree(tmp_path / "in")
        (tmp_path / "in").mkdir()
        imported = radfuse("import", str(generated_set.root), "--data", str(node.data))
        assert imported.returncode == 0, imported.stderr
        moved = run(
            dcmtk("movescu"), "-S", "-aec", node.ae_title, "-aem", "SINK", "-k", "0008,0052=STUDY",
            "-k", f"0020,000D={STUDY_UID}", "localhost", str(node.port),
        )  # fmt: skip
        assert moved.returncode == 0, moved.stderr
        assert {as_sent(path).data for path in (tmp_path / "in").iterdir()} == wanted


@pytest.fixture
def named_scp(pki: Pki, dcmtk: Tool, free_port: int, tmp_path: Path) -> Iterator[int]:
    """The port of a storescp whose certificate is for localhost alone."""
    scp = pki.issue("host", ("localhost",), key="rsa2048")
    with running_storescp(dcmtk("storescp"), tmp_path / "in", free_port, *scp_options(pki, scp)):
        yield free_port


@pytest.mark.parametrize(
    ("host", "tls_name", "sentence"),
    [
        ("localhost", "", ""),
        ("127.0.0.1", "", "not for 127.0.0.1"),
        ("127.0.0.1", "localhost", ""),
        ("localhost", "pacs.example", "not for pacs.example"),
    ],
)
def test_the_certificate_of_a_peer_must_be_for_its_host_or_name(
    host: str, tls_name: str, sentence: str, node: RunningNode, named_scp: int
) -> None:
    with tls_peer(node, named_scp, host, tls_name=tls_name):
        done = radfuse("echo", "sink", "--data", str(node.data))
    assert (done.returncode == 0) == (not sentence), done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_peer_whose_authority_is_foreign_is_refused(
    node: RunningNode, pki: Pki, dcmtk: Tool, free_port: int, tmp_path: Path
) -> None:
    stranger = Pki(tmp_path / "pki", "foreign").issue("stranger", key="rsa2048")
    with (
        running_storescp(dcmtk("storescp"), tmp_path / "in", free_port, *scp_options(pki, stranger)),
        tls_peer(node, free_port),
    ):
        done = radfuse("echo", "sink", "--data", str(node.data))
    assert done.returncode == 1
    assert "no authority that we trust" in done.stderr


def test_a_plain_peer_that_is_configured_for_tls_is_never_sent_anything_plain(
    node: RunningNode, dcmtk: Tool, generated_set: GeneratedSet, free_port: int, tmp_path: Path
) -> None:
    with running_storescp(dcmtk("storescp"), tmp_path / "in", free_port), tls_peer(node, free_port):
        sent = radfuse("send", str(generated_set.ct[0]), "--to", "sink", "--now", "--data", str(node.data))
        assert sent.returncode == 1
        assert "TLS" in sent.stderr
        assert not list((tmp_path / "in").iterdir())


def test_without_a_certificate_of_ours_a_tls_peer_is_refused_with_what_to_do(tmp_path: Path) -> None:
    data = tmp_path / "data"
    added = radfuse("peers", "add", "sink", "SINK@localhost:2762", "--tls", "--data", str(data))
    assert added.returncode == 0, added.stderr
    done = radfuse("echo", "sink", "--data", str(data))
    assert done.returncode == 1
    assert "radfuse tls init" in done.stderr


# --- Orthanc ---------------------------------------------------------------------------------


@contextlib.contextmanager
def running_orthanc(
    orthanc: str, folder: Path, node: RunningNode, pki: Pki, new_port: Callable[[], int]
) -> Iterator[Orthanc]:
    """Orthanc with TLS for all it sends and receives."""
    own = pki.issue("orthanc", key="rsa2048")
    running = Orthanc(new_port(), new_port())
    modality = {"AET": node.ae_title, "Host": "localhost", "Port": tls_port(node), "UseDicomTls": True}
    settings = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "AuthenticationEnabled": False,
        "HttpPort": running.http_port,
        "DicomPort": running.dicom_port,
        "DicomAet": "SINK",
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": str(own.certificate),
        "DicomTlsPrivateKey": str(own.key),
        "DicomTlsTrustedCertificates": str(pki.authorities),
        "DicomModalities": {"radfuse": modality},
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([orthanc, str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        wait_for_port(running.http_port)
        wait_for_port(running.dicom_port)
        yield running
    finally:
        process.terminate()
        process.wait(30)


def test_orthanc_sends_and_receives_over_tls(
    node: RunningNode, pki: Pki, orthanc: str, generated_set: GeneratedSet, new_port: Callable[[], int], tmp_path: Path
) -> None:
    with running_orthanc(orthanc, tmp_path, node, pki, new_port) as peer, tls_peer(node, peer.dicom_port):
        files = list(map(str, generated_set.files))
        sent = radfuse("send", *files, "--to", "sink", "--now", "--data", str(node.data))
        assert sent.returncode == 0, sent.stderr
        instances = peer.ask("instances")
        assert len(instances) == len(files)
        answer = peer.ask("modalities/radfuse/store", {"Resources": instances, "Synchronous": True})
        assert answer["FailedInstancesCount"] == 0
        assert peer.ask("modalities/radfuse/echo", {}) == {}
    logs(node, "association released", '"certificate": "orthanc"', f'"stored": {len(files)}')
