"""The program as a whole: help, version, wrong use, errors in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from radfuse import __version__
from tests.cli.conftest import Run
from tests.support.servers import radfuse

COMMANDS = ("serve", "node", "demo", "echo", "send", "find", "move", "get", "ls", "import", "check", "peers")


def test_help_names_every_command(run: Run) -> None:
    answer = run("--help")
    assert answer.code == 0
    assert all(f"  {command} " in answer.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run: Run, command: str) -> None:
    assert run(command, "-h").code == 0


def test_the_version_is_shown(run: Run) -> None:
    assert run("--version").out == f"radfuse {__version__}\n"


def test_help_loads_no_heavy_library() -> None:
    import subprocess
    import sys

    from tests.support.servers import environment

    code = (
        "import sys, radfuse.cli\n"
        "heavy = {'sqlalchemy', 'pydantic', 'pydicom', 'numpy', 'rich', 'structlog'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("fly",),
        ("echo",),
        ("echo", "A@B"),
        ("echo", "TOO_LONG_AN_AE_TITLE@localhost:104"),
        ("echo", "A@localhost:104", "--from", "TOO_LONG_AN_AE_TITLE"),
        ("find", "--at", "A@localhost:104", "--level", "planet"),
        ("find", "--at", "A@localhost:104", "NoSuchKeyword=1"),
        ("find", "--at", "A@localhost:104", "PatientID=1", "0010,0020=2"),
        ("find", "--at", "A@localhost:104", "QueryRetrieveLevel=PLANET"),
        ("get", "--at", "A@localhost:104", "PatientName=X"),
        ("ls", "StudyDate=yesterday"),
        ("send", "--to", "A@localhost:104"),
        ("peers",),
        ("peers", "add", "pacs", "nowhere"),
        ("peers", "add", "no name", "A@localhost:104"),
        ("serve", "--dicom-port", "70000"),
        ("serve", "--ae-title", "TOO_LONG_AN_AE_TITLE"),
    ],
    ids=" ".join,
)
def test_wrong_use_ends_with_2(run: Run, words: tuple[str, ...]) -> None:
    answer = run(*words)
    assert answer.code == 2
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("echo", "nobody"), "radfuse: unknown peer 'nobody'; add it with"),
        (("peers", "remove", "nobody"), "radfuse: unknown peer 'nobody'"),
        (("ls",), "there is no such data folder"),
        (("import", "not-there"), "radfuse: there is no file or folder not-there"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_failure_is_one_line_and_ends_with_1(run: Run, words: tuple[str, ...], sentence: str) -> None:
    answer = run(*words)
    assert answer.code == 1
    assert answer.err.count("\n") == 1
    assert sentence in answer.err
    assert answer.out == ""


def test_a_setting_that_cannot_be_used_is_named(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "radfuse.toml").write_text("wings = 2\n", encoding="utf-8")
    answer = run("ls")
    assert (answer.code, answer.err.count("\n")) == (1, 1)
    assert "wings: unknown setting" in answer.err


def test_the_module_is_the_program() -> None:
    done = radfuse("--version")
    assert (done.returncode, done.stdout) == (0, f"radfuse {__version__}\n")
    assert radfuse("fly").returncode == 2
