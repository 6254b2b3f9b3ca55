"""The commands about OHIF say what is there."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run
from tests.support.ohif_package import write_archive, write_package


def test_it_is_installed_told_of_and_removed(run: Run, tmp_path: Path) -> None:
    assert "radfuse ohif install" in run("ohif", "status").out
    assert run("ohif", "status", "--json").json == {"Installed": False}
    archive = write_archive(tmp_path, write_package(tmp_path))
    assert "OHIF 3.13.2 (MIT license, " in run("ohif", "install", "--from", archive).out
    said = run("ohif", "status", "--json").json
    assert (said["Installed"], said["Version"]) == (True, "3.13.2")
    assert run("ohif", "remove").out == "OHIF is removed.\n"
    assert run("ohif", "remove").out == "OHIF is not installed.\n"


def test_what_cannot_be_installed_ends_with_1_and_wrong_use_with_2(run: Run, tmp_path: Path) -> None:
    answer = run("ohif", "install", "--from", tmp_path / "nowhere")
    assert (answer.code, answer.err.startswith("radfuse: --from: there is no file or folder")) == (1, True)
    assert run("ohif", "install", "--from", tmp_path, "--version", "3.13.2").code == 2
