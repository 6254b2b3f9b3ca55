"""What is written is safe for terminals and readable for programs."""

from __future__ import annotations

import io
import json
import sys

import pytest

from radfuse.cli import console


def test_control_characters_never_reach_a_terminal() -> None:
    assert console.printable("a\x1b[31mb\x9bc\nd") == "a�[31mb�c�d"
    assert console.printable("Müller^山田") == "Müller^山田"


def test_a_json_array_is_written_while_its_rows_come(capsys: pytest.CaptureFixture[str]) -> None:
    assert console.write_array([]) == 0
    assert capsys.readouterr().out == "[]\n"
    assert console.write_array({"Number": number} for number in range(3)) == 3
    assert json.loads(capsys.readouterr().out) == [{"Number": 0}, {"Number": 1}, {"Number": 2}]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_json_is_json_in_every_encoding_of_the_output(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    written = io.BytesIO()
    value = {"PatientName": "山田^太郎 😀", "File": "not-\udcff-utf-8"}
    with io.TextIOWrapper(written, encoding=encoding) as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        console.write_object(value)
        assert json.loads(written.getvalue().decode(encoding)) == value


def test_a_table_is_never_cut_where_no_person_looks(capsys: pytest.CaptureFixture[str]) -> None:
    assert console.write_table([{"Name": "x" * 500, "Sets": ["CT", "MR"], "May": True}, {"Name": "[red]"}]) == 2
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["Name", "Sets", "May"]
    assert first.split() == ["x" * 500, "CT,", "MR", "yes"]
    assert second.strip() == "[red]"


def test_progress_is_shown_to_a_person_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, is_shown in ((io.StringIO(), False), (Terminal(), True)):
        monkeypatch.setattr(sys, "stderr", stream)
        with console.progress("Working", 2, "objects") as advance:
            advance(1, None)
            advance(2, 4)
        assert ("Working" in stream.getvalue()) is is_shown
