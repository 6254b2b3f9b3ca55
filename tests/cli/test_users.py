"""The commands about users and tokens."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from radfuse.services.access_log import AccessLog, AccessQuery
from radfuse.services.users import Accounts
from tests.cli.conftest import Run
from tests.support.servers import environment

PASSWORD = "correct horse battery"  # noqa: S105


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """A password in a file."""
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return path


def can_log_in(data: Path, name: str, password: str) -> bool:
    with contextlib.closing(Accounts.open(data)) as accounts, contextlib.suppress(Exception):
        return accounts.login.log_in(name, password, "").user == name
    return False


def test_users_are_added_listed_changed_and_removed(run: Run, password: Path, tmp_path: Path) -> None:
    assert run("users", "list").out.startswith("There are no users")
    assert run("users", "list", "--json").json == []
    added = run("users", "add", "Anna", "--full-name", "Anna Berg", "--password-file", password)
    assert added.out == "anna may log in as administrator\n"
    assert run("users", "add", "ben", "--password-file", password, "--json").json["Role"] == "reader"
    assert run("users", "list", "--json").json[0] == {
        "Name": "anna",
        "FullName": "Anna Berg",
        "Role": "administrator",
        "Enabled": True,
        "LastLogin": "",
    }
    assert can_log_in(tmp_path / "data", "anna", PASSWORD)
    assert run("users", "list", "--json").json[0]["LastLogin"] != ""
    changed = run("users", "change", "ben", "--role", "operator", "--full-name", "Ben", "--disable", "--json").json
    assert changed == {"Name": "ben", "FullName": "Ben", "Role": "operator", "Enabled": False, "LastLogin": ""}
    password.write_text("another password")
    assert run("users", "change", "ben", "--enable", "--password-file", password).out == "ben is changed\n"
    assert can_log_in(tmp_path / "data", "ben", "another password")
    assert run("users", "remove", "ben").out == "ben is removed\n"
    with contextlib.closing(AccessLog(tmp_path / "data")) as log:
        entries, _ = log.page(AccessQuery())
    assert [entry.action for entry in entries] == [
        "user removed",
        "user changed",
        "user changed",
        "user added",
        "user added",
    ]
    assert all(entry.user.endswith(" (command line)") for entry in entries)


@pytest.mark.parametrize(
    "words",
    [
        ("users", "remove", "anna"),
        ("users", "change", "anna", "--disable"),
        ("users", "change", "anna", "--role", "reader"),
    ],
    ids=" ".join,
)
def test_the_last_administrator_stays(words: tuple[str, ...], run: Run, password: Path) -> None:
    run("users", "add", "anna", "--password-file", password)
    answer = run(*words)
    assert answer.code == 1
    assert "'anna' is the last administrator" in answer.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "a b"), "is no user's name"),
        (("add", "anna", "--role", "reader"), "the first user must be an administrator"),
        (("add", "correcthorse"), "must not be the user's name"),
        (("add", "anna", "--role", "king"), "king"),
        (("change", "anna"), "no such data folder"),
        (("remove", "anna"), "no such data folder"),
    ],
    ids=str,
)
def test_what_cannot_be_is_said(words: tuple[str, ...], sentence: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("correcthorse")
    more = ("--password-file", path) if words[0] == "add" else ()
    answer = run("users", *words, *more)
    assert answer.code != 0
    assert sentence in " ".join(answer.err.split())


def test_a_short_password_is_wrong_use(run: Run, password: Path) -> None:
    password.write_text("short")
    answer = run("users", "add", "anna", "--password-file", password)
    assert answer.code == 2
    assert "at least 10 characters" in " ".join(answer.err.split())
    assert run("users", "list", "--json").json == []


def test_unknown_users_and_tokens_are_said(run: Run, password: Path) -> None:
    run("users", "add", "anna", "--password-file", password)
    for words in (
        ("users", "remove", "ben"),
        ("users", "change", "ben", "--disable"),
        ("tokens", "add", "x", "--user", "ben"),
    ):
        answer = run(*words)
        assert answer.code == 1
        assert "there is no user 'ben'" in answer.err
    assert "there is no token 'x'" in run("tokens", "remove", "x").err
    assert run("users", "change", "anna").code == 2


def test_tokens_are_made_listed_and_removed(run: Run, password: Path, tmp_path: Path) -> None:
    assert run("tokens", "list").out.startswith("There are no tokens")
    run("users", "add", "anna", "--password-file", password)
    secret = run("tokens", "add", "viewer", "--user", "anna", "--days", "30").out.strip()
    with contextlib.closing(Accounts.open(tmp_path / "data")) as accounts:
        known = accounts.credentials.of(secret)
    assert known is not None
    assert (known.user, known.role.value) == ("anna", "reader")
    made = run("tokens", "add", "script", "--user", "Anna", "--role", "operator", "--json").json
    assert made["Secret"].startswith("rf_")
    assert (made["Name"], made["User"], made["Role"], made["Expires"], made["LastUsed"]) == (
        *("script", "anna", "operator"),
        *("never", "never"),
    )
    assert {row["Name"]: row["LastUsed"] == "never" for row in run("tokens", "list", "--json").json} == {
        "script": True,
        "viewer": False,
    }
    assert secret not in run("tokens", "list", "--json").out
    assert run("tokens", "remove", made["Id"]).out == "the token script of anna is removed\n"
    assert run("tokens", "add", "x", "--user", "anna", "--days", "-1").code == 2


def test_a_password_comes_from_standard_input_or_a_terminal_and_never_from_elsewhere(tmp_path: Path, run: Run) -> None:
    data = tmp_path / "data"
    command = [sys.executable, "-m", "radfuse", "users", "add", "--data", str(data)]

    def add(*words: str, typed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *words], input=typed, env=environment(), capture_output=True, text=True, check=False, timeout=60
        )

    assert add("anna", "--stdin", typed=PASSWORD + "\n").returncode == 0
    assert can_log_in(data, "anna", PASSWORD)
    refused = run("users", "add", "ben")
    assert refused.code == 2
    assert "--password-file or --stdin" in " ".join(refused.err.split())
    ours, theirs = pty.openpty()
    with open(ours, "r+b", buffering=0) as terminal:
        process = subprocess.Popen([*command, "ben"], env=environment(), stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        seen = b""
        for prompt in (b"Password: ", b"confirmation: "):  # with the space, the echo is off
            while prompt not in seen:
                seen += terminal.read(100)
            terminal.write(PASSWORD.encode() + b"\n")
        with contextlib.suppress(OSError):  # the terminal's end
            while more := terminal.read(100):
                seen += more
        assert process.wait(60) == 0
    assert PASSWORD.encode() not in seen
    assert can_log_in(data, "ben", PASSWORD)
