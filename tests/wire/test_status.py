"""Status codes and their categories."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pynetdicom.status import GENERAL_STATUS, code_to_category

from radfuse.wire import status
from radfuse.wire.status import Category, category

CATEGORIES = {
    "Success": Category.SUCCESS,
    "Pending": Category.PENDING,
    "Cancel": Category.CANCEL,
    "Warning": Category.WARNING,
    "Failure": Category.FAILURE,
    "Refused": Category.FAILURE,
    "Error": Category.FAILURE,
    "any other": Category.FAILURE,
}


def test_every_named_status_has_the_category_that_pynetdicom_gives_it() -> None:
    for name, code in vars(status).items():
        if name.isupper() and isinstance(code, int):
            assert category(code).value.capitalize() == code_to_category(code), name


def test_every_general_status_of_the_standard_has_its_category() -> None:
    for code, (expected, *_) in GENERAL_STATUS.items():
        assert category(code) is CATEGORIES[expected], hex(code)


@pytest.mark.parametrize("table", ["store_status.csv", "qr_status.csv"])
def test_every_status_of_the_requirement_tables_has_its_category(table: str, conformance_tables: Path) -> None:
    with (conformance_tables / table).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    checked = 0
    for row in rows:
        written = row.get("status_from") or row["status"]
        first = written.split("-")[0]
        if len(first) == 4 and all(digit in "0123456789ABCDEF" for digit in first):
            assert category(int(first, 16)) is CATEGORIES[row["category"]], row
            checked += 1
    assert checked >= 16


def test_only_the_a7_family_means_out_of_resources() -> None:
    assert [code for code in range(0x10000) if status.is_out_of_resources(code)] == list(range(0xA700, 0xA800))
