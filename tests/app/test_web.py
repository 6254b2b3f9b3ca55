"""The web process: on this machine alone, supervised, and stopped in order."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from radfuse.app.settings import Settings, load_settings
from radfuse.app.web import open_http
from radfuse.core.errors import ConfigurationError
from radfuse.services.certificates import TlsFolder, make_certificate
from radfuse.services.roles import Role
from radfuse.services.users import Accounts, NewUser, Passwords
from tests.app.test_serve import archived, wait_until
from tests.archive.objects import EXPLICIT, AnObject, leftovers, numbered
from tests.support.servers import RunningNode, environment, processes_of, radfuse, running_node

QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
DICOM = {"Content-Type": "application/dicom"}
LARGE = bytes(60_000_000)


def url_of(node: RunningNode) -> str:
    found = re.search(r"web at (http://\S+?),", node.ready_line)
    assert found, node.ready_line
    return found[1]


@contextlib.contextmanager
def serving(data: Path, *options: str) -> Iterator[tuple[RunningNode, str]]:
    """The whole service, with the address of its web server."""
    with running_node(data, "--http-port", "0", *options) as node:
        yield node, url_of(node)


@contextlib.contextmanager
def web_alone(data: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """``radfuse web`` and its ready line; stopped by SIGTERM, which must end it with exit code 0."""
    command = [sys.executable, "-m", "radfuse", "web", "--data", str(data), "--http-port", "0", "--json", *options]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        try:
            yield process, json.loads(process.stdout.readline())
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()


def part10(each: AnObject) -> bytes:
    from radfuse.dicom import FileMeta, build_file_meta

    return build_file_meta(FileMeta(each.origin().sop_class_uid, each.uid, EXPLICIT)) + each.data_set()


def store(url: str, each: AnObject) -> str:
    """Stores an object, and gives its address."""
    answer = httpx.post(f"{url}/dicom-web/studies", content=part10(each), headers=DICOM, timeout=60)
    assert answer.status_code == 200
    (item,) = answer.json()["00081199"]["Value"]
    return str(item["00081190"]["Value"][0])


def test_it_serves_alone_and_refuses_a_page_that_points_its_name_at_this_machine(tmp_path: Path) -> None:
    with web_alone(tmp_path / "data") as (process, ready):
        url = f"http://127.0.0.1:{ready['HTTPPort']}"
        assert (ready["Status"], ready["Host"]) == ("ready", "127.0.0.1")
        assert httpx.get(store(url, numbered(1)), headers={"Accept": DICOM["Content-Type"]}).status_code == 200
        named = f"http://localhost:{ready['HTTPPort']}/dicom-web/studies"
        assert httpx.get(named).status_code == 200
        assert httpx.get(named, headers={"Host": "evil.example"}).status_code == 421
        assert process.poll() is None
    assert leftovers(tmp_path / "data") == []


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningNode, str]]:
    """The whole service, whose node may be reached from everywhere."""
    with serving(tmp_path_factory.mktemp("service") / "data", "--host", "0.0.0.0") as running:  # noqa: S104
        yield running


def test_the_node_may_be_reached_when_the_web_server_is_not(service: tuple[RunningNode, str]) -> None:
    _, url = service
    assert url.startswith("http://127.0.0.1:")
    assert httpx.get(f"{url}/healthz").status_code == 200


def test_a_process_that_is_killed_is_replaced_on_the_same_port(service: tuple[RunningNode, str]) -> None:
    node, url = service
    (first,) = processes_of(node.process, "web")
    address = store(url, numbered(1))
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: processes_of(node.process, "web") not in ([], [first]))
    # The supervisor holds the port meanwhile: who asks waits.
    answer = httpx.get(address, headers={"Accept": DICOM["Content-Type"]}, timeout=30)
    assert (answer.status_code, answer.content[-100:]) == (200, part10(numbered(1))[-100:])
    assert "a web process ended unexpectedly" in (node.data / "log" / "supervisor.jsonl").read_text()


def test_it_ends_with_its_supervisor(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "radfuse", "serve", "--data", str(tmp_path / "data"), "--workers", "1"]
    command += ["--dicom-port", "0", "--http-port", "0", "--json"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["HTTPPort"]
        process.kill()

    def is_gone() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return False
        return True

    wait_until(is_gone)


def test_a_running_download_ends_whole_when_the_service_stops(tmp_path: Path) -> None:
    each = numbered(1, pixels=LARGE)
    with serving(tmp_path / "data") as (node, url):
        address = store(url, each)
        with httpx.stream("GET", address, headers={"Accept": DICOM["Content-Type"]}, timeout=30) as answer:
            pieces = answer.iter_raw(1 << 20)
            received = len(next(pieces))
            node.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not is_taking(url))
            for piece in pieces:
                received += len(piece)
                time.sleep(0.002)
            assert received == int(answer.headers["Content-Length"]) > len(LARGE)
        assert node.process.wait(30) == 0


def test_neither_a_client_that_takes_nothing_nor_a_store_that_stops_coming_holds_the_service_up(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "radfuse.toml").write_text("[limits]\nshutdown_s = 1\n")
    whole = part10(numbered(3, pixels=bytes(8_000_000)))
    goes_on = threading.Event()

    def content() -> Iterator[bytes]:
        yield whole[:5_000_000]
        goes_on.wait(60)

    def send(url: str) -> None:
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(f"{url}/dicom-web/studies", content=content(), headers=DICOM, timeout=60)

    with serving(data) as (node, url):
        address = store(url, numbered(1, pixels=LARGE))
        sender = threading.Thread(target=send, args=(url,))
        with httpx.stream("GET", address, headers={"Accept": DICOM["Content-Type"]}, timeout=30) as answer:
            sender.start()
            wait_until(lambda: any((data / "incoming").glob("*/*")))
            node.process.send_signal(signal.SIGTERM)
            assert node.process.wait(30) == 0
            with pytest.raises(httpx.HTTPError):
                answer.read()
        goes_on.set()
        sender.join()
    assert not (data / "log" / "supervisor.jsonl").exists()  # nothing had to be killed
    assert leftovers(data) == []
    assert set(archived(data)) == {numbered(1).uid}


def is_taking(url: str) -> bool:
    """Whether the server takes new requests."""
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/healthz", timeout=0.5).status_code == 200
    return False


# --- where it listens --------------------------------------------------------------------------------


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an empty folder."""
    for name in [name for name in os.environ if name.startswith("RADFUSE_")]:
        monkeypatch.delenv(name)
    return load_settings(tmp_path)


