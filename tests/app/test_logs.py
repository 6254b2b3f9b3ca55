"""Logs: a line for people, a JSON record for programs; nothing smuggled in, no variables in tracebacks."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radfuse.app.logs import configure_logs

log = logging.getLogger("radfuse.test")


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []  # so that pytest's own are not closed
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers = handlers
    root.setLevel(level)


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "node.jsonl").read_text(encoding="utf-8").splitlines()]


def test_each_record_is_a_line_of_json_with_its_facts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(tmp_path, "node")
    log.info("an association ended", extra={"calling_ae_title": "MODALITY", "stored": 12})
    log.debug("too fine")
    (record,) = records(tmp_path)
    assert record["event"] == "an association ended"
    assert (record["level"], record["calling_ae_title"], record["stored"]) == ("info", "MODALITY", 12)
    assert record["timestamp"].endswith("Z")
    line = capsys.readouterr().err
    assert "an association ended" in line
    assert "MODALITY" in line
    assert line.count("\n") == 1


@pytest.mark.parametrize("smuggled", ["a\nb", "a\r\nb", "\x1b[2J", "a\x00b", "\x9b31m", "\u2028"])
def test_control_characters_in_a_fact_are_escaped(
    smuggled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(tmp_path, "node")
    log.warning("a peer said", extra={"peer_says": smuggled})
    (record,) = records(tmp_path)
    assert record["peer_says"] == smuggled
    raw = (tmp_path / "node.jsonl").read_text(encoding="utf-8")
    assert not any(ord(character) < 32 for character in raw.rstrip("\n"))
    line = capsys.readouterr().err
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in line.rstrip("\n"))
    assert line.count("\n") == 1


def test_control_characters_in_the_sentence_or_an_exception_are_escaped_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(tmp_path, "node")
    try:
        raise ValueError("\x1b]0;title\x07")
    except ValueError:
        log.exception("the peer said %s", "\x1b[2J\nINFO all is well")
    line = capsys.readouterr().err
    assert not any(ord(character) < 32 for character in line.replace("\n", ""))
    assert "\nINFO" not in line
    assert line.splitlines()[-1] == "ValueError: \\x1b]0;title\\x07"


def test_a_traceback_shows_no_variables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(tmp_path, "node")

    def fail(patient_name: str) -> None:
        raise ValueError(len(patient_name))

    try:
        fail("Doe^Jane")
    except ValueError:
        log.exception("an operation failed")
    (record,) = records(tmp_path)
    assert "ValueError: 8" in record["exception"]
    written = (tmp_path / "node.jsonl").read_text(encoding="utf-8") + capsys.readouterr().err
    assert "Traceback" in written
    assert 'fail("Doe^Jane")' in written  # the line of the source, not its values
    assert "patient_name =" not in written
    assert "'Doe^Jane'" not in written


def test_without_a_folder_there_is_only_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(None, "node")
    log.info("said")
    assert "said" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_to_configure_again_takes_the_place_of_what_was(tmp_path: Path) -> None:
    configure_logs(tmp_path / "one", "node")
    configure_logs(tmp_path / "two", "node")
    log.info("said once")
    assert not (tmp_path / "one" / "node.jsonl").exists()
    assert len(records(tmp_path / "two")) == 1
