"""serve, node and demo in processes of their own."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from radfuse.services import demo
from tests.cli.conftest import Run
from tests.support.servers import RunningNode, environment, radfuse, running_node


def test_the_ready_line_names_title_address_port_folder_and_workers(node: RunningNode) -> None:
    expected = f"Radfuse is ready: RADFUSE at 127.0.0.1 port {node.port}, data in {node.data}, 1 worker\n"
    assert node.ready_line == expected


def test_a_second_service_on_the_folder_is_refused(node: RunningNode) -> None:
    done = radfuse("serve", "--data", str(node.data), "--dicom-port", "0")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "another Radfuse is already serving the data folder" in line


def test_a_port_that_is_taken_is_said_in_one_line(node: RunningNode, tmp_path: Path) -> None:
    done = radfuse("serve", "--data", str(tmp_path / "other"), "--dicom-port", str(node.port))
    assert done.returncode == 1
    assert done.stderr == f"radfuse: dicom_port: cannot listen on 127.0.0.1 port {node.port}: Address already in use\n"


def test_options_override_the_settings_file_and_reach_the_workers(tmp_path: Path, run: Run) -> None:
    data, options = tmp_path / "data", ("--json", "--accept-unknown")
    data.mkdir()
    (data / "radfuse.toml").write_text('ae_title = "FROM_FILE"\n[storage]\nduplicates = "reject"\n', encoding="utf-8")
    with running_node(data, *options, ae_title="OTHER", command=("serve", "--workers", "2")) as running:
        facts = json.loads(running.ready_line)
        assert facts["Status"] == "ready"
        assert (facts["AETitle"], facts["Workers"]) == ("OTHER", 2)
        assert run("echo", running.peer).code == 0
        for other in ("RADFUSE", "FROM_FILE"):
            assert run("echo", f"{other}@127.0.0.1:{running.port}").code == 1


def test_one_node_process_serves_alone(tmp_path: Path, run: Run) -> None:
    with running_node(tmp_path / "data", command=("node",)) as running:
        assert run("echo", running.peer).code == 0


@pytest.mark.peers
def test_dcmtk_is_answered(node: RunningNode, dcmtk: Callable[[str], str]) -> None:
    subprocess.run([dcmtk("echoscu"), "-aec", node.ae_title, "127.0.0.1", str(node.port)], check=True)


def test_the_demonstration_has_its_study_and_says_where_to_look(tmp_path: Path, run: Run) -> None:
    with running_node(tmp_path / "data", "--http-port", "0", command=("demo", "--workers", "1")) as running:
        words = ("find", "--at", running.peer, "--level", "series", f"StudyInstanceUID={demo.STUDY_UID}", "--json")
        counts = {row["Modality"]: row["NumberOfSeriesRelatedInstances"] for row in run(*words).json}
        assert counts == {"CT": 40, "PT": 40, "MR": 32, "RTSTRUCT": 1}
        assert running.process.stdout is not None
        port = running.ready_line.partition("web at http://127.0.0.1:")[2].partition(",")[0]
        assert running.process.stdout.readline() == "\n"
        assert running.process.stdout.readline() == f"Open http://localhost:{port} in a browser.\n"


@pytest.mark.parametrize(
    ("display", "is_terminal", "is_opened"), [(":9", True, True), ("", True, False), (":9", False, False)]
)
def test_a_browser_is_opened_for_whoever_sits_at_a_desktop(
    tmp_path: Path, display: str, is_terminal: bool, is_opened: bool
) -> None:
    seen, browser = tmp_path / "seen", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}.part\nmv {seen}.part {seen}\n', encoding="utf-8")
    browser.chmod(0o755)
    script = (
        "import sys, threading\n"
        "from radfuse.cli.serving import open_on_desktop\n"
        "is_opened = open_on_desktop('http://localhost:8042/?study=1.2')\n"
        "[thread.join() for thread in threading.enumerate() if thread.name == 'browser']\n"
        "sys.exit(0 if is_opened else 3)\n"
    )
    leader, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=environment() | {"DISPLAY": display, "WAYLAND_DISPLAY": "", "BROWSER": f"{browser} %s"},
            stdout=terminal if is_terminal else subprocess.DEVNULL,
            check=False,
        )
    finally:
        os.close(leader)
        os.close(terminal)
    assert done.returncode == (0 if is_opened else 3)
    assert seen.exists() == is_opened
    if is_opened:
        assert seen.read_text(encoding="utf-8") == "http://localhost:8042/?study=1.2\n"