def test_it_listens_on_this_machine_wherever_the_node_does(loaded: Settings) -> None:
    assert (loaded.http_host, loaded.http_port) == ("127.0.0.1", 8042)
    for changes, address in (({"host": "192.0.2.1"}, "127.0.0.1"), ({"http_host": "127.0.0.2"}, "127.0.0.2")):
        listener = open_http(loaded.model_copy(update={"http_port": 0} | changes))
        assert listener is not None
        with listener:
            assert listener.getsockname()[0] == address


def test_it_can_be_switched_off(loaded: Settings) -> None:
    assert open_http(loaded.model_copy(update={"http_port": -1, "host": "192.0.2.1"})) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "pacs.example"])  # noqa: S104
def test_what_others_can_reach_is_refused_while_nobody_can_log_in(loaded: Settings, host: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        open_http(loaded.model_copy(update={"http_host": host}))
    assert refused.value.setting == "http_host"
    assert f"reachable at {host} without a login" in refused.value.reason


@pytest.mark.parametrize("words", [("serve", "--dicom-port", "0", "--http-host"), ("web", "--host")], ids=" ".join)
def test_the_refusal_is_one_sentence(words: tuple[str, ...], tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    done = radfuse(*words, "0.0.0.0", "--data", data, "--http-port", "0")  # noqa: S104
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "add one on the page Users or with 'radfuse users add NAME', set http_host to 127.0.0.1" in done.stderr


def test_a_public_address_is_refused_as_long_too(loaded: Settings) -> None:
    with pytest.raises(ConfigurationError) as refused:
        open_http(loaded.model_copy(update={"public_url": "https://pacs.example"}))
    assert refused.value.setting == "public_url"
    assert "reachable at https://pacs.example without a login" in refused.value.reason


def add_user(data: Path, name: str = "anna") -> None:
    with contextlib.closing(Accounts.open(data, passwords=QUICK)) as accounts:
        accounts.users.add(NewUser(name, Role.ADMINISTRATOR, "correct horse battery"))


def test_with_a_user_it_may_be_reached_from_elsewhere_and_warns_that_nothing_is_encrypted(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    add_user(data)
    with web_alone(data, "--host", "0.0.0.0") as (_, ready):  # noqa: S104
        url = f"http://127.0.0.1:{ready['HTTPPort']}"
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert httpx.get(f"{url}/dicom-web/studies").status_code == 401
        login = {"name": "anna", "password": "correct horse battery"}
        with httpx.Client() as anna:
            session = anna.post(f"{url}/api/session", json=login).json()
            assert (session["role"], session["is_encrypted"]) == ("administrator", False)
            assert anna.get(f"{url}/dicom-web/studies", headers={"Host": "pacs.example"}).status_code == 200
    assert any("unencrypted" in log.read_text() for log in (data / "log").glob("*.jsonl"))


def test_it_serves_https_with_the_nodes_certificate(tmp_path: Path) -> None:
    data = tmp_path / "data"
    refused = radfuse("web", "--data", str(data), "--http-port", "0", env={"RADFUSE_HTTP_TLS": "true"})
    assert refused.stderr == (
        "radfuse: http_tls: there is no certificate yet: make one in Settings > TLS or with 'radfuse tls init'\n"
    )
    make_certificate(TlsFolder.of(data), ["localhost", "127.0.0.1"])
    add_user(data)
    (data / "radfuse.toml").write_text("http_tls = true\n")
    trust = ssl.create_default_context(cafile=str(data / "tls" / "ca.pem"))
    with running_node(data, "--http-port", "0", "--tls-port", "0") as node:
        found = re.search(r"web at (https://\S+?),", node.ready_line)
        assert found, node.ready_line
        with httpx.Client(verify=trust, base_url=found[1]) as anna:
            answer = anna.post("/api/session", json={"name": "anna", "password": "correct horse battery"})
            assert answer.json()["is_encrypted"] is True
            assert "Secure" in answer.headers["set-cookie"]
            assert anna.get("/dicom-web/studies").status_code == 200
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(data / "tls" / "ca.pem")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert httpx.get(f"{found[1]}/healthz", verify=old).status_code == 200
        with pytest.raises(httpx.HTTPError):
            httpx.get(found[1].replace("https:", "http:"))


def test_a_user_of_the_command_line_is_let_in_and_out_of_a_running_service(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with web_alone(data) as (_, ready):
        url = f"http://127.0.0.1:{ready['HTTPPort']}/dicom-web/studies"
        assert httpx.get(url).status_code == 200
        add_user(data)
        add_user(data, "ben")
        with contextlib.closing(Accounts.open(data, passwords=QUICK)) as accounts:
            _, secret = accounts.tokens.add("ben", "script", Role.READER)
        headers = {"Authorization": f"Bearer {secret}"}
        wait_until(lambda: httpx.get(url).status_code == 401)
        wait_until(lambda: httpx.get(url, headers=headers).status_code == 200)
        assert radfuse("users", "remove", "ben", "--data", str(data)).returncode == 0
        wait_until(lambda: httpx.get(url, headers=headers).status_code == 401)


@pytest.mark.parametrize("words", [("serve", "--dicom-port", "0"), ("web",)], ids=" ".join)
def test_a_port_that_is_taken_is_said_in_one_line(words: tuple[str, ...], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = radfuse(*words, "--data", str(tmp_path / "data"), "--http-port", str(port))
    assert done.returncode == 1
    assert done.stderr == f"radfuse: http_port: cannot listen on 127.0.0.1 port {port}: Address already in use\n"


def test_a_web_process_alone_that_is_switched_off_says_so(tmp_path: Path) -> None:
    done = radfuse("web", "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert done.stderr == "radfuse: http_port: the web server is switched off (-1); give it a port\n"
