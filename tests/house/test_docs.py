"""The documentation says what the program does: commands, settings, examples and links."""

from __future__ import annotations

import functools
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts import reference

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

_PROGRAMS = {
    "apt-get", "curl", "dcmdump", "echoscu", "findscu", "getscu", "git", "kill", "movescu", "python", "python3",
    "storescp", "storescu", "sudo",
}  # fmt: skip
"""What the examples may call besides radfuse and make."""

_SEPARATORS = {"|", "||", "&&", ";", "&"}

needs_cli = pytest.mark.skipif(importlib.util.find_spec("radfuse.cli") is None, reason="there is no cli room yet")
needs_app = pytest.mark.skipif(importlib.util.find_spec("radfuse.app") is None, reason="there is no app room yet")


@functools.cache
def known_commands() -> dict[str, Any]:
    return reference.commands()


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """The fenced code blocks of a page in one of the languages."""
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        if match[1] in languages:
            yield match[2]


def command_lines(page: Path) -> Iterator[list[str]]:
    """Every command of a page's shell examples, as words."""
    lines: list[str] = []
    for block in blocks(page, "console"):
        lines += [line[2:] for line in block.replace("\\\n", " ").splitlines() if line.startswith("$ ")]
    for block in blocks(page, "bash", "sh", "shell"):
        lines += block.replace("\\\n", " ").splitlines()
    for line in lines:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word not in _SEPARATORS:
                words.append(word)
            elif words:
                yield [word for word in words if not re.match(r"[A-Z_]+=", word) or words[0] == "radfuse"]
                words = []


def mistakes(words: list[str]) -> Iterator[str]:
    """What in one command of an example does not exist, a sentence each."""
    program, *rest = words
    if program == "make":
        targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
        yield from (f"no make target {word}" for word in rest if "=" not in word and word not in targets)
    elif program == "radfuse" and importlib.util.find_spec("radfuse.cli"):
        for length in (4, 3, 2):
            if command := known_commands().get(" ".join(words[:length])):
                given = {word.partition("=")[0] for word in words[length:] if re.match(r"--?[a-z]", word)}
                yield from (f"no option {option}" for option in sorted(given - reference.options(command)))
                return
        yield "no such command"
    elif program != "radfuse" and program not in _PROGRAMS:
        yield "an unexpected program"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_an_example_exists(page: Path) -> None:
    found = [f"{shlex.join(words)}: {mistake}" for words in command_lines(page) for mistake in mistakes(words)]
    assert found == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_example_runs(page: Path, tmp_path: Path) -> None:
    for block in blocks(page, "python"):
        done = subprocess.run([sys.executable, "-W", "error", "-c", block], cwd=tmp_path, check=False, text=True)
        assert done.returncode == 0, block


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@needs_app
@pytest.mark.parametrize("page", reference.PAGES)
def test_the_reference_is_up_to_date(page: str) -> None:
    text = (reference.DOCS / page).read_text(encoding="utf-8")
    assert text == reference.written(page), "run: make docs"


@needs_app
def test_every_kind_of_job_is_in_the_docs() -> None:
    kinds = (ROOT / "src" / "radfuse" / "app" / "kinds.py").read_text(encoding="utf-8")
    named = re.findall(r"^        \w+\.([A-Z_]+): ", kinds, re.MULTILINE)
    page = (reference.DOCS / "jobs.md").read_text(encoding="utf-8")
    assert len(named) >= 3
    assert [kind for kind in named if f"`{kind.lower().replace('_', '-')}`" not in page] == []


@needs_cli
def test_every_command_and_option_says_what_it_does() -> None:
    for name, command in known_commands().items():
        assert command.help, name
        assert not [param.name for param in command.params if not param.help and not param.hidden], name


@needs_app
def test_every_setting_says_what_it_does() -> None:
    assert not [setting.key for setting in reference.settings() if not setting.meaning]


def test_a_wrong_example_is_seen() -> None:
    assert list(mistakes(["make", "coffee"])) == ["no make target coffee"]
    assert list(mistakes(["make", "test", "WORKERS=0"])) == []
    assert list(mistakes(["rm", "-r", "data"])) == ["an unexpected program"]


@needs_cli
def test_a_wrong_radfuse_example_is_seen() -> None:
    assert list(mistakes(["radfuse", "fly"])) == ["no such command"]
    assert list(mistakes(["radfuse", "serve", "--wings"])) == ["no option --wings"]
    assert list(mistakes(["radfuse", "serve", "--data", "./x"])) == []


def test_examples_are_split_into_their_commands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ A=1 make test && radfuse ls \\\n  'PatientName=A*' # why\nanswer\n```\n")
    assert list(command_lines(page)) == [["make", "test"], ["radfuse", "ls", "PatientName=A*"]]
