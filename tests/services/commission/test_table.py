"""The table: what passes, and how it is said."""

from __future__ import annotations

import math

import pytest

from radfuse.services.commission import Commission, Part, Row, report_pdf, verdict
from radfuse.services.commission.machine import Machine, this_machine

MACHINE = Machine("a processor", 2, "Linux", (("Radfuse", "1"), ("numpy", "2")))


def row(measured: float, limit: float | None = 2.0, *, is_least: bool = False) -> Row:
    """A row of the table."""
    return Row("rigid", "CT to CT", "largest error", "mm", limit, measured, is_least)


def made(*rows: Row) -> Commission:
    """A table."""
    return Commission("small", rows, (Part("rigid", 1.25),), MACHINE, "2026-01-05T12:00:00+00:00")


@pytest.mark.parametrize(
    ("measured", "is_least", "passed"),
    [(2.0, False, True), (2.001, False, False), (2.0, True, True), (1.999, True, False), (math.nan, False, False)],
)
def test_a_row_passes_up_to_its_limit(measured: float, is_least: bool, passed: bool) -> None:
    assert row(measured, is_least=is_least).passed is passed


def test_a_number_without_a_limit_passes_if_it_is_one() -> None:
    assert row(99, None).passed
    assert not row(math.inf, None).passed


def test_the_verdict_counts_what_is_judged() -> None:
    assert verdict(made(row(1), row(9, None))) == "All 1 measured values are within their limits."
    assert verdict(made(row(1), row(3))) == "1 of 2 measured values are beyond their limits."


def test_the_answer_for_programs_has_every_row_and_no_nan() -> None:
    answer = made(row(1.5), row(math.nan)).as_json()
    assert answer["Passed"] is False
    assert [one["Measured"] for one in answer["Rows"]] == [1.5, None]
    assert [one["Passed"] for one in answer["Rows"]] == [True, False]
    assert answer["Machine"]["Software"]["numpy"] == "2"
    assert answer["Seconds"] == {"rigid": 1.25}


def test_the_same_table_is_the_same_pdf() -> None:
    table = made(row(1.5), row(3.5))
    assert report_pdf(table).startswith(b"%PDF-")
    assert report_pdf(table) == report_pdf(table)


def test_the_machine_names_what_results_depend_on() -> None:
    facts = this_machine()
    assert facts.cores >= 1
    assert facts.processor
    assert {"Radfuse", "Python", "numpy", "numba", "SimpleITK"} <= dict(facts.software).keys()
