"""The SCU's table of C-STORE statuses against the conformance table, row by row and status by status."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

from radfuse.core.store_statuses import STORE_STATUSES, Outcome, meaning_of

_OUTCOMES: Mapping[tuple[str, str], Outcome] = {
    ("complete when every instance succeeded", "no"): Outcome.SENT,
    ("counts as sent", "no"): Outcome.WARNED,
    ("failed, transient", "yes"): Outcome.TRANSIENT,
    ("failed", "no"): Outcome.FAILED,
}
"""(task_outcome, transient) of the conformance table."""


def scu_rows(tables: Path) -> list[dict[str, str]]:
    """The rows of both seeds about our own C-STORE requests."""
    with (tables / "store_status.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["role"] == "SCU"]


@pytest.mark.parametrize("seed", ["000", "001"])
def test_every_status_does_what_its_row_says(conformance_tables: Path, seed: str) -> None:
    rows = [row for row in scu_rows(conformance_tables) if row["seed"] == seed]
    named = [row for row in rows if len(row["status_from"]) == 4]
    (other,) = [row for row in rows if row["status_from"] == "*"]
    for code in range(0x10000):
        hit = [row for row in named if int(row["status_from"], 16) <= code <= int(row["status_to"], 16)]
        row = hit[0] if hit else other
        assert meaning_of(code).outcome is _OUTCOMES[row["task_outcome"], row["transient"]], f"{code:04X}"
    assert len(named) == len(STORE_STATUSES)


def test_what_ends_a_task_aborts_the_association(conformance_tables: Path) -> None:
    for row in scu_rows(conformance_tables):
        if len(row["status_from"]) == 4:
            goes_on = meaning_of(int(row["status_from"], 16)).outcome in (Outcome.SENT, Outcome.WARNED)
            assert goes_on == row["behaviour"].startswith("continue"), row


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0x0000, Outcome.SENT),
        (0x0111, Outcome.WARNED),
        (0xB000, Outcome.WARNED),
        (0xB001, Outcome.WARNED),
        (0xBFFF, Outcome.WARNED),
        (0x0110, Outcome.FAILED),
        (0xA700, Outcome.TRANSIENT),
        (0xA900, Outcome.FAILED),
        (0xC000, Outcome.FAILED),
        (0xFF00, Outcome.FAILED),
    ],
)
def test_a_lenient_destination_turns_duplicates_and_unknown_warnings_into_warnings(
    status: int, outcome: Outcome
) -> None:
    assert meaning_of(status, lenient=True).outcome is outcome
