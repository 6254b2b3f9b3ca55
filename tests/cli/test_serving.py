"""serve, node and demo in processes of their own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from radfuse.services import demo
from tests.cli.conftest import Run
from tests.support.servers import RunningNode, radfuse, running_node


def test_the_ready_line_names_title_address_port_folder_and_workers(node: RunningNode) -> None:
    expected = f"Radfuse is ready: RADFUSE at 127.0.0.1 port {node.port}, data in {node.data}, 1 worker\n"
    assert node.ready_line == expected


def test_a_second_service_on_the_folder_is_refused(node: RunningNode) -> None:
    done = radfuse("serve", "--data", str(node.data), "--dicom-port", "0")
    assert done.returncode == 1
    assert "another Radfuse is already serving the data folder" in done.stderr.splitlines()[-1]


def test_a_port_that_is_taken_is_said_in_one_line(node: RunningNode, tmp_path: Path) -> None:
    done = radfuse("serve", "--data", str(tmp_path / "other"), "--dicom-port", str(node.port))
    assert done.returncode == 1
    assert done.stderr == f"radfuse: dicom_port: cannot listen on 127.0.0.1 port {node.port}: Address already in use\n"


def test_options_reach_the_workers(tmp_path: Path, run: Run) -> None:
    with running_node(tmp_path / "data", "--json", ae_title="OTHER", command=("serve", "--workers", "2")) as running:
        facts = json.loads(running.ready_line)
        assert facts["Status"] == "ready"
        assert (facts["AETitle"], facts["Workers"]) == ("OTHER", 2)
        assert run("echo", running.peer).code == 0
        assert run("echo", f"RADFUSE@127.0.0.1:{running.port}").code == 1


def test_options_override_the_settings_file(tmp_path: Path, run: Run) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "radfuse.toml").write_text('ae_title = "FROM_FILE"\n[storage]\nduplicates = "reject"\n', encoding="utf-8")
    with running_node(data, "--accept-unknown", ae_title="FROM_OPTION") as running:
        assert run("echo", running.peer).code == 0


def test_one_node_process_serves_alone(tmp_path: Path, run: Run) -> None:
    with running_node(tmp_path / "data", command=("node",)) as running:
        assert run("echo", running.peer).code == 0


@pytest.mark.peers
def test_dcmtk_is_answered(node: RunningNode, dcmtk: Callable[[str], str]) -> None:
    subprocess.run([dcmtk("echoscu"), "-aec", node.ae_title, "127.0.0.1", str(node.port)], check=True)


def test_the_demonstration_has_its_study_and_makes_it_once(tmp_path: Path, run: Run) -> None:
    data = tmp_path / "data"
    for _ in range(2):
        with running_node(data, command=("demo", "--workers", "1")) as running:
            words = ("find", "--at", running.peer, "--level", "series", f"StudyInstanceUID={demo.STUDY_UID}", "--json")
            series = run(*words).json
        counts = {row["Modality"]: row["NumberOfSeriesRelatedInstances"] for row in series}
        assert counts == {"CT": 40, "PT": 40, "MR": 32, "RTSTRUCT": 1}
