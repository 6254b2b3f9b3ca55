"""What is written is safe for terminals and readable for programs."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator

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


def test_a_table_is_written_while_its_rows_come(capsys: pytest.CaptureFixture[str]) -> None:
    written = []

    def rows() -> Iterator[dict[str, object]]:
        for number in range(250):
            written.append(capsys.readouterr().out)
            yield {"Number": number, "Name": "x" if number else "a long one"}

    assert console.write_table(rows()) == 250
    pieces = [piece for piece in (*written, capsys.readouterr().out) if piece]
    assert [piece.count("\n") for piece in pieces] == [101, 100, 50]
    lines = "".join(pieces).splitlines()
    assert lines[0].split() == ["Number", "Name"]
    assert [int(line.split()[0]) for line in lines[1:]] == list(range(250))
    assert {line.index("x") for line in lines[2:]} == {lines[0].index("Name")}


def test_what_came_before_an_error_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> Iterator[dict[str, object]]:
        yield {"Name": "first"}
        raise ValueError("the peer is gone")

    with pytest.raises(ValueError, match="the peer is gone"):
        console.write_table(rows())
    assert "first" in capsys.readouterr().out


def test_a_table_of_nothing_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert console.write_table([]) == 0
    assert capsys.readouterr().out == ""


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
