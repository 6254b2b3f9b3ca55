"""The command ``commission``: the small size runs whole, as in every installation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radfuse.services import commission as service
from radfuse.services.commission import Commission, Row
from radfuse.services.commission.machine import this_machine
from tests.cli.conftest import Run


@pytest.mark.slow
def test_a_small_commission_passes_and_keeps_what_it_made(run: Run, tmp_path: Path) -> None:
    answer = run("commission", "--small", "--json", "--to", tmp_path / "out", "--keep")
    failed = [row for row in answer.json["Rows"] if not row["Passed"]]
    assert failed == []
    assert answer.code == 0
    assert json.loads((tmp_path / "out" / "commission.json").read_text(encoding="utf-8")) == answer.json
    assert (tmp_path / "out" / "commission.pdf").read_bytes().startswith(b"%PDF-")
    measured = {(row["Part"], row["Quantity"]) for row in answer.json["Rows"]}
    assert {part for part, _ in measured} == {"quantities", "rigid", "exports", "graph", "deformable"}
    assert {
        ("rigid", "largest error at a corner"),
        ("deformable", "error, 95 %"),
        ("deformable", "least Dice of a contour"),
        ("deformable", "written and read, at nodes"),
    } <= measured
    kept = run("ls", "--level", "series", "--json", "--data", tmp_path / "out" / "archive").json
    assert {series["Modality"] for series in kept} == {"CT", "MR", "PT", "REG", "RTSTRUCT", "SEG"}


def made(*rows: Row) -> Commission:
    """A table that nobody measured."""
    return Commission("small", rows, (), this_machine(), "2026-01-05T12:00:00+00:00")


def test_a_value_beyond_its_limit_ends_with_1_and_is_marked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    table = made(Row("rigid", "CT to CT", "largest error", "mm", 2.0, 2.5), Row("rigid", "CT", "mean", "1", None, 0.5))
    monkeypatch.setattr(service, "commission", lambda *_: table)
    answer = run("commission", "--small")
    assert answer.code == 1
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert "rigid CT to CT largest error ≤ 2 2.5 mm NO" in lines
    assert "rigid CT mean 0.5" in lines
    assert answer.err == "radfuse: 1 of 1 measured values are beyond their limits.\n"


def test_nothing_that_is_there_is_written_over(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "table.pdf"
    table.write_text("mine", encoding="utf-8")
    answer = run("commission", "--small", "--pdf", table)
    assert answer.code == 1
    assert "is there already" in answer.err
    assert table.read_text(encoding="utf-8") == "mine"


def test_keeping_needs_a_folder(run: Run) -> None:
    assert run("commission", "--keep").code == 2
